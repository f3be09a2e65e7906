#include "planner/knee/knee_estimator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"
#include "planner/testing/golden_cases.h"

namespace op3d::planner {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::vector<double> Sample(const PerformanceCurve& curve, int points) {
  std::vector<double> y;
  for (int k = 0; k < points; ++k) y.push_back(Evaluate(curve, k));
  return y;
}

double Scale(const std::vector<double>& y) {
  double scale = 0;
  for (double value : y) scale = std::max(scale, std::abs(value));
  return scale;
}

// The requirements for a fit: `compare` of the case, explained in testdata/README.md.
void CheckFit(const json& golden, const std::vector<double>& y, const Knee& knee) {
  const json& best = golden["full_fit"];
  const std::string compare = golden["compare"];
  EXPECT_LE(knee.residual, best["rss_limit"].get<double>());
  EXPECT_GE(knee.curve.a, 0);
  EXPECT_GE(knee.curve.b, 0);
  EXPECT_GE(knee.curve.d, 0);
  EXPECT_GE(knee.curve.e, 0);
  EXPECT_GE(knee.epoch, 0);
  EXPECT_LT(knee.epoch, kHorizon);
  if (compare == "residual") return;
  EXPECT_EQ(knee.epoch, best["knee"].get<int>());
  if (compare == "knee") {
    EXPECT_GE(knee.value, best["value_range"][0].get<double>() - 1e-3);
    EXPECT_LE(knee.value, best["value_range"][1].get<double>() + 1e-3);
    return;
  }
  EXPECT_NEAR(knee.value, best["value"].get<double>(), 1e-4 * Scale(y));
  if (compare != "unique") return;
  const double parameters[] = {knee.curve.a, knee.curve.b, knee.curve.c, knee.curve.d,
                               knee.curve.e};
  for (int i = 0; i < 5; ++i) {
    EXPECT_NEAR(parameters[i], best["params"][i].get<double>(),
                best["params_tolerance"][i].get<double>())
        << "parameter "
        << "abcde"[i];
  }
}

TEST(KneeEstimatorTest, FitsTheGoldenCurves) {
  const json golden = ReadGolden("knee_cases.json");
  ASSERT_EQ(golden["cases"].size(), 43);
  for (const json& one : golden["cases"]) {
    SCOPED_TRACE(one["name"].get<std::string>());
    const std::vector<double> y = GoldenNumbers(one["y"]);
    if (one["compare"] == "error") {
      size_t bad = 0;
      while (std::isfinite(y[bad])) ++bad;
      EXPECT_THAT(EstimateKnee(y), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("epoch " + std::to_string(bad) + " is")));
      continue;
    }
    ASSERT_OK_AND_ASSIGN(const Knee knee, EstimateKnee(y));
    CheckFit(one, y, knee);
  }
}

// A thousand more: every curve as it was after each epoch.
TEST(KneeEstimatorTest, FitsEveryBeginningOfTheGoldenCurves) {
  const json golden = ReadGolden("knee_cases.json");
  for (const json& one : golden["cases"]) {
    if (one["compare"] == "error" || !one.contains("rows")) continue;
    const std::vector<double> y = GoldenNumbers(one["y"]);
    for (const json& row : one["rows"]) {
      const size_t points = row[0].get<size_t>() + 1;
      SCOPED_TRACE(testing::Message() << one["name"] << " after epoch " << row[0]);
      const std::vector<double> begin(y.begin(), y.begin() + points);
      const double scale = std::max(1.0, Scale(begin));
      ASSERT_OK_AND_ASSIGN(const Knee knee, EstimateKnee(begin));
      const double best = row[3].get<double>();
      EXPECT_LE(knee.residual, best + std::max(1e-6 * best, 1e-14 * points * scale * scale));
      EXPECT_GE(knee.epoch, row[4].get<int>());
      EXPECT_LE(knee.epoch, row[5].get<int>());
    }
  }
}

