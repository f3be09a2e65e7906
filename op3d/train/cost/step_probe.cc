#include "op3d/train/cost/step_probe.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "op3d/base/activity_seconds.h"
#include "op3d/base/status_macros.h"
#include "op3d/network/network.h"
#include "op3d/torch/torch_status.h"
#include "op3d/train/settings/network_settings.h"
#include "op3d/train/step/optimizer.h"
#include "op3d/train/step/training_loss.h"

namespace op3d {

namespace {

absl::Status Measure(const StepProbe& probe, StepCost* cost) {
  at::set_num_threads(1);
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<Network> network,
                        Network::Make(ToNetworkOptions(probe.network, probe.classes), /*seed=*/0));
  OP3D_RETURN_IF_ERROR(network->ToDevice(probe.device));
  OP3D_RETURN_IF_ERROR(SetArithmetic(probe.training, probe.frames, network.get()));
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<Optimizer> optimizer,
                        Optimizer::Make(network->Parameters(), probe.sgd, probe.training));
  const int64_t values = int64_t{3} * probe.frames * probe.side * probe.side;
  // Small pictures need two clips, because BatchNorm cannot normalise a single value.
  const int64_t least = probe.side < 64 ? 2 : 1;
  const int64_t clips = std::clamp<int64_t>(3'200'000 / values, least, 16);
  const at::Tensor input =
      at::zeros({clips, 3, probe.frames, probe.side, probe.side}).normal_().to(network->device());
  const at::Tensor labels = at::zeros({clips}, at::kLong).to(network->device());

  const auto faster = [&](double seconds, double* best) {
    seconds /= static_cast<double>(clips);
    *best = *best == 0 ? seconds : std::min(*best, seconds);
  };
  constexpr double kLongSeconds = 2;
  double spent = 0;
  for (int round = 0; round < 2 && spent < kLongSeconds; ++round) {
    Stopwatch watch;
    if (probe.train) {
      double train = 0;
      network->SetTraining(true);
      OP3D_ASSIGN_OR_RETURN(const std::vector<at::Tensor> heads, network->Forward(input));
      TrainingLoss(heads, labels).backward();
      OP3D_RETURN_IF_ERROR(optimizer->Step(/*learning_rate=*/1e-6).status());
      watch.Lap(&train);
      faster(train, &cost->train_seconds);
      spent += train;
    }
    double score = 0;
    c10::NoGradGuard no_grad;
    network->SetTraining(false);
    OP3D_ASSIGN_OR_RETURN(const std::vector<at::Tensor> scores, network->Forward(input));
    scores[0].sum().item<float>();  // waits for a GPU
    watch.Lap(&score);
    faster(score, &cost->score_seconds);
    spent += score;
  }
  for (const auto& [name, tensor] : network->StateDict()) {
    cost->weight_bytes += static_cast<int64_t>(tensor.nbytes());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StepCost> MeasureStep(const StepProbe& probe) {
  StepCost cost;
  OP3D_RETURN_IF_ERROR(CatchTorch([&] { return Measure(probe, &cost); }));
  return cost;
}

}  // namespace op3d
