#include "op3d/gpu/check/figures.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/loader/byte_views.h"
#include "op3d/base/status_macros.h"
#include "op3d/gpu/check/timing.h"
#include "op3d/gpu/check/view_samples.h"
#include "op3d/gpu/clip_copier.h"
#include "op3d/gpu/convolutions.h"
#include "op3d/gpu/device_views.h"
#include "op3d/network/definition/multiply_adds.h"
#include "op3d/network/definition/state_entries.h"
#include "op3d/network/evaluation_network.h"
#include "op3d/network/network.h"
#include "op3d/torch/torch_status.h"
#include "op3d/train/step/loss_scale.h"
#include "op3d/train/step/micro_batch_step.h"
#include "op3d/train/step/trainable_network.h"
#include "op3d/train/step/training_loss.h"

namespace op3d::gpu {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kViews = 30, kClasses = 400, kWarmUp = 2;
constexpr double kRate = 1e-4;
// Of the decoded pictures that are sent.
constexpr int kWidth = 340, kHeight = 256;

struct Work {
  std::string network;
  int frames, side, clips;
  at::Device device;
  Precision precision;
  double multiply_adds;  // of a clip
  double peak;           // TFLOP/s of the matrix product; 0 = not measured
  // The fastest training step so far; 0 = none.
  double step_seconds = 0;

  at::TensorOptions floats() const { return at::TensorOptions(at::kFloat).device(device); }
  at::Tensor Clips(int count) const { return at::randn({count, 3, frames, side, side}, floats()); }
  at::Tensor Labels() const { return at::zeros({clips}, floats().dtype(at::kLong)); }
};

nlohmann::json Facts(const Work& work, int clips) {
  return {{"network", work.network},
          {"precision", PrecisionName(work.precision)},
          {"frames", work.frames},
          {"side", work.side},
          {"clips", clips}};
}

// `passes`: how many times a forward pass it computes.
nlohmann::json ToFigure(const Work& work, int clips, double passes, const Timing& timing) {
  const double tflops = 2 * work.multiply_adds * passes * clips / timing.seconds / 1e12;
  const Memory memory = MemoryOf(work.device);
  nlohmann::json figure = Facts(work, clips);
  figure.update({{"seconds", timing.seconds},
                 {"warm_up_seconds", timing.warm_up_seconds},
                 {"clips_per_second", clips / timing.seconds},
                 {"tflops", tflops},
                 {"peak_bytes", memory.peak_bytes},
                 {"peak_reserved_bytes", memory.peak_reserved_bytes}});
  if (work.peak > 0) figure["share_of_matrix_product"] = tflops / work.peak;
  return figure;
}

// Initial values as Network::Make's, but drawn on the device: large networks take seconds on the
// CPU.
void Fill(const StateEntry& entry, const at::Tensor& tensor) {
  switch (entry.kind) {
    case EntryKind::kConvolutionWeight:
      tensor.normal_(0, std::sqrt(2.0 * static_cast<double>(tensor.size(1)) /
                                  static_cast<double>(tensor.numel())));
      break;
    case EntryKind::kLinearWeight:
    case EntryKind::kLinearBias: {
      const double range = 1 / std::sqrt(static_cast<double>(entry.fan_in));
      tensor.uniform_(-range, range);
      break;
    }
    case EntryKind::kNormWeight:
    case EntryKind::kRunningVariance:
      tensor.fill_(1);
      break;
    default:
      break;  // zeros
  }
}

absl::Status FillNetwork(const Network& network) {
  OP3D_ASSIGN_OR_RETURN(const NetworkDefinition definition, Define(network.options()));
  const std::vector<StateEntry> entries = StateEntries(definition);
  const NamedTensors tensors = network.StateDict();
  c10::NoGradGuard no_grad;
  for (size_t i = 0; i < entries.size(); ++i) Fill(entries[i], tensors[i].second);
  return absl::OkStatus();
}

// A network that trains on noise, with a scaled loss if it computes in fp16.
class Trained {
 public:
  static absl::StatusOr<std::unique_ptr<Trained>> Make(const Work& work) {
    TrainableNetworkOptions options;
    options.network = {work.network, kClasses};
    options.with_initial_values = false;
    options.device = work.device.str();
    options.clip_frames = work.frames;
    options.sgd.set_momentum(0.9);
    options.sgd.set_clip_norm(40);
    options.training.set_precision(PrecisionName(work.precision));
    options.training.set_arithmetic(TrainingSettings::NATIVE);
    OP3D_ASSIGN_OR_RETURN(auto trained, TrainableNetwork::Make(options));
    OP3D_RETURN_IF_ERROR(FillNetwork(trained->network()));
    trained->network().SetTraining(true);
    const bool scales = work.precision == Precision::kFloat16;
    return std::unique_ptr<Trained>(new Trained(std::move(trained), scales));
  }

