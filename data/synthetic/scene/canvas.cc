#include "data/synthetic/scene/canvas.h"

namespace op3d::data {

Colour DrawColour(double low, double high, RandomStream* stream) {
  Colour colour;
  for (float& channel : colour) channel = static_cast<float>(stream->Uniform(low, high));
  return colour;
}

}  // namespace op3d::data
