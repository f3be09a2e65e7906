// The plane on which synthetic videos are painted: floats instead of bytes, so that nothing is
// rounded before the end.
#ifndef OP3D_DATA_SYNTHETIC_SCENE_CANVAS_H_
#define OP3D_DATA_SYNTHETIC_SCENE_CANVAS_H_

#include <array>
#include <vector>

#include "op3d/base/random_stream.h"

namespace op3d::data {

// Red, green, blue in [0, 1].
using Colour = std::array<float, 3>;

// Each channel in [low, high).
Colour DrawColour(double low, double high, RandomStream* stream);

struct Canvas {
  Canvas(int width_in, int height_in)
      : width(width_in), height(height_in), pixels(static_cast<size_t>(width_in) * height_in) {}

  Colour& at(int x, int y) { return pixels[static_cast<size_t>(y) * width + x]; }

  // In pixels.
  const int width;
  const int height;
  // [height, width].
  std::vector<Colour> pixels;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_SCENE_CANVAS_H_
