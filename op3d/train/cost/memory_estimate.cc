#include "op3d/train/cost/memory_estimate.h"

#include <ATen/Parallel.h>
#include <ATen/ops/zeros.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

#include "op3d/base/status_macros.h"
#include "op3d/network/network.h"
#include "op3d/torch/torch_status.h"
#include "op3d/train/settings/network_settings.h"
#include "op3d/train/step/training_loss.h"

namespace op3d {
namespace {

constexpr int kProbeFrames = 16;
constexpr int kProbeSide = 64;
// More than one value per channel, for BatchNorm.
constexpr int kProbeClips = 2;

// Measures the memory of tensors, as LibTorch's own profiler does.
class Meter : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, int64_t size, size_t, size_t, c10::Device) override {
    const int64_t now = live_ += size;  // negative when memory is freed
    int64_t most = most_;
    while (now > most && !most_.compare_exchange_weak(most, now)) {
    }
  }
  bool memoryProfilingEnabled() const override { return true; }
  int64_t most() const { return most_; }

 private:
  std::atomic<int64_t> live_{0}, most_{0};
};

int64_t Bytes(const NamedTensors& tensors) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) bytes += static_cast<int64_t>(tensor.nbytes());
  return bytes;
}

// Peak bytes of a forward and backward pass of kProbeClips clips, without gradients.
absl::StatusOr<int64_t> MeasurePass(Network* network, int frames, int side) {
  const auto meter = std::make_shared<Meter>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, meter);
  const at::Tensor clips = at::zeros({kProbeClips, 3, frames, side, side});
  const at::Tensor labels = at::zeros({kProbeClips}, at::kLong);
  OP3D_ASSIGN_OR_RETURN(const std::vector<at::Tensor> heads, network->Forward(clips));
  const at::Tensor loss = TrainingLoss(heads, labels);
  const int64_t forward = meter->most();
  loss.backward();
  return std::max(forward, meter->most() - Bytes(network->Parameters()));
}

}  // namespace

absl::StatusOr<MemoryEstimate> EstimateMemory(const MemoryProbe& probe) {
  MemoryEstimate estimate;
  OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
    OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<Network> network,
                          Network::MakeUnfilled(ToNetworkOptions(probe.network, probe.classes)));
    TrainingSettings training = probe.training;
    // Measured on the CPU, in what needs as much.
    if (training.precision() == "tf32") training.clear_precision();
    if (training.precision() == "fp16") training.set_precision("bf16");
    OP3D_RETURN_IF_ERROR(SetArithmetic(training, probe.frames, network.get()));
    network->SetTraining(true);
    estimate.weights = Bytes(network->StateDict());
    estimate.gradients = Bytes(network->Parameters());
    estimate.optimizer = estimate.gradients * (probe.training.has_adamw() ? 2 : 1);
    if (probe.training.average_decay() > 0) estimate.average = estimate.weights;
    const int frames = std::min(probe.frames, kProbeFrames);
    const int side = std::min(probe.side, kProbeSide);
    OP3D_ASSIGN_OR_RETURN(const int64_t measured, MeasurePass(network.get(), frames, side));
    const auto values = [](int frames, int side) {
      return static_cast<double>(frames) * side * side;
    };
    estimate.activations =
        static_cast<int64_t>(static_cast<double>(measured) / kProbeClips * probe.batch_size *
                             values(probe.frames, probe.side) / values(frames, side));
    return absl::OkStatus();
  }));
  return estimate;
}

}  // namespace op3d
