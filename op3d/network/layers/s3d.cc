#include "op3d/network/layers/s3d.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/sigmoid.h>

#include <utility>

#include "op3d/network/layers/max_pool.h"
#include "op3d/network/layers/recomputation.h"

namespace op3d {

S3dTrunk::Unit::Unit(const ConvolutionNorm& definition, const TensorTable& tensors)
    : first(definition.convolution, tensors), norm(definition.norm, tensors) {}

S3dTrunk::Unit::Unit(const PairDefinition& definition, const TensorTable& tensors)
    : first(definition.spatial, tensors), norm(definition.norm, tensors) {
  temporal.emplace(*definition.temporal, tensors);
}

void S3dTrunk::Unit::Fuse(Convolution::FusedInput input) {
  first.Fuse(temporal.has_value() ? at::Tensor() : norm.bias(), /*adds_input=*/false, input);
  if (temporal.has_value()) temporal->Fuse(norm.bias(), /*adds_input=*/false);
}

FeatureMap S3dTrunk::Unit::Apply(const FeatureMap& input, const ForwardMode& mode) const {
  if (first.fused() && !temporal.has_value()) return first.ApplyFused(input, Activation::kRelu);
  if (first.fused()) {
    return temporal->ApplyFused(first.ApplyFused(input, Activation::kNone), Activation::kRelu);
  }
  return Finish(first.Apply(input), mode);
}

FeatureMap S3dTrunk::Unit::ApplyToClips(const at::Tensor& clips, const ForwardMode& mode) const {
  if (first.fused()) {
    const bool last = !temporal.has_value();
    const FeatureMap map =
        first.ApplyFusedToClips(clips, last ? Activation::kRelu : Activation::kNone);
    return last ? map : temporal->ApplyFused(map, Activation::kRelu);
  }
  return Finish(first.ApplyToClips(clips), mode);
}

FeatureMap S3dTrunk::Unit::Finish(FeatureMap map, const ForwardMode& mode) const {
  if (temporal.has_value()) map = temporal->Apply(map);
  return norm.Apply(map, Activation::kRelu, mode);
}

S3dTrunk::Inception::Inception(const InceptionDefinition& definition, const TensorTable& tensors)
    : maxpool(definition.maxpool), parameters(ParametersUnder(tensors, definition.name + ".")) {
  units.emplace_back(definition.pointwise, tensors);
  for (int i = 0; i < 2; ++i) {
    units.emplace_back(definition.reduce[i], tensors);
    units.emplace_back(definition.pairs[i], tensors);
  }
  units.emplace_back(definition.project, tensors);
  for (const LinearDefinition& gate : definition.gates) {
    gates.push_back({tensors.at(gate.name + ".weight"), tensors.at(gate.name + ".bias")});
  }
}

FeatureMap S3dTrunk::Inception::Apply(const FeatureMap& input, const ForwardMode& mode) const {
  if (!mode.recompute || !mode.training || !at::GradMode::is_enabled()) return Compute(input, mode);
  // At the second call the caller's `mode` and `input` no longer exist.
  ForwardMode mode_again = mode;
  mode_again.observer = nullptr;
  mode_again.recomputing = true;
  FeatureMap map_again = input;
  map_again.rows = at::Tensor();
  const auto compute = [=, &mode](const std::vector<at::Tensor>& tensors, bool again) {
    FeatureMap map = map_again;
    map.rows = tensors[0];
    return std::vector<at::Tensor>{Compute(map, again ? mode_again : mode).rows};
  };
  FeatureMap output = map_again;  // an inception block keeps the size
  output.rows = Recomputed(compute, {input.rows}, parameters)[0];
  return output;
}

FeatureMap S3dTrunk::Inception::Compute(const FeatureMap& input, const ForwardMode& mode) const {
  const FeatureMap branches[] = {
      units[0].Apply(input, mode),
      units[2].Apply(units[1].Apply(input, mode), mode),
      units[4].Apply(units[3].Apply(input, mode), mode),
      units[5].Apply(MaxPool(maxpool, input), mode),
  };
  std::vector<at::Tensor> joined;
  for (const FeatureMap& branch : branches) {
    if (gates.empty()) {
      joined.push_back(branch.rows);
      continue;
    }
    const Gate& gate = gates[joined.size()];
    const at::Tensor weights = at::linear(branch.Mean(), gate.weight, gate.bias).sigmoid();
    const at::Tensor clips = branch.rows.view({branch.clips, branch.volume(), branch.channels()});
    joined.push_back(
        (clips * weights.to(clips.scalar_type()).unsqueeze(1)).view(branch.rows.sizes()));
  }
  FeatureMap output = branches[0];
  output.rows = at::cat(joined, 1);
  return output;
}

S3dTrunk::S3dTrunk(const std::vector<S3dBlockDefinition>& blocks, const TensorTable& tensors) {
  for (const S3dBlockDefinition& block : blocks) {
    blocks_.push_back({block.name, {}});
    for (const S3dLayerDefinition& definition : block.layers) {
      Layer layer;
      layer.name = definition.name;
      layer.maxpool = definition.maxpool;
      if (definition.pointwise.has_value()) layer.unit.emplace(*definition.pointwise, tensors);
      if (definition.pair.has_value()) layer.unit.emplace(*definition.pair, tensors);
      if (definition.inception.has_value()) {
        layer.inception.emplace(*definition.inception, tensors);
      }
      blocks_.back().layers.push_back(std::move(layer));
    }
  }
}

void S3dTrunk::Fuse() {
  auto input = Convolution::FusedInput::kClips;
  for (Block& block : blocks_) {
    for (Layer& layer : block.layers) {
      if (layer.unit.has_value()) layer.unit->Fuse(input);
      input = Convolution::FusedInput::kMap;
      if (!layer.inception.has_value()) continue;
      for (Unit& unit : layer.inception->units) unit.Fuse(input);
    }
  }
}

FeatureMap S3dTrunk::Forward(const at::Tensor& clips, const ForwardMode& mode) const {
  FeatureMap map;
  for (const Block& block : blocks_) {
    for (const Layer& layer : block.layers) {
      if (layer.maxpool.has_value()) {
        map = MaxPool(*layer.maxpool, map);
      } else if (layer.inception.has_value()) {
        map = layer.inception->Apply(map, mode);
      } else {
        map = map.clips == 0 ? layer.unit->ApplyToClips(clips, mode) : layer.unit->Apply(map, mode);
      }
      Observe(mode, layer.name, map);
    }
    Observe(mode, block.name, map);
  }
  return map;
}

}  // namespace op3d
