#include "data/transform/normalise.h"

#include <cstddef>

namespace op3d {
namespace {

constexpr float kMean[3] = {0.485f, 0.456f, 0.406f};
constexpr float kDeviation[3] = {0.229f, 0.224f, 0.225f};

}  // namespace

const std::array<std::array<float, 256>, 3>& NormaliseTable() {
  static const std::array<std::array<float, 256>, 3> table = [] {
    std::array<std::array<float, 256>, 3> values;
    for (int c = 0; c < 3; ++c) {
      for (int byte = 0; byte < 256; ++byte) {
        values[c][byte] = (static_cast<float>(byte) / 255.0f - kMean[c]) / kDeviation[c];
      }
    }
    return values;
  }();
  return table;
}

void Normalise(const uint8_t* pixels, int width, const Box& box, bool mirror, float* out,
               int64_t plane_stride) {
  const auto& table = NormaliseTable();
  const int step = mirror ? -3 : 3;
  for (int y = 0; y < box.height; ++y) {
    const int column = mirror ? box.left + box.width - 1 : box.left;
    const uint8_t* pixel = pixels + (static_cast<size_t>(box.top + y) * width + column) * 3;
    float* red = out + static_cast<size_t>(y) * box.width;
    float* green = red + plane_stride;
    float* blue = green + plane_stride;
    for (int x = 0; x < box.width; ++x, pixel += step) {
      red[x] = table[0][pixel[0]];
      green[x] = table[1][pixel[1]];
      blue[x] = table[2][pixel[2]];
    }
  }
}

}  // namespace op3d
