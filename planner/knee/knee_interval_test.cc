#include "planner/knee/knee_interval.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::planner {
namespace {

using ::testing::HasSubstr;

std::vector<double> Curve(double noise) {
  RandomStream stream(3, "curve", {});
  const PerformanceCurve curve = {0.5, 0.2, 0, 2e-4, 0.7};
  std::vector<double> y;
  for (int k = 0; k < 41; ++k) y.push_back(Evaluate(curve, k) + noise * stream.Gaussian());
  return y;
}

KneeBootstrapOptions Options(double confidence, int resamples) {
  KneeBootstrapOptions options;
  options.confidence = confidence;
  options.resamples = resamples;
  return options;
}

TEST(KneeIntervalTest, GrowsWithTheNoise) {
  int width = -1;
  for (const double noise : {0.0, 0.01, 0.04}) {
    const std::vector<double> y = Curve(noise);
    ASSERT_OK_AND_ASSIGN(const Knee knee, EstimateKnee(y));
    ASSERT_OK_AND_ASSIGN(const KneeInterval interval, BootstrapKnee(y, knee, Options(0.95, 100)));
    EXPECT_LE(interval.low, knee.epoch);
    EXPECT_GE(interval.high, knee.epoch);
    EXPECT_GT(interval.high - interval.low, width);
    width = interval.high - interval.low;
  }
}

TEST(KneeIntervalTest, DependsOnTheSeedAlone) {
  const std::vector<double> y = Curve(0.02);
  ASSERT_OK_AND_ASSIGN(const Knee knee, EstimateKnee(y));
  ASSERT_OK_AND_ASSIGN(const KneeInterval first, BootstrapKnee(y, knee, Options(0.9, 50)));
  ASSERT_OK_AND_ASSIGN(const KneeInterval again, BootstrapKnee(y, knee, Options(0.9, 50)));
  EXPECT_EQ(first.low, again.low);
  EXPECT_EQ(first.high, again.high);
}

// A second implementation: the complete estimate of every resampled curve.
TEST(KneeIntervalTest, AgreesWithTheWholeEstimate) {
  const std::vector<double> y = Curve(0.01);
  ASSERT_OK_AND_ASSIGN(const Knee knee, EstimateKnee(y));
  ASSERT_OK_AND_ASSIGN(const KneeInterval interval, BootstrapKnee(y, knee, Options(0.9, 200)));
  std::vector<int> knees;
  const int points = static_cast<int>(y.size());
  for (int i = 0; i < 200; ++i) {
    RandomStream stream(1, "planner.bootstrap", {i});
    std::vector<double> curve;
    for (int k = 0; k < points; ++k) {
      const auto from = static_cast<size_t>(stream.UniformInt(points));
      const double residual = y[from] - Evaluate(knee.curve, static_cast<double>(from));
      curve.push_back(Evaluate(knee.curve, k) + residual * std::sqrt(points / (points - 5.0)));
    }
    ASSERT_OK_AND_ASSIGN(const Knee resampled, EstimateKnee(curve));
    knees.push_back(resampled.epoch);
  }
  std::sort(knees.begin(), knees.end());
  EXPECT_NEAR(interval.low, knees[10], 1);
  EXPECT_NEAR(interval.high, knees[189], 1);
}

// The true knee of 31 epochs is covered about as often as the confidence says.
TEST(KneeIntervalTest, CoversTheTruth) {
  const PerformanceCurve truth = {0.5, 0.2, 0, 2e-4, 0.7};
  const int knee = HighestEpoch(truth);
  int covered = 0;
  constexpr int kCurves = 200;
  for (int i = 0; i < kCurves; ++i) {
    RandomStream stream(9, "coverage", {i});
    std::vector<double> y;
    for (int k = 0; k < 41; ++k) y.push_back(Evaluate(truth, k) + 0.01 * stream.Gaussian());
    ASSERT_OK_AND_ASSIGN(const Knee estimate, EstimateKnee(y));
    ASSERT_OK_AND_ASSIGN(const KneeInterval interval, BootstrapKnee(y, estimate, Options(0.9, 60)));
    covered += interval.low <= knee && knee <= interval.high;
  }
  EXPECT_GE(covered, 0.82 * kCurves);
  EXPECT_LT(covered, kCurves);
}

TEST(KneeIntervalTest, TheGainIsWhatLiesAhead) {
  std::vector<double> rising, fallen;
  for (int k = 0; k <= 20; ++k) rising.push_back(0.1 + 0.01 * k);
  for (int k = 0; k <= 20; ++k) fallen.push_back(0.8 - 1e-3 * (k - 6) * (k - 6));
  KneeBootstrapOptions options;
  options.ahead = 5;
  ASSERT_OK_AND_ASSIGN(const Knee up, EstimateKnee(rising));
  ASSERT_OK_AND_ASSIGN(const KneeInterval far, BootstrapKnee(rising, up, options));
  EXPECT_EQ(far.high, 999);
  EXPECT_NEAR(far.gain, 0.05, 1e-6);
  ASSERT_OK_AND_ASSIGN(const Knee down, EstimateKnee(fallen));
  ASSERT_OK_AND_ASSIGN(const KneeInterval past, BootstrapKnee(fallen, down, options));
  EXPECT_EQ(past.low, 6);
  EXPECT_EQ(past.high, 6);
  EXPECT_EQ(past.gain, 0);
}

TEST(KneeIntervalTest, HoldsForAnyScale) {
  std::vector<double> y = Curve(0.02);
  ASSERT_OK_AND_ASSIGN(const Knee knee, EstimateKnee(y));
  ASSERT_OK_AND_ASSIGN(const KneeInterval interval, BootstrapKnee(y, knee, Options(0.9, 50)));
  for (double& value : y) value *= 1e200;
  ASSERT_OK_AND_ASSIGN(const Knee large, EstimateKnee(y));
  ASSERT_OK_AND_ASSIGN(const KneeInterval same, BootstrapKnee(y, large, Options(0.9, 50)));
  EXPECT_EQ(interval.low, same.low);
  EXPECT_EQ(interval.high, same.high);
}

TEST(KneeIntervalTest, RefusesSettingsOutOfRange) {
  const std::vector<double> y = Curve(0.02);
  ASSERT_OK_AND_ASSIGN(const Knee knee, EstimateKnee(y));
  EXPECT_THAT(BootstrapKnee(y, knee, Options(1, 50)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("confidence is 1")));
  EXPECT_THAT(BootstrapKnee(y, knee, Options(0.9, 1)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("got 1")));
  EXPECT_THAT(BootstrapKnee({}, knee, Options(0.9, 10)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at least 2 epochs")));
}

}  // namespace
}  // namespace op3d::planner
