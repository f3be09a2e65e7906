#include "op3d/gpu/check/figures.h"

#include <ATen/ATen.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>

#include "op3d/base/status_macros.h"
#include "op3d/gpu/clip_copier.h"
#include "op3d/gpu/convolutions.h"
#include "op3d/network/definition/multiply_adds.h"
#include "op3d/network/evaluation_network.h"
#include "op3d/network/network.h"
#include "op3d/torch/torch_status.h"
#include "op3d/train/step/micro_batch_step.h"
#include "op3d/train/step/trainable_network.h"
#include "op3d/train/step/training_loss.h"

namespace op3d::gpu {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kViews = 30;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void Wait(at::Device device) {
  if (device.is_cuda()) c10::impl::VirtualGuardImpl(at::kCUDA).synchronizeDevice(0);
}

double PeakBytes(at::Device device) {
  if (!device.is_cuda()) return 0;
  return static_cast<double>(
      at::getDeviceAllocator(at::kCUDA)->getDeviceStats(0).allocated_bytes[0].peak);
}

void ForgetPeak(at::Device device) {
  if (!device.is_cuda()) return;
  at::getDeviceAllocator(at::kCUDA)->emptyCache();
  at::getDeviceAllocator(at::kCUDA)->resetPeakStats(0);
}

// The least seconds of a run of `body`, of a few; after two that are not counted (cuDNN chooses its
// algorithms there).
absl::StatusOr<double> Fastest(at::Device device, const std::function<absl::Status()>& body) {
  constexpr int kWarm = 2, kTimed = 5;
  constexpr double kEnough = 3;
  double best = 0, spent = 0;
  for (int i = 0; i < kWarm + kTimed && (spent < kEnough || best == 0); ++i) {
    Wait(device);
    const Clock::time_point start = Clock::now();
    OP3D_RETURN_IF_ERROR(body());
    Wait(device);
    if (i < kWarm && device.is_cuda()) continue;
    const double seconds = SecondsSince(start);
    spent += seconds;
    best = best == 0 ? seconds : std::min(best, seconds);
  }
  return best;
}

absl::StatusOr<double> MatrixProduct(at::Device device, int side, at::ScalarType type) {
  const at::Tensor a = at::randn({side, side}).to(device, type), b = a.clone();
  OP3D_ASSIGN_OR_RETURN(const double seconds, Fastest(device, [&] {
                          a.mm(b);
                          return absl::OkStatus();
                        }));
  return 2.0 * side * side * side / seconds / 1e12;
}

struct Work {
  std::string network;
  int frames, side, clips;
  double multiply_adds;  // of a clip
  double peak;           // TFLOP/s of the matrix product
};

nlohmann::json ToFigure(const Work& work, int clips, double passes, double seconds,
                        at::Device device) {
  const double tflops = 2 * work.multiply_adds * passes * clips / seconds / 1e12;
  return {{"network", work.network},
          {"frames", work.frames},
          {"side", work.side},
          {"clips", clips},
          {"seconds", seconds},
          {"clips_per_second", clips / seconds},
          {"tflops", tflops},
          {"share_of_matrix_product", tflops / work.peak},
          {"peak_bytes", PeakBytes(device)}};
}

absl::StatusOr<std::unique_ptr<TrainableNetwork>> MakeTrained(const Work& work, at::Device device) {
  TrainableNetworkOptions options;
  options.network = {work.network, 400};
  options.device = device.str();
  options.clip_frames = work.frames;
  options.sgd.set_momentum(0.9);
  options.sgd.set_clip_norm(40);
  options.training.set_precision("bf16");
  options.training.set_arithmetic(TrainingSettings::NATIVE);
  OP3D_ASSIGN_OR_RETURN(auto trained, TrainableNetwork::Make(options));
  trained->network().SetTraining(true);
  return trained;
}

absl::Status MeasureTraining(const Work& work, at::Device device, CheckReport* report) {
  ForgetPeak(device);
  OP3D_ASSIGN_OR_RETURN(const auto trained, MakeTrained(work, device));
  const at::Tensor clips = at::randn({work.clips, 3, work.frames, work.side, work.side}).to(device);
  const at::Tensor labels = at::zeros({work.clips}, at::kLong).to(device);
  OP3D_ASSIGN_OR_RETURN(const double seconds, Fastest(device, [&]() -> absl::Status {
                          OP3D_ASSIGN_OR_RETURN(const auto heads,
                                                trained->network().Forward(clips));
                          TrainingLoss(heads, labels).backward();
                          return trained->Step(1e-4).status();
                        }));
  nlohmann::json figure = ToFigure(work, work.clips, 3, seconds, device);
  // The same with clips that come from the host, copied while the device computes.
  const at::Tensor host = clips.cpu();
  ClipCopier copier(device);
  copier.Start(host);
  OP3D_ASSIGN_OR_RETURN(const double fed_seconds, Fastest(device, [&]() -> absl::Status {
                          OP3D_ASSIGN_OR_RETURN(const auto heads,
                                                trained->network().Forward(copier.Take()));
                          TrainingLoss(heads, labels).backward();
                          copier.Start(host);
                          return trained->Step(1e-4).status();
                        }));
  figure["fed_seconds"] = fed_seconds;
  report->Figure("training", figure);
  return absl::OkStatus();
}

// As `train` does it in native arithmetic: forward and backward as one CUDA graph, then the fused step.
absl::Status MeasureGraph(const Work& work, at::Device device, CheckReport* report) {
  ForgetPeak(device);
  OP3D_ASSIGN_OR_RETURN(const auto trained, MakeTrained(work, device));
  const MicroBatch batch = {
      at::randn({work.clips, 3, work.frames, work.side, work.side}).to(device),
      at::zeros({work.clips}, at::kLong).to(device)};
  MicroBatchLossOptions options;
  options.classes = 400;
  MicroBatchStep forward_backward(options, /*loss_factor=*/1, /*recorded=*/true,
                                  &trained->network());
  double norm = 0;
  const auto step = [&]() -> absl::Status {
    OP3D_RETURN_IF_ERROR(forward_backward.Run({0, 0}, batch).status());
    OP3D_ASSIGN_OR_RETURN(norm, trained->Step(1e-4));
    return absl::OkStatus();
  };
  // The next one is recorded.
  for (int i = 0; i < 3; ++i) OP3D_RETURN_IF_ERROR(step());
  OP3D_ASSIGN_OR_RETURN(const double seconds, Fastest(device, step));
  nlohmann::json figure = ToFigure(work, work.clips, 3, seconds, device);
  figure["recorded"] = forward_backward.recorded();
  figure["failure"] = forward_backward.failure();
  figure["gradient_norm"] = norm;
  report->Figure("training_graph", figure);
  return absl::OkStatus();
}

absl::Status MeasureScoring(const Work& work, at::Device device, CheckReport* report) {
  ForgetPeak(device);
  OP3D_ASSIGN_OR_RETURN(const auto network, Network::Make({work.network, 400}, /*seed=*/1));
  OP3D_RETURN_IF_ERROR(network->ToDevice(device.str()));
  OP3D_RETURN_IF_ERROR(network->SetPrecision(Precision::kBfloat16));
  network->SetTraining(false);
  OP3D_ASSIGN_OR_RETURN(const auto form, EvaluationNetwork::Make(*network));
  const int views = device.is_cuda() ? kViews : 2;
  const at::Tensor clips = at::randn({views, 3, work.frames, work.side, work.side}).to(device);
  c10::NoGradGuard no_grad;
  OP3D_ASSIGN_OR_RETURN(const double seconds,
                        Fastest(device, [&] { return form->Forward(clips).status(); }));
  report->Figure("scoring", ToFigure(work, views, 1, seconds, device));
  return absl::OkStatus();
}

absl::Status Measure(const FigureOptions& options, CheckReport* report) {
  const Clock::time_point start = Clock::now();
  const at::Device device(options.device);
  SetDeterministic(false);
  OP3D_ASSIGN_OR_RETURN(const double peak, MatrixProduct(device, options.matrix, at::kBFloat16));
  OP3D_ASSIGN_OR_RETURN(const double single, MatrixProduct(device, options.matrix, at::kFloat));
  report->Figure("matrix_product",
                 {{"side", options.matrix}, {"bf16_tflops", peak}, {"fp32_tflops", single}});
  nlohmann::json left_out = nlohmann::json::array();
  for (const int frames : options.frames) {
    for (const std::string& name : options.networks) {
      const std::string what = name + " at " + std::to_string(frames) + " frames";
      if (SecondsSince(start) > options.seconds) {
        left_out.push_back(what + ": no time left");
        continue;
      }
      OP3D_ASSIGN_OR_RETURN(const NetworkDefinition definition, Define({name, 400}));
      const Work work = {
          name,
          frames,
          options.side,
          std::max(2, options.clips * 16 / frames),
          static_cast<double>(CountMultiplyAdds(definition, {frames, options.side, options.side})),
          peak};
      for (const auto measure : {MeasureTraining, MeasureGraph, MeasureScoring}) {
        const absl::Status measured = CatchTorch([&] { return measure(work, device, report); });
        if (!measured.ok()) left_out.push_back(what + ": " + std::string(measured.message()));
      }
    }
  }
  report->Note("left_out", left_out);
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureFigures(const FigureOptions& options, CheckReport* report) {
  return CatchTorch([&] { return Measure(options, report); });
}

}  // namespace op3d::gpu
