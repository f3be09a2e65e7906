#include "op3d/network/layers/pseudo_3d_block.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/threshold_backward.h>
#include <torch/csrc/autograd/custom_function.h>

#include "op3d/network/layers/recomputation.h"
#include "op3d/network/layers/row_sums.h"

namespace op3d {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The context of a block as one node of the graph with the sum around it:
// ReLU(branch + shortcut + context).  With m the mean of each clip's branch over its `volume` rows,
// h = ReLU(fc1(m)) and context = fc2(h).  Means and context are in the weights' type.
struct JoinFunction : torch::autograd::Function<JoinFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& branch,
                            const at::Tensor& shortcut, const at::Tensor& weight1,
                            const at::Tensor& bias1, const at::Tensor& weight2,
                            const at::Tensor& bias2, int64_t volume, bool inference) {
    const at::Tensor mean =
        branch.view({-1, volume, branch.size(1)}).mean(1, /*keepdim=*/false, weight1.scalar_type());
    const at::Tensor hidden = at::addmm(bias1, mean, weight1.t()).relu_();
    const at::Tensor context = at::addmm(bias2, hidden, weight2.t());
    at::Tensor output = inference ? branch : at::Tensor();
    SumRows(branch, shortcut, context, Activation::kRelu, &output);
    if (!inference) {
      ctx->save_for_backward({mean, hidden, weight1, weight2, output});
      ctx->saved_data["volume"] = volume;
    }
    return output;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &mean = saved[0], &hidden = saved[1], &weight1 = saved[2], &weight2 = saved[3],
                     &output = saved[4];
    const int64_t volume = ctx->saved_data["volume"].toInt();
    const at::Tensor sum = at::threshold_backward(gradients[0], output, 0);
    const at::Tensor context =
        sum.view({-1, volume, sum.size(1)}).sum(1, /*keepdim=*/false, weight1.scalar_type());
    const at::Tensor reduced = at::threshold_backward(context.mm(weight2), hidden, 0);
    const at::Tensor spread = reduced.mm(weight1).div_(static_cast<double>(volume));
    at::Tensor branch;
    SumRows(sum, {}, spread, Activation::kNone, &branch);
    return {
        branch, sum, reduced.t().mm(mean), reduced.sum(0), context.t().mm(hidden), context.sum(0),
        {},     {}};
  }
};

// ReLU(a + b) as one node and one pass.
struct SumReluFunction : torch::autograd::Function<SumReluFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& a, const at::Tensor& b) {
    at::Tensor output;
    SumRows(a, b, {}, Activation::kRelu, &output);
    ctx->save_for_backward({output});
    return output;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const at::Tensor sum = at::threshold_backward(gradients[0], ctx->get_saved_variables()[0], 0);
    return {sum, sum};
  }
};

// Overwrites `a` if no gradients are needed.
FeatureMap Sum(const FeatureMap& a, const FeatureMap& b, Activation activation,
               const ForwardMode& mode) {
  FeatureMap sum = a;
  if (mode.inference) {
    SumRows(a.rows, b.rows, {}, activation, &sum.rows);
  } else if (activation == Activation::kRelu) {
    sum.rows = SumReluFunction::apply(a.rows, b.rows);
  } else {
    sum.rows = a.rows + b.rows;
  }
  return sum;
}

}  // namespace

Pseudo3dBlock::Norm::Norm(const ConvolutionNorm& definition, const TensorTable& tensors)
    : convolution(definition.convolution, tensors), norm(definition.norm, tensors) {}

FeatureMap Pseudo3dBlock::Norm::Apply(const FeatureMap& input, Activation activation,
                                      const ForwardMode& mode) const {
  if (convolution.fused()) return convolution.ApplyFused(input, activation);
  return norm.Apply(convolution.Apply(input), activation, mode);
}

void Pseudo3dBlock::Norm::Fuse() { convolution.Fuse(norm.bias(), /*adds_input=*/false); }

Pseudo3dBlock::Pair::Pair(const PairDefinition& definition, const TensorTable& tensors)
    : spatial(definition.spatial, tensors), norm(definition.norm, tensors) {
  if (definition.temporal.has_value()) temporal.emplace(*definition.temporal, tensors);
}

void Pseudo3dBlock::Pair::Fuse(Wiring wiring) {
  const at::Tensor bias = norm.folded() ? norm.bias() : at::Tensor();
  const bool temporal_last = wiring == Wiring::kSerial || wiring == Wiring::kParallel;
  spatial.Fuse(temporal_last ? at::Tensor() : bias, /*adds_input=*/false);
  // In wiring C the temporal convolution's input is added to its output.
  if (temporal.has_value()) {
    temporal->Fuse(temporal_last ? bias : at::Tensor(), wiring == Wiring::kResidual);
  }
}

