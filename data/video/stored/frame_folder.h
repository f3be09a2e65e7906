// A folder of JPEG frames: `00001.jpg`, `00002.jpg`, ..., or any naming of `frame_names.h`.
#ifndef OP3D_DATA_VIDEO_STORED_FRAME_FOLDER_H_
#define OP3D_DATA_VIDEO_STORED_FRAME_FOLDER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "data/video/reader/video_info.h"
#include "data/video/stored/stored_frames.h"

namespace op3d::data {

// Lists the folder; other files in it are ignored.  Errors of ListFolder and of
// FrameNames::Finish.
absl::StatusOr<std::unique_ptr<StoredFrames>> OpenFrameFolder(const std::string& path,
                                                              FrameContent content,
                                                              const VideoLimits& limits);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_STORED_FRAME_FOLDER_H_
