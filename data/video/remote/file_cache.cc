#include "data/video/remote/file_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <optional>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/file.h"
#include "op3d/base/sha256.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"

namespace op3d::data {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kPart[] = ".part";
// Locked while room is made; holds the bytes in use as text.
constexpr char kLedger[] = "op3d_cache.bytes";
constexpr size_t kHashDigits = 64;

// An open file; closing it releases its lock.
class OpenFile {
 public:
  explicit OpenFile(int file) : file_(file) {}
  ~OpenFile() {
    if (file_ >= 0) ::close(file_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int get() const { return file_; }

 private:
  const int file_;
};

// Whether the lock was got at once.
bool TryLock(int file, int kind) {
  while (::flock(file, kind | LOCK_NB) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

// Whether `path` still is the open file: it may have been removed or renamed meanwhile.
bool IsAt(int file, const std::string& path) {
  struct stat open, named;
  return ::fstat(file, &open) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

absl::Status Pause() {
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return CheckInterrupt();
}

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Only such files are ever removed: the folder may be the user's own.
bool IsCacheFile(absl::string_view name) {
  return name.size() >= kHashDigits &&
         std::all_of(name.begin(), name.begin() + kHashDigits, absl::ascii_isxdigit) &&
         (name.size() == kHashDigits || name[kHashDigits] == '.');
}

// The complete file at `path`, locked for reading and marked as just used; null if there is none.
absl::StatusOr<std::shared_ptr<OpenFile>> OpenComplete(const std::string& path) {
  const Clock::time_point start = Clock::now();
  for (;;) {
    auto file = std::make_shared<OpenFile>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file->get() < 0) {
      if (errno == ENOENT) return std::shared_ptr<OpenFile>();
      return ErrnoStatus(errno, "cannot open", path);
    }
    if (TryLock(file->get(), LOCK_SH)) {
      if (!IsAt(file->get(), path)) continue;
      const timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
      ::futimens(file->get(), now);  // without the right to it, the file only counts as older
      return file;
    }
    // Exclusive locks of complete files last an instant.
    if (SecondsSince(start) > 60) {
      return absl::UnavailableError(absl::StrCat(path, " has been locked for a minute"));
    }
    OP3D_RETURN_IF_ERROR(Pause());
  }
}

CachedFile Cached(const std::string& path, std::shared_ptr<OpenFile> file) {
  return {path, std::shared_ptr<const void>(std::move(file))};
}

}  // namespace

absl::StatusOr<FileCache> FileCache::Make(std::string folder, int64_t limit_bytes) {
  if (limit_bytes < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("a cache of ", limit_bytes, " bytes; it must have at least 1"));
  }
  OP3D_RETURN_IF_ERROR(MakeFolders(folder));
  return FileCache(std::move(folder), limit_bytes);
}

absl::StatusOr<int64_t> FileCache::Evict(int64_t bytes) const {
  struct Entry {
    std::string path;
    int64_t bytes = 0;
    int64_t used = 0;
  };
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder_));
  std::vector<Entry> entries;
  int64_t sum = 0;
  for (const std::string& name : names) {
    if (!IsCacheFile(name)) continue;
    Entry entry = {JoinPath(folder_, name)};
    struct stat info;
    if (::stat(entry.path.c_str(), &info) != 0) continue;
    entry.bytes = info.st_size;
    // A part that nobody writes comes first: its process was killed.
    entry.used = absl::EndsWith(name, kPart)
                     ? 0
                     : info.st_mtim.tv_sec * int64_t{1'000'000'000} + info.st_mtim.tv_nsec;
    sum += entry.bytes;
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.used < b.used; });
  // A little more than needed, so that not every file has to look for room.
  const int64_t aim = std::max(limit_ - limit_ / 16, bytes) - bytes;
  for (const Entry& entry : entries) {
    if (sum <= aim && entry.used != 0) break;
    const OpenFile file(::open(entry.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0 || !TryLock(file.get(), LOCK_EX) || !IsAt(file.get(), entry.path)) continue;
    if (::unlink(entry.path.c_str()) == 0) sum -= entry.bytes;
  }
  return sum;
}

absl::Status FileCache::MakeRoom(int64_t bytes, int file) const {
  const std::string too_small = "; raise dataset.remote.cache_mib";
  if (bytes > limit_) {
    return absl::ResourceExhaustedError(absl::StrCat("the file has ", bytes, " bytes, the cache ",
                                                     folder_, " at most ", limit_, too_small));
  }
  const std::string path = JoinPath(folder_, kLedger);
  const OpenFile ledger(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (ledger.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  const Clock::time_point start = Clock::now();
  while (!TryLock(ledger.get(), LOCK_EX)) {
    if (SecondsSince(start) > 60) {
      return absl::UnavailableError(absl::StrCat(path, " has been locked for a minute"));
    }
    OP3D_RETURN_IF_ERROR(Pause());
  }
  char text[32] = {};
  int64_t used = -1;
  const ssize_t length = ::pread(ledger.get(), text, sizeof(text) - 1, 0);
  // The sum is never too small: what fails is counted until the next look.
  if (length <= 0 || !absl::SimpleAtoi(text, &used) || used < 0 || used + bytes > limit_) {
    // What this file reserved in an earlier try does not count.
    if (::ftruncate(file, 0) != 0) return ErrnoStatus(errno, "cannot write", folder_);
    OP3D_ASSIGN_OR_RETURN(used, Evict(bytes));
    if (used + bytes > limit_) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the cache ", folder_, " has no room for ", bytes, " bytes more: ", used,
                       " of its ", limit_, " are being read or written", too_small));
    }
  }
  // The space itself, so that a full disk is noticed here.
  const int error = ::posix_fallocate(file, 0, bytes);
  if (error != 0) return ErrnoStatus(error, "cannot write to the cache", folder_);
  const std::string sum = absl::StrCat(used + bytes);
  if (::ftruncate(ledger.get(), 0) != 0 ||
      ::pwrite(ledger.get(), sum.data(), sum.size(), 0) != static_cast<ssize_t>(sum.size())) {
    return ErrnoStatus(errno, "cannot write", path);
  }
  return absl::OkStatus();
}

absl::StatusOr<CachedFile> FileCache::Get(absl::string_view key, absl::string_view ending,
                                          Fill fill, double patience_seconds) const {
  const std::string path = JoinPath(folder_, absl::StrCat(Sha256(key), ending));
  std::string part = absl::StrCat(path, kPart);
  const Clock::time_point start = Clock::now();
  for (;;) {
    OP3D_ASSIGN_OR_RETURN(std::shared_ptr<OpenFile> complete, OpenComplete(path));
    if (complete != nullptr) return Cached(path, std::move(complete));
    auto file =
        std::make_shared<OpenFile>(::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (file->get() < 0) return ErrnoStatus(errno, "cannot write", part);
    if (!TryLock(file->get(), LOCK_EX)) {
      struct stat info;
      timespec now = {};
      ::clock_gettime(CLOCK_REALTIME, &now);
      const bool stuck = ::fstat(file->get(), &info) == 0 &&
                         static_cast<double>(now.tv_sec - info.st_mtim.tv_sec) > patience_seconds &&
                         SecondsSince(start) > patience_seconds;
      if (stuck) {
        // The other one is stopped or its machine is gone: do not wait for ever.
        static std::atomic<int> copies{0};
        part = absl::StrCat(path, ".", ::getpid(), "_", copies.fetch_add(1), kPart);
      }
      OP3D_RETURN_IF_ERROR(Pause());
      continue;
    }
    if (!IsAt(file->get(), part)) continue;  // completed or removed in this moment
    // Completed between the two looks.
    OP3D_ASSIGN_OR_RETURN(complete, OpenComplete(path));
    if (complete != nullptr) {
      ::unlink(part.c_str());
      return Cached(path, std::move(complete));
    }
    absl::Status status;
    if (::ftruncate(file->get(), 0) != 0) status = ErrnoStatus(errno, "cannot write", part);
    int64_t reserved = 0;
    if (status.ok()) {
      status = fill(file->get(), [&](int64_t bytes) {
        reserved = bytes;
        return MakeRoom(bytes, file->get());
      });
    }
    if (status.ok() && ::ftruncate(file->get(), reserved) != 0) {
      status = ErrnoStatus(errno, "cannot write", part);
    }
    if (status.ok() && ::fdatasync(file->get()) != 0) {
      status = ErrnoStatus(errno, "cannot write", part);
    }
    if (status.ok() && std::rename(part.c_str(), path.c_str()) != 0) {
      status = ErrnoStatus(errno, "cannot write", path);
    }
    if (!status.ok()) {
      ::unlink(part.c_str());
      return status;
    }
    // Now it is locked for reading as any other; in between it may have been removed again.
  }
}

}  // namespace op3d::data
