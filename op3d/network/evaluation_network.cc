#include "op3d/network/evaluation_network.h"

#include <ATen/core/grad_mode.h>

#include <utility>

#include "op3d/base/status_macros.h"
#include "op3d/gpu/convolutions.h"
#include "op3d/network/layers/convolution.h"
#include "op3d/network/layers/feature_map.h"
#include "op3d/network/layers/folded_norms.h"
#include "op3d/network/network_body.h"
#include "op3d/torch/arithmetic.h"
#include "op3d/torch/precision.h"
#include "op3d/torch/torch_status.h"

namespace op3d {

struct EvaluationNetwork::State {
  NetworkOptions options;
  NetworkDefinition definition;
  std::unique_ptr<NetworkBody> body;
  // Any one of the parameters, for its type and device.
  at::Tensor parameter;
  ForwardMode mode;
};

EvaluationNetwork::EvaluationNetwork(std::unique_ptr<State> state) : state_(std::move(state)) {}
EvaluationNetwork::~EvaluationNetwork() = default;

absl::StatusOr<std::unique_ptr<EvaluationNetwork>> EvaluationNetwork::Make(const Network& network) {
  auto state = std::make_unique<State>();
  state->options = network.options();
  OP3D_ASSIGN_OR_RETURN(state->definition, Define(network.options()));
  state->mode.inference = true;
  state->mode.features = ComputingType(network.precision());
  if (network.device().is_cuda()) {
    gpu::SetDeterministic(ChosenArithmetic() == Arithmetic::kPortable);
  }
  const bool fuse = ChosenArithmetic() == Arithmetic::kNative && network.device().is_cpu() &&
                    Convolution::CanFuse(state->mode.features);
  OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
    at::NoGradGuard no_grad;
    TensorTable own;
    for (const auto& [name, tensor] : network.StateDict()) own[name] = tensor.detach();
    TensorTable table = FoldNorms(state->definition, own);
    for (auto& [name, tensor] : table) {
      const bool kernels = tensor.dim() == 5;
      if (kernels && state->mode.half()) {
        tensor = tensor.to(state->mode.features);
      } else if (tensor.is_alias_of(own.at(name))) {
        tensor = tensor.clone();
      }
      // In the layout that LibTorch's kernels need; otherwise each pass would copy it again.
      if (!fuse && kernels && (tensor.size(2) == 1 || tensor.size(3) * tensor.size(4) == 1)) {
        tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast3d);
      }
    }
    state->parameter = table.at(state->definition.heads[0].classifier.name + ".weight");
    state->body = std::make_unique<NetworkBody>(state->definition, table);
    if (fuse) state->body->Fuse();
    return absl::OkStatus();
  }));
  return std::unique_ptr<EvaluationNetwork>(new EvaluationNetwork(std::move(state)));
}

const NetworkOptions& EvaluationNetwork::options() const { return state_->options; }
at::Device EvaluationNetwork::device() const { return state_->parameter.device(); }
at::ScalarType EvaluationNetwork::type() const { return state_->parameter.scalar_type(); }

absl::StatusOr<std::vector<at::Tensor>> EvaluationNetwork::Forward(
    const at::Tensor& clips, const FeatureObserver& observer) const {
  OP3D_RETURN_IF_ERROR(CheckClips(state_->definition, clips, state_->parameter));
  ForwardMode mode = state_->mode;
  mode.observer = observer;
  std::vector<at::Tensor> logits;
  OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
    at::NoGradGuard no_grad;
    logits = state_->body->Forward(clips, mode);
    return absl::OkStatus();
  }));
  return logits;
}

}  // namespace op3d
