// Decoded frames as RGB pictures: colours by the file's matrix and range, turned upright.
//
// The arithmetic is libswscale's, with rounding and chroma interpolation that do not depend on the
// machine's vector instructions or on the parity of the height, as its fast path does.  The usual
// pixel format takes a short cut to the same bytes.
#ifndef OP3D_DATA_VIDEO_FILE_FRAME_CONVERTER_H_
#define OP3D_DATA_VIDEO_FILE_FRAME_CONVERTER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/video/ffmpeg/ffmpeg.h"
#include "data/video/file/demuxer.h"
#include "data/video/image/image.h"
#include "data/video/image/yuv_to_rgb.h"

namespace op3d::data {

class FrameConverter {
 public:
  // Pictures are `width` x `height` before they are turned.  A frame of another size (some files
  // change it midway) is scaled.
  FrameConverter(int width, int height, Orientation orientation);

  // The part `box` of the presented picture, in which it must lie.  Matrix: the frame's; BT.601
  // when it says nothing.  Range: full when it says so, else limited.
  // Unimplemented: a pixel format that swscale cannot read.
  absl::Status Convert(const AVFrame& frame, const Box& box, RgbImage* image);

 private:
  // Where the pixels of a part of the stored picture are, [any, any, 3].
  struct Pixels {
    const uint8_t* data;
    ptrdiff_t stride;
  };
  Box StoredBox(const Box& presented) const;
  // Null when the frame has to go through swscale.
  YuvToRgb* ShortCut(const AVFrame& frame);
  absl::StatusOr<Pixels> Scale(const AVFrame& frame);
  absl::Status PrepareScaler(const AVFrame& frame);

  const int width_;
  const int height_;
  const Orientation orientation_;
  ScalerPtr scaler_;
  FramePtr scaled_;
  // For frames with this matrix and range.
  std::optional<YuvToRgb> short_cut_;
  const int* matrix_ = nullptr;
  bool full_range_ = false;
  std::vector<uint8_t> part_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FILE_FRAME_CONVERTER_H_
