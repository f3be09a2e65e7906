// One picture in memory, and parts of it.
//
//   RgbImage image;
//   const uint8_t green = image.pixels[(y * image.width + x) * 3 + 1];
#ifndef OP3D_DATA_VIDEO_IMAGE_IMAGE_H_
#define OP3D_DATA_VIDEO_IMAGE_IMAGE_H_

#include <cstdint>
#include <vector>

namespace op3d::data {

// A part of a picture: columns [left, left + width), rows [top, top + height).
struct Box {
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;
  bool operator==(const Box& other) const {
    return left == other.left && top == other.top && width == other.width && height == other.height;
  }
};

struct RgbImage {
  // In pixels.  Both 0 = no picture.
  int width = 0;
  int height = 0;
  // [height, width, 3], red-green-blue, full range 0..255, rows tightly packed.
  std::vector<uint8_t> pixels;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_IMAGE_IMAGE_H_
