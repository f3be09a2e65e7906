#include "op3d/train/step/optimizer.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/training_failure.h"
#include "op3d/torch/torch_status.h"

namespace op3d {
namespace {

absl::Status CheckSettings(const SgdSettings& sgd, const TrainingSettings& training) {
  OP3D_RETURN_IF_ERROR(Require(sgd.momentum() >= 0 && sgd.momentum() < 1, "sgd.momentum",
                               sgd.momentum(), "in [0, 1)"));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("sgd.weight_decay", sgd.weight_decay(), 0));
  OP3D_RETURN_IF_ERROR(Require(sgd.clip_norm() > 0, "sgd.clip_norm", sgd.clip_norm(), "above 0"));
  OP3D_RETURN_IF_ERROR(Require(training.classifier_rate_factor() >= 0,
                               "training.classifier_rate_factor", training.classifier_rate_factor(),
                               "above 0, or 0 for 1"));
  if (!training.has_adamw()) return absl::OkStatus();
  const AdamWSettings& adamw = training.adamw();
  for (const auto& [name, beta] :
       {std::pair<const char*, double>("training.adamw.beta1", adamw.beta1()),
        std::pair<const char*, double>("training.adamw.beta2", adamw.beta2())}) {
    OP3D_RETURN_IF_ERROR(Require(beta >= 0 && beta < 1, name, beta, "in [0, 1)"));
  }
  OP3D_RETURN_IF_ERROR(
      Require(adamw.epsilon() > 0, "training.adamw.epsilon", adamw.epsilon(), "above 0"));
  return RequireAtLeast("training.adamw.weight_decay", adamw.weight_decay(), 0);
}

class Sgd : public Optimizer {
 public:
  Sgd(NamedTensors parameters, const SgdSettings& sgd, const TrainingSettings& training)
      : Optimizer(std::move(parameters), sgd, training), settings_(sgd), momentum_(Zeros()) {}

  NamedTensors State() const override {
    NamedTensors state;
    if (!first_step_) GiveBuffers(kMomentum, momentum_, &state);
    return state;
  }

  absl::Status SetState(const NamedTensors& state) override {
    first_step_ = state.empty();
    return state.empty() ? absl::OkStatus() : TakeBuffers(state, kMomentum, &momentum_);
  }

 protected:
  void Update(size_t index, const std::vector<at::Tensor>& gradients,
              double learning_rate) override {
    at::_fused_sgd_(groups_[index].parameters, gradients, momentum_[index],
                    settings_.weight_decay(), settings_.momentum(), learning_rate,
                    /*dampening=*/0, settings_.nesterov(), /*maximize=*/false, first_step_);
  }
  void AfterStep() override { first_step_ = false; }

  std::variant<gpu::SgdRule, gpu::AdamWRule> Rule() const override {
    return gpu::SgdRule{static_cast<float>(settings_.momentum()),
                        static_cast<float>(settings_.weight_decay()), settings_.nesterov()};
  }
  gpu::FusedTensors Buffers(size_t group, size_t parameter) const override {
    gpu::FusedTensors tensors;
    tensors.first = momentum_[group][parameter];
    return tensors;
  }
  gpu::StepValues Values(double learning_rate) const override {
    return {static_cast<float>(learning_rate), first_step_ ? 1 : 0, 1, 1};
  }

 private:
  static constexpr char kMomentum[] = "momentum";

  const SgdSettings settings_;
  std::vector<std::vector<at::Tensor>> momentum_;
  bool first_step_ = true;
};

class AdamW : public Optimizer {
 public:
  AdamW(NamedTensors parameters, const SgdSettings& sgd, const TrainingSettings& training)
      : Optimizer(std::move(parameters), sgd, training),
        settings_(training.adamw()),
        first_(Zeros()),
        second_(Zeros()) {
    for (const Group& group : groups_) {
      steps_.emplace_back();
      for (const at::Tensor& parameter : group.parameters) {
        steps_.back().push_back(at::zeros({}, parameter.options().dtype(at::kFloat)));
      }
    }
  }

  NamedTensors State() const override {
    NamedTensors state;
    if (first_step_) return state;
    GiveBuffers(kFirst, first_, &state);
    GiveBuffers(kSecond, second_, &state);
    GiveBuffers(kSteps, steps_, &state);
    return state;
  }

  absl::Status SetState(const NamedTensors& state) override {
    first_step_ = state.empty();
    done_ = 0;
    if (state.empty()) return absl::OkStatus();
    OP3D_RETURN_IF_ERROR(TakeBuffers(state, kFirst, &first_));
    OP3D_RETURN_IF_ERROR(TakeBuffers(state, kSecond, &second_));
    OP3D_RETURN_IF_ERROR(TakeBuffers(state, kSteps, &steps_));
    return fused() ? CatchTorch([this] { return CountSteps(); }) : absl::OkStatus();
  }

