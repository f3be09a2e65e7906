// Exact frames of a video file.  `media.h` is the entry point for any stored form.
//
//   OP3D_ASSIGN_OR_RETURN(VideoScan scan, ScanVideoFile("a.mp4", {}));        // once
//   OP3D_ASSIGN_OR_RETURN(auto reader, OpenVideoFile("a.mp4", scan, {}));   // any number of times
//
// Pixels: colour matrix and range as in the file, BT.601 limited if unspecified; turned
// upright; the video's own size (nothing is resized, non-square pixels stay as they are).  The
// same file gives the same bytes on one machine, whatever the order of requests.
#ifndef OP3D_DATA_VIDEO_FILE_VIDEO_FILE_H_
#define OP3D_DATA_VIDEO_FILE_VIDEO_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "data/video/file/video_source.h"
#include "data/video/reader/video_info.h"
#include "data/video/reader/video_reader.h"

namespace op3d::data {

// Frame count, size and times of a file, from one pass over its packets (about a millisecond).
// Everything is decoded only if the packets are not enough (damage, missing times).
//
// NotFound: no such file.  InvalidArgument: not a regular file, or not a video.  DataLoss: a video
// in which no frame decodes.  ResourceExhausted: beyond `limits`.  Messages name the file.
absl::StatusOr<VideoScan> ScanVideoFile(const VideoSource& source, const VideoLimits& limits);

// Opens the file from which `scan` was made, without another pass.  With `decoding.fast` pixels, and
// perhaps the size, are not those described above.  Errors of ScanVideoFile; if
// the file has been replaced, reading ends with DataLoss or returns the new file's frames.
absl::StatusOr<std::unique_ptr<VideoReader>> OpenVideoFile(const VideoSource& source,
                                                           VideoScan scan,
                                                           const VideoLimits& limits,
                                                           const Decoding& decoding = {});

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FILE_VIDEO_FILE_H_
