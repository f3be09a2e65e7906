// The speed of the networks on one core: forward, training step and evaluation of DG-P3D.
//
//   ./bazelw run //benchmarks/speed:network_benchmark -- --benchmark_filter=resnet50/train
//
// forward is a Network in evaluation mode, evaluate its EvaluationNetwork.  Names are
// network/what/clips x frames x side/precision.  Counters:
//   clips_per_second
//   share        best rate of arithmetic divided by that of a float32 matrix product measured just
//                before and after it, in the same process: compare this between machines.
//                A training step counts as three forward passes, a multiply-add as two operations.
//   own_share    for bf16: the same relative to a product in bf16
//   gemm_gflops  the rate of that matrix product
//   peak_mib     of the whole process, LibTorch included, while the row ran
// Times are of the CPU, one thread.  gemm/fp32 and gemm/bf16 are that matrix product alone.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/Version.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/network/definition/multiply_adds.h"
#include "op3d/network/evaluation_network.h"
#include "op3d/network/network.h"
#include "op3d/torch/precision.h"
#include "op3d/train/step/optimizer.h"

namespace op3d::benchmarks {
namespace {

struct Shape {
  int64_t clips, frames, side;
};

enum class What { kForward, kTrain, kTrainFrozen, kEvaluate };

struct Row {
  std::string network;
  What what;
  Shape shape;
  Precision precision;
};

double CpuSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

constexpr int64_t kGemmSide = 1536;
constexpr double kGemmOperations = 2.0 * kGemmSide * kGemmSide * kGemmSide;

at::Tensor GemmFactor(at::ScalarType type) { return at::randn({kGemmSide, kGemmSide}).to(type); }

// The best of a few products, in operations per second.
double GemmRate(at::ScalarType type) {
  const at::Tensor a = GemmFactor(type), b = GemmFactor(type);
  double best = 0;
  for (int i = 0; i < 4; ++i) {
    const double start = CpuSeconds();
    benchmark::DoNotOptimize(a.mm(b));
    best = std::max(best, kGemmOperations / (CpuSeconds() - start));
  }
  return best;
}

void Gemm(benchmark::State& state, at::ScalarType type) {
  at::set_num_threads(1);
  const at::Tensor a = GemmFactor(type), b = GemmFactor(type);
  benchmark::DoNotOptimize(a.mm(b));  // maps memory and compiles kernels
  for (auto _ : state) {
    const double start = CpuSeconds();
    benchmark::DoNotOptimize(a.mm(b));
    state.SetIterationTime(CpuSeconds() - start);
  }
}

// Resets the peak memory; the kernel does that for one's own process.
void ResetPeak() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
}

double PeakMebibytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != "VmHWM:") continue;
    double kibibytes = 0;
    status >> kibibytes;
    return kibibytes / 1024;
  }
  return 0;
}

// One iteration of the row.
absl::StatusOr<std::function<absl::Status()>> MakeStep(const Row& row, Network* network,
                                                       Optimizer* optimizer) {
  const at::Tensor clips =
      at::randn({row.shape.clips, 3, row.shape.frames, row.shape.side, row.shape.side});
  if (row.what == What::kEvaluate) {
    auto form = EvaluationNetwork::Make(*network);
    if (!form.ok()) return form.status();
    const std::shared_ptr<EvaluationNetwork> shared = *std::move(form);
    return std::function<absl::Status()>([=] { return shared->Forward(clips).status(); });
  }
  if (row.what == What::kForward) {
    network->SetTraining(false);
    return std::function<absl::Status()>([=] {
      at::NoGradGuard no_grad;
      const auto heads = network->Forward(clips);
      return heads.status();
    });
  }
  network->SetFrozenBatchNorm(row.what == What::kTrainFrozen);
  const at::Tensor labels = at::randint(network->options().classes, {row.shape.clips}, at::kLong);
  return std::function<absl::Status()>([=]() -> absl::Status {
    const auto heads = network->Forward(clips);
    if (!heads.ok()) return heads.status();
    at::Tensor loss = at::cross_entropy_loss((*heads)[0], labels);
    for (size_t i = 1; i < heads->size(); ++i) {
      loss = loss + at::cross_entropy_loss((*heads)[i], labels);
    }
    loss.backward();
    return optimizer->Step(1e-3).status();
  });
}

