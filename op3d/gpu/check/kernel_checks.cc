#include "op3d/gpu/check/kernel_checks.h"

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "data/loader/byte_views.h"
#include "op3d/gpu/check/bit_difference.h"
#include "op3d/gpu/check/view_samples.h"
#include "op3d/gpu/device_views.h"
#include "op3d/gpu/fused_step.h"
#include "op3d/gpu/kernel_runner.h"
#include "op3d/gpu/kernels/score_merge.h"
#include "op3d/gpu/rows.h"
#include "op3d/torch/torch_status.h"

namespace op3d::gpu {
namespace {

const char* NameOf(at::ScalarType type) {
  return type == at::kFloat ? "fp32" : type == at::kHalf ? "fp16" : "bf16";
}

void CheckRows(const std::string& device, int64_t rows, int64_t channels, int64_t clips,
               at::ScalarType type, CheckReport* report) {
  const std::string what =
      " [" + std::to_string(rows) + ", " + std::to_string(channels) + "] " + NameOf(type);
  const auto to = [&](const at::Tensor& tensor) { return tensor.to(at::Device(device)); };
  const at::Tensor a = at::randn({rows, channels}).to(type),
                   b = at::randn({rows, channels}).to(type);
  const at::Tensor per_clip = at::randn({clips, channels});
  at::Tensor cpu, gpu;
  SumRowsOf(a, b, per_clip, true, &cpu);
  SumRowsOf(to(a), to(b), to(per_clip), true, &gpu);
  report->Same("sum of rows" + what, BitDifference(gpu, cpu));
  report->Same("ReLU gradient" + what,
               BitDifference(ReluGradientOf(to(b), to(a)), ReluGradientOf(b, a)));
  report->Same("sums of clips" + what,
               BitDifference(ClipTotals(to(a), clips, 0.3), ClipTotals(a, clips, 0.3)));
  const at::Tensor weight = at::rand({channels}), bias = at::randn({channels});
  for (const bool batch_statistics : {true, false}) {
    if (batch_statistics && rows < 2) continue;
    const at::Tensor mean = at::randn({channels}), variance = at::rand({channels}) + 0.5;
    const at::Tensor device_mean = to(mean.clone()), device_variance = to(variance.clone());
    NormOptions options;
    options.batch_statistics = batch_statistics;
    options.relu = true;
    const NormOutput x = Normalise(a, b, weight, bias, mean, variance, options);
    const NormOutput y =
        Normalise(to(a), to(b), to(weight), to(bias), device_mean, device_variance, options);
    const NormGradient dx = NormaliseBackward(b, x.rows, a, weight, x.mean, x.inverse_deviation,
                                              batch_statistics, true);
    const NormGradient dy = NormaliseBackward(to(b), y.rows, to(a), to(weight), y.mean,
                                              y.inverse_deviation, batch_statistics, true);
    const std::string kind = batch_statistics ? "normalisation" : "frozen normalisation";
    report->Same(kind + what, BitDifferences({{"rows", y.rows, x.rows},
                                              {"running mean", device_mean, mean},
                                              {"running variance", device_variance, variance}}));
    report->Same(kind + " backward" + what,
                 BitDifferences({{"rows", dy.rows, dx.rows},
                                 {"weight", dy.weight, dx.weight},
                                 {"bias", dy.bias, dx.bias},
                                 {"shortcut", dy.shortcut, dx.shortcut}}));
  }
}

// Steps with and without clipping and average; equal bits of everything after them.
template <typename Rule>
void CheckStep(const std::string& name, const std::string& device, const Rule& rule,
               CheckReport* report) {
  const auto make = [&](const std::string& where) {
    at::manual_seed(1);
    std::vector<FusedTensors> tensors;
    for (const int64_t size : {1, 300, 50001}) {
      const at::Tensor weights = at::randn({size}).to(at::Device(where));
      tensors.push_back(
          {weights, at::zeros_like(weights), at::zeros_like(weights), weights.clone(), 1.0});
    }
    return tensors;
  };
  const std::vector<FusedTensors> cpu = make("cpu"), gpu = make(device);
  FusedStep on_cpu(cpu, rule, /*clip_norm=*/100, /*average_decay=*/0.9);
  FusedStep on_gpu(gpu, rule, /*clip_norm=*/100, /*average_decay=*/0.9);
  std::vector<NamedPair> results;
  for (int step = 0; step < 3; ++step) {
    std::vector<at::Tensor> gradients, copies;
    for (const FusedTensors& one : cpu) {
      gradients.push_back(at::randn(one.weights.sizes()).mul_(step == 1 ? 3 : 0.01));
      copies.push_back(gradients.back().to(at::Device(device)));
    }
    const StepValues values = {0.01f, step == 0 ? 1 : 0, 0.5f, 0.25f, step == 2 ? 8.0f : 1.0f};
    on_cpu.Run(gradients, values);
    on_gpu.Run(copies, values);
    const auto number = [](double norm) { return at::full({}, norm, at::kDouble); };
    results.push_back(
        {"norm of step " + std::to_string(step), number(on_gpu.Norm()), number(on_cpu.Norm())});
  }
  for (size_t i = 0; i < cpu.size(); ++i) {
    const std::string of = " of " + std::to_string(cpu[i].weights.numel());
    results.push_back({"weights" + of, gpu[i].weights, cpu[i].weights});
    results.push_back({"first buffer" + of, gpu[i].first, cpu[i].first});
    results.push_back({"second buffer" + of, gpu[i].second, cpu[i].second});
    results.push_back({"average" + of, gpu[i].average, cpu[i].average});
  }
  report->Same(name, BitDifferences(results));
}

void Compare(const std::string& what, const std::string& device,
             const std::vector<data::ByteViews>& views, CheckReport* report) {
  const DeviceViews there(views, at::Device(device)), here(views, at::kCPU);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    report->Same(what + " " + NameOf(type), BitDifference(there.Clips(0, there.count(), type),
                                                          here.Clips(0, here.count(), type)));
  }
}

// Random pictures as decoded, each with its own size and crop.
void CheckPlanes(const std::string& device, CheckReport* report) {
  std::vector<data::ByteViews> batch;
  for (int clip = 0; clip < 4; ++clip) {
    absl::StatusOr<data::ByteViews> views =
        PlaneSample(clip, 90 + 7 * clip, 71 + clip, /*frames=*/2, /*side=*/56, at::kCPU);
    TORCH_CHECK(views.ok(), views.status().ToString());
    views->pictures = {1, 0};
    batch.push_back(*std::move(views));
  }
  Compare("clip transform", device, batch, report);
}

void CheckViews(const std::string& device, CheckReport* report) {
  data::ByteViews views;
  views.width = 70;
  views.height = 61;
  views.frames = 3;
  views.pictures = {0, 1, 3, 3, 2, 0};
  views.crops = {{0, 0, 56, 56}, {9, 2, 56, 56}};
  views.mirror = true;
  const int64_t bytes = int64_t{4} * 3 * views.width * views.height;
  const at::Tensor pixels = at::randint(0, 256, {bytes}, at::kByte);
  views.pixels.assign(pixels.const_data_ptr<uint8_t>(), pixels.const_data_ptr<uint8_t>() + bytes);
  Compare("views from bytes", device, {views}, report);
}

void CheckScores(const std::string& device, CheckReport* report) {
  const at::Tensor logits = at::randn({2, 5, 10, 3, 400});
  const at::Tensor there = logits.to(at::Device(device));
  const at::Tensor a = at::empty({5, 400}, at::kDouble), b = at::empty_like(a, at::Device(device));
  RunPoints(MergeScores{logits.const_data_ptr<float>(), 2, 5, 10, 3, 400, a.data_ptr<double>()},
            at::Device(at::kCPU));
  RunPoints(MergeScores{there.const_data_ptr<float>(), 2, 5, 10, 3, 400, b.data_ptr<double>()},
            there.device());
  report->Same("merge of scores", BitDifference(b, a));
}

}  // namespace

void CheckKernels(const std::string& device, CheckReport* report) {
  // A kernel that fails must not hide what the others do.
  const auto check = [&](const std::string& name, const std::function<void()>& body) {
    report->Keep(name, CatchTorch([&] {
                   at::manual_seed(1);
                   body();
                   return absl::OkStatus();
                 }));
  };
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    check(std::string("rows in ") + NameOf(type), [&] {
      CheckRows(device, 1, 1, 1, type, report);
      CheckRows(device, 1030, 33, 2, type, report);
      CheckRows(device, 70000, 64, 4, type, report);
    });
  }
  check("SGD step", [&] { CheckStep("SGD step", device, SgdRule{0.9f, 1e-2f, true}, report); });
  check("AdamW step", [&] {
    CheckStep("AdamW step", device, AdamWRule{0.9f, 0.99f, 1e-8f, 0.05f}, report);
  });
  check("clip transform", [&] { CheckPlanes(device, report); });
  check("views from bytes", [&] { CheckViews(device, report); });
  check("merge of scores", [&] { CheckScores(device, report); });
}

}  // namespace op3d::gpu
