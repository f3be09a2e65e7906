// Gaussian blur of one frame as Pillow does it: three box blurs along x, three along y.
//
//   Blur blur(/*sigma=*/1.3);
//   blur.Apply(width, height, pixels.data());               // pixels: [height, width, 3], in place
//
// The box has fractional edges (sigma gives its radius in single precision), borders are
// replicated, and every pass rounds to bytes.
// Source: Gwosdek et al., "Theoretical Foundations of Gaussian Convolution by Extended Box
// Filtering", SSVM 2011.
#ifndef OP3D_DATA_TRANSFORM_BLUR_H_
#define OP3D_DATA_TRANSFORM_BLUR_H_

#include <cstdint>
#include <vector>

namespace op3d::data {

// Holds scratch memory: one a thread.
class Blur {
 public:
  // `sigma` in pixels, in [0, 1000], taken as the nearer end outside it; 0 changes nothing.
  explicit Blur(float sigma);

  void Apply(int width, int height, uint8_t* pixels);

 private:
  // The pass reads `in` and writes `out`, [height, width, 3] both.
  void BoxAlongX(int width, int height, const uint8_t* in, uint8_t* out);
  void BoxAlongY(int width, int height, const uint8_t* in, uint8_t* out);

  // Whole pixels on either side of the middle, and their weight and the edges', in 2^-24.
  int radius_ = 0;
  uint32_t weight_ = 1u << 24;
  uint32_t edge_weight_ = 0;
  std::vector<uint8_t> other_;
  std::vector<uint8_t> padded_;
  std::vector<uint32_t> sums_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_TRANSFORM_BLUR_H_
