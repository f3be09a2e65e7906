// The time of a knee estimate:  ./bazelw run //planner/knee:knee_benchmark
#include <benchmark/benchmark.h>

#include <vector>

#include "op3d/base/random_stream.h"
#include "planner/knee/knee_estimator.h"

namespace op3d::planner {
namespace {

// A noisy curve of state.range(0) points with its knee near the middle.
void BM_EstimateKnee(benchmark::State& state) {
  const int points = static_cast<int>(state.range(0));
  RandomStream stream(1, "benchmark", {points});
  const PerformanceCurve curve = {0.4, 6.0 / points, 0, 0.2 / points / points, 0.7};
  std::vector<double> y;
  for (int k = 0; k < points; ++k) y.push_back(Evaluate(curve, k) + 0.005 * stream.Gaussian());
  for (auto _ : state) benchmark::DoNotOptimize(EstimateKnee(y));
}
BENCHMARK(BM_EstimateKnee)->Arg(11)->Arg(30)->Arg(60)->Arg(100)->Arg(160);

}  // namespace
}  // namespace op3d::planner

BENCHMARK_MAIN();
