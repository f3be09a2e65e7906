// A folder of JPEG frames in a tar: `a/00001.jpg`, `a/00002.jpg`, ..., or any naming of
// `frame_names.h`.
#ifndef OP3D_DATA_VIDEO_STORED_FRAME_TAR_H_
#define OP3D_DATA_VIDEO_STORED_FRAME_TAR_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/video/reader/video_info.h"
#include "data/video/stored/stored_frames.h"
#include "data/video/tar/tar_shard.h"

namespace op3d::data {

// `folder` is a folder of `shard` ("" = the top), `path` what messages call it.  Errors of
// FrameNames::Finish; NotFound, PermissionDenied: the tar cannot be opened.
absl::StatusOr<std::unique_ptr<StoredFrames>> OpenFrameTar(std::shared_ptr<const TarShard> shard,
                                                           absl::string_view folder,
                                                           const std::string& path,
                                                           FrameContent content,
                                                           const VideoLimits& limits);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_STORED_FRAME_TAR_H_
