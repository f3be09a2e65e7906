// The inner loops over pixels, in one version for every processor and one for AVX2 and FMA;
// both give the same bits.
//
//   const PixelRows& rows = BestPixelRows();
//   rows.normalise(pixels, 224, /*mirror=*/false, red, green, blue);
//
// Pixels are bytes red, green, blue.  Weights are in units of 2^-22, as in Pillow; those of one
// output are not negative and sum to 2^22, give or take a few units.  Thread-safe.
#ifndef OP3D_DATA_TRANSFORM_PIXEL_ROWS_H_
#define OP3D_DATA_TRANSFORM_PIXEL_ROWS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace op3d::data {

// The mean and deviation of red, green and blue in [0, 1]: ImageNet's.
inline constexpr std::array<double, 3> kPixelMean = {0.485, 0.456, 0.406};
inline constexpr std::array<double, 3> kPixelDeviation = {0.229, 0.224, 0.225};

// The normalised value of every byte in every channel, [3][256], red first.
const std::array<std::array<float, 256>, 3>& NormaliseTable();

// Which input pixels make an output pixel of a row: output x is the sum over k in [0, taps) of
// pixel first[x] + k times weights[x * taps + k].
struct RowTaps {
  int taps = 0;
  std::vector<int> first;
  std::vector<int32_t> weights;
  // For the vector code: the weights of two taps at a time in halves of 11 bits, four pixels at a
  // time.
  std::vector<int16_t> halves;
  // The same for eight bytes of the row at a time, where the pixels that they need are close: which
  // bytes of the sixteen from `starts` on are an output's, and the weights' halves.  Empty if they
  // are not close.
  std::vector<int32_t> starts;
  std::vector<int8_t> picks;
  std::vector<int16_t> byte_halves;
};
// `first` must not decrease.
RowTaps MakeRowTaps(int taps, std::vector<int> first, std::vector<int32_t> weights);

struct PixelRows {
  // Writes the pixels that `taps` describes, rounded to bytes.  `readable`: the number of pixels of
  // `row` that may be read, at least every first[x] + taps.
  void (*along_x)(const uint8_t* row, int readable, const RowTaps& taps, uint8_t* out);
  // Byte i of `bytes` becomes the sum over k in [0, taps) of rows[k * bytes + i] times weights[k].
  void (*along_y)(const uint8_t* rows, const int32_t* weights, int taps, int bytes, uint8_t* out);
  // `width` pixels into three rows of NormaliseTable's values; `mirror`: from right to left.
  void (*normalise)(const uint8_t* pixels, int width, bool mirror, float* red, float* green,
                    float* blue);
};

const PixelRows& PlainPixelRows();
// The fastest version for this processor.
const PixelRows& BestPixelRows();

}  // namespace op3d::data

#endif  // OP3D_DATA_TRANSFORM_PIXEL_ROWS_H_
