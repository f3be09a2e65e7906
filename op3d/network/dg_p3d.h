// DG-P3D: the trunk and its two heads.  README.md has the drawing.
#ifndef OP3D_NETWORK_DG_P3D_H_
#define OP3D_NETWORK_DG_P3D_H_

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "op3d/network/batch_norm.h"
#include "op3d/network/convolution.h"
#include "op3d/network/definition.h"
#include "op3d/network/feature_map.h"
#include "op3d/network/pseudo_3d_block.h"

namespace op3d {

// Holds handles to the tensors of the table it is made from; changes to them show.
class DgP3d {
 public:
  DgP3d(const NetworkDefinition& definition, const TensorTable& tensors);

  // Clips [N, 3, T, H, W] to the logits [N, classes] of each head: temporal, spatial.  Throws
  // c10::Error.
  std::vector<at::Tensor> Forward(const at::Tensor& clips, const ForwardMode& mode) const;

 private:
  struct Stage {
    Stage(const StageDefinition& definition, const TensorTable& tensors);
    FeatureMap Apply(FeatureMap map, const ForwardMode& mode) const;
    StageDefinition definition;
    std::vector<Pseudo3dBlock> blocks;
  };
  struct Head {
    HeadDefinition definition;
    Stage stage;
    at::Tensor weight, bias;
  };

  FeatureMap Stem(const at::Tensor& clips, const ForwardMode& mode) const;
  static at::Tensor Classify(const Head& head, const FeatureMap& trunk, const ForwardMode& mode);

  NetworkDefinition definition_;
  std::vector<Convolution> stem_convolutions_;
  std::vector<BatchNorm> stem_norms_;
  std::vector<Stage> trunk_;
  std::vector<Head> heads_;
};

}  // namespace op3d

#endif  // OP3D_NETWORK_DG_P3D_H_
