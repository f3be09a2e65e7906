#include "data/transform/normalise.h"

#include <cstddef>

#include "data/transform/pixel_rows.h"

namespace op3d {

void Normalise(const uint8_t* pixels, int width, const Box& box, bool mirror, float* out,
               int64_t plane_stride) {
  const PixelRows& rows = BestPixelRows();
  for (int y = 0; y < box.height; ++y) {
    float* red = out + static_cast<size_t>(y) * box.width;
    rows.normalise(pixels + (static_cast<size_t>(box.top + y) * width + box.left) * 3, box.width,
                   mirror, red, red + plane_stride, red + 2 * plane_stride);
  }
}

}  // namespace op3d
