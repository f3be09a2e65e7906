// Gaussian blur of one frame as in Pillow: three box blurs along x, three along y.
//
//   Blur blur(/*sigma=*/1.3);
//   blur.Apply(width, height, pixels.data());               // pixels: [height, width, 3], in place
//
// The box has fractional edges (its radius is computed from sigma in single precision), borders are
// replicated, and every pass rounds to bytes.
// Source: Gwosdek et al., "Theoretical Foundations of Gaussian Convolution by Extended Box
// Filtering", SSVM 2011.
#ifndef OP3D_DATA_TRANSFORM_BLUR_H_
#define OP3D_DATA_TRANSFORM_BLUR_H_

#include <cstdint>
#include <vector>

namespace op3d::data {

// Not thread-safe, because it holds scratch memory: use one per thread.
class Blur {
 public:
  // `sigma` in pixels, clamped to [0, 1000]; 0 changes nothing.
  explicit Blur(float sigma);

  void Apply(int width, int height, uint8_t* pixels);

 private:
  // One pass reads `in` and writes `out`, both [height, width, 3].
  void BoxAlongX(int width, int height, const uint8_t* in, uint8_t* out);
  void BoxAlongY(int width, int height, const uint8_t* in, uint8_t* out);

  // Whole pixels on each side of the middle; their weight and that of the edges, in 2^-24.
  int radius_ = 0;
  uint32_t weight_ = 1u << 24;
  uint32_t edge_weight_ = 0;
  std::vector<uint8_t> other_;
  std::vector<uint8_t> padded_;
  std::vector<uint32_t> sums_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_TRANSFORM_BLUR_H_
