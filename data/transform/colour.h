// Brightness, contrast, saturation, hue and greyscale of one frame, byte for byte as in Pillow.
//
//   AdjustBrightness(1.2f, absl::MakeSpan(pixels));          // pixels: [height, width, 3], RGB
//
// All work in place.  Luma is (19595 R + 38470 G + 7471 B + 32768) >> 16.  Every mix with a factor
// f is `other + f * (picture - other)` in single precision, clipped to 0..255 and truncated (not
// rounded).  Thread-safe on different pixels; the length of `pixels` is a multiple of 3.
#ifndef OP3D_DATA_TRANSFORM_COLOUR_H_
#define OP3D_DATA_TRANSFORM_COLOUR_H_

#include <cstdint>

#include "absl/types/span.h"

namespace op3d::data {

// Mixes with black: 0 = black, 1 = unchanged.
void AdjustBrightness(float factor, absl::Span<uint8_t> pixels);

// Mixes with the grey of the frame's rounded mean luma.
void AdjustContrast(float factor, absl::Span<uint8_t> pixels);

// Mixes with the frame's own luma: 0 = grey, 1 = unchanged.
void AdjustSaturation(float factor, absl::Span<uint8_t> pixels);

// Rotates the hue: `turns` * 255, truncated towards zero, is added to the byte H of HSV modulo 256.
// `turns` in [-0.5, 0.5].
void AdjustHue(double turns, absl::Span<uint8_t> pixels);

// Luma in all three channels.
void MakeGrey(absl::Span<uint8_t> pixels);

}  // namespace op3d::data

#endif  // OP3D_DATA_TRANSFORM_COLOUR_H_
