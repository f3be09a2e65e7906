// The computation of a network: stem, trunk and heads.  op3d/network/README.md has the drawing.
#ifndef OP3D_NETWORK_NETWORK_BODY_H_
#define OP3D_NETWORK_NETWORK_BODY_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "op3d/network/definition/definition.h"
#include "op3d/network/layers/batch_norm.h"
#include "op3d/network/layers/convolution.h"
#include "op3d/network/layers/feature_map.h"
#include "op3d/network/layers/pseudo_3d_block.h"
#include "op3d/network/layers/s3d.h"

namespace op3d {

// Shares the tensors of the table it is made from: changes to them have an effect here.
class NetworkBody {
 public:
  NetworkBody(const NetworkDefinition& definition, const TensorTable& tensors);

  // For evaluation with folded norms, if Convolution::CanFuse(): each convolution with its bias,
  // sum and ReLU in one call, weights in the layout of the kernels.
  void Fuse();

  // Draws the dropout masks of the passes that follow, in training with `clips` clips: from named streams of
  // mode.dropout_seed on the CPU, so that they are the same on every device.  A mask that no autograd graph
  // holds is overwritten where it is: a recorded CUDA graph then reads the new one.
  void DrawDropout(int64_t clips, const ForwardMode& mode);

  // From clips [N, 3, T, H, W] to the logits [N, classes] of each head: DG-P3D's temporal and
  // spatial one; LGD's local and, in training, its global one; other networks have one.  With dropout
  // it needs masks for N clips.  Throws c10::Error.
  std::vector<at::Tensor> Forward(const at::Tensor& clips, const ForwardMode& mode) const;

 private:
  struct Stage {
    Stage(const StageDefinition& definition, const TensorTable& tensors);
    FeatureMap Apply(FeatureMap map, const ForwardMode& mode, at::Tensor* global) const;
    StageDefinition definition;
    std::vector<Pseudo3dBlock> blocks;
    // Another head has the same input.  The first block is then not recomputed: its gradient and
    // that of the other head must be summed in the same order as without recomputation.
    bool shares_input = false;
  };
  struct Head {
    HeadDefinition definition;
    Stage stage;
    at::Tensor weight, bias;
  };

  FeatureMap Stem(const at::Tensor& clips, const ForwardMode& mode) const;
  at::Tensor Classify(const Head& head, const FeatureMap& trunk, const ForwardMode& mode,
                      at::Tensor* global) const;
  void DrawMask(const std::string& classifier, const at::Tensor& weight, int64_t clips,
                const ForwardMode& mode);
  at::Tensor Dropout(const at::Tensor& features, const std::string& classifier,
                     const ForwardMode& mode) const;

  NetworkDefinition definition_;
  std::vector<Convolution> stem_convolutions_;
  std::vector<BatchNorm> stem_norms_;
  std::vector<Stage> trunk_;
  S3dTrunk s3d_;
  std::vector<Head> heads_;
  at::Tensor global_weight_, global_bias_;
  // By classifier, [clips, features].
  std::map<std::string, at::Tensor> masks_;
};

}  // namespace op3d

#endif  // OP3D_NETWORK_NETWORK_BODY_H_
