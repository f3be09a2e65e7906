#include "planner/knee/decay_grid.h"

#include <gtest/gtest.h>

#include <vector>

#include "op3d/base/random_stream.h"
#include "planner/knee/variable_projection.h"

namespace op3d::planner {
namespace {

double SumOfSquares(const PerformanceCurve& curve, const std::vector<double>& y) {
  double sum = 0;
  for (size_t k = 0; k < y.size(); ++k) {
    const double r = Evaluate(curve, static_cast<double>(k)) - y[k];
    sum += r * r;
  }
  return sum;
}

// Random curves of `points` noisy points.
std::vector<double> Sample(int points, int i) {
  RandomStream stream(2, "grid", {points, i});
  const PerformanceCurve curve = {stream.Uniform(0, 0.6), stream.Uniform(0.02, 0.8),
                                  stream.Uniform(-1e-3, 1e-3), stream.Uniform(0, 2e-4), 0.7};
  std::vector<double> y;
  for (int k = 0; k < points; ++k) y.push_back(Evaluate(curve, k) + 0.005 * stream.Gaussian());
  return y;
}

TEST(DecayGridTest, IsNearlyAsCloseAsTheBestFit) {
  for (const int points : {7, 12, 30, 90}) {
    const DecayGrid grid(points, CurveTerms());
    for (int i = 0; i < 60; ++i) {
      const std::vector<double> y = Sample(points, i);
      const PerformanceCurve fit = grid.Fit(y);
      EXPECT_GE(fit.a, 0);
      EXPECT_GE(fit.d, 0);
      EXPECT_LE(SumOfSquares(fit, y), 1.02 * VariableProjection(y).Minimize().residual);
    }
  }
}

TEST(DecayGridTest, KeepsToItsTerms) {
  const std::vector<double> y = Sample(30, 1);
  EXPECT_EQ(DecayGrid(30, {false, true, true}).Fit(y).a, 0);
  EXPECT_EQ(DecayGrid(30, {true, true, false}).Fit(y).d, 0);
  const PerformanceCurve exponential = DecayGrid(30, {true, false, false}).Fit(y);
  EXPECT_EQ(exponential.c, 0);
  EXPECT_EQ(exponential.d, 0);
  EXPECT_LE(SumOfSquares(exponential, y),
            1.02 * VariableProjection(y, {true, false, false}).Minimize().residual);
}

TEST(DecayGridTest, FewerPointsThanTermsAreFitted) {
  for (int points = 2; points < 6; ++points) {
    const std::vector<double> y = Sample(points, 3);
    EXPECT_LE(SumOfSquares(DecayGrid(points, CurveTerms()).Fit(y), y), 1e-2);
  }
}

TEST(DecayGridTest, FindsTheHighestEpochByBisection) {
  for (int i = 0; i < 200; ++i) {
    RandomStream stream(3, "highest", {i});
    const PerformanceCurve curve = {stream.Uniform(0, 1), stream.Uniform(0.01, 2),
                                    stream.Uniform(-1e-3, 1e-3), stream.Uniform(0, 1e-4), 0.5};
    EXPECT_EQ(HighestEpochOfBent(curve), HighestEpoch(curve));
  }
  EXPECT_EQ(HighestEpochOfBent({0, 0, -1e-3, 0, 0.5}), kHorizon - 1);
  EXPECT_EQ(HighestEpochOfBent({0, 0, 1e-3, 0, 0.5}), 0);
}

}  // namespace
}  // namespace op3d::planner
