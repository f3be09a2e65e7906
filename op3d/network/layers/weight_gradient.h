// The gradient of a convolution's weight as matrix products.
//
// LibTorch's kernel for this gradient takes two to three times as long as the convolution itself,
// and more if images are small and channels many (8 images of 4x4x512: 42 ms instead of
// 10 on an AVX2 core).  With a matrix whose rows are the input windows of all output positions,
//   columns [A * B' * D', K0 * K1 * C],
// it is gradient^T times columns, as fast as a matrix product (9 ms).
//
//   at::Tensor gradient = WeightGradient(output_gradient, images, {3, 3}, {1, 1}, {1, 1});
#ifndef OP3D_NETWORK_LAYERS_WEIGHT_GRADIENT_H_
#define OP3D_NETWORK_LAYERS_WEIGHT_GRADIENT_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace op3d {

// [O, C, K0, K1] from `gradient` [A, B', D', O] of the output and the convolution's input `images`
// [A, B, D, C], both contiguous, of one floating-point type; one group, dilation 1.  `kernel`,
// `stride` and `padding` are for the height B and the width D.  Columns are made for a few images
// at a time, so the extra memory stays near 8 MiB or the size of one image's columns.
at::Tensor WeightGradient(const at::Tensor& gradient, const at::Tensor& images,
                          const std::vector<int64_t>& kernel, const std::vector<int64_t>& stride,
                          const std::vector<int64_t>& padding);

}  // namespace op3d

#endif  // OP3D_NETWORK_LAYERS_WEIGHT_GRADIENT_H_
