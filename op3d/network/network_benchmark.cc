// How long the networks take on one thread.
//
//   ./bazelw run //op3d/network:network_benchmark -- --benchmark_filter=Miniature
//
// `clips_per_second` counts clips; Gemm is the yardstick: what the machine gives at best.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "op3d/network/network.h"

namespace op3d {
namespace {

struct Shape {
  int64_t clips, frames, side;
};

at::Tensor Clips(const Shape& shape) {
  return at::randn({shape.clips, 3, shape.frames, shape.side, shape.side});
}

std::unique_ptr<Network> Make(benchmark::State& state, const std::string& name, double dropout) {
  at::set_num_threads(1);
  absl::StatusOr<std::unique_ptr<Network>> network = Network::Make({name, 10, dropout}, 1);
  if (!network.ok()) state.SkipWithError(network.status().ToString().c_str());
  return network.ok() ? *std::move(network) : nullptr;
}

void Forward(benchmark::State& state, const std::string& name, const Shape& shape) {
  const auto network = Make(state, name, 0);
  if (network == nullptr) return;
  network->SetTraining(false);
  at::NoGradGuard no_grad;
  const at::Tensor clips = Clips(shape);
  for (auto _ : state) {
    benchmark::DoNotOptimize(network->Forward(clips));
  }
  state.counters["clips_per_second"] =
      benchmark::Counter(shape.clips, benchmark::Counter::kIsIterationInvariantRate);
}

// Forward, loss, backward; without the optimiser's step.
void Training(benchmark::State& state, const std::string& name, const Shape& shape, bool frozen) {
  const auto network = Make(state, name, 0.2);
  if (network == nullptr) return;
  network->SetFrozenBatchNorm(frozen);
  const at::Tensor clips = Clips(shape);
  const at::Tensor labels = at::randint(10, {shape.clips}, at::kLong);
  for (auto _ : state) {
    const auto heads = network->Forward(clips);
    if (!heads.ok()) return state.SkipWithError(heads.status().ToString().c_str());
    (at::cross_entropy_loss((*heads)[0], labels) + at::cross_entropy_loss((*heads)[1], labels))
        .backward();
  }
  state.counters["clips_per_second"] =
      benchmark::Counter(shape.clips, benchmark::Counter::kIsIterationInvariantRate);
}

void MiniatureForward(benchmark::State& state) {
  Forward(state, "dg_p3d_miniature", {16, state.range(0), 32});
}
BENCHMARK(MiniatureForward)->Arg(16)->Arg(32)->Arg(64)->Unit(benchmark::kMillisecond);

void MiniatureTraining(benchmark::State& state) {
  Training(state, "dg_p3d_miniature", {16, state.range(0), 32}, false);
}
BENCHMARK(MiniatureTraining)->Arg(16)->Arg(32)->Arg(64)->Unit(benchmark::kMillisecond);

void MiniatureFrozenTraining(benchmark::State& state) {
  Training(state, "dg_p3d_miniature", {16, state.range(0), 32}, true);
}
BENCHMARK(MiniatureFrozenTraining)->Arg(64)->Unit(benchmark::kMillisecond);

void Resnet18Forward(benchmark::State& state) { Forward(state, "dg_p3d_resnet18", {2, 16, 112}); }
BENCHMARK(Resnet18Forward)->Unit(benchmark::kMillisecond);

void Resnet18Training(benchmark::State& state) {
  Training(state, "dg_p3d_resnet18", {2, 16, 112}, false);
}
BENCHMARK(Resnet18Training)->Unit(benchmark::kMillisecond);

void Gemm(benchmark::State& state) {
  at::set_num_threads(1);
  const int64_t side = 1024;
  const at::Tensor a = at::randn({side, side}), b = at::randn({side, side});
  for (auto _ : state) benchmark::DoNotOptimize(a.mm(b));
  state.counters["multiply_adds_per_second"] = benchmark::Counter(
      static_cast<double>(side * side * side), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(Gemm)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace op3d

BENCHMARK_MAIN();
