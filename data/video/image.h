// One picture in memory.
//
//   RgbImage image;
//   const uint8_t green = image.pixels[(y * image.width + x) * 3 + 1];
#ifndef DATA_VIDEO_IMAGE_H_
#define DATA_VIDEO_IMAGE_H_

#include <cstdint>
#include <vector>

namespace op3d {

struct RgbImage {
  // In pixels.  Both 0 = no picture.
  int width = 0;
  int height = 0;
  // [height, width, 3], red-green-blue, full range 0..255, rows tightly packed.
  std::vector<uint8_t> pixels;
};

}  // namespace op3d

#endif  // DATA_VIDEO_IMAGE_H_