absl::Status Run(benchmark::State& state, const Row& row) {
  at::set_num_threads(1);
  const NetworkOptions options{row.network, 400, 0};
  auto network = Network::Make(options, 1);
  if (!network.ok()) return network.status();
  const absl::Status precise = (*network)->SetPrecision(row.precision);
  if (!precise.ok()) return precise;
  SgdSettings sgd;
  sgd.set_momentum(0.9);
  sgd.set_nesterov(true);
  sgd.set_weight_decay(1e-4);
  sgd.set_clip_norm(40);
  sgd.set_loss_weight(1);
  auto optimizer = Optimizer::Make((*network)->Parameters(), sgd, {});
  if (!optimizer.ok()) return optimizer.status();
  const auto step = MakeStep(row, network->get(), optimizer->get());
  if (!step.ok()) return step.status();
  const absl::Status first = (*step)();  // maps memory and compiles kernels
  if (!first.ok()) return first;
  double gemm = GemmRate(at::kFloat);
  ResetPeak();
  double best = 0;
  for (auto _ : state) {
    const double start = CpuSeconds();
    const absl::Status status = (*step)();
    const double seconds = CpuSeconds() - start;
    if (!status.ok()) return status;
    state.SetIterationTime(seconds);
    best = best == 0 ? seconds : std::min(best, seconds);
  }
  const double peak = PeakMebibytes();
  gemm = std::max(gemm, GemmRate(at::kFloat));
  const auto definition = Define(options);
  if (!definition.ok()) return definition.status();
  const bool training = row.what == What::kTrain || row.what == What::kTrainFrozen;
  const double operations = 2.0 * (training ? 3 : 1) * static_cast<double>(row.shape.clips) *
                            static_cast<double>(CountMultiplyAdds(
                                *definition, {row.shape.frames, row.shape.side, row.shape.side}));
  state.counters["clips_per_second"] = static_cast<double>(row.shape.clips) / best;
  state.counters["share"] = operations / best / gemm;
  if (row.precision == Precision::kBfloat16) {
    state.counters["own_share"] = operations / best / GemmRate(at::kBFloat16);
  }
  state.counters["gemm_gflops"] = gemm / 1e9;
  state.counters["peak_mib"] = peak;
  return absl::OkStatus();
}

void Register(const Row& row) {
  static const char* const kWords[] = {"forward", "train", "train_frozen", "evaluate"};
  const std::string name =
      absl::StrCat(row.network, "/", kWords[static_cast<int>(row.what)], "/", row.shape.clips, "x",
                   row.shape.frames, "x", row.shape.side, "/", PrecisionName(row.precision));
  benchmark::RegisterBenchmark(name.c_str(),
                               [row](benchmark::State& state) {
                                 const absl::Status status = Run(state, row);
                                 if (!status.ok()) state.SkipWithError(status.ToString().c_str());
                               })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

void RegisterAll() {
  for (const auto& [name, type] :
       {std::pair("gemm/fp32", at::kFloat), {"gemm/bf16", at::kBFloat16}}) {
    benchmark::RegisterBenchmark(name, Gemm, type)->UseManualTime()->Unit(benchmark::kMillisecond);
  }
  for (const int64_t frames : {16, 64}) {
    for (const What what : {What::kForward, What::kTrain, What::kTrainFrozen, What::kEvaluate}) {
      Register({"dg_p3d_miniature", what, {16, frames, 32}, Precision::kFloat32});
    }
  }
  for (const char* network : {"dg_p3d_resnet18", "dg_p3d_resnet50"}) {
    for (const Shape& shape : {Shape{2, 16, 112}, Shape{1, 16, 224}}) {
      for (const What what : {What::kForward, What::kTrain, What::kEvaluate}) {
        Register({network, what, shape, Precision::kFloat32});
        Register({network, what, shape, Precision::kBfloat16});
      }
    }
  }
}

}  // namespace
}  // namespace op3d::benchmarks

int main(int argc, char** argv) {
  benchmark::AddCustomContext("libtorch", TORCH_VERSION);
  benchmark::AddCustomContext("kernels", at::get_cpu_capability());
  op3d::benchmarks::RegisterAll();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
