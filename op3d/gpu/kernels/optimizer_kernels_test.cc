#include "op3d/gpu/kernels/optimizer_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "op3d/base/random_stream.h"
#include "op3d/gpu/kernels/cpu_driver.h"

namespace op3d::gpu {
namespace {

// Two chunks: one shorter than a block of threads, one longer.
struct Parameters {
  std::vector<float> weights, gradient, first, second, average;
  std::vector<ParameterChunk> chunks;

  Parameters() {
    RandomStream stream(1, "parameters", {});
    for (int i = 0; i < 7 + 700; ++i) {
      weights.push_back(static_cast<float>(stream.Uniform(-1, 1)));
      gradient.push_back(static_cast<float>(stream.Uniform(-1, 1)));
    }
    first.resize(weights.size());
    second.resize(weights.size());
    average = weights;
    for (const auto& [begin, count] : {std::pair{0, 7}, std::pair{7, 700}}) {
      chunks.push_back({&weights[begin], &gradient[begin], &first[begin], &second[begin],
                        begin == 0 ? nullptr : &average[begin], count, begin == 0 ? 10.0f : 1.0f});
    }
  }

  double Norm() const {
    double sum = 0;
    for (const float g : gradient) sum += double{g} * g;
    return std::sqrt(sum);
  }

  ClipState Clip(double clip_norm, float gradient_scale = 1) {
    std::vector<double> partial(chunks.size());
    const int64_t count = static_cast<int64_t>(chunks.size());
    ClipState state = {};
    RunTilesOnCpu(SquareSums{chunks.data(), count, partial.data()});
    const StepValues values = {0.1f, 1, 1, 1, gradient_scale};
    RunTilesOnCpu(ClipFactor{partial.data(), count, clip_norm, values, &state});
    return state;
  }
};

TEST(OptimizerKernelsTest, ClipsByTheGlobalNorm) {
  Parameters parameters;
  const double norm = parameters.Norm();
  const ClipState clipped = parameters.Clip(norm / 2);
  EXPECT_NEAR(clipped.norm, norm, 1e-9);
  EXPECT_NEAR(clipped.factor, 0.5, 1e-6);
  EXPECT_EQ(parameters.Clip(2 * norm).factor, 1);
  parameters.gradient[3] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(parameters.Clip(1).finite, 0);
  parameters.gradient[3] = std::nanf("");
  EXPECT_EQ(parameters.Clip(1).finite, 0);
}

TEST(OptimizerKernelsTest, AGradientsScaleChangesNoBit) {
  Parameters plain, scaled;
  for (float& gradient : scaled.gradient) gradient *= 4096;
  for (const double clip_norm : {plain.Norm() / 3, plain.Norm() * 3}) {
    const ClipState expected = plain.Clip(clip_norm), state = scaled.Clip(clip_norm, 4096);
    EXPECT_EQ(state.norm, expected.norm);
    EXPECT_EQ(state.factor, expected.factor / 4096);
    EXPECT_EQ(state.finite, 1);
  }
}

TEST(OptimizerKernelsTest, SgdUpdatesAndAverages) {
  Parameters parameters;
  const Parameters before = parameters;
  const ClipState clip = {1, 0.5, 1};
  for (const int first_step : {1, 0}) {
    const StepValues values = {0.1f, first_step, 1, 1};
    RunTilesOnCpu(
        SgdUpdate{{0.9f, 0.01f, true}, parameters.chunks.data(), 2, values, &clip, 0.25f});
  }
  for (size_t i = 0; i < before.weights.size(); ++i) {
    double w = before.weights[i], v = 0, average = w;
    const double rate = i < 7 ? 1.0 : 0.1;
    for (int step = 0; step < 2; ++step) {
      const double d = before.gradient[i] * 0.5 + 0.01 * w;
      v = step == 0 ? d : 0.9 * v + d;
      w -= rate * (d + 0.9 * v);
      average += 0.25 * (w - average);
    }
    EXPECT_NEAR(parameters.weights[i], w, 1e-6);
    EXPECT_NEAR(parameters.first[i], v, 1e-6);
    EXPECT_NEAR(parameters.average[i], i < 7 ? before.average[i] : average, 1e-6);
  }
}

TEST(OptimizerKernelsTest, ANormThatIsNotFiniteChangesNothing) {
  Parameters parameters;
  const Parameters before = parameters;
  const ClipState clip = {std::numeric_limits<double>::infinity(), 0, 0};
  const StepValues values = {0.1f, 1, 1, 1};
  RunTilesOnCpu(SgdUpdate{{0.9f, 0.01f, true}, parameters.chunks.data(), 2, values, &clip, 0.25f});
  RunTilesOnCpu(
      AdamWUpdate{{0.9f, 0.99f, 1e-8f, 0.01f}, parameters.chunks.data(), 2, values, &clip, 0.25f});
  EXPECT_EQ(parameters.weights, before.weights);
  EXPECT_EQ(parameters.first, before.first);
  EXPECT_EQ(parameters.average, before.average);
}

}  // namespace
}  // namespace op3d::gpu
