#include "op3d/train/step/weight_average.h"

#include <ATen/ops/_foreach_lerp.h>
#include <c10/core/GradMode.h>

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"
#include "op3d/torch/torch_status.h"

namespace op3d {

WeightAverage::WeightAverage(double decay, std::unique_ptr<Network> average)
    : decay_(decay), average_(std::move(average)) {}

absl::StatusOr<std::unique_ptr<WeightAverage>> WeightAverage::Make(Network* network, double decay) {
  if (!(decay >= 0 && decay < 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("an average of weights with decay ", decay, "; it must be in [0, 1)"));
  }
  OP3D_ASSIGN_OR_RETURN(std::unique_ptr<Network> copy, Network::MakeUnfilled(network->options()));
  OP3D_RETURN_IF_ERROR(copy->ToDevice(network->device().str()));
  OP3D_RETURN_IF_ERROR(copy->SetPrecision(network->precision()));
  OP3D_RETURN_IF_ERROR(copy->To(network->Parameters()[0].second.scalar_type()));
  OP3D_RETURN_IF_ERROR(copy->LoadStateDict(network->StateDict()));
  std::unique_ptr<WeightAverage> average(new WeightAverage(decay, std::move(copy)));
  const NamedTensors from = network->StateDict(), to = average->average_->StateDict();
  // A frozen network's state dict lacks counters that the copy has.
  size_t k = 0;
  std::set<const void*> seen;  // S3D's state dict has tensors under two names
  for (const auto& [name, tensor] : to) {
    if (k == from.size() || from[k].first != name) continue;
    const at::Tensor& original = from[k++].second;
    if (!seen.insert(original.const_data_ptr()).second) continue;
    (tensor.is_floating_point() ? average->averages_ : average->copies_).push_back(tensor);
    (tensor.is_floating_point() ? average->weights_ : average->originals_).push_back(original);
  }
  return average;
}

void WeightAverage::LeaveOutParameters() {
  std::vector<at::Tensor> averages, weights;
  for (size_t i = 0; i < weights_.size(); ++i) {
    if (weights_[i].requires_grad()) continue;
    averages.push_back(averages_[i]);
    weights.push_back(weights_[i]);
  }
  averages_ = std::move(averages);
  weights_ = std::move(weights);
}

absl::Status WeightAverage::Update() {
  return CatchTorch([&]() -> absl::Status {
    c10::NoGradGuard no_grad;
    if (!averages_.empty()) at::_foreach_lerp_(averages_, weights_, 1 - decay_);
    for (size_t i = 0; i < copies_.size(); ++i) copies_[i].copy_(originals_[i]);
    return absl::OkStatus();
  });
}

}  // namespace op3d