 protected:
  void Update(size_t index, const std::vector<at::Tensor>& gradients,
              double learning_rate) override {
    at::_foreach_add_(steps_[index], 1);
    at::_fused_adamw_(groups_[index].parameters, gradients, first_[index], second_[index],
                      /*max_exp_avg_sqs=*/{}, steps_[index], learning_rate, settings_.beta1(),
                      settings_.beta2(), settings_.weight_decay(), settings_.epsilon(),
                      /*amsgrad=*/false, /*maximize=*/false);
  }
  void AfterStep() override {
    first_step_ = false;
    if (!fused()) return;
    ++done_;
    for (const std::vector<at::Tensor>& steps : steps_) {
      if (!steps.empty()) at::_foreach_add_(steps, 1);
    }
  }

  std::variant<gpu::SgdRule, gpu::AdamWRule> Rule() const override {
    return gpu::AdamWRule{
        static_cast<float>(settings_.beta1()), static_cast<float>(settings_.beta2()),
        static_cast<float>(settings_.epsilon()), static_cast<float>(settings_.weight_decay())};
  }
  gpu::FusedTensors Buffers(size_t group, size_t parameter) const override {
    gpu::FusedTensors tensors;
    tensors.first = first_[group][parameter];
    tensors.second = second_[group][parameter];
    return tensors;
  }
  gpu::StepValues Values(double learning_rate) const override {
    const double step = static_cast<double>(done_ + 1);
    return {static_cast<float>(learning_rate), done_ == 0 ? 1 : 0,
            static_cast<float>(1 - std::pow(settings_.beta1(), step)),
            static_cast<float>(std::sqrt(1 - std::pow(settings_.beta2(), step)))};
  }

 private:
  // The fused step has one number of steps for all parameters.
  absl::Status CountSteps() {
    std::set<int64_t> counts;
    for (const std::vector<at::Tensor>& steps : steps_) {
      for (const at::Tensor& count : steps) {
        counts.insert(std::llround(count.item<double>()));
      }
    }
    if (counts.size() > 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("the optimiser's 'steps' are ", absl::StrJoin(counts, ", "),
                       "; all parameters must have been updated equally often"));
    }
    if (!counts.empty()) done_ = *counts.begin();
    return absl::OkStatus();
  }

  static constexpr char kFirst[] = "first_moment";
  static constexpr char kSecond[] = "second_moment";
  static constexpr char kSteps[] = "steps";

  const AdamWSettings settings_;
  std::vector<std::vector<at::Tensor>> first_, second_, steps_;
  bool first_step_ = true;
  // The fused step's copy of steps_ on the host.
  int64_t done_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Optimizer>> Optimizer::Make(NamedTensors parameters,
                                                           const SgdSettings& sgd,
                                                           const TrainingSettings& training,
                                                           const FusedOptions& fused) {
  OP3D_RETURN_IF_ERROR(CheckSettings(sgd, training));
  const bool on_gpu = !parameters.empty() && parameters[0].second.is_cuda();
  std::unique_ptr<Optimizer> optimizer;
  OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
    c10::NoGradGuard no_grad;
    if (training.has_adamw()) {
      optimizer = std::make_unique<AdamW>(std::move(parameters), sgd, training);
    } else {
      optimizer = std::make_unique<Sgd>(std::move(parameters), sgd, training);
    }
    if (on_gpu || fused.always) optimizer->Fuse(fused);
    return absl::OkStatus();
  }));
  return optimizer;
}

Optimizer::Optimizer(NamedTensors parameters, const SgdSettings& sgd,
                     const TrainingSettings& training)
    : clip_norm_(sgd.clip_norm()) {
  const double factor = training.classifier_rate_factor();
  const bool apart = factor != 0 && factor != 1;
  groups_.resize(apart ? 2 : 1);
  if (apart) groups_[1].rate_factor = factor;
  for (auto& [name, parameter] : parameters) {
    Group& group = groups_[apart && absl::StartsWith(name, "fc") ? 1 : 0];
    group.names.push_back(std::move(name));
    group.parameters.push_back(std::move(parameter));
  }
}

void Optimizer::Fuse(const FusedOptions& options) {
  const std::map<std::string, at::Tensor> averages(options.averages.begin(),
                                                   options.averages.end());
  std::vector<gpu::FusedTensors> tensors;
  for (size_t i = 0; i < groups_.size(); ++i) {
    for (size_t k = 0; k < groups_[i].parameters.size(); ++k) {
      gpu::FusedTensors one = Buffers(i, k);
      one.weights = groups_[i].parameters[k].detach();
      one.rate_factor = groups_[i].rate_factor;
      if (!averages.empty()) one.average = averages.at(groups_[i].names[k]).detach();
      tensors.push_back(std::move(one));
    }
  }
  fused_ = std::make_unique<gpu::FusedStep>(std::move(tensors), Rule(), clip_norm_,
                                            options.average_decay);
}

