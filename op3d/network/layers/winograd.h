// 3x3 and 3x1 convolutions by Winograd's algorithm (winograd_kernel.h), on tensors in float32, or in
// bf16 with all products and sums in float32.
// FasterTile() says whether and with which tile, WinogradKernels() transforms the weight, Winograd()
// computes.
//
// On two AMD cores with AVX-512 it is two to three times as fast as the library's convolution in
// float32.  A process with portable arithmetic never takes it: there LibTorch does not use AVX-512.
#ifndef OP3D_NETWORK_LAYERS_WINOGRAD_H_
#define OP3D_NETWORK_LAYERS_WINOGRAD_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "op3d/network/layers/row_sums.h"
#include "op3d/network/layers/winograd_kernel.h"

namespace op3d {

// The tile for convolutions of `images` [N, C, H, W] to `outputs` channels, if that is faster than
// the library; it does not depend on N.
std::optional<WinogradTile> FasterTile(const at::Tensor& images, int64_t outputs,
                                       at::IntArrayRef kernel, at::IntArrayRef stride,
                                       at::IntArrayRef padding, int64_t groups);

// kGradient: for the gradient of the input, which is a convolution of the output's gradient.
enum class WinogradUse { kForward, kGradient };

// From a convolution's weight [O, C, 3, 3] or [O, C, 3, 1] in any layout, float32 or bf16.  Float32.
at::Tensor WinogradKernels(WinogradTile tile, const at::Tensor& weight, WinogradUse use);

// [N, outputs, H, W] in channels-last memory: activation(convolution + bias + sum).  `images` is
// channels-last, `bias` [outputs] and `sum` may be undefined; `sum`, in the output's shape and
// layout, is overwritten and returned.  Their type is that of `images`, float32 or bf16; `bias` may be
// either.  The same for any number of threads and images.
at::Tensor Winograd(WinogradTile tile, const at::Tensor& images, const at::Tensor& kernels,
                    int64_t outputs, const at::Tensor& bias, const at::Tensor& sum,
                    Activation activation);

}  // namespace op3d

#endif  // OP3D_NETWORK_LAYERS_WINOGRAD_H_
