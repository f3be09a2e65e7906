// Converts decoded frames to RGB: colours by the file's matrix and range, turned upright.
//
// The arithmetic is libswscale's, with rounding and chroma interpolation that, unlike in its fast
// path, do not depend on the machine's vector instructions or on the parity of the height.  The
// most common pixel format takes a faster path with the same bytes.
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

  // Writes the part `box` of the presented picture, which must contain it.  Matrix: the frame's;
  // BT.601 if unspecified.  Range: full if the frame says so, otherwise limited.
  // Unimplemented: a pixel format that swscale cannot read.
  absl::Status Convert(const AVFrame& frame, const Box& box, RgbImage* image);

  // False if Planes() of frames in this pixel format, -1 if unknown, is always nullopt.
  bool MayGivePlanes(int format) const;
  // The whole picture, as decoded, valid as long as `frame`; nullopt unless it is 8-bit 4:2:0 of
  // the pictures' size, upright, and at least 10 pixels a side.
  std::optional<YuvPicture> Planes(const AVFrame& frame);

 private:
  // The pixels of a part of the stored picture, [any, any, 3].
  struct Pixels {
    const uint8_t* data;
    ptrdiff_t stride;
  };
  Box StoredBox(const Box& presented) const;
  // Null if the frame must be converted by swscale.
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
