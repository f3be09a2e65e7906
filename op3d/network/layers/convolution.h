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

#include <memory>

#include "op3d/network/definition/definition.h"
#include "op3d/network/layers/feature_map.h"
#include "op3d/network/layers/row_sums.h"

namespace op3d {

// Its state is its weight; after Fuse() also what inputs decided: the first one the algorithm, each
// new size the layout of a weight.  Thread-safe after Fuse().
class Convolution {
 public:
  // The weight is `name`.weight of `tensors`.
  Convolution(const ConvolutionDefinition& definition, const TensorTable& tensors);

  // [.., in_channels] to [.., out_channels] at OutputSize, in the input's type.
  FeatureMap Apply(const FeatureMap& input) const;

  // The same from clips [N, C, T, H, W] in any memory layout; for the first layer, whose temporal
  // kernel equals its temporal stride.  Frames after the last whole stride are dropped.
  FeatureMap ApplyToClips(const at::Tensor& clips) const;

  // True if the library's convolution with bias, sum and ReLU in one call exists for this type on
  // this processor's CPU.
  static bool CanFuse(at::ScalarType type);

  // For evaluation without gradients, if CanFuse(): keeps a copy of the weight in the layout of
  // the library's kernels.  `bias` [out_channels] may be undefined.  With `adds_input` the input is
  // added to the output, which is done in the weight; both must have one shape.
  enum class FusedInput { kMap, kClips };
  void Fuse(const at::Tensor& bias, bool adds_input, FusedInput input = FusedInput::kMap);
  // Undefined after Fuse() if nothing needs it any more.
  const at::Tensor& weight() const { return weight_; }
  bool fused() const { return fused_ != nullptr; }

  // After Fuse(): activation(convolution + bias + sum) in one call.  `sum` may be null; otherwise
  // its rows are overwritten by the result.  A defined `bias` replaces Fuse()'s.
  FeatureMap ApplyFused(const FeatureMap& input, Activation activation,
                        const FeatureMap* sum = nullptr, const at::Tensor& bias = {}) const;
  FeatureMap ApplyFusedToClips(const at::Tensor& clips, Activation activation) const;

 private:
  // Output's shape without its rows.
  FeatureMap OutputOf(int64_t clips, const Size3& size) const;
  // Each stride of the temporal kernel as one image [N * T', C * taps, H, W].
  at::Tensor FoldedClips(const at::Tensor& clips, const FeatureMap& output) const;
  at::Tensor CallFused(const at::Tensor& images, Activation activation, const at::Tensor& sum,
                       const at::Tensor& bias) const;
  // True if LibTorch's kernels for bfloat16 on CPUs cannot be trusted: with strides and an
  // output of width 1 they gave wrong results (pytorch issue 169688).
  bool MustWiden(const FeatureMap& input, const Size3& output) const;
  bool RunsAsClips(const FeatureMap& input) const;

  ConvolutionDefinition definition_;
  at::Tensor weight_;
  struct Fused;
  std::shared_ptr<Fused> fused_;
};

}  // namespace op3d

#endif  // OP3D_NETWORK_LAYERS_CONVOLUTION_H_
