#include "planner/knee/performance_curve.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace op3d::planner {
namespace {

TEST(PerformanceCurveTest, EvaluatesItsFormula) {
  const PerformanceCurve curve = {0.5, 0.3, 0.01, 0.002, 0.8};
  EXPECT_DOUBLE_EQ(Evaluate(curve, 0), 0.3);
  EXPECT_DOUBLE_EQ(Evaluate(curve, 4), -0.5 * std::exp(-1.2) - 0.04 - 0.032 + 0.8);
}

TEST(PerformanceCurveTest, AStepIsDefinedAtZero) {
  const PerformanceCurve step = {0.5, std::numeric_limits<double>::infinity(), 0, 0, 0.8};
  EXPECT_DOUBLE_EQ(Evaluate(step, 0), 0.3);
  EXPECT_DOUBLE_EQ(Evaluate(step, 1), 0.8);
  EXPECT_EQ(HighestEpoch(step), 1);
}

TEST(PerformanceCurveTest, HighestEpochIsTheFirstInsideTheHorizon) {
  EXPECT_EQ(HighestEpoch({0, 0, 0, 0, 0.5}), 0);                  // constant
  EXPECT_EQ(HighestEpoch({0, 0, -0.1, 0, 0}), 999);               // rises for ever
  EXPECT_EQ(HighestEpoch({0, 0, 0.1, 0, 0}), 0);                  // falls at once
  EXPECT_EQ(HighestEpoch({0, 0, -0.2, 0.01, 0}), 10);             // a parabola
  EXPECT_EQ(HighestEpoch({0, 0, -0.25, 0.0078125 * 2, 0.5}), 8);  // exact numbers
  EXPECT_EQ(HighestEpoch({0, 0, -0.234375, 0.015625, 0.5}), 7);   // 7 and 8 equal: the first
}

}  // namespace
}  // namespace op3d::planner
