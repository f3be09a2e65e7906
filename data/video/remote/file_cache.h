// A folder of files that were fetched from elsewhere, with a size limit: the files used the longest
// time ago are removed.  Any number of threads and processes share one folder.
//
//   OP3D_ASSIGN_OR_RETURN(FileCache cache, FileCache::Make("/tmp/cache", int64_t{10} << 30));
//   OP3D_ASSIGN_OR_RETURN(CachedFile file, cache.Get(url, ".mp4", fill));
//   Use(file.path);                              // stays as long as file.keep lives
#ifndef OP3D_DATA_VIDEO_REMOTE_FILE_CACHE_H_
#define OP3D_DATA_VIDEO_REMOTE_FILE_CACHE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

struct CachedFile {
  std::string path;
  // While this lives, nobody removes the file to make room.
  std::shared_ptr<const void> keep;
};

// Thread-safe.
//
// A file is `<SHA-256 of the key><ending>`; while it is written its name ends in ".part", and it is
// renamed when it is complete, so a process that is killed leaves no half file under the final name.
// A reader holds a shared lock (flock) on its file, a writer an exclusive one on the part; what is
// locked is not removed.
class FileCache {
 public:
  // Makes the folder.  Errors of MakeFolders; InvalidArgument: a limit below 1.
  static absl::StatusOr<FileCache> Make(std::string folder, int64_t limit_bytes);

  // Calls `fill`(file, reserve) to write the content of a new file, which must call `reserve` with
  // the final size before it writes.  `reserve` makes room: ResourceExhausted if the file is
  // larger than the limit, or if everything else is being read, or on a full disk.
  using Reserve = absl::FunctionRef<absl::Status(int64_t bytes)>;
  using Fill = absl::FunctionRef<absl::Status(int file, Reserve reserve)>;

  // The file of `key`; if it is not there, `fill` makes it.  If somebody else is making it, waits for
  // that; if that makes no progress for `patience_seconds`, makes a copy of its own.
  //
  // Errors of `fill` and of the file system; the incomplete file is removed.  Cancelled: a signal.
  absl::StatusOr<CachedFile> Get(absl::string_view key, absl::string_view ending, Fill fill,
                                 double patience_seconds = 60) const;

  const std::string& folder() const { return folder_; }

 private:
  FileCache(std::string folder, int64_t limit_bytes)
      : folder_(std::move(folder)), limit_(limit_bytes) {}
  absl::Status MakeRoom(int64_t bytes, int file) const;
  // Removes unlocked files, the oldest first, until `bytes` more fit; returns the bytes that remain.
  absl::StatusOr<int64_t> Evict(int64_t bytes) const;

  std::string folder_;
  int64_t limit_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_REMOTE_FILE_CACHE_H_
