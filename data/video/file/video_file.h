// Exact frames of a video file.  `media.h` is the door that opens any stored form.
//
//   OP3D_ASSIGN_OR_RETURN(VideoScan scan, ScanVideoFile("a.mp4", {}));        // once
//   OP3D_ASSIGN_OR_RETURN(auto reader, OpenVideoFile("a.mp4", scan, {}));     // as often as you like
//
// Pixels: colour matrix and range as the file says, BT.601 limited where it is silent; turned
// upright; the video's own size (nothing is resized, non-square pixels stay as they are).  The
// same file gives the same bytes on one machine, in whatever order frames are asked for.
#ifndef OP3D_DATA_VIDEO_FILE_VIDEO_FILE_H_
#define OP3D_DATA_VIDEO_FILE_VIDEO_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "data/video/reader/video_info.h"
#include "data/video/reader/video_reader.h"

namespace op3d::data {

// Frame count, size and times of a file, from one pass over its packets (about a millisecond).
// Only where packets do not tell (damage, missing times) is everything decoded.
//
// NotFound: no such file.  InvalidArgument: not a regular file, or not a video.  DataLoss: a video
// of which no frame decodes.  ResourceExhausted: beyond `limits`.  Messages name the file.
absl::StatusOr<VideoScan> ScanVideoFile(const std::string& path, const VideoLimits& limits);

// Opens the file that `scan` was made of, without another pass.  Errors of ScanVideoFile; when the
// file has become another one, reading ends with DataLoss or gives the new file's frames.
absl::StatusOr<std::unique_ptr<VideoReader>> OpenVideoFile(const std::string& path, VideoScan scan,
                                                           const VideoLimits& limits);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FILE_VIDEO_FILE_H_
