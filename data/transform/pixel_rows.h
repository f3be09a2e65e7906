// The innermost loops over pixels, once for every processor and once for those with AVX2 and FMA;
// both give the same bits.
//
//   const PixelRows& rows = BestPixelRows();
//   rows.normalise(pixels, 224, /*mirror=*/false, red, green, blue);
//
// Pixels are bytes red, green, blue.  Weights count in units of 2^-22, as Pillow's; those of an
// output are not negative and add up to 2^22 or a few units beside.  Thread-safe.
#ifndef DATA_TRANSFORM_PIXEL_ROWS_H_
#define DATA_TRANSFORM_PIXEL_ROWS_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace op3d {

// The value of every byte in every channel, [3][256]; mean (0.485, 0.456, 0.406) and deviation
// (0.229, 0.224, 0.225) are those of ImageNet, red first.
const std::array<std::array<float, 256>, 3>& NormaliseTable();

struct PixelRows {
  // Pixel x of `width` becomes the sum over k in [0, taps) of pixel first[x] + k of `row` times
  // weights[x * taps + k], rounded to a byte.  `readable`: pixels of `row` that are there, at least
  // every first[x] + taps.
  void (*along_x)(const uint8_t* row, int readable, const int* first, const int32_t* weights,
                  int taps, int width, uint8_t* out);
  // Byte i of `bytes` becomes the sum over k in [0, taps) of rows[k * bytes + i] times weights[k].
  void (*along_y)(const uint8_t* rows, const int32_t* weights, int taps, int bytes, uint8_t* out);
  // `width` pixels into three rows of NormaliseTable's values; `mirror`: from right to left.
  void (*normalise)(const uint8_t* pixels, int width, bool mirror, float* red, float* green,
                    float* blue);
};

const PixelRows& PlainPixelRows();
// Those for this processor.
const PixelRows& BestPixelRows();

}  // namespace op3d

#endif  // DATA_TRANSFORM_PIXEL_ROWS_H_
