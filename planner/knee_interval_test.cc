#include "planner/knee_interval.h"

#include <gtest/gtest.h>

#include <vector>

#include "op3d/base/random_stream.h"
#include "op3d/base/status_matchers.h"

namespace op3d {
namespace {

using ::testing::HasSubstr;

std::vector<double> Curve(double noise) {
  RandomStream stream(3, "curve", {});
  const PerformanceCurve curve = {0.5, 0.2, 0, 2e-4, 0.7};
  std::vector<double> y;
  for (int k = 0; k < 41; ++k) y.push_back(Evaluate(curve, k) + noise * stream.Gaussian());
  return y;
}

TEST(KneeIntervalTest, GrowsWithTheNoise) {
  int width = -1;
  for (const double noise : {0.0, 0.01, 0.04}) {
    const std::vector<double> y = Curve(noise);
    ASSERT_OK_AND_ASSIGN(const Knee knee, EstimateKnee(y));
    ASSERT_OK_AND_ASSIGN(const KneeInterval interval, BootstrapKnee(y, knee, 0.95, 100, 1));
    EXPECT_LE(interval.low, knee.epoch);
    EXPECT_GE(interval.high, knee.epoch);
    EXPECT_GT(interval.high - interval.low, width);
    width = interval.high - interval.low;
  }
}

TEST(KneeIntervalTest, DependsOnTheSeedAlone) {
  const std::vector<double> y = Curve(0.02);
  ASSERT_OK_AND_ASSIGN(const Knee knee, EstimateKnee(y));
  ASSERT_OK_AND_ASSIGN(const KneeInterval first, BootstrapKnee(y, knee, 0.9, 50, 1));
  ASSERT_OK_AND_ASSIGN(const KneeInterval again, BootstrapKnee(y, knee, 0.9, 50, 1));
  EXPECT_EQ(first.low, again.low);
  EXPECT_EQ(first.high, again.high);
}

TEST(KneeIntervalTest, RefusesSettingsOutOfRange) {
  const std::vector<double> y = Curve(0.02);
  ASSERT_OK_AND_ASSIGN(const Knee knee, EstimateKnee(y));
  EXPECT_THAT(BootstrapKnee(y, knee, 1, 50, 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("confidence is 1")));
  EXPECT_THAT(BootstrapKnee(y, knee, 0.9, 1, 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("got 1")));
  EXPECT_THAT(BootstrapKnee({}, knee, 0.9, 10, 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at least 2 epochs")));
}

}  // namespace
}  // namespace op3d
