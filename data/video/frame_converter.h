// Decoded frames as RGB pictures: colours by the file's matrix and range, turned upright.
//
// libswscale does the arithmetic, with rounding and chroma interpolation that do not depend on the
// machine's vector instructions or on the parity of the height, as its fast path does.
#ifndef DATA_VIDEO_FRAME_CONVERTER_H_
#define DATA_VIDEO_FRAME_CONVERTER_H_

#include "absl/status/status.h"
#include "data/video/demuxer.h"
#include "data/video/ffmpeg.h"
#include "data/video/image.h"

namespace op3d {

class FrameConverter {
 public:
  // Pictures are `width` x `height` before they are turned.  A frame of another size (some files
  // change it midway) is scaled.
  FrameConverter(int width, int height, Orientation orientation);

  // Matrix: the frame's; BT.601 when it says nothing.  Range: full when it says so, else limited.
  // Unimplemented: a pixel format that swscale cannot read.
  absl::Status Convert(const AVFrame& frame, RgbImage* image);

 private:
  absl::Status Prepare(const AVFrame& frame);

  const int width_;
  const int height_;
  const Orientation orientation_;
  ScalerPtr scaler_;
  FramePtr upright_;
};

}  // namespace op3d

#endif  // DATA_VIDEO_FRAME_CONVERTER_H_
