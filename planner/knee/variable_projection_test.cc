#include "planner/knee/variable_projection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "op3d/base/random_stream.h"

namespace op3d::planner {
namespace {

double Residual(const PerformanceCurve& curve, const std::vector<double>& y) {
  double sum = 0;
  for (size_t k = 0; k < y.size(); ++k) sum += std::pow(Evaluate(curve, k) - y[k], 2);
  return sum;
}

std::vector<double> NoisyCurve(RandomStream* stream) {
  const PerformanceCurve curve = {stream->Uniform(-0.3, 0.6), std::exp(stream->Uniform(-4, 2)),
                                  stream->Uniform(-0.02, 0.02), stream->Uniform(-1e-3, 1e-3),
                                  stream->Uniform(-0.2, 1)};
  std::vector<double> y;
  const int points = 6 + static_cast<int>(stream->UniformInt(40));
  for (int k = 0; k < points; ++k) y.push_back(Evaluate(curve, k) + 0.02 * stream->Gaussian());
  return y;
}

// The bounded problem is convex, so its minimum is where the optimality conditions hold.  The
// gradient must be zero along c and every unknown inside its bound, and not point inside at a
// bound.
TEST(VariableProjectionTest, SolvesTheBoundedProblemForEveryDecay) {
  for (int round = 0; round < 300; ++round) {
    RandomStream stream(1, "bounded", {round});
    const std::vector<double> y = NoisyCurve(&stream);
    const double b = std::exp(stream.Uniform(-5, 2));
    const CurveFit fit = VariableProjection(y).Solve(b);
    ASSERT_NEAR(fit.residual, Residual(fit.curve, y), 1e-12);
    const PerformanceCurve& f = fit.curve;
    double gradient[4] = {};  // along a, c, d, e
    for (size_t k = 0; k < y.size(); ++k) {
      const double x = static_cast<double>(k), u = x / static_cast<double>(y.size());
      const double r = Evaluate(f, x) - y[k];
      const double columns[4] = {-std::exp(-b * x), -u, -u * u, 1};
      for (int i = 0; i < 4; ++i) gradient[i] += r * columns[i];
    }
    const double values[4] = {f.a, 1, f.d, f.e};
    for (int i = 0; i < 4; ++i) {
      ASSERT_GE(values[i], 0) << "round " << round;
      // 1e-9: the residuals are exact to 1e-15 times the columns' condition, up to 1e6.
      ASSERT_GE(gradient[i], -1e-9) << "round " << round << ", unknown " << i;
      if (values[i] > 0) {
        ASSERT_LE(gradient[i], 1e-9) << "round " << round << ", unknown " << i;
      }
    }
  }
}

TEST(VariableProjectionTest, MinimizesOverAllDecays) {
  for (int round = 0; round < 30; ++round) {
    RandomStream stream(1, "minimize", {round});
    const std::vector<double> y = NoisyCurve(&stream);
    const VariableProjection projection(y);
    const CurveFit best = projection.Minimize();
    EXPECT_NEAR(best.residual, Residual(best.curve, y), 1e-12);
    // A grid thirty times as dense finds nothing better.
    for (int i = 0; i < 5000; ++i) {
      const double b = std::exp(-14 + 18.0 * i / 5000);
      ASSERT_GE(projection.Solve(b).residual, best.residual * (1 - 1e-9)) << "b = " << b;
    }
    EXPECT_GE(projection.Solve(std::numeric_limits<double>::infinity()).residual,
              best.residual * (1 - 1e-12));
    EXPECT_GE(projection.Solve(0).residual, best.residual * (1 - 1e-12));
  }
}

TEST(VariableProjectionTest, PrefersTheSimplestOfEqualFits) {
  std::vector<double> line;
  for (int k = 0; k < 20; ++k) line.push_back(0.25 + 0.015625 * k);
  const CurveFit fit = VariableProjection(line).Minimize();
  EXPECT_EQ(fit.curve.a, 0);
  EXPECT_EQ(fit.curve.d, 0);
  EXPECT_NEAR(fit.curve.c, -0.015625, 1e-12);
  EXPECT_NEAR(fit.curve.e, 0.25, 1e-12);
}

TEST(VariableProjectionTest, AFitWithoutDecayHasNoRate) {
  // Falls faster and faster: no rising exponential helps.
  std::vector<double> y;
  for (int k = 0; k < 20; ++k) y.push_back(0.9 - 0.001 * k * k);
  const CurveFit fit = VariableProjection(y).Solve(0.5);
  EXPECT_EQ(fit.curve.a, 0);
  EXPECT_EQ(fit.curve.b, 0);
  EXPECT_NEAR(fit.curve.d, 0.001, 1e-12);
}

}  // namespace
}  // namespace op3d::planner