TEST(KneeEstimatorTest, FindsTheKneeOfACurveKnownInClosedForm) {
  // f' = a b exp(-b x) - c - 2 d x is zero at 20 for this c.
  PerformanceCurve curve = {0.5, 0.2, 0, 1e-4, 0.8};
  curve.c = curve.a * curve.b * std::exp(-curve.b * 20) - 2 * curve.d * 20;
  ASSERT_OK_AND_ASSIGN(const Knee knee, EstimateKnee(Sample(curve, 31)));
  EXPECT_EQ(knee.epoch, 20);
  EXPECT_NEAR(knee.value, Evaluate(curve, 20), 1e-9);
  // Only rounding: the search over b is accurate to 1e-9, the polish to the last digits.
  EXPECT_NEAR(knee.curve.b, 0.2, 1e-11);
  EXPECT_LT(knee.residual, 1e-26);
}

TEST(KneeEstimatorTest, IsDefinedForFlatAndStraightCurves) {
  for (double level : {0.0, 0.25, 1.0, 73.5}) {
    ASSERT_OK_AND_ASSIGN(const Knee knee, EstimateKnee(std::vector<double>(12, level)));
    EXPECT_EQ(knee.epoch, 0);
    EXPECT_EQ(knee.value, level);
    EXPECT_EQ(knee.residual, 0);
  }
  ASSERT_OK_AND_ASSIGN(const Knee down, EstimateKnee(Sample({0, 0, 0.01, 0, 0.7}, 12)));
  EXPECT_EQ(down.epoch, 0);
  EXPECT_NEAR(down.value, 0.7, 1e-12);
  ASSERT_OK_AND_ASSIGN(const Knee up, EstimateKnee(Sample({0, 0, -0.01, 0, 0.1}, 12)));
  EXPECT_EQ(up.epoch, kHorizon - 1);
  ASSERT_OK_AND_ASSIGN(const Knee negative, EstimateKnee({-1, -1, -1, -1, -1, -1}));
  EXPECT_GE(negative.epoch, 0);
  EXPECT_LT(negative.epoch, kHorizon);
}

TEST(KneeEstimatorTest, FitsAStepBehindTheFirstPoint) {
  std::vector<double> y(20, 0.6);
  y[0] = 0.1;
  for (int k = 1; k < 20; ++k) y[k] -= 0.002 * k;
  ASSERT_OK_AND_ASSIGN(const Knee knee, EstimateKnee(y));
  EXPECT_EQ(knee.epoch, 1);
  EXPECT_NEAR(knee.value, 0.598, 1e-9);
  EXPECT_TRUE(std::isfinite(knee.curve.b));
}

TEST(KneeEstimatorTest, ScalesWithTheCurve) {
  const std::vector<double> y = {0.1, 0.4, 0.52, 0.58, 0.61, 0.60, 0.62, 0.61, 0.59, 0.6, 0.57};
  ASSERT_OK_AND_ASSIGN(const Knee knee, EstimateKnee(y));
  for (double factor : {0x1p-900, 0x1p-10, 0x1p10, 0x1p400}) {  // exact factors
    std::vector<double> scaled = y;
    for (double& value : scaled) value *= factor;
    ASSERT_OK_AND_ASSIGN(const Knee other, EstimateKnee(scaled));
    EXPECT_EQ(other.epoch, knee.epoch);
    EXPECT_NEAR(other.value / factor, knee.value, 1e-9);
  }
}

