#include "op3d/train/sgd.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "op3d/base/status_macros.h"
#include "op3d/network/torch_status.h"

namespace op3d {

Sgd::Sgd(std::vector<std::pair<std::string, at::Tensor>> parameters, const SgdSettings& settings)
    : settings_(settings) {
  c10::NoGradGuard no_grad;
  for (auto& [name, parameter] : parameters) {
    names_.push_back(name);
    momentum_.push_back(at::zeros_like(parameter));
    parameters_.push_back(std::move(parameter));
  }
}

absl::StatusOr<double> Sgd::Step(double learning_rate) {
  double norm = 0;
  OP3D_RETURN_IF_ERROR(CatchTorch([&] { return Update(learning_rate, &norm); }));
  return norm;
}

absl::Status Sgd::Update(double learning_rate, double* gradient_norm) {
  c10::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  gradients.reserve(parameters_.size());
  for (const at::Tensor& parameter : parameters_) {
    // A parameter no loss reaches has no gradient; weight decay still moves it.
    if (!parameter.grad().defined()) parameter.mutable_grad() = at::zeros_like(parameter);
    gradients.push_back(parameter.grad());
  }
  const double norm = at::stack(at::_foreach_norm(gradients)).norm().item<double>();
  if (!std::isfinite(norm)) {
    return absl::InternalError(
        absl::StrCat("the gradient's norm is ", norm,
                     ": training diverged; use a lower learning rate (it is ", learning_rate, ")"));
  }
  const double factor = std::min(1.0, settings_.clip_norm() / (norm + 1e-6));
  if (factor < 1) at::_foreach_mul_(gradients, factor);
  at::_fused_sgd_(parameters_, gradients, momentum_, settings_.weight_decay(), settings_.momentum(),
                  learning_rate, /*dampening=*/0, settings_.nesterov(), /*maximize=*/false,
                  first_step_);
  // Dropped, not zeroed: the next backward then stores its gradients instead of adding them.
  for (at::Tensor& parameter : parameters_) parameter.mutable_grad().reset();
  first_step_ = false;
  *gradient_norm = norm;
  return absl::OkStatus();
}

std::vector<std::pair<std::string, at::Tensor>> Sgd::Momentum() const {
  std::vector<std::pair<std::string, at::Tensor>> momentum;
  if (first_step_) return momentum;
  for (size_t i = 0; i < names_.size(); ++i) momentum.emplace_back(names_[i], momentum_[i]);
  return momentum;
}

absl::Status Sgd::SetMomentum(const std::vector<std::pair<std::string, at::Tensor>>& momentum) {
  c10::NoGradGuard no_grad;
  if (momentum.empty()) {
    first_step_ = true;
    return absl::OkStatus();
  }
  if (momentum.size() != names_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(momentum.size(), " momentum buffers for ", names_.size(), " parameters"));
  }
  for (size_t i = 0; i < names_.size(); ++i) {
    const auto& [name, buffer] = momentum[i];
    if (name != names_[i] || buffer.sizes() != parameters_[i].sizes()) {
      return absl::InvalidArgumentError(
          absl::StrCat("momentum of '", name, "' [", absl::StrJoin(buffer.sizes(), ", "),
                       "] does not fit parameter '", names_[i], "' [",
                       absl::StrJoin(parameters_[i].sizes(), ", "), "]"));
    }
    momentum_[i].copy_(buffer);
  }
  first_step_ = false;
  return absl::OkStatus();
}

}  // namespace op3d
