#include "data/index/file_stamp.h"

#include <sys/stat.h>

#include <cerrno>
#include <optional>

#include "data/video/remote/remote_url.h"
#include "data/video/tar/media_path.h"
#include "op3d/base/file.h"

namespace op3d::data {

absl::StatusOr<FileStamp> StampMedia(const std::string& path) {
  // Asking the server about every video would take longer than the index saves.
  if (IsUrl(path)) return FileStamp();
  const std::optional<TarPath> place = SplitTarPath(path);
  struct stat info;
  if (::stat((place.has_value() ? place->tar : path).c_str(), &info) != 0)
    return ErrnoStatus(errno, "cannot open", path);
  const bool folder = S_ISDIR(info.st_mode);
  if (folder) {
    struct stat database;
    if (::stat(JoinPath(path, "data.mdb").c_str(), &database) == 0) info = database;
  }
  FileStamp stamp;
  if (!S_ISDIR(info.st_mode)) stamp.bytes = info.st_size;
  stamp.modified_nanoseconds = info.st_mtim.tv_sec * int64_t{1'000'000'000} + info.st_mtim.tv_nsec;
  return stamp;
}

}  // namespace op3d::data
