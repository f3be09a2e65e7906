#include "op3d/network/batch_norm.h"

#include <ATen/ops/batch_norm.h>

namespace op3d {

BatchNorm::BatchNorm(const BatchNormDefinition& definition, const TensorTable& tensors)
    : definition_(definition),
      weight_(tensors.at(definition.name + ".weight")),
      bias_(tensors.at(definition.name + ".bias")),
      running_mean_(tensors.at(definition.name + ".running_mean")),
      running_variance_(tensors.at(definition.name + ".running_var")),
      counter_(tensors.at(definition.name + ".num_batches_tracked")) {}

FeatureMap BatchNorm::Apply(const FeatureMap& input, Activation activation,
                            const ForwardMode& mode) const {
  const bool batch_statistics = mode.training && !(mode.frozen_batch_norm && definition_.freezes);
  if (batch_statistics) {
    TORCH_CHECK_VALUE(input.rows.size(0) > 1, "BatchNorm '", definition_.name,
                      "' gets a single value a channel and cannot train on it: use more clips a "
                      "batch or larger ones");
    counter_.add_(1);
  }
  // [1, C, rows, 1]: channels-last, LibTorch's fast form.
  const at::Tensor image = input.rows.unsqueeze(0).unsqueeze(2).permute({0, 3, 1, 2});
  at::Tensor output =
      at::batch_norm(image, weight_, bias_, running_mean_, running_variance_, batch_statistics,
                     /*momentum=*/0.1, definition_.epsilon, /*cudnn_enabled=*/true);
  // In place on the output itself: on a view of it autograd would copy.
  if (activation == Activation::kRelu) output.relu_();
  FeatureMap result = input;
  result.rows = RowsOf(output);
  return result;
}

}  // namespace op3d
