// What is known of a video before it is decoded, and the limits on its size.
#ifndef OP3D_DATA_VIDEO_READER_VIDEO_INFO_H_
#define OP3D_DATA_VIDEO_READER_VIDEO_INFO_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/video/reader/frame_index.h"

namespace op3d::data {

struct VideoInfo {
  // The number of frames that decode; frame numbers are [0, frames).  Never taken from the file's
  // header.
  int64_t frames = 0;
  // In pixels, as presented: after the rotation.
  int width = 0;
  int height = 0;
  // Clockwise rotation that the file asks for: 0, 90, 180 or 270 degrees.  The reader applies it.
  int rotation = 0;
  // FFmpeg's name: "h264", "mpeg4", "vp9"; "jpeg" for stored frames.
  std::string codec;
  // Presentation time of frame k, [frames], increasing; the first need not be 0.  Empty for stored
  // frames, which have no times.
  std::vector<double> pts_seconds;
  // What is unusual about the video, in sentences; empty for most.
  std::vector<std::string> warnings;
};

// Everything that a pass over a video found: with it the video can be opened again without another
// pass.  Plain data, to be stored in an index.
struct VideoScan {
  VideoInfo info;
  // For video files; empty for stored frames.
  FrameIndex index;
};

// A video beyond these limits is refused (ResourceExhausted) before it can use up the memory.
struct VideoLimits {
  // Pixels of one frame.  8K video has 33 million.
  int64_t max_pixels = int64_t{1} << 26;
  // Frames of the whole video.
  int64_t max_frames = 2'000'000;
  // From the first frame to the last.
  double max_seconds = 24 * 3600.0;
};

class Nvdec;

// How the pictures of a video file are decoded.
struct Decoding {
  // Leaves out the loop filter (H.264, HEVC, VP9, ...), which changes pixels.
  bool fast = false;
  // With `fast`, codecs that can (MPEG-4) decode at half, a quarter or an eighth of the size, as long
  // as the short side has at least this number of pixels; 0 = always the whole size.  The reader's
  // info() has the smaller size.
  int least_short_side = 0;
  // Decodes on this GPU what it can (data/video/file/nvdec.h); null = everything on the CPU.
  std::shared_ptr<const Nvdec> nvdec = nullptr;
};

// The pixels that a decoder may use for a frame within the limits: coded sizes are rounded up to
// blocks.
inline int64_t CodedPixelsLimit(const VideoLimits& limits) {
  return limits.max_pixels + limits.max_pixels / 8 + (1 << 16);
}

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_READER_VIDEO_INFO_H_
