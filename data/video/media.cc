#include "data/video/media.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "data/video/file/video_file.h"
#include "data/video/stored/frame_folder.h"
#include "data/video/stored/frame_lmdb.h"
#include "data/video/stored/stored_frame_reader.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

// Null for a video file.
absl::StatusOr<std::unique_ptr<StoredFrames>> OpenStored(const std::string& path,
                                                         const MediaOptions& options) {
  if (IsLmdb(path)) return OpenFrameLmdb(path, options.content, options.limits);
  if (FolderExists(path)) return OpenFrameFolder(path, options.content, options.limits);
  if (options.content == FrameContent::kFlow && FileExists(path)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     " is a file, and a video has no flow; give a folder or LMDB of pictures "
                     "such as 000001_c1.jpg and 000001_c2.jpg, as `dataset flow` makes them"));
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<VideoScan> ScanMedia(const std::string& path, const MediaOptions& options) {
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<StoredFrames> stored, OpenStored(path, options));
  if (stored == nullptr) return ScanVideoFile(path, options.limits);
  VideoScan scan;
  OP3D_ASSIGN_OR_RETURN(scan.info,
                        DescribeStoredFrames(stored.get(), options.content, options.limits));
  return scan;
}

absl::StatusOr<std::unique_ptr<VideoReader>> OpenMedia(const std::string& path, VideoScan scan,
                                                       const MediaOptions& options) {
  OP3D_ASSIGN_OR_RETURN(std::unique_ptr<StoredFrames> stored, OpenStored(path, options));
  if (stored == nullptr) return OpenVideoFile(path, std::move(scan), options.limits);
  return MakeStoredFrameReader(std::move(stored), options.content, path, std::move(scan.info),
                               options.limits);
}

absl::StatusOr<std::unique_ptr<VideoReader>> OpenMedia(const std::string& path,
                                                       const MediaOptions& options) {
  OP3D_ASSIGN_OR_RETURN(VideoScan scan, ScanMedia(path, options));
  return OpenMedia(path, std::move(scan), options);
}

}  // namespace op3d::data
