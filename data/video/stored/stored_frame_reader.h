// Frames of a video that is stored frame by frame; use `media.h` to open one.
#ifndef OP3D_DATA_VIDEO_STORED_STORED_FRAME_READER_H_
#define OP3D_DATA_VIDEO_STORED_STORED_FRAME_READER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "data/video/reader/video_info.h"
#include "data/video/reader/video_reader.h"
#include "data/video/stored/stored_frames.h"

namespace op3d::data {

// Count and size of the frames; reads only the first picture's header.  DataLoss: it has none.
// ResourceExhausted: beyond `limits`.
absl::StatusOr<VideoInfo> DescribeStoredFrames(StoredFrames* frames, FrameContent content,
                                               const VideoLimits& limits);

// `info` is the result of DescribeStoredFrames; `path` is for messages.  Every frame must have the
// first one's size: DataLoss names the one that does not.  Flow: x is the image's red, y its green,
// blue is 0.
absl::StatusOr<std::unique_ptr<VideoReader>> MakeStoredFrameReader(
    std::unique_ptr<StoredFrames> frames, FrameContent content, std::string path, VideoInfo info,
    const VideoLimits& limits);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_STORED_STORED_FRAME_READER_H_
