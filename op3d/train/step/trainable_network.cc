#include "op3d/train/step/trainable_network.h"

#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "op3d/base/status_macros.h"
#include "op3d/torch/torch_status.h"
#include "op3d/train/settings/network_settings.h"
#include "op3d/train/step/optimizer.h"
#include "op3d/train/step/weight_average.h"

namespace op3d {
namespace {

constexpr char kWeights[] = "weights.";
constexpr char kOptimizer[] = "optimizer.";
constexpr char kAverage[] = "average.";
constexpr char kGradients[] = "gradients.";

void AddAs(const char* prefix, const NamedTensors& tensors, NamedTensors* all) {
  for (const auto& [name, tensor] : tensors) all->emplace_back(absl::StrCat(prefix, name), tensor);
}

// The tensors with the prefix, which is removed.
NamedTensors Take(const char* prefix, const NamedTensors& all) {
  NamedTensors result;
  for (const auto& [name, tensor] : all) {
    absl::string_view rest = name;
    if (absl::ConsumePrefix(&rest, prefix)) result.emplace_back(std::string(rest), tensor);
  }
  return result;
}

int64_t BytesOf(const NamedTensors& tensors) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) bytes += static_cast<int64_t>(tensor.nbytes());
  return bytes;
}

}  // namespace

TrainableNetwork::TrainableNetwork(const TrainableNetworkOptions& options) : options_(options) {}
TrainableNetwork::~TrainableNetwork() = default;

absl::StatusOr<std::unique_ptr<TrainableNetwork>> TrainableNetwork::Make(
    const TrainableNetworkOptions& options) {
  std::unique_ptr<TrainableNetwork> made(new TrainableNetwork(options));
  if (options.with_initial_values) {
    OP3D_ASSIGN_OR_RETURN(made->network_, Network::Make(options.network, options.seed));
  } else {
    OP3D_ASSIGN_OR_RETURN(made->network_, Network::MakeUnfilled(options.network));
  }
  Network& network = *made->network_;
  if (options.with_initial_values && !options.initial_weights.empty()) {
    OP3D_RETURN_IF_ERROR(network.StartFrom(options.initial_weights).status());
  }
  OP3D_RETURN_IF_ERROR(network.ToDevice(options.device));
  OP3D_RETURN_IF_ERROR(SetArithmetic(options.training, options.clip_frames, &network));
  network.SetFrozenBatchNorm(options.frozen_batch_norm);
  FusedOptions fused;
  fused.always = options.fused_step;
  if (options.training.average_decay() != 0) {
    OP3D_ASSIGN_OR_RETURN(made->average_,
                          WeightAverage::Make(&network, options.training.average_decay()));
    made->average_->network().SetFrozenBatchNorm(options.frozen_batch_norm);
    fused.averages = made->average_->network().Parameters();
    fused.average_decay = options.training.average_decay();
  }
  OP3D_ASSIGN_OR_RETURN(made->optimizer_, Optimizer::Make(network.Parameters(), options.sgd,
                                                          options.training, fused));
  if (made->average_ != nullptr && made->optimizer_->fused()) {
    made->average_->LeaveOutParameters();
  }
  return made;
}

Network& TrainableNetwork::result() {
  return average_ == nullptr ? *network_ : average_->network();
}

absl::StatusOr<double> TrainableNetwork::Step(double learning_rate,
                                              std::optional<double> gradient_scale) {
  OP3D_ASSIGN_OR_RETURN(const double norm, optimizer_->Step(learning_rate, gradient_scale));
  const bool skipped = !std::isfinite(norm);
  if (average_ != nullptr && !skipped) OP3D_RETURN_IF_ERROR(average_->Update());
  return norm;
}

NamedTensors TrainableNetwork::Tensors() const {
  NamedTensors tensors;
  AddAs(kWeights, network_->StateDict(), &tensors);
  AddAs(kOptimizer, optimizer_->State(), &tensors);
  if (average_ != nullptr) AddAs(kAverage, average_->network().StateDict(), &tensors);
  for (const auto& [name, parameter] : network_->Parameters()) {
    if (!parameter.grad().defined()) continue;
    tensors.emplace_back(absl::StrCat(kGradients, name), parameter.grad());
  }
  return tensors;
}

absl::Status TrainableNetwork::Restore(const NamedTensors& tensors) {
  OP3D_RETURN_IF_ERROR(network_->LoadStateDict(Take(kWeights, tensors)));
  OP3D_RETURN_IF_ERROR(optimizer_->SetState(Take(kOptimizer, tensors)));
  if (average_ != nullptr) {
    OP3D_RETURN_IF_ERROR(average_->network().LoadStateDict(Take(kAverage, tensors)));
  }
  const NamedTensors gradients = Take(kGradients, tensors);
  const std::map<std::string, at::Tensor> by_name(gradients.begin(), gradients.end());
  return CatchTorch([&]() -> absl::Status {
    for (const auto& [name, parameter] : network_->Parameters()) {
      const auto gradient = by_name.find(name);
      parameter.mutable_grad() =
          gradient == by_name.end() ? at::Tensor() : gradient->second.to(network_->device());
    }
    return absl::OkStatus();
  });
}

std::vector<at::Tensor> TrainableNetwork::Buffers() const {
  std::vector<at::Tensor> buffers;
  const auto add = [&buffers](const Network& network) {
    for (const auto& [name, tensor] : network.StateDict()) {
      if (!tensor.requires_grad()) buffers.push_back(tensor);
    }
  };
  add(*network_);
  if (average_ != nullptr) add(average_->network());
  return buffers;
}

int64_t TrainableNetwork::Bytes() const {
  return BytesOf(network_->StateDict()) * (average_ == nullptr ? 1 : 2) +
         BytesOf(network_->Parameters()) * (options_.training.has_adamw() ? 2 : 1);
}

}  // namespace op3d
