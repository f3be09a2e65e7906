#include "op3d/network/network_body.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mean.h>

#include "absl/strings/str_cat.h"
#include "op3d/base/random_stream.h"
#include "op3d/network/layers/max_pool.h"

namespace op3d {

NetworkBody::Stage::Stage(const StageDefinition& stage, const TensorTable& tensors)
    : definition(stage) {
  for (const BlockDefinition& block : stage.blocks) blocks.emplace_back(block, tensors);
}

FeatureMap NetworkBody::Stage::Apply(FeatureMap map, const ForwardMode& mode,
                                     at::Tensor* global) const {
  const auto observe = [&](const std::string& name) {
    Observe(mode, name, map);
    if (mode.observer && global->defined()) mode.observer(name + "@global", *global);
  };
  if (blocks.empty()) return map;
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (i == 0 && mode.recompute && shares_input) {
      ForwardMode once = mode;
      once.recompute = false;
      map = blocks[i].Apply(map, once, global);
    } else {
      map = blocks[i].Apply(map, mode, global);
    }
    observe(definition.blocks[i].name);
  }
  observe(definition.name);
  return map;
}

NetworkBody::NetworkBody(const NetworkDefinition& definition, const TensorTable& tensors)
    : definition_(definition), s3d_(definition.s3d, tensors) {
  for (const ConvolutionNorm& layer : definition.stem) {
    stem_convolutions_.emplace_back(layer.convolution, tensors);
    stem_norms_.emplace_back(layer.norm, tensors);
  }
  for (const StageDefinition& stage : definition.trunk) trunk_.emplace_back(stage, tensors);
  for (const HeadDefinition& head : definition.heads) {
    heads_.push_back({head, Stage(head.stage, tensors),
                      tensors.at(head.classifier.name + ".weight"),
                      tensors.at(head.classifier.name + ".bias")});
    heads_.back().stage.shares_input = definition.heads.size() > 1 && !head.maxpool.has_value();
  }
  if (definition.global_classifier.has_value()) {
    global_weight_ = tensors.at(definition.global_classifier->name + ".weight");
    global_bias_ = tensors.at(definition.global_classifier->name + ".bias");
  }
}

void NetworkBody::Fuse() {
  for (size_t i = 0; i < stem_convolutions_.size(); ++i) {
    stem_convolutions_[i].Fuse(
        stem_norms_[i].bias(), /*adds_input=*/false,
        i == 0 ? Convolution::FusedInput::kClips : Convolution::FusedInput::kMap);
  }
  s3d_.Fuse();
  for (Stage& stage : trunk_) {
    for (Pseudo3dBlock& block : stage.blocks) block.Fuse();
  }
  for (Head& head : heads_) {
    for (Pseudo3dBlock& block : head.stage.blocks) block.Fuse();
  }
}

FeatureMap NetworkBody::Stem(const at::Tensor& clips, const ForwardMode& mode) const {
  FeatureMap map;
  for (size_t i = 0; i < stem_convolutions_.size(); ++i) {
    const Convolution& convolution = stem_convolutions_[i];
    if (convolution.fused()) {
      map = i == 0 ? convolution.ApplyFusedToClips(clips, Activation::kRelu)
                   : convolution.ApplyFused(map, Activation::kRelu);
      Observe(mode, definition_.relu_names[i], map);
      continue;
    }
    map = i == 0 ? convolution.ApplyToClips(clips) : convolution.Apply(map);
    Observe(mode, definition_.stem[i].convolution.name, map);
    if (mode.observer) {  // the observer also sees the values between norm and ReLU
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

void NetworkBody::DrawDropout(int64_t clips, const ForwardMode& mode) {
  at::NoGradGuard no_grad;
  for (const Head& head : heads_) {
    DrawMask(head.definition.classifier.name, head.weight, clips, mode);
  }
  if (global_weight_.defined()) {
    DrawMask(definition_.global_classifier->name, global_weight_, clips, mode);
  }
}

void NetworkBody::DrawMask(const std::string& classifier, const at::Tensor& weight, int64_t clips,
                           const ForwardMode& mode) {
  at::Tensor drawn = at::empty({clips, weight.size(1)}, at::kFloat);
  RandomStream stream(mode.dropout_seed, absl::StrCat("network.dropout.", classifier), {});
  const float kept = static_cast<float>(1 / (1 - mode.dropout));
  float* values = drawn.data_ptr<float>();
  for (int64_t i = 0; i < drawn.numel(); ++i) {
    values[i] = stream.Bernoulli(mode.dropout) ? 0.0f : kept;
  }
  at::Tensor& mask = masks_[classifier];
  if (mask.defined() && mask.use_count() == 1 && mask.sizes() == drawn.sizes() &&
      mask.scalar_type() == weight.scalar_type() && mask.device() == weight.device()) {
    mask.copy_(drawn);
  } else {
    mask = drawn.to(weight.device(), weight.scalar_type());
  }
}

at::Tensor NetworkBody::Dropout(const at::Tensor& features, const std::string& classifier,
                                const ForwardMode& mode) const {
  if (!mode.training || mode.dropout == 0) return features;
  return features * masks_.at(classifier);
}

at::Tensor NetworkBody::Classify(const Head& head, const FeatureMap& trunk, const ForwardMode& mode,
                                 at::Tensor* global) const {
  const HeadDefinition& definition = head.definition;
  FeatureMap map = trunk;
  if (definition.maxpool.has_value()) {
    map = MaxPool(*definition.maxpool, map);
    Observe(mode, definition.maxpool->name, map);
  }
  map = head.stage.Apply(map, mode, global);
  const at::Tensor features = map.Mean();
  if (mode.observer) mode.observer(definition.pool_name, features);
  const at::Tensor logits =
      at::linear(Dropout(features, definition.classifier.name, mode), head.weight, head.bias);
  if (mode.observer) mode.observer(definition.classifier.name, logits);
  return logits;
}

std::vector<at::Tensor> NetworkBody::Forward(const at::Tensor& clips,
                                             const ForwardMode& mode) const {
  const at::Tensor input = mode.half() ? clips.to(mode.features) : clips;
  FeatureMap map = definition_.s3d.empty() ? Stem(input, mode) : s3d_.Forward(input, mode);
  at::Tensor global;
  if (global_weight_.defined()) {
    global = map.Mean();
    if (mode.observer) mode.observer("init_mem", global);
  }
  for (const Stage& stage : trunk_) map = stage.Apply(map, mode, &global);
  std::vector<at::Tensor> logits;
  for (const Head& head : heads_) logits.push_back(Classify(head, map, mode, &global));
  if (global_weight_.defined() && (mode.training || mode.observer)) {
    const std::string& name = definition_.global_classifier->name;
    const at::Tensor of_global =
        at::linear(Dropout(global, name, mode), global_weight_, global_bias_);
    if (mode.observer) mode.observer(name, of_global);
    if (mode.training) logits.push_back(of_global);
  }
  return logits;
}

}  // namespace op3d
