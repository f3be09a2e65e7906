// The residual block of the ResNet families: space and time in two convolutions (or one), and for
// DG-P3D the context of the whole clip.  LGD-P3D also keeps a vector g for the clip.
//
//     x --+--> branch (with the pseudo-3D pair) --+--------------------> + --> ReLU
//         |                                       '--> mean, fc1, ReLU, fc2 --^
//         '--> identity, or 1x1x1 and BatchNorm ------------------------------^
#ifndef OP3D_NETWORK_LAYERS_PSEUDO_3D_BLOCK_H_
#define OP3D_NETWORK_LAYERS_PSEUDO_3D_BLOCK_H_

#include <optional>
#include <vector>

#include "op3d/network/definition/definition.h"
#include "op3d/network/layers/batch_norm.h"
#include "op3d/network/layers/convolution.h"
#include "op3d/network/layers/feature_map.h"

namespace op3d {

class Pseudo3dBlock {
 public:
  Pseudo3dBlock(const BlockDefinition& definition, const TensorTable& tensors);

  // `global` [clips, C] is LGD's vector, which is replaced by the block's own; other networks do
  // not change it.
  FeatureMap Apply(const FeatureMap& input, const ForwardMode& mode, at::Tensor* global) const;

  // For evaluation with folded norms: each convolution with its bias, sum and ReLU in one call.
  void Fuse();

 private:
  struct Norm {
    Norm(const ConvolutionNorm& definition, const TensorTable& tensors);
    FeatureMap Apply(const FeatureMap& input, Activation activation, const ForwardMode& mode) const;
    void Fuse();
    Convolution convolution;
    BatchNorm norm;
  };
  struct Pair {
    Pair(const PairDefinition& definition, const TensorTable& tensors);
    void Fuse(Wiring wiring);
    // Convolutions, norm and `activation`.  In wiring B the temporal convolution gets
    // `temporal_input`; its output is returned in `temporal_output`, if that is not null.
    FeatureMap Apply(const FeatureMap& input, const FeatureMap& temporal_input, Wiring wiring,
                     Activation activation, const ForwardMode& mode,
                     FeatureMap* temporal_output) const;
    FeatureMap ApplyFused(const FeatureMap& input, const FeatureMap& temporal_input, Wiring wiring,
                          Activation activation) const;
    Convolution spatial;
    std::optional<Convolution> temporal;
    BatchNorm norm;
  };
  // A fully connected layer.
  struct Linear {
    Linear(const LinearDefinition& definition, const TensorTable& tensors);
    at::Tensor weight, bias;
  };

  FeatureMap Compute(const FeatureMap& input, const ForwardMode& mode, at::Tensor* global) const;
  // Compute with activation checkpointing.
  FeatureMap Recompute(const FeatureMap& input, const ForwardMode& mode, at::Tensor* global) const;
  // Without its expanding convolution.
  FeatureMap Bottleneck(const FeatureMap& input, const ForwardMode& mode) const;
  FeatureMap Basic(const FeatureMap& input, const ForwardMode& mode) const;
  // Adds context, branch and shortcut, and applies the last ReLU.
  FeatureMap Join(const FeatureMap& branch, const FeatureMap& shortcut,
                  const ForwardMode& mode) const;
  // The expanding convolution, context, shortcut and last ReLU after Fuse(); overwrites the rows of
  // `shortcut`.
  FeatureMap FusedEnd(const FeatureMap& features, const FeatureMap& shortcut) const;
  // LGD's next global vector.
  at::Tensor Diffuse(const FeatureMap& input, const at::Tensor& global) const;

  BlockDefinition definition_;
  std::optional<Norm> reduce_, expand_, downsample_;
  std::vector<Pair> pairs_;
  // The context's two layers, or none.
  std::vector<Linear> context_;
  // After Fuse(): the first one from the mean before the expanding convolution.
  at::Tensor fused_context_weight_, fused_context_bias_;
  // LGD's six, or none: two each of local, global and output.
  std::vector<Linear> diffusion_;
  std::vector<at::Tensor> parameters_;
};

}  // namespace op3d

#endif  // OP3D_NETWORK_LAYERS_PSEUDO_3D_BLOCK_H_
