// Paths that lead into a tar as into a folder: "videos/train-000.tar/run/a.mp4" is the member
// run/a.mp4 of the file videos/train-000.tar.  A real folder of that name stays a folder.
//
//   MediaFileExists("videos/train-000.tar/run/a.mp4");
//   ListMediaFolder("videos/train-000.tar/run");
#ifndef OP3D_DATA_VIDEO_TAR_MEDIA_PATH_H_
#define OP3D_DATA_VIDEO_TAR_MEDIA_PATH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/video/tar/tar_shard.h"

namespace op3d::data {

// A path into a tar: the file, and a member or folder in it; "" is the tar itself.
struct TarPath {
  std::string tar;
  std::string member;
};

// Empty if no part of `path` is a regular file that ends in ".tar", in any case.
std::optional<TarPath> SplitTarPath(const std::string& path);

// Whether a name ends in ".tar", in any case.
bool IsTarName(absl::string_view name);

// Whether a file or a folder is there, on the disk or in a tar.  A tar is a folder; one that cannot
// be read contains nothing.
bool MediaFileExists(const std::string& path);
bool MediaFolderExists(const std::string& path);

// The names in a folder on the disk or in a tar, sorted, with what they are; of a damaged tar those
// before the damage.  A tar counts as a folder.  Errors of the file system and of TarShard::Open.
absl::StatusOr<std::vector<TarShard::Entry>> ListMediaFolder(const std::string& path);

// The bytes of a file, on the disk or in a tar; 0 if there is none.
int64_t MediaFileBytes(const std::string& path);

// Why nothing is at `path`, which leads into a tar that lacks it or cannot be read; OK if something
// is there, or if `path` leads into no tar.
absl::Status CheckTarPath(const std::string& path);

// Why the tar `path` cannot be read to its end; OK if it can, or if no tar is there.
absl::Status TarDamage(const std::string& path);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_TAR_MEDIA_PATH_H_
