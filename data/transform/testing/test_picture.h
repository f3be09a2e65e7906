// Pictures for tests, made from a seed.
#ifndef OP3D_DATA_TRANSFORM_TESTING_TEST_PICTURE_H_
#define OP3D_DATA_TRANSFORM_TESTING_TEST_PICTURE_H_

#include <algorithm>
#include <cstdint>

#include "data/transform/crop.h"
#include "data/video/image/image.h"
#include "op3d/base/random_stream.h"

namespace op3d::data {

// Ramps with blocks of random bytes over them: smooth parts, hard edges, greys and pure colours.
inline RgbImage TestPicture(int width, int height, uint64_t seed) {
  RgbImage image = {width, height, std::vector<uint8_t>(size_t{3} * width * height)};
  RandomStream stream(seed, "test_picture", {width, height});
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      uint8_t* pixel = &image.pixels[(size_t{1} * y * width + x) * 3];
      pixel[0] = static_cast<uint8_t>(x * 255 / std::max(1, width - 1));
      pixel[1] = static_cast<uint8_t>(y * 255 / std::max(1, height - 1));
      pixel[2] = static_cast<uint8_t>(255 - pixel[0]);
      const bool noisy = (x / 7 + y / 5) % 3 == 0;
      const bool grey = (x / 7 + y / 5) % 7 == 1;
      for (int c = 0; c < 3; ++c) {
        const uint8_t random = static_cast<uint8_t>(stream.UniformInt(256));
        if (noisy) pixel[c] = random % 5 == 0 ? 255 : random;
        if (grey) pixel[c] = pixel[0];
      }
    }
  }
  return image;
}

inline RgbImage CutOut(const RgbImage& image, const Box& box) {
  RgbImage cut = {box.width, box.height, {}};
  for (int y = box.top; y < box.top + box.height; ++y) {
    const auto row = image.pixels.begin() + (size_t{1} * y * image.width + box.left) * 3;
    cut.pixels.insert(cut.pixels.end(), row, row + box.width * 3);
  }
  return cut;
}

}  // namespace op3d::data

#endif  // OP3D_DATA_TRANSFORM_TESTING_TEST_PICTURE_H_