  Network& network() { return trained_->network(); }
  // Not set: the loss is not scaled.
  std::optional<double> scale() const {
    return scales_ ? std::make_optional(scale_.factor) : std::nullopt;
  }

  // Forward, backward, what the host does meanwhile, and the optimiser's step.
  absl::Status Run(
      const at::Tensor& clips, const at::Tensor& labels,
      const std::function<void()>& meanwhile = [] {}) {
    OP3D_ASSIGN_OR_RETURN(const auto heads, network().Forward(clips));
    at::Tensor loss = TrainingLoss(heads, labels);
    if (scales_) loss = loss * scale_.factor;
    loss.backward();
    meanwhile();
    return Update().status();
  }

  // The optimiser's step; the gradient's norm.
  absl::StatusOr<double> Update() {
    OP3D_ASSIGN_OR_RETURN(const double norm, trained_->Step(kRate, scale()));
    if (scales_) OP3D_RETURN_IF_ERROR(scale_.Update(std::isfinite(norm)));
    return norm;
  }

 private:
  Trained(std::unique_ptr<TrainableNetwork> trained, bool scales)
      : trained_(std::move(trained)), scales_(scales) {}

  std::unique_ptr<TrainableNetwork> trained_;
  bool scales_;
  LossScale scale_;
};

void KeepStep(double seconds, Work* work) {
  work->step_seconds = work->step_seconds == 0 ? seconds : std::min(work->step_seconds, seconds);
}

absl::Status MeasureStep(const char* kind, Trained* trained, Work* work, CheckReport* report) {
  const at::Tensor clips = work->Clips(work->clips), labels = work->Labels();
  OP3D_ASSIGN_OR_RETURN(const Timing timing, TimeRuns(work->device, kWarmUp,
                                                      [&] { return trained->Run(clips, labels); }));
  KeepStep(timing.seconds, work);
  report->Figure(kind, ToFigure(*work, work->clips, 3, timing));
  return absl::OkStatus();
}

// cuDNN's search may take minutes; its first guess is there in seconds.  With a clip more, because
// LibTorch keeps the guess for a shape and would not search when the others measure it.
absl::Status MeasureWithoutSearch(Work* others, CheckReport* report) {
  Work work = *others;
  ++work.clips;
  OP3D_ASSIGN_OR_RETURN(const auto trained, Trained::Make(work));
  // 2-D forms, of which none is measured: choices made without the search would be kept.
  SetDeterministic(true);
  at::globalContext().setDeterministicCuDNN(false);
  at::globalContext().setDeterministicAlgorithms(false, /*warn_only=*/true);
  const absl::Status measured = CatchTorch(
      [&] { return MeasureStep("training_without_search", trained.get(), &work, report); });
  SetDeterministic(false);
  return measured;
}

absl::Status MeasureTraining(Work* work, CheckReport* report) {
  OP3D_ASSIGN_OR_RETURN(const auto trained, Trained::Make(*work));
  return MeasureStep("training", trained.get(), work, report);
}

// As `train` does it in native arithmetic: forward and backward as one CUDA graph, then the fused
// step.
absl::Status MeasureGraph(Work* work, CheckReport* report) {
  // Three plain steps, one that is recorded, and one that replays it.
  constexpr int kUntilReplayed = 5;
  OP3D_ASSIGN_OR_RETURN(const auto trained, Trained::Make(*work));
  const MicroBatch batch = {work->Clips(work->clips), work->Labels()};
  MicroBatchLossOptions options;
  options.classes = kClasses;
  MicroBatchStep forward_backward(options, /*loss_factor=*/1, /*recorded=*/true,
                                  &trained->network());
  double norm = 0;
  OP3D_ASSIGN_OR_RETURN(const Timing timing,
                        TimeRuns(work->device, kUntilReplayed, [&]() -> absl::Status {
                          if (trained->scale().has_value())
                            forward_backward.SetLossScale(*trained->scale());
                          OP3D_RETURN_IF_ERROR(forward_backward.Run({0, 0}, batch).status());
                          OP3D_ASSIGN_OR_RETURN(norm, trained->Update());
                          return absl::OkStatus();
                        }));
  KeepStep(timing.seconds, work);
  nlohmann::json figure = ToFigure(*work, work->clips, 3, timing);
  figure["recorded"] = forward_backward.recorded();
  figure["failure"] = forward_backward.failure();
  figure["gradient_norm"] = norm;
  figure["reserved_bytes_after_recording"] = MemoryOf(work->device).reserved_bytes;
  report->Figure("training_graph", figure);
  return absl::OkStatus();
}

absl::Status MeasureScoring(Work* work, CheckReport* report) {
  OP3D_ASSIGN_OR_RETURN(const auto network, Network::MakeUnfilled({work->network, kClasses}));
  OP3D_RETURN_IF_ERROR(network->ToDevice(work->device.str()));
  OP3D_RETURN_IF_ERROR(FillNetwork(*network));
  OP3D_RETURN_IF_ERROR(network->SetPrecision(work->precision));
  network->SetTraining(false);
  OP3D_ASSIGN_OR_RETURN(const auto form, EvaluationNetwork::Make(*network));
  SetDeterministic(false);
  const int views = work->device.is_cuda() ? kViews : 2;
  const at::Tensor clips = work->Clips(views);
  c10::NoGradGuard no_grad;
  OP3D_ASSIGN_OR_RETURN(const Timing timing, TimeRuns(work->device, kWarmUp, [&] {
                          return form->Forward(clips).status();
                        }));
  report->Figure("scoring", ToFigure(*work, views, 1, timing));
  return absl::OkStatus();
}

// Floats, copied on a stream of their own while the device computes.
absl::StatusOr<Timing> FeedFloats(const Work& work, Trained* trained) {
  const at::Tensor host = work.Clips(work.clips).cpu(), labels = work.Labels();
  ClipCopier copier(work.device);
  copier.Start(host);
  return TimeRuns(work.device, kWarmUp,
                  [&] { return trained->Run(copier.Take(), labels, [&] { copier.Start(host); }); });
}

// Bytes or planes as `train` sends them: the next clips are made after the step was started.
absl::StatusOr<Timing> FeedViews(const Work& work, const std::vector<data::ByteViews>& views,
                                 Trained* trained) {
  const at::Tensor labels = work.Labels();
  const auto make = [&] {
    return DeviceViews(views, work.device).Clips(0, work.clips, at::kFloat);
  };
  at::Tensor next = make();
  return TimeRuns(work.device, kWarmUp, [&] {
    const at::Tensor clips = std::move(next);
    return trained->Run(clips, labels, [&] { next = make(); });
  });
}

// From bytes or planes that are on the device to clips.
absl::StatusOr<Timing> MakeClips(const Work& work, const std::vector<data::ByteViews>& views) {
  const DeviceViews there(views, work.device);
  return TimeRuns(work.device, kWarmUp, [&] {
    there.Clips(0, work.clips, at::kFloat);
    return absl::OkStatus();
  });
}

absl::Status MeasureFeeding(Work* work, CheckReport* report) {
  OP3D_ASSIGN_OR_RETURN(const auto trained, Trained::Make(*work));
  nlohmann::json figure = Facts(*work, work->clips);
  double warm_up = 0;
  // One that fails does not hide the others.
  const auto add = [&](const std::string& name, const auto& measure) {
    double seconds = 0;
    const absl::Status measured = CatchTorch([&]() -> absl::Status {
      OP3D_ASSIGN_OR_RETURN(const Timing timing, measure());
      seconds = timing.seconds;
      warm_up += timing.warm_up_seconds;
      return absl::OkStatus();
    });
    if (measured.ok()) {
      figure[name] = seconds;
    } else {
      figure[name + "_failure"] = std::string(measured.message());
    }
    return seconds;
  };
  const auto bytes = ByteSamples(work->clips, work->frames, work->side, work->device);
  std::vector<data::ByteViews> planes;
  for (int i = 0; i < work->clips; ++i) {
    OP3D_ASSIGN_OR_RETURN(data::ByteViews views,
                          PlaneSample(i, kWidth, kHeight, work->frames, work->side, work->device));
    planes.push_back(std::move(views));
  }
  figure["bytes"] = PixelBytes(bytes);
  figure["planes_bytes"] = PixelBytes(planes);
  const double transform = add("transform_seconds", [&] { return MakeClips(*work, planes); });
  add("bytes_transform_seconds", [&] { return MakeClips(*work, bytes); });
  if (transform > 0 && work->step_seconds > 0) {
    figure["step_seconds"] = work->step_seconds;
    figure["transform_share"] = transform / work->step_seconds;
  }
  add("fed_planes_seconds", [&] { return FeedViews(*work, planes, trained.get()); });
  add("fed_bytes_seconds", [&] { return FeedViews(*work, bytes, trained.get()); });
  add("fed_seconds", [&] { return FeedFloats(*work, trained.get()); });
  figure["warm_up_seconds"] = warm_up;
  report->Figure("feeding", figure);
  return absl::OkStatus();
}

// The product's median, by which the shares are; 0 if it failed.
double MeasureProducts(const FigureOptions& options, std::vector<std::string>* left_out,
                       CheckReport* report) {
  const at::Device device(options.device);
  nlohmann::json figure = {{"side", options.matrix}};
  double peak = 0;
  for (const Precision precision : {options.precision, Precision::kFloat32}) {
    const std::string name = PrecisionName(precision);
    const auto speed = MeasureProduct(device, options.matrix, ComputingType(precision));
    if (!speed.ok()) {
      left_out->push_back(absl::StrCat("matrix product in ", name, ": ", speed.status().message()));
      continue;
    }
    figure[name + "_tflops"] = speed->median;
    figure[name + "_best_tflops"] = speed->best;
    if (precision == options.precision) peak = speed->median;
  }
  report->Figure("matrix_product", figure);
  return peak;
}

struct Kind {
  const char* name;
  absl::Status (*measure)(Work*, CheckReport*);
  // For the first network and length alone.
  bool once;
};
constexpr Kind kKinds[] = {{"training_without_search", MeasureWithoutSearch, true},
                           {"training", MeasureTraining, false},
                           {"training_graph", MeasureGraph, false},
                           {"scoring", MeasureScoring, false},
                           {"feeding", MeasureFeeding, false}};

absl::Status Measure(const FigureOptions& options, CheckReport* report) {
  const Clock::time_point start = Clock::now();
  const at::Device device(options.device);
  SetDeterministic(false);
  std::vector<std::string> left_out;
  const double peak = MeasureProducts(options, &left_out, report);
  bool first = true;
  for (const int frames : options.frames) {
    for (const std::string& name : options.networks) {
      OP3D_ASSIGN_OR_RETURN(const NetworkDefinition definition, Define({name, kClasses}));
      OP3D_RETURN_IF_ERROR(CheckClipSize(definition, {frames, options.side, options.side}));
      Work work = {
          name,
          frames,
          options.side,
          std::max(2, options.clips * 16 / frames),
          device,
          options.precision,
          static_cast<double>(CountMultiplyAdds(definition, {frames, options.side, options.side})),
          peak};
      for (const Kind& kind : kKinds) {
        if (kind.once && !first) continue;
        const std::string what = absl::StrCat(kind.name, " of ", name, " at ", frames, " frames");
        absl::Status measured = absl::DeadlineExceededError("no time left");
        if (std::chrono::duration<double>(Clock::now() - start).count() < options.seconds) {
          ForgetPeak(device);
          measured = CatchTorch([&] { return kind.measure(&work, report); });
        }
        if (!measured.ok()) left_out.push_back(absl::StrCat(what, ": ", measured.message()));
        report->Note("left_out", left_out);
      }
      first = false;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureFigures(const FigureOptions& options, CheckReport* report) {
  return CatchTorch([&] { return Measure(options, report); });
}

}  // namespace op3d::gpu