FeatureMap Pseudo3dBlock::Pair::ApplyFused(const FeatureMap& input,
                                           const FeatureMap& temporal_input, Wiring wiring,
                                           Activation activation) const {
  if (wiring == Wiring::kSpatial) return spatial.ApplyFused(input, activation);
  if (wiring == Wiring::kResidual) {
    return temporal->ApplyFused(spatial.ApplyFused(input, activation), activation);
  }
  const FeatureMap x = spatial.ApplyFused(input, Activation::kNone);
  if (wiring == Wiring::kSerial) return temporal->ApplyFused(x, activation);
  return temporal->ApplyFused(temporal_input, activation, &x);
}

FeatureMap Pseudo3dBlock::Pair::Apply(const FeatureMap& input, const FeatureMap& temporal_input,
                                      Wiring wiring, Activation activation, const ForwardMode& mode,
                                      FeatureMap* temporal_output) const {
  if (spatial.fused() && norm.folded()) {
    return ApplyFused(input, temporal_input, wiring, activation);
  }
  const auto convolve = [](const Convolution& convolution, const FeatureMap& map) {
    return convolution.fused() ? convolution.ApplyFused(map, Activation::kNone)
                               : convolution.Apply(map);
  };
  FeatureMap x = convolve(spatial, input);
  switch (wiring) {
    case Wiring::kSpatial:
      break;
    case Wiring::kSerial:
      x = temporal->Apply(x);
      break;
    case Wiring::kParallel: {
      const FeatureMap of_time = convolve(*temporal, temporal_input);
      x = Sum(x, of_time, Activation::kNone, mode);
      if (temporal_output != nullptr) *temporal_output = of_time;
      break;
    }
    case Wiring::kResidual:
      x = norm.Apply(x, activation, mode);
      return Sum(temporal->Apply(x), x, activation, mode);
  }
  return norm.Apply(x, activation, mode);
}

void Pseudo3dBlock::Fuse() {
  if (expand_.has_value() && !context_.empty()) {
    // The mean of a 1x1x1 convolution is the convolution of the mean.
    const Linear& fc1 = context_[0];
    const at::Tensor expand = expand_->convolution.weight().flatten(1).to(fc1.weight.scalar_type());
    fused_context_weight_ = fc1.weight.mm(expand).t().contiguous();
    fused_context_bias_ = fc1.bias + fc1.weight.mv(expand_->norm.bias());
  }
  if (reduce_.has_value()) reduce_->Fuse();
  for (Pair& pair : pairs_) pair.Fuse(definition_.wiring);
  if (expand_.has_value()) expand_->Fuse();
  if (downsample_.has_value()) downsample_->Fuse();
}

Pseudo3dBlock::Linear::Linear(const LinearDefinition& definition, const TensorTable& tensors)
    : weight(tensors.at(definition.name + ".weight")),
      bias(tensors.at(definition.name + ".bias")) {}

Pseudo3dBlock::Pseudo3dBlock(const BlockDefinition& definition, const TensorTable& tensors)
    : definition_(definition), parameters_(ParametersUnder(tensors, definition.name + ".")) {
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
  const bool twice = mode.recompute && mode.training && at::GradMode::is_enabled();
  return twice ? Recompute(input, mode, global) : Compute(input, mode, global);
}

FeatureMap Pseudo3dBlock::Recompute(const FeatureMap& input, const ForwardMode& mode,
                                    at::Tensor* global) const {
  std::vector<at::Tensor> inputs = {input.rows};
  if (!diffusion_.empty()) inputs.push_back(*global);
  FeatureMap output;
  // At the second call the caller's `mode`, `input` and `output` no longer exist.
  ForwardMode mode_again = mode;
  mode_again.observer = nullptr;
  mode_again.recomputing = true;
  FeatureMap map_again = input;
  map_again.rows = at::Tensor();
  const auto compute = [=, &mode, &output](const std::vector<at::Tensor>& tensors, bool again) {
    FeatureMap map = map_again;
    map.rows = tensors[0];
    at::Tensor vector = tensors.size() > 1 ? tensors[1] : at::Tensor();
    const FeatureMap result = Compute(map, again ? mode_again : mode, &vector);
    if (!again) output = result;
    std::vector<at::Tensor> outputs = {result.rows};
    if (tensors.size() > 1) outputs.push_back(vector);
    return outputs;
  };
  const std::vector<at::Tensor> outputs = Recomputed(compute, inputs, parameters_);
  output.rows = outputs[0];
  if (outputs.size() > 1) *global = outputs[1];
  return output;
}

