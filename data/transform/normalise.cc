#include "data/transform/normalise.h"

#include <cstddef>

#include "data/transform/pixel_rows.h"

namespace op3d::data {

void Normalise(const uint8_t* pixels, int width, const Box& box, bool mirror, float* out,
               int64_t plane_stride) {
  const PixelRows& rows = BestPixelRows();
  for (int y = 0; y < box.height; ++y) {
    float* red = out + static_cast<size_t>(y) * box.width;
    rows.normalise(pixels + (static_cast<size_t>(box.top + y) * width + box.left) * 3, box.width,
                   mirror, red, red + plane_stride, red + 2 * plane_stride);
  }
}

void NormaliseFlow(const uint8_t* pixels, int width, const Box& box, bool mirror, float* out,
                   int64_t plane_stride) {
  constexpr float kMean = 0.5f, kDeviation = 0.229f;
  for (int y = 0; y < box.height; ++y) {
    const uint8_t* const row = pixels + (static_cast<size_t>(box.top + y) * width + box.left) * 3;
    float* const to = out + static_cast<size_t>(y) * box.width;
    for (int x = 0; x < box.width; ++x) {
      const uint8_t* const pixel = row + 3 * (mirror ? box.width - 1 - x : x);
      const float right = static_cast<float>(mirror ? 255 - pixel[0] : pixel[0]);
      to[x] = (right / 255 - kMean) / kDeviation;
      to[x + plane_stride] = (static_cast<float>(pixel[1]) / 255 - kMean) / kDeviation;
      to[x + 2 * plane_stride] = 0;
    }
  }
}

}  // namespace op3d::data
