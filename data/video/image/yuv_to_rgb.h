// Converts 8-bit YUV 4:2:0, the format of nearly all videos, to RGB: the bytes of libswscale's
// exact arithmetic at several times its speed, for the whole picture or only a part of it.
//
//   std::optional<YuvToRgb> converter = YuvToRgb::Make(340, 256, matrix, /*full_range=*/false);
//   if (converter.has_value()) converter->Convert(planes, strides, {58, 16, 224, 224}, rgb);
#ifndef OP3D_DATA_VIDEO_IMAGE_YUV_TO_RGB_H_
#define OP3D_DATA_VIDEO_IMAGE_YUV_TO_RGB_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "data/video/image/bilinear_filter.h"
#include "data/video/image/image.h"

namespace op3d::data {

// A decoded picture whose colours are not converted yet.  Does not own its memory.
struct YuvPicture {
  int width = 0;
  int height = 0;
  // Y, U, V.  U and V have half the picture's sides, rounded up; a stride is the distance between
  // two rows in bytes.
  std::array<const uint8_t*, 3> planes = {};
  std::array<ptrdiff_t, 3> strides = {};
  // As in YuvToRgb::Make.
  std::array<int, 4> matrix = {};
  bool full_range = false;
};

// Samples of U and V that contain all those that YuvToRgb reads for the pixels `box` of a picture of
// `width` x `height`, at least 10 pixels a side.
Box ChromaBox(const Box& box, int width, int height);

// Not thread-safe, because it holds scratch memory.
class YuvToRgb {
 public:
  // `matrix`: red from V, blue from U, minus green from U, minus green from V, in units of 2^-16
  // for limited range (libswscale's sws_getCoefficients).  nullopt for pictures that are too small
  // (less than 10 pixels in one direction).
  static std::optional<YuvToRgb> Make(int width, int height, const int matrix[4], bool full_range);

  // Writes the part `box`, inside the picture, as [box.height, box.width, 3].  U and V have half
  // the picture's sides, rounded up; a stride is the distance between two rows in bytes.
  void Convert(const std::array<const uint8_t*, 3>& planes, const std::array<ptrdiff_t, 3>& strides,
               const Box& box, uint8_t* rgb);

  // The constants of the arithmetic, for other implementations of it (op3d/gpu).
  struct Coefficients {
    int luma_scale, luma_offset, red_v, green_u, green_v, blue_u;
  };
  Coefficients coefficients() const {
    return {luma_scale_, luma_offset_, red_v_, green_u_, green_v_, blue_u_};
  }
  // Columns of the picture, weights of 2^14; rows, weights of 2^12, of which only one half and more
  // for the second row counts: then the two rows' mean is used, else the first row.
  const BilinearFilter& across() const { return across_; }
  const BilinearFilter& down() const { return down_; }

 private:
  YuvToRgb() = default;
  // The pixels [left, left + width) of a row of samples, times 128.
  void Widen(const uint8_t* samples, int left, int width, int16_t* out) const;

  BilinearFilter across_;
  BilinearFilter down_;
  // Even widths: weights are multiples of 1/4.
  bool quarters_ = false;
  // Other widths: from this pair of pixels on both start at one sample, before it at two.
  std::optional<int> turn_;
  int luma_scale_ = 0;
  int luma_offset_ = 0;
  int red_v_ = 0, green_u_ = 0, green_v_ = 0, blue_u_ = 0;
  // For U and V: sample rows r and r + 1, widened, at (r % 2) and ((r + 1) % 2) * box.width.
  std::array<std::vector<int16_t>, 2> widened_;
  std::array<int, 2> widened_row_ = {-1, -1};
  std::array<std::vector<int16_t>, 2> sums_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_IMAGE_YUV_TO_RGB_H_