FeatureMap Pseudo3dBlock::Compute(const FeatureMap& input, const ForwardMode& mode,
                                  at::Tensor* global) const {
  FeatureMap branch = reduce_.has_value() ? Bottleneck(input, mode) : Basic(input, mode);
  const bool ends_fused = fused_context_weight_.defined();
  if (reduce_.has_value() && !ends_fused) branch = expand_->Apply(branch, Activation::kNone, mode);
  FeatureMap shortcut =
      downsample_.has_value() ? downsample_->Apply(input, Activation::kNone, mode) : input;
  if (ends_fused) {
    // An observer may have kept the input.
    if (mode.observer && !downsample_.has_value()) shortcut.rows = shortcut.rows.clone();
    return FusedEnd(branch, shortcut);
  }
  if (diffusion_.empty()) return Join(branch, shortcut, mode);
  *global = Diffuse(input, *global);
  const Linear &fc5 = diffusion_[4], &fc6 = diffusion_[5];
  const at::Tensor context =
      at::linear(at::linear(*global, fc5.weight, fc5.bias), fc6.weight, fc6.bias);
  FeatureMap output = branch;
  if (mode.inference) {
    SumRows(branch.rows, shortcut.rows, context, Activation::kRelu, &output.rows);
    return output;
  }
  output.rows = branch.rows + shortcut.rows;
  output.rows.view({output.clips, output.volume(), output.channels()})
      .add_(context.to(output.rows.scalar_type()).unsqueeze(1));
  output.rows.relu_();
  return output;
}

FeatureMap Pseudo3dBlock::Bottleneck(const FeatureMap& input, const ForwardMode& mode) const {
  const FeatureMap x = reduce_->Apply(input, Activation::kRelu, mode);
  return pairs_[0].Apply(x, x, definition_.wiring, Activation::kRelu, mode, nullptr);
}

FeatureMap Pseudo3dBlock::Basic(const FeatureMap& input, const ForwardMode& mode) const {
  FeatureMap temporal;
  const bool chained = definition_.wiring == Wiring::kParallel && definition_.chained_temporal;
  const FeatureMap x = pairs_[0].Apply(input, input, definition_.wiring, Activation::kRelu, mode,
                                       chained ? &temporal : nullptr);
  return pairs_[1].Apply(x, chained ? temporal : x, definition_.wiring, Activation::kNone, mode,
                         nullptr);
}

FeatureMap Pseudo3dBlock::Join(const FeatureMap& branch, const FeatureMap& shortcut,
                               const ForwardMode& mode) const {
  if (context_.empty()) return Sum(branch, shortcut, Activation::kRelu, mode);
  FeatureMap output = branch;
  output.rows =
      JoinFunction::apply(branch.rows, shortcut.rows, context_[0].weight, context_[0].bias,
                          context_[1].weight, context_[1].bias, branch.volume(), mode.inference);
  return output;
}

FeatureMap Pseudo3dBlock::FusedEnd(const FeatureMap& features, const FeatureMap& shortcut) const {
  const at::Tensor hidden =
      at::addmm(fused_context_bias_, features.Mean(), fused_context_weight_).relu_();
  const at::Tensor context = at::addmm(context_[1].bias, hidden, context_[1].weight.t());
  const Convolution& convolution = expand_->convolution;
  // The context is a bias if a clip has enough rows for a call of its own.
  constexpr int64_t kEnoughRows = 512;
  const int64_t volume = features.volume();
  if (features.clips > 1 && volume < kEnoughRows) {
    FeatureMap sum = convolution.ApplyFused(features, Activation::kNone, &shortcut);
    SumRows(sum.rows, {}, context, Activation::kRelu, &sum.rows);
    return sum;
  }
  const at::Tensor bias = context + expand_->norm.bias();
  for (int64_t clip = 0; clip < features.clips; ++clip) {
    FeatureMap input = features, output = shortcut;
    input.clips = output.clips = 1;
    input.rows = features.rows.narrow(0, clip * volume, volume);
    output.rows = shortcut.rows.narrow(0, clip * volume, volume);
    convolution.ApplyFused(input, Activation::kRelu, &output, bias[clip]);
  }
  return shortcut;
}

at::Tensor Pseudo3dBlock::Diffuse(const FeatureMap& input, const at::Tensor& global) const {
  const auto two = [&](const at::Tensor& x, int first) {
    const Linear &a = diffusion_[first], &b = diffusion_[first + 1];
    return at::linear(at::linear(x, a.weight, a.bias), b.weight, b.bias);
  };
  return (two(input.Mean(), 0) + two(global, 2)).relu();
}

}  // namespace op3d
