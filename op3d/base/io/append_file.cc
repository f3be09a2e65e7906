#include "op3d/base/io/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d {

absl::StatusOr<std::unique_ptr<AppendFile>> AppendFile::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return ErrnoStatus(errno, "cannot write", path);
  std::unique_ptr<AppendFile> file(new AppendFile(path, fd));
  struct stat info;
  if (::fstat(fd, &info) != 0) return ErrnoStatus(errno, "cannot read", path);
  file->size_ = info.st_size;
  file->name_synced_ = info.st_size > 0;
  return file;
}

AppendFile::~AppendFile() { ::close(fd_); }

absl::Status AppendFile::CutTo(int64_t size) {
  if (size == size_) return absl::OkStatus();
  if (::ftruncate(fd_, size) != 0) return ErrnoStatus(errno, "cannot shorten", path_);
  size_ = size;
  return absl::OkStatus();
}

absl::Status AppendFile::CutTornLine() {
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(path_));
  return CutTo(static_cast<int64_t>(text.rfind('\n') + 1));
}

absl::Status AppendFile::Append(absl::string_view record) {
  for (absl::string_view rest = record; !rest.empty();) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const absl::Status status = ErrnoStatus(errno, "cannot write", path_);
      // If this fails too, the incomplete record is removed when the file is opened next.
      if (::ftruncate(fd_, size_) != 0) return status;
      return status;
    }
    rest.remove_prefix(static_cast<size_t>(written));
  }
  size_ += static_cast<int64_t>(record.size());
  return absl::OkStatus();
}

absl::Status AppendFile::Sync() {
  if (::fsync(fd_) != 0) return ErrnoStatus(errno, "cannot write", path_);
  if (name_synced_) return absl::OkStatus();
  name_synced_ = true;
  const std::filesystem::path parent = std::filesystem::path(path_).parent_path();
  const int folder = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_CLOEXEC);
  if (folder < 0) return absl::OkStatus();
  ::fsync(folder);  // some file systems cannot
  ::close(folder);
  return absl::OkStatus();
}

}  // namespace op3d
