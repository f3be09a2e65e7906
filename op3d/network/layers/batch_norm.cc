#include "op3d/network/layers/batch_norm.h"

#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/threshold_backward.h>
#include <torch/csrc/autograd/custom_function.h>

#include <tuple>

#include "op3d/gpu/rows.h"

namespace op3d {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// [1, C, rows, 1] in channels-last memory, for LibTorch's fast code path.
at::Tensor Columns(const at::Tensor& rows) {
  return rows.view({1, rows.size(0), 1, rows.size(1)}).permute({0, 3, 1, 2});
}

// BatchNorm and ReLU as one node of the graph: plain autograd would need seven, most of them
// changes of view, and small networks spend their time on nodes.
struct NormFunction : torch::autograd::Function<NormFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& rows,
                            const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& running_mean, const at::Tensor& running_variance,
                            bool batch_statistics, bool moves, double epsilon, bool relu) {
    if (gpu::RunsOnGpu(rows)) {
      const gpu::NormOutput norm =
          gpu::Normalise(rows, {}, weight, bias, running_mean, running_variance,
                         {batch_statistics, moves, /*momentum=*/0.1, epsilon, relu});
      Keep(context,
           {rows, weight, running_mean, running_variance, norm.mean, norm.inverse_deviation,
            relu ? norm.rows : at::Tensor()},
           batch_statistics, epsilon);
      return norm.rows;
    }
    const at::Tensor none;
    const auto [image, mean, inverse_deviation] = at::native_batch_norm(
        Columns(rows), weight, bias, moves ? running_mean : none, moves ? running_variance : none,
        batch_statistics, /*momentum=*/0.1, epsilon);
    at::Tensor output = RowsOf(image);
    if (relu) output.relu_();
    Keep(context,
         {rows, weight, running_mean, running_variance, mean, inverse_deviation,
          relu ? output : at::Tensor()},
         batch_statistics, epsilon);
    return output;
  }

  static void Keep(AutogradContext* context, const variable_list& tensors, bool batch_statistics,
                   double epsilon) {
    context->save_for_backward(tensors);
    context->saved_data["batch_statistics"] = batch_statistics;
    context->saved_data["epsilon"] = epsilon;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    at::Tensor gradient = gradients[0];
    if (gpu::RunsOnGpu(saved[0])) {
      const gpu::NormGradient result = gpu::NormaliseBackward(
          gradient, saved[6], saved[0], saved[1], saved[4], saved[5],
          context->saved_data["batch_statistics"].toBool(), /*shortcut_wanted=*/false);
      return {result.rows, result.weight, result.bias, {}, {}, {}, {}, {}, {}};
    }
    if (saved[6].defined()) gradient = at::threshold_backward(gradient, saved[6], 0);
    const auto [rows, weight, bias] = at::native_batch_norm_backward(
        Columns(gradient.contiguous()), Columns(saved[0]), saved[1], saved[2], saved[3], saved[4],
        saved[5], context->saved_data["batch_statistics"].toBool(),
        context->saved_data["epsilon"].toDouble(), {true, true, true});
    return {RowsOf(rows), weight, bias, {}, {}, {}, {}, {}, {}};
  }
};

}  // namespace

BatchNorm::BatchNorm(const BatchNormDefinition& definition, const TensorTable& tensors)
    : definition_(definition), bias_(tensors.at(definition.name + ".bias")) {
  if (tensors.count(definition.name + ".weight") == 0) return;
  weight_ = tensors.at(definition.name + ".weight");
  running_mean_ = tensors.at(definition.name + ".running_mean");
  running_variance_ = tensors.at(definition.name + ".running_var");
  const auto counter = tensors.find(definition.name + ".num_batches_tracked");
  if (counter != tensors.end()) counter_ = counter->second;
}

FeatureMap BatchNorm::Apply(const FeatureMap& input, Activation activation,
                            const ForwardMode& mode) const {
  FeatureMap output = input;
  if (folded()) {
    SumRows(input.rows, {}, bias_.unsqueeze(0), activation, &output.rows);
    return output;
  }
  const bool batch_statistics = mode.training && !(mode.frozen_batch_norm && definition_.freezes);
  if (batch_statistics) {
    TORCH_CHECK_VALUE(input.rows.size(0) > 1, "BatchNorm '", definition_.name,
                      "' gets a single value a channel and cannot train on it: use more clips a "
                      "batch or larger ones");
    if (!mode.recomputing) counter_.add_(1);
  }
  // Running statistics are left out if they are already updated, and needed if they are used.
  const bool moves = !(batch_statistics && mode.recomputing);
  output.rows = NormFunction::apply(input.rows, weight_, bias_, running_mean_, running_variance_,
                                    batch_statistics, moves, definition_.epsilon,
                                    activation == Activation::kRelu);
  return output;
}

}  // namespace op3d
