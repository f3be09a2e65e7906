// The residual block of P3D networks: space and time in two convolutions, and a glance at the whole
// clip.
//
//     x --+--> branch (with the pseudo-3D pair) --+--------------------> + --> ReLU
//         |                                       '--> mean, fc1, ReLU, fc2 --^
//         '--> identity, or 1x1x1 and BatchNorm ------------------------------^
#ifndef OP3D_NETWORK_PSEUDO_3D_BLOCK_H_
#define OP3D_NETWORK_PSEUDO_3D_BLOCK_H_

#include <vector>

#include "absl/types/optional.h"
#include "op3d/network/batch_norm.h"
#include "op3d/network/convolution.h"
#include "op3d/network/definition.h"
#include "op3d/network/feature_map.h"

namespace op3d {

class Pseudo3dBlock {
 public:
  Pseudo3dBlock(const BlockDefinition& definition, const TensorTable& tensors);

  FeatureMap Apply(const FeatureMap& input, const ForwardMode& mode) const;

 private:
  struct Norm {
    Norm(const ConvolutionNorm& definition, const TensorTable& tensors);
    FeatureMap Apply(const FeatureMap& input, Activation activation, const ForwardMode& mode) const;
    Convolution convolution;
    BatchNorm norm;
  };
  struct Pair {
    Pair(const PairDefinition& definition, const TensorTable& tensors);
    Convolution spatial, temporal;
    BatchNorm norm;
  };

  FeatureMap Bottleneck(const FeatureMap& input, const ForwardMode& mode) const;
  FeatureMap Basic(const FeatureMap& input, const ForwardMode& mode) const;
  // The context's sum with branch and shortcut, and the last ReLU.
  FeatureMap Join(const FeatureMap& branch, const FeatureMap& shortcut) const;

  BlockDefinition definition_;
  absl::optional<Norm> reduce_, expand_, downsample_;
  std::vector<Pair> pairs_;
  // Of the context's two layers; undefined without one.
  at::Tensor context_weights_[2], context_biases_[2];
};

}  // namespace op3d

#endif  // OP3D_NETWORK_PSEUDO_3D_BLOCK_H_
