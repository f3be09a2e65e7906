#include "data/index/index_journal.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "op3d/base/file.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"

namespace op3d::data {
namespace {

// Precedes each record.
struct Frame {
  uint32_t bytes;
  uint32_t crc32;
};

// Whether `path` is still the file that `fd` has open; the previous owner may have removed it.
bool IsSameFile(const std::string& path, int fd) {
  struct stat named, opened;
  return ::stat(path.c_str(), &named) == 0 && ::fstat(fd, &opened) == 0 &&
         named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

// Waits for the lock.  On a file system without locks it is assumed that there is no other process.
absl::Status Lock(const std::string& path, int fd) {
  bool told = false;
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR)) {
    if (!told) Progress::Print(absl::StrCat("waiting for the process that writes ", path));
    told = true;
    OP3D_RETURN_IF_ERROR(CheckInterrupt());
    absl::SleepFor(absl::Milliseconds(100));
  }
  return absl::OkStatus();
}

}  // namespace

IndexJournal::IndexJournal(std::string path, std::unique_ptr<AppendFile> file)
    : path_(std::move(path)), file_(std::move(file)) {}

absl::StatusOr<std::unique_ptr<IndexJournal>> IndexJournal::Open(const std::string& path) {
  for (;;) {
    OP3D_ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file, AppendFile::Open(path));
    const int fd = file->descriptor();
    auto journal = absl::WrapUnique(new IndexJournal(path, std::move(file)));
    OP3D_RETURN_IF_ERROR(Lock(path, fd));
    if (!IsSameFile(path, fd)) continue;
    OP3D_RETURN_IF_ERROR(journal->ReadEarlier());
    return journal;
  }
}

absl::Status IndexJournal::ReadEarlier() {
  OP3D_ASSIGN_OR_RETURN(const std::string content, ReadFile(path_));
  size_t position = 0;
  Frame frame;
  while (content.size() - position >= sizeof(frame)) {
    std::memcpy(&frame, content.data() + position, sizeof(frame));
    const size_t begin = position + sizeof(frame);
    if (frame.bytes > content.size() - begin) break;
    const absl::string_view record(content.data() + begin, frame.bytes);
    if (Crc32(record) != frame.crc32) break;
    earlier_.emplace_back(record);
    position = begin + frame.bytes;
  }
  // New records must not come after bytes that cannot be read.
  return file_->CutTo(static_cast<int64_t>(position));
}

absl::Status IndexJournal::Append(absl::string_view record) {
  const Frame frame = {static_cast<uint32_t>(record.size()), Crc32(record)};
  std::string bytes(reinterpret_cast<const char*>(&frame), sizeof(frame));
  bytes.append(record.data(), record.size());
  return file_->Append(bytes);
}

absl::Status IndexJournal::Remove() { return RemoveFile(path_); }

}  // namespace op3d::data