absl::StatusOr<double> Optimizer::Step(double learning_rate, std::optional<double> gradient_scale) {
  double norm = 0;
  OP3D_RETURN_IF_ERROR(CatchTorch([&] { return StepAll(learning_rate, gradient_scale, &norm); }));
  return norm;
}

absl::Status Optimizer::StepAll(double learning_rate, std::optional<double> gradient_scale,
                                double* gradient_norm) {
  const double scale = gradient_scale.value_or(1);
  c10::NoGradGuard no_grad;
  std::vector<std::vector<at::Tensor>> gradients(groups_.size());
  std::vector<at::Tensor> all;
  for (size_t i = 0; i < groups_.size(); ++i) {
    for (const at::Tensor& parameter : groups_[i].parameters) {
      // A parameter that no loss reaches has no gradient, but weight decay still changes it.
      if (!parameter.grad().defined()) parameter.mutable_grad() = at::zeros_like(parameter);
      gradients[i].push_back(parameter.grad());
      all.push_back(parameter.grad());
    }
  }
  const double norm = fused() ? StepFused(all, learning_rate, scale)
                              : at::stack(at::_foreach_norm(all)).norm().item<double>() / scale;
  const bool finite = std::isfinite(norm);
  if (!finite && !gradient_scale.has_value()) {
    const std::string what = absl::StrCat("the gradient's norm is ", norm);
    return MarkTrainingFailure(absl::InternalError(what), what);
  }
  // A power of two changes no digit: the scale has no effect on the result.
  const double factor = std::min(1.0, clip_norm_ / (norm + 1e-6)) / scale;
  if (finite && factor < 1 && !fused()) at::_foreach_mul_(all, factor);
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (groups_[i].parameters.empty()) continue;
    if (finite && !fused()) Update(i, gradients[i], learning_rate * groups_[i].rate_factor);
    // Cleared, not zeroed: the next backward pass then stores its gradients instead of adding them.
    for (const at::Tensor& parameter : groups_[i].parameters) {
      parameter.mutable_grad() = at::Tensor();
    }
  }
  if (finite) AfterStep();
  *gradient_norm = norm;
  return absl::OkStatus();
}

double Optimizer::StepFused(const std::vector<at::Tensor>& gradients, double learning_rate,
                            double scale) {
  std::vector<at::Tensor> contiguous;
  for (const at::Tensor& gradient : gradients) contiguous.push_back(gradient.contiguous());
  gpu::StepValues values = Values(learning_rate);
  values.gradient_scale = static_cast<float>(scale);
  fused_->Run(contiguous, values);
  return fused_->Norm();
}

std::vector<std::vector<at::Tensor>> Optimizer::Zeros() const {
  std::vector<std::vector<at::Tensor>> zeros;
  for (const Group& group : groups_) {
    zeros.emplace_back();
    for (const at::Tensor& parameter : group.parameters) {
      zeros.back().push_back(at::zeros_like(parameter));
    }
  }
  return zeros;
}

void Optimizer::GiveBuffers(const std::string& kind,
                            const std::vector<std::vector<at::Tensor>>& buffers,
                            NamedTensors* state) const {
  for (size_t i = 0; i < groups_.size(); ++i) {
    for (size_t k = 0; k < groups_[i].names.size(); ++k) {
      state->emplace_back(absl::StrCat(kind, ".", groups_[i].names[k]), buffers[i][k]);
    }
  }
}

absl::Status Optimizer::TakeBuffers(const NamedTensors& state, const std::string& kind,
                                    std::vector<std::vector<at::Tensor>>* buffers) const {
  std::set<std::string> known;
  for (const Group& group : groups_) known.insert(group.names.begin(), group.names.end());
  const std::map<std::string, at::Tensor> given(state.begin(), state.end());
  for (const auto& [name, tensor] : given) {
    // For every kind, the parameter's name comes after the first dot.
    const size_t dot = name.find('.');
    if (dot == std::string::npos || known.count(name.substr(dot + 1)) == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the optimiser's '", name, "' does not belong to a parameter of this network"));
    }
  }
  return CatchTorch([&]() -> absl::Status {
    c10::NoGradGuard no_grad;
    for (size_t i = 0; i < groups_.size(); ++i) {
      for (size_t k = 0; k < groups_[i].names.size(); ++k) {
        const std::string name = absl::StrCat(kind, ".", groups_[i].names[k]);
        at::Tensor& buffer = (*buffers)[i][k];
        const auto found = given.find(name);
        if (found == given.end()) {
          return absl::InvalidArgumentError(absl::StrCat(
              "the optimiser's '", name, "' is missing among ", given.size(), " tensors"));
        }
        if (found->second.sizes() != buffer.sizes()) {
          return absl::InvalidArgumentError(absl::StrCat(
              "the optimiser's '", name, "' is [", absl::StrJoin(found->second.sizes(), ", "),
              "] where the network needs [", absl::StrJoin(buffer.sizes(), ", "), "]"));
        }
        buffer.copy_(found->second);
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace op3d
