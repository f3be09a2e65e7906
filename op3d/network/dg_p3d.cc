#include "op3d/network/dg_p3d.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>

#include "absl/strings/str_cat.h"
#include "op3d/base/random_stream.h"

namespace op3d {
namespace {

FeatureMap MaxPool(const PoolDefinition& pool, const FeatureMap& input) {
  FeatureMap output;
  output.clips = input.clips;
  output.size = OutputSize(input.size, pool.kernel, pool.stride, pool.padding);
  const bool in_time = pool.kernel[0] > 1;
  const Size3 &k = pool.kernel, &s = pool.stride, &p = pool.padding;
  output.rows =
      RowsOf(in_time ? at::max_pool2d(input.Sequences(), {k[0], 1}, {s[0], 1}, {p[0], 0})
                     : at::max_pool2d(input.Images(), {k[1], k[2]}, {s[1], s[2]}, {p[1], p[2]}));
  return output;
}

// The mask is drawn from a named stream on the CPU: small, and the same on every device.
at::Tensor Dropout(const at::Tensor& features, const std::string& name, const ForwardMode& mode) {
  if (!mode.training || mode.dropout == 0) return features;
  at::Tensor mask = at::empty(features.sizes(), at::kFloat);
  RandomStream stream(mode.dropout_seed, absl::StrCat("network.dropout.", name), {});
  const float kept = static_cast<float>(1 / (1 - mode.dropout));
  float* values = mask.data_ptr<float>();
  for (int64_t i = 0; i < mask.numel(); ++i) {
    values[i] = stream.Bernoulli(mode.dropout) ? 0.0f : kept;
  }
  return features * mask.to(features.device(), features.scalar_type());
}

}  // namespace

DgP3d::Stage::Stage(const StageDefinition& stage, const TensorTable& tensors) : definition(stage) {
  for (const BlockDefinition& block : stage.blocks) blocks.emplace_back(block, tensors);
}

FeatureMap DgP3d::Stage::Apply(FeatureMap map, const ForwardMode& mode) const {
  for (size_t i = 0; i < blocks.size(); ++i) {
    map = blocks[i].Apply(map, mode);
    Observe(mode, definition.blocks[i].name, map);
  }
  Observe(mode, definition.name, map);
  return map;
}

DgP3d::DgP3d(const NetworkDefinition& definition, const TensorTable& tensors)
    : definition_(definition) {
  for (const ConvolutionNorm& layer : definition.stem) {
    stem_convolutions_.emplace_back(layer.convolution, tensors);
    stem_norms_.emplace_back(layer.norm, tensors);
  }
  for (const StageDefinition& stage : definition.trunk) trunk_.emplace_back(stage, tensors);
  for (const HeadDefinition& head : definition.heads) {
    heads_.push_back({head, Stage(head.stage, tensors),
                      tensors.at(head.classifier.name + ".weight"),
                      tensors.at(head.classifier.name + ".bias")});
  }
}

FeatureMap DgP3d::Stem(const at::Tensor& clips, const ForwardMode& mode) const {
  FeatureMap map;
  for (size_t i = 0; i < stem_convolutions_.size(); ++i) {
    map = i == 0 ? stem_convolutions_[i].ApplyToClips(clips) : stem_convolutions_[i].Apply(map);
    Observe(mode, definition_.stem[i].convolution.name, map);
    if (mode.observer) {  // who also sees what is between the norm and its ReLU
      map = stem_norms_[i].Apply(map, Activation::kNone, mode);
      Observe(mode, definition_.stem[i].norm.name, map);
      map.rows = map.rows.relu();
      Observe(mode, definition_.relu_names[i], map);
    } else {
      map = stem_norms_[i].Apply(map, Activation::kRelu, mode);
    }
  }
  map = MaxPool(definition_.maxpool, map);
  Observe(mode, definition_.maxpool.name, map);
  return map;
}

at::Tensor DgP3d::Classify(const Head& head, const FeatureMap& trunk, const ForwardMode& mode) {
  const HeadDefinition& definition = head.definition;
  FeatureMap map = trunk;
  if (definition.maxpool.has_value()) {
    map = MaxPool(*definition.maxpool, map);
    Observe(mode, definition.maxpool->name, map);
  }
  map = head.stage.Apply(map, mode);
  const at::Tensor features = map.rows.view({map.clips, map.volume(), map.channels()}).mean(1);
  if (mode.observer) mode.observer(definition.pool_name, features);
  const at::Tensor logits =
      at::linear(Dropout(features, definition.classifier.name, mode), head.weight, head.bias);
  if (mode.observer) mode.observer(definition.classifier.name, logits);
  return logits;
}

std::vector<at::Tensor> DgP3d::Forward(const at::Tensor& clips, const ForwardMode& mode) const {
  FeatureMap map = Stem(clips, mode);
  for (const Stage& stage : trunk_) map = stage.Apply(map, mode);
  std::vector<at::Tensor> logits;
  for (const Head& head : heads_) logits.push_back(Classify(head, map, mode));
  return logits;
}

}  // namespace op3d
