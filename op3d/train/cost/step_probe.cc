#include "op3d/train/cost/step_probe.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_format.h"
#include "op3d/base/activity_seconds.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"
#include "op3d/network/definition/multiply_adds.h"
#include "op3d/network/network.h"
#include "op3d/torch/torch_status.h"
#include "op3d/train/settings/network_settings.h"
#include "op3d/train/step/optimizer.h"
#include "op3d/train/step/training_loss.h"

namespace op3d {

namespace {

constexpr int kLargestFrames = 16;
constexpr int kLargestSide = 112;

// Runs `clip` itself; `recomputed_frames` is the number of frames by which activation checkpointing
// is decided.
absl::Status Measure(const StepProbe& probe, const ProbedClip& clip, int recomputed_frames,
                     StepCost* cost) {
  at::set_num_threads(1);
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<Network> network,
                        Network::Make(ToNetworkOptions(probe.network, probe.classes), /*seed=*/0));
  OP3D_RETURN_IF_ERROR(network->ToDevice(probe.device));
  OP3D_RETURN_IF_ERROR(SetArithmetic(probe.training, recomputed_frames, network.get()));
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<Optimizer> optimizer,
                        Optimizer::Make(network->Parameters(), probe.sgd, probe.training));
  const int64_t values = int64_t{3} * clip.frames * clip.side * clip.side;
  // Small pictures need two clips, because BatchNorm cannot normalise a single value.
  const int64_t least = clip.side < 64 ? 2 : 1;
  const int64_t clips = network->device().is_cpu()
                            ? std::clamp<int64_t>(700'000 / values, least, 16)
                            : std::clamp<int64_t>(20'000'000 / values, least, 32);
  const at::Tensor input =
      at::zeros({clips, 3, clip.frames, clip.side, clip.side}).normal_().to(network->device());
  const at::Tensor labels = at::zeros({clips}, at::kLong).to(network->device());

  const auto faster = [&](double seconds, double* best) {
    seconds /= static_cast<double>(clips);
    *best = *best == 0 ? seconds : std::min(*best, seconds);
  };
  // The seconds that it took; the faster ones are kept in `times`.
  const auto run = [&](StepCost* times) -> absl::StatusOr<double> {
    Stopwatch watch;
    double train = 0, score = 0;
    if (clip.train) {
      network->SetTraining(true);
      OP3D_ASSIGN_OR_RETURN(const std::vector<at::Tensor> heads, network->Forward(input));
      TrainingLoss(heads, labels).backward();
      OP3D_RETURN_IF_ERROR(optimizer->Step(/*learning_rate=*/1e-6).status());
      // Waits for a GPU.
      if (!network->device().is_cpu()) network->Parameters()[0].second.sum().item<float>();
      watch.Lap(&train);
      faster(train, &times->train_seconds);
    }
    c10::NoGradGuard no_grad;
    network->SetTraining(false);
    OP3D_ASSIGN_OR_RETURN(const std::vector<at::Tensor> scores, network->Forward(input));
    scores[0].sum().item<float>();  // waits for a GPU
    watch.Lap(&score);
    faster(score, &times->score_seconds);
    return train + score;
  };
  // The first runs on a GPU load libraries and choose algorithms.
  StepCost uncounted;
  const int warm = network->device().is_cpu() ? 0 : 2;
  for (int i = 0; i < warm; ++i) OP3D_RETURN_IF_ERROR(run(&uncounted).status());
  constexpr int kRuns = 2;
  constexpr double kLongSeconds = 2;
  double spent = 0;
  for (int i = 0; i < kRuns && spent < kLongSeconds; ++i) {
    OP3D_ASSIGN_OR_RETURN(const double seconds, run(cost));
    spent += seconds;
  }
  cost->weight_bytes = 0;
  for (const auto& [name, tensor] : network->StateDict()) {
    cost->weight_bytes += static_cast<int64_t>(tensor.nbytes());
  }
  return absl::OkStatus();
}

}  // namespace

ProbedClip ShrunkenClip(const ProbedClip& clip) {
  return {std::min(clip.frames, kLargestFrames), std::min(clip.side, kLargestSide), clip.train};
}

absl::StatusOr<StepCost> StepCosts::Of(const ProbedClip& clip) {
  OP3D_ASSIGN_OR_RETURN(const NetworkDefinition definition,
                        Define(ToNetworkOptions(probe_.network, probe_.classes)));
  OP3D_RETURN_IF_ERROR(CheckClipSize(definition, {clip.frames, clip.side, clip.side}));
  const ProbedClip run = ShrunkenClip(clip);
  const int least = probe_.training.activation_checkpointing_frames();
  StepCost& known = measured_[{run.frames, run.side, least > 0 && clip.frames >= least}];
  if (clip.train ? known.train_seconds == 0 : known.score_seconds == 0) {
    OP3D_RETURN_IF_ERROR(CheckInterrupt());
    Progress::Print(absl::StrFormat("measuring a %s step of %d x %d x %d ...",
                                    clip.train ? "training" : "scoring", run.frames, run.side,
                                    run.side));
    OP3D_RETURN_IF_ERROR(CatchTorch([&] { return Measure(probe_, run, clip.frames, &known); }));
  }
  const auto multiply_adds = [&](const ProbedClip& clip) {
    return static_cast<double>(CountMultiplyAdds(definition, {clip.frames, clip.side, clip.side}));
  };
  const double scale = multiply_adds(clip) / multiply_adds(run);
  return StepCost{known.train_seconds * scale, known.score_seconds * scale, known.weight_bytes,
                  multiply_adds(clip)};
}

}  // namespace op3d
