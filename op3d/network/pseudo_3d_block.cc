#include "op3d/network/pseudo_3d_block.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mean.h>

namespace op3d {
namespace {

FeatureMap Sum(const FeatureMap& a, const FeatureMap& b) {
  FeatureMap sum = a;
  sum.rows = a.rows + b.rows;
  return sum;
}

FeatureMap Relu(FeatureMap map) {
  map.rows.relu_();
  return map;
}

}  // namespace

Pseudo3dBlock::Norm::Norm(const ConvolutionNorm& definition, const TensorTable& tensors)
    : convolution(definition.convolution, tensors), norm(definition.norm, tensors) {}

FeatureMap Pseudo3dBlock::Norm::Apply(const FeatureMap& input, Activation activation,
                                      const ForwardMode& mode) const {
  return norm.Apply(convolution.Apply(input), activation, mode);
}

Pseudo3dBlock::Pair::Pair(const PairDefinition& definition, const TensorTable& tensors)
    : spatial(definition.spatial, tensors),
      temporal(definition.temporal, tensors),
      norm(definition.norm, tensors) {}

Pseudo3dBlock::Pseudo3dBlock(const BlockDefinition& definition, const TensorTable& tensors)
    : definition_(definition) {
  if (definition.reduce.has_value()) reduce_.emplace(*definition.reduce, tensors);
  for (const PairDefinition& pair : definition.pairs) pairs_.emplace_back(pair, tensors);
  if (definition.expand.has_value()) expand_.emplace(*definition.expand, tensors);
  if (definition.downsample.has_value()) downsample_.emplace(*definition.downsample, tensors);
  if (!definition.context.has_value()) return;
  const LinearDefinition* layers[] = {&definition.context->reduce, &definition.context->expand};
  for (int i = 0; i < 2; ++i) {
    context_weights_[i] = tensors.at(layers[i]->name + ".weight");
    context_biases_[i] = tensors.at(layers[i]->name + ".bias");
  }
}

FeatureMap Pseudo3dBlock::Apply(const FeatureMap& input, const ForwardMode& mode) const {
  const FeatureMap branch = reduce_.has_value() ? Bottleneck(input, mode) : Basic(input, mode);
  if (!downsample_.has_value()) return Join(branch, input);
  return Join(branch, downsample_->Apply(input, Activation::kNone, mode));
}

FeatureMap Pseudo3dBlock::Bottleneck(const FeatureMap& input, const ForwardMode& mode) const {
  const FeatureMap x = reduce_->Apply(input, Activation::kRelu, mode);
  const Pair& pair = pairs_[0];
  FeatureMap spatial = pair.spatial.Apply(x);
  switch (definition_.wiring) {
    case Wiring::kSerial:
      spatial = pair.norm.Apply(pair.temporal.Apply(spatial), Activation::kRelu, mode);
      break;
    case Wiring::kParallel:
      spatial = pair.norm.Apply(Sum(spatial, pair.temporal.Apply(x)), Activation::kRelu, mode);
      break;
    case Wiring::kResidual:
      spatial = pair.norm.Apply(spatial, Activation::kRelu, mode);
      spatial = Relu(Sum(spatial, pair.temporal.Apply(spatial)));
      break;
  }
  return expand_->Apply(spatial, Activation::kNone, mode);
}

FeatureMap Pseudo3dBlock::Basic(const FeatureMap& input, const ForwardMode& mode) const {
  const Pair& first = pairs_[0];
  const Pair& second = pairs_[1];
  FeatureMap x = first.spatial.Apply(input);
  switch (definition_.wiring) {
    case Wiring::kSerial:
      x = first.norm.Apply(first.temporal.Apply(x), Activation::kRelu, mode);
      x = second.temporal.Apply(second.spatial.Apply(x));
      return second.norm.Apply(x, Activation::kNone, mode);
    case Wiring::kParallel: {
      // The second temporal convolution goes on from the first one, past sum, norm and ReLU.
      const FeatureMap temporal = first.temporal.Apply(input);
      x = first.norm.Apply(Sum(x, temporal), Activation::kRelu, mode);
      x = Sum(second.spatial.Apply(x), second.temporal.Apply(temporal));
      return second.norm.Apply(x, Activation::kNone, mode);
    }
    case Wiring::kResidual:
      break;
  }
  x = first.norm.Apply(x, Activation::kRelu, mode);
  x = Relu(Sum(x, first.temporal.Apply(x)));
  x = second.norm.Apply(second.spatial.Apply(x), Activation::kNone, mode);
  return Sum(x, second.temporal.Apply(x));
}

FeatureMap Pseudo3dBlock::Join(const FeatureMap& branch, const FeatureMap& shortcut) const {
  if (!definition_.context.has_value()) return Relu(Sum(branch, shortcut));
  const at::Tensor clips = branch.rows.view({branch.clips, branch.volume(), branch.channels()});
  at::Tensor context = clips.mean(1);
  context = at::addmm(context_biases_[0], context, context_weights_[0].t()).relu_();
  context = at::addmm(context_biases_[1], context, context_weights_[1].t());
  FeatureMap output = branch;
  // In place on a sum, never on a view: autograd would copy.
  output.rows = (clips + shortcut.rows.view(clips.sizes()))
                    .add_(context.unsqueeze(1))
                    .relu_()
                    .view({-1, branch.channels()});
  return output;
}

}  // namespace op3d