// No other point of the parameter space is better: random ones, and neighbours of the fit.
TEST(KneeEstimatorTest, NothingFitsBetter) {
  for (int round = 0; round < 50; ++round) {
    RandomStream stream(1, "noisy curve", {round});
    const PerformanceCurve truth = {stream.Uniform(0, 0.6), std::exp(stream.Uniform(-4, 1)),
                                    stream.Uniform(-0.01, 0.01), stream.Uniform(0, 1e-3), 0.7};
    std::vector<double> y = Sample(truth, 8 + static_cast<int>(stream.UniformInt(60)));
    for (double& value : y) value += 0.01 * stream.Gaussian();
    ASSERT_OK_AND_ASSIGN(const Knee knee, EstimateKnee(y));
    for (int i = 0; i < 2000; ++i) {
      PerformanceCurve other = i == 0 ? truth : knee.curve;
      const double size = std::exp(stream.Uniform(-20, 0));
      other.a = std::max(0.0, other.a * (1 + size * stream.Gaussian()));
      other.b = std::max(0.0, other.b * (1 + size * stream.Gaussian()));
      other.c += 0.01 * size * stream.Gaussian();
      other.d = std::max(0.0, other.d + 1e-3 * size * stream.Gaussian());
      other.e = std::max(0.0, other.e * (1 + size * stream.Gaussian()));
      if (i == 0) other = truth;
      double residual = 0;
      for (size_t k = 0; k < y.size(); ++k) residual += std::pow(Evaluate(other, k) - y[k], 2);
      ASSERT_GE(residual, knee.residual * (1 - 1e-10)) << "round " << round << ", try " << i;
    }
  }
}

// Unpolished fits are compared with knees that are epochs away, so a difference of 1 is allowed.
TEST(KneeEstimatorTest, WithoutPolishTheFitIsNearlyAsGood) {
  for (int round = 0; round < 200; ++round) {
    RandomStream stream(2, "noisy curve", {round});
    const PerformanceCurve truth = {stream.Uniform(0, 0.6), std::exp(stream.Uniform(-4, 1)),
                                    stream.Uniform(-0.01, 0.01), stream.Uniform(0, 1e-3), 0.7};
    std::vector<double> y = Sample(truth, 8 + static_cast<int>(stream.UniformInt(60)));
    for (double& value : y) value += 0.01 * stream.Gaussian();
    ASSERT_OK_AND_ASSIGN(const Knee polished, EstimateKnee(y));
    ASSERT_OK_AND_ASSIGN(const Knee rough, EstimateKnee(y, CurveTerms(), /*polish=*/false));
    EXPECT_GE(rough.residual, polished.residual * (1 - 1e-9)) << round;
    EXPECT_LE(rough.residual, polished.residual * (1 + 1e-9)) << round;
    EXPECT_NEAR(rough.epoch, polished.epoch, 1) << round;
  }
}

TEST(KneeEstimatorTest, RefusesWhatIsNoCurve) {
  EXPECT_THAT(EstimateKnee({}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at least 2 epochs, got 0")));
  EXPECT_THAT(EstimateKnee({0.5}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("got 1")));
  EXPECT_THAT(EstimateKnee({0.5, 0.6, -std::numeric_limits<double>::infinity()}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("epoch 2 is -inf")));
}

TEST(KneeEstimatorTest, FitsTwoToFivePointsWithoutFault) {
  const std::vector<double> y = {0.1, 0.5, 0.4, 0.45, 0.2};
  for (size_t points = 2; points <= y.size(); ++points) {
    ASSERT_OK_AND_ASSIGN(const Knee knee, EstimateKnee(absl::MakeSpan(y.data(), points)));
    EXPECT_TRUE(std::isfinite(knee.value)) << points;
  }
}

TEST(KneeEstimatorTest, IsRecordedWhole) {
  Knee knee;
  knee.curve = {1, 2, 3, 4, 5};
  knee.residual = 6;
  knee.epoch = 7;
  knee.value = 8;
  const KneeEstimate estimate = ToProto(knee);
  EXPECT_EQ(estimate.a(), 1);
  EXPECT_EQ(estimate.b(), 2);
  EXPECT_EQ(estimate.c(), 3);
  EXPECT_EQ(estimate.d(), 4);
  EXPECT_EQ(estimate.e(), 5);
  EXPECT_EQ(estimate.residual(), 6);
  EXPECT_EQ(estimate.knee(), 7);
  EXPECT_EQ(estimate.value(), 8);
}

}  // namespace
}  // namespace op3d::planner
