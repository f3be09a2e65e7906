#include "op3d/network/pseudo_3d_block.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/linear.h>
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
    : spatial(definition.spatial, tensors), norm(definition.norm, tensors) {
  if (definition.temporal.has_value()) temporal.emplace(*definition.temporal, tensors);
}

Pseudo3dBlock::Linear::Linear(const LinearDefinition& definition, const TensorTable& tensors)
    : weight(tensors.at(definition.name + ".weight")),
      bias(tensors.at(definition.name + ".bias")) {}

Pseudo3dBlock::Pseudo3dBlock(const BlockDefinition& definition, const TensorTable& tensors)
    : definition_(definition) {
  if (definition.reduce.has_value()) reduce_.emplace(*definition.reduce, tensors);
  for (const PairDefinition& pair : definition.pairs) pairs_.emplace_back(pair, tensors);
  if (definition.expand.has_value()) expand_.emplace(*definition.expand, tensors);
  if (definition.downsample.has_value()) downsample_.emplace(*definition.downsample, tensors);
  if (definition.context.has_value()) {
    context_.emplace_back(definition.context->reduce, tensors);
    context_.emplace_back(definition.context->expand, tensors);
  }
  if (definition.diffusion.has_value()) {
    for (const auto* layers : {&definition.diffusion->local, &definition.diffusion->global,
                               &definition.diffusion->output}) {
      for (const LinearDefinition& layer : *layers) diffusion_.emplace_back(layer, tensors);
    }
  }
}

FeatureMap Pseudo3dBlock::Apply(const FeatureMap& input, const ForwardMode& mode,
                                at::Tensor* global) const {
  const FeatureMap branch = reduce_.has_value() ? Bottleneck(input, mode) : Basic(input, mode);
  const FeatureMap shortcut =
      downsample_.has_value() ? downsample_->Apply(input, Activation::kNone, mode) : input;
  if (diffusion_.empty()) return Join(branch, shortcut);
  *global = Diffuse(input, *global);
  const Linear &fc5 = diffusion_[4], &fc6 = diffusion_[5];
  const at::Tensor glance =
      at::linear(at::linear(*global, fc5.weight, fc5.bias), fc6.weight, fc6.bias);
  FeatureMap output = Sum(branch, shortcut);
  output.rows.view({output.clips, output.volume(), output.channels()}).add_(glance.unsqueeze(1));
  return Relu(output);
}

FeatureMap Pseudo3dBlock::Bottleneck(const FeatureMap& input, const ForwardMode& mode) const {
  const FeatureMap x = reduce_->Apply(input, Activation::kRelu, mode);
  const Pair& pair = pairs_[0];
  FeatureMap y = pair.spatial.Apply(x);
  switch (definition_.wiring) {
    case Wiring::kSpatial:
      y = pair.norm.Apply(y, Activation::kRelu, mode);
      break;
    case Wiring::kSerial:
      y = pair.norm.Apply(pair.temporal->Apply(y), Activation::kRelu, mode);
      break;
    case Wiring::kParallel:
      y = pair.norm.Apply(Sum(y, pair.temporal->Apply(x)), Activation::kRelu, mode);
      break;
    case Wiring::kResidual:
      y = pair.norm.Apply(y, Activation::kRelu, mode);
      y = Relu(Sum(y, pair.temporal->Apply(y)));
      break;
  }
  return expand_->Apply(y, Activation::kNone, mode);
}

FeatureMap Pseudo3dBlock::Basic(const FeatureMap& input, const ForwardMode& mode) const {
  const Pair& first = pairs_[0];
  const Pair& second = pairs_[1];
  FeatureMap x = first.spatial.Apply(input);
  switch (definition_.wiring) {
    case Wiring::kSpatial:
      x = first.norm.Apply(x, Activation::kRelu, mode);
      return second.norm.Apply(second.spatial.Apply(x), Activation::kNone, mode);
    case Wiring::kSerial:
      x = first.norm.Apply(first.temporal->Apply(x), Activation::kRelu, mode);
      x = second.temporal->Apply(second.spatial.Apply(x));
      return second.norm.Apply(x, Activation::kNone, mode);
    case Wiring::kParallel: {
      const FeatureMap temporal = first.temporal->Apply(input);
      x = first.norm.Apply(Sum(x, temporal), Activation::kRelu, mode);
      x = Sum(second.spatial.Apply(x),
              second.temporal->Apply(definition_.chained_temporal ? temporal : x));
      return second.norm.Apply(x, Activation::kNone, mode);
    }
    case Wiring::kResidual:
      break;
  }
  x = first.norm.Apply(x, Activation::kRelu, mode);
  x = Relu(Sum(x, first.temporal->Apply(x)));
  x = second.norm.Apply(second.spatial.Apply(x), Activation::kNone, mode);
  return Sum(x, second.temporal->Apply(x));
}

FeatureMap Pseudo3dBlock::Join(const FeatureMap& branch, const FeatureMap& shortcut) const {
  if (context_.empty()) return Relu(Sum(branch, shortcut));
  FeatureMap output = branch;
  output.rows =
      JoinFunction::apply(branch.rows, shortcut.rows, context_[0].weight, context_[0].bias,
                          context_[1].weight, context_[1].bias, branch.volume());
  return output;
}

at::Tensor Pseudo3dBlock::Diffuse(const FeatureMap& input, const at::Tensor& global) const {
  const auto two = [&](const at::Tensor& x, int first) {
    const Linear &a = diffusion_[first], &b = diffusion_[first + 1];
    return at::linear(at::linear(x, a.weight, a.bias), b.weight, b.bias);
  };
  return (two(input.Mean(), 0) + two(global, 2)).relu();
}

}  // namespace op3d
