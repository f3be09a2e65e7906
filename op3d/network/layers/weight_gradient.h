// The gradient of a convolution's weight as products of matrices.
//
// LibTorch's kernel for this gradient takes two to three times as long as the convolution it
// belongs to, and more where images are small and channels many (8 images of 4x4x512: 42 ms beside
// 10 on an AVX2 core).  A matrix that holds every output position's window of the input in a row,
//   columns [A * B' * D', K0 * K1 * C],
// makes it gradient^T times columns, at the speed of a matrix product (9 ms).
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
// `stride` and `padding` are of the height B and the width D.  Columns are made for a few images at
// a time, so memory beside the result stays near 8 MiB or one image's.
at::Tensor WeightGradient(const at::Tensor& gradient, const at::Tensor& images,
                          const std::vector<int64_t>& kernel, const std::vector<int64_t>& stride,
                          const std::vector<int64_t>& padding);

}  // namespace op3d

#endif  // OP3D_NETWORK_LAYERS_WEIGHT_GRADIENT_H_
