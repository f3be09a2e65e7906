#include "op3d/network/layers/folded_norms.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace op3d {
namespace {

class Folder {
 public:
  explicit Folder(const TensorTable& tensors) : table_(tensors) {}

  // `norm` follows the sum of the outputs of `layers`.
  void Fold(const BatchNormDefinition& norm,
            std::initializer_list<const ConvolutionDefinition*> layers) {
    const at::Tensor weight = Take(norm.name + ".weight").to(at::kDouble);
    const at::Tensor mean = Take(norm.name + ".running_mean").to(at::kDouble);
    const at::Tensor variance = Take(norm.name + ".running_var").to(at::kDouble);
    Take(norm.name + ".num_batches_tracked");
    const at::Tensor scale = weight / (variance + norm.epsilon).sqrt();
    at::Tensor& bias = table_.at(norm.name + ".bias");
    bias = (bias.to(at::kDouble) - mean * scale).to(bias.scalar_type());
    for (const ConvolutionDefinition* layer : layers) {
      at::Tensor& kernels = table_.at(layer->name + ".weight");
      kernels = (kernels.to(at::kDouble) * scale.view({-1, 1, 1, 1, 1})).to(kernels.scalar_type());
    }
  }

  void Fold(const ConvolutionNorm& layer) { Fold(layer.norm, {&layer.convolution}); }

  void Fold(const PairDefinition& pair, Wiring wiring) {
    if (wiring == Wiring::kParallel) {
      Fold(pair.norm, {&pair.spatial, &*pair.temporal});
    } else if (wiring == Wiring::kSerial) {
      Fold(pair.norm, {&*pair.temporal});
    } else {
      Fold(pair.norm, {&pair.spatial});
    }
  }

  void Fold(const BlockDefinition& block) {
    if (block.reduce.has_value()) Fold(*block.reduce);
    for (size_t i = 0; i < block.pairs.size(); ++i) {
      const bool passed_on = block.pairs.size() > 1 && i == 0 &&
                             block.wiring == Wiring::kParallel && block.chained_temporal;
      if (!passed_on) Fold(block.pairs[i], block.wiring);
    }
    if (block.expand.has_value()) Fold(*block.expand);
    if (block.downsample.has_value()) Fold(*block.downsample);
  }

  void Fold(const StageDefinition& stage) {
    for (const BlockDefinition& block : stage.blocks) Fold(block);
  }

  void Fold(const S3dLayerDefinition& layer) {
    if (layer.pointwise.has_value()) Fold(*layer.pointwise);
    if (layer.pair.has_value()) Fold(*layer.pair, Wiring::kSerial);
    if (!layer.inception.has_value()) return;
    Fold(layer.inception->pointwise);
    for (int i = 0; i < 2; ++i) {
      Fold(layer.inception->reduce[i]);
      Fold(layer.inception->pairs[i], Wiring::kSerial);
    }
    Fold(layer.inception->project);
  }

  TensorTable table() && { return std::move(table_); }

 private:
  at::Tensor Take(const std::string& name) {
    const auto it = table_.find(name);
    if (it == table_.end()) return {};  // the counter of a frozen layer
    const at::Tensor tensor = it->second;
    table_.erase(it);
    return tensor;
  }

  TensorTable table_;
};

}  // namespace

TensorTable FoldNorms(const NetworkDefinition& definition, const TensorTable& tensors) {
  at::NoGradGuard no_grad;
  Folder folder(tensors);
  for (const ConvolutionNorm& layer : definition.stem) folder.Fold(layer);
  for (const StageDefinition& stage : definition.trunk) folder.Fold(stage);
  for (const S3dBlockDefinition& block : definition.s3d) {
    for (const S3dLayerDefinition& layer : block.layers) folder.Fold(layer);
  }
  for (const HeadDefinition& head : definition.heads) folder.Fold(head.stage);
  return std::move(folder).table();
}

}  // namespace op3d
