// The trunk of S3D and S3D-G: separable convolutions and inception blocks.
#ifndef OP3D_NETWORK_LAYERS_S3D_H_
#define OP3D_NETWORK_LAYERS_S3D_H_

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "op3d/network/definition/definition.h"
#include "op3d/network/layers/batch_norm.h"
#include "op3d/network/layers/convolution.h"
#include "op3d/network/layers/feature_map.h"

namespace op3d {

// Shares the tensors of the table it is made from: changes to them have an effect here.
class S3dTrunk {
 public:
  S3dTrunk(const std::vector<S3dBlockDefinition>& blocks, const TensorTable& tensors);

  // For evaluation with folded norms, if Convolution::CanFuse().
  void Fuse();

  // From clips [N, 3, T, H, W].  Throws c10::Error.
  FeatureMap Forward(const at::Tensor& clips, const ForwardMode& mode) const;

 private:
  // A convolution or a pair in series, its norm and a ReLU.
  struct Unit {
    Unit(const ConvolutionNorm& definition, const TensorTable& tensors);
    Unit(const PairDefinition& definition, const TensorTable& tensors);
    void Fuse(Convolution::FusedInput input);
    FeatureMap Apply(const FeatureMap& input, const ForwardMode& mode) const;
    FeatureMap ApplyToClips(const at::Tensor& clips, const ForwardMode& mode) const;
    FeatureMap Finish(FeatureMap map, const ForwardMode& mode) const;

    Convolution first;
    std::optional<Convolution> temporal;
    BatchNorm norm;
  };
  struct Gate {
    at::Tensor weight, bias;
  };
  struct Inception {
    Inception(const InceptionDefinition& definition, const TensorTable& tensors);
    FeatureMap Apply(const FeatureMap& input, const ForwardMode& mode) const;
    FeatureMap Compute(const FeatureMap& input, const ForwardMode& mode) const;

    PoolDefinition maxpool;
    // 1x1x1; twice 1x1x1 and a pair; the one after the pool.
    std::vector<Unit> units;
    std::vector<Gate> gates;
    std::vector<at::Tensor> parameters;
  };
  // Exactly one of the three is set.
  struct Layer {
    std::string name;
    std::optional<PoolDefinition> maxpool;
    std::optional<Unit> unit;
    std::optional<Inception> inception;
  };
  struct Block {
    std::string name;
    std::vector<Layer> layers;
  };

  std::vector<Block> blocks_;
};

}  // namespace op3d

#endif  // OP3D_NETWORK_LAYERS_S3D_H_
