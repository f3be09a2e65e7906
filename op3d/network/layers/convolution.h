// Convolutions of videos as 2-D convolutions and matrix products.
//
// Almost no network of op3d mixes space and time in one kernel (except in the stem, whose temporal
// kernel equals its stride), so only I3D needs a 3-D convolution:
//   1x1x1        a matrix product on the rows
//   1xKxK        a 2-D convolution on clips * T images
//   Kx1x1        a (K, 1) convolution on [clips, C, T, H * W]
//   TxKxK, stride T in time      a 2-D convolution on images of T * C channels
//   KxKxK        LibTorch's 3-D convolution on channels-last clips
// On a GPU, 1xKxK and Kx1x1 become 3-D convolutions where that is faster (op3d/gpu/convolutions.h).
#ifndef OP3D_NETWORK_LAYERS_CONVOLUTION_H_
#define OP3D_NETWORK_LAYERS_CONVOLUTION_H_

#include <ATen/core/Tensor.h>

#include "op3d/network/definition/definition.h"
#include "op3d/network/layers/feature_map.h"

namespace op3d {

// No state except for its weight; thread-safe.
class Convolution {
 public:
  // The weight is `name`.weight of `tensors`.
  Convolution(const ConvolutionDefinition& definition, const TensorTable& tensors);

  // [.., in_channels] to [.., out_channels] at OutputSize, in the input's type.
  FeatureMap Apply(const FeatureMap& input) const;

  // The same from clips [N, C, T, H, W] in any memory layout; for the first layer, whose temporal
  // kernel equals its temporal stride.  Frames after the last whole stride are dropped.
  FeatureMap ApplyToClips(const at::Tensor& clips) const;

 private:
  // True if LibTorch's kernels for bfloat16 on CPUs cannot be trusted: with strides and an
  // output of width 1 they gave wrong results (pytorch issue 169688).
  bool MustWiden(const FeatureMap& input, const Size3& output) const;
  bool RunsAsClips(const FeatureMap& input) const;

  ConvolutionDefinition definition_;
  at::Tensor weight_;
};

}  // namespace op3d

#endif  // OP3D_NETWORK_LAYERS_CONVOLUTION_H_
