#include "op3d/network/pseudo_3d_block.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/threshold_backward.h>
#include <torch/csrc/autograd/custom_function.h>

namespace op3d {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// ReLU(branch + shortcut + context) as one node of the graph: with m the mean of each clip's branch
// over its `volume` rows, h = ReLU(fc1(m)) and context = fc2(h).
struct JoinFunction : torch::autograd::Function<JoinFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& branch,
                            const at::Tensor& shortcut, const at::Tensor& weight1,
                            const at::Tensor& bias1, const at::Tensor& weight2,
                            const at::Tensor& bias2, int64_t volume) {
    const int64_t channels = branch.size(1);
    const at::Tensor mean = branch.view({-1, volume, channels}).mean(1);
    const at::Tensor hidden = at::addmm(bias1, mean, weight1.t()).relu_();
    const at::Tensor glance = at::addmm(bias2, hidden, weight2.t());
    const at::Tensor output = branch + shortcut;
    output.view({-1, volume, channels}).add_(glance.unsqueeze(1)).relu_();
    context->save_for_backward({mean, hidden, weight1, weight2, output});
    context->saved_data["volume"] = volume;
    return output;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &mean = saved[0], &hidden = saved[1], &weight1 = saved[2], &weight2 = saved[3],
                     &output = saved[4];
    const int64_t volume = context->saved_data["volume"].toInt();
    const at::Tensor sum = at::threshold_backward(gradients[0], output, 0);
    const at::Tensor clips = sum.view({-1, volume, sum.size(1)});
    const at::Tensor glance = clips.sum(1);
    const at::Tensor reduced = at::threshold_backward(glance.mm(weight2), hidden, 0);
    const at::Tensor spread = reduced.mm(weight1).div_(static_cast<double>(volume));
    const at::Tensor branch = (clips + spread.unsqueeze(1)).view(sum.sizes());
    return {branch,        sum, reduced.t().mm(mean), reduced.sum(0), glance.t().mm(hidden),
            glance.sum(0), {}};
  }
};

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
  FeatureMap output = branch;
  output.rows =
      JoinFunction::apply(branch.rows, shortcut.rows, context_weights_[0], context_biases_[0],
                          context_weights_[1], context_biases_[1], branch.volume());
  return output;
}

}  // namespace op3d
