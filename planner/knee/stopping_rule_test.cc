#include "planner/knee/stopping_rule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"
#include "planner/testing/golden_cases.h"

namespace op3d::planner {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr int kNoBound = 100000;

// Feeds a curve point by point; `stop_epoch` is where the rule stops, -1 if it needs more points.
StoppingDecision FeedUntilStop(const std::vector<double>& y, int attempt_epochs, int* stop_epoch) {
  *stop_epoch = -1;
  for (size_t points = 1; points <= y.size(); ++points) {
    const auto decision =
        DecideStop(absl::MakeSpan(y.data(), points), PublishedRule(attempt_epochs), kNoBound);
    EXPECT_THAT(decision, IsOk());
    if (!decision.ok() || !decision->stop) continue;
    *stop_epoch = static_cast<int>(points) - 1;
    return *decision;
  }
  return StoppingDecision();
}

TEST(StoppingRuleTest, StopsTheGoldenCurvesWhereItMust) {
  const json golden = ReadGolden("knee_cases.json");
  int firm = 0;
  for (const json& one : golden["cases"]) {
    if (one["compare"] == "error" || !one.contains("search")) continue;
    SCOPED_TRACE(one["name"].get<std::string>());
    const json& search = one["search"];
    const std::vector<double> y = GoldenNumbers(one["y"]);
    int stop_epoch;
    const StoppingDecision decision = FeedUntilStop(y, one["attempt_epochs"], &stop_epoch);
    if (!search["firm"].get<bool>()) {
      const json& range = search["stop_epoch_range"];
      if (stop_epoch < 0) {
        EXPECT_TRUE(range[1].is_null());
      } else {
        EXPECT_GE(stop_epoch, range[0].get<int>());
        EXPECT_LE(stop_epoch, range[1].is_null() ? kNoBound : range[1].get<int>());
      }
      continue;
    }
    ++firm;
    ASSERT_EQ(stop_epoch, search["stop_epoch"].is_null() ? -1 : search["stop_epoch"].get<int>());
    if (stop_epoch < 0) continue;
    EXPECT_EQ(decision.ending, EdgeOutcome::KNEE_PASSED);
    EXPECT_EQ(decision.epochs, search["knee"].get<int>());
    EXPECT_EQ(decision.knee->epoch, decision.epochs);
    EXPECT_NEAR(decision.score, search["value"].get<double>(),
                1e-4 * std::abs(search["value"].get<double>()));
  }
  EXPECT_EQ(firm, 37);
}

TEST(StoppingRuleTest, AGoldenCurveThatIsNotFiniteIsAnError) {
  const json golden = ReadGolden("knee_cases.json");
  for (const json& one : golden["cases"]) {
    if (one["compare"] != "error") continue;
    EXPECT_THAT(DecideStop(GoldenNumbers(one["y"]), PublishedRule(10), kNoBound),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("performance of epoch")));
  }
}

TEST(StoppingRuleTest, NoFitBeforeTheAttemptEpochs) {
  const std::vector<double> falling = {0.9, 0.8, 0.7, 0.6};
  ASSERT_OK_AND_ASSIGN(const StoppingDecision early, DecideStop(falling, PublishedRule(4), 10));
  EXPECT_FALSE(early.stop);
  EXPECT_FALSE(early.knee.has_value());
  ASSERT_OK_AND_ASSIGN(const StoppingDecision late, DecideStop(falling, PublishedRule(3), 10));
  EXPECT_TRUE(late.stop);
  EXPECT_EQ(late.epochs, 0);  // falls at once: the state is skipped
  EXPECT_NEAR(late.score, 0.9, 1e-9);
}

std::vector<double> Rising(int points) {
  std::vector<double> y;
  for (int k = 0; k < points; ++k) y.push_back(0.1 + 0.05 * k);
  return y;
}

TEST(StoppingRuleTest, TheBoundKeepsTheLastEpochOfARisingCurve) {
  ASSERT_OK_AND_ASSIGN(const StoppingDecision before, DecideStop(Rising(8), PublishedRule(4), 8));
  EXPECT_FALSE(before.stop);
  EXPECT_EQ(before.knee->epoch, 999);
  ASSERT_OK_AND_ASSIGN(const StoppingDecision at, DecideStop(Rising(9), PublishedRule(4), 8));
  EXPECT_TRUE(at.stop);
  EXPECT_EQ(at.ending, EdgeOutcome::BOUND);
  EXPECT_EQ(at.epochs, 8);
  EXPECT_NEAR(at.score, 0.5, 1e-9);  // the curve at epoch 8, not at its knee
}

TEST(StoppingRuleTest, TheBoundKeepsAKneeInsideIt) {
  std::vector<double> y;
  for (int k = 0; k <= 8; ++k) y.push_back(0.8 - 0.004 * (k - 6) * (k - 6));
  ASSERT_OK_AND_ASSIGN(const StoppingDecision decision, DecideStop(y, PublishedRule(4), 8));
  EXPECT_TRUE(decision.stop);
  EXPECT_EQ(decision.ending, EdgeOutcome::BOUND);
  EXPECT_EQ(decision.epochs, 6);
  EXPECT_NEAR(decision.score, 0.8, 1e-9);
  y.push_back(0.8 - 0.004 * 9);
  y.push_back(0.8 - 0.004 * 16);
  // Bound and knee at the same epoch: the ending is the knee's.
  ASSERT_OK_AND_ASSIGN(const StoppingDecision both, DecideStop(y, PublishedRule(4), 10));
  EXPECT_EQ(both.ending, EdgeOutcome::KNEE_PASSED);
}

TEST(StoppingRuleTest, ABoundBeforeAnyFitKeepsTheBestMeasuredEpoch) {
  ASSERT_OK_AND_ASSIGN(const StoppingDecision decision,
                       DecideStop({0.2, 0.5, 0.5, 0.4}, PublishedRule(10), 3));
  EXPECT_TRUE(decision.stop);
  EXPECT_EQ(decision.ending, EdgeOutcome::BOUND);
  EXPECT_FALSE(decision.knee.has_value());
  EXPECT_EQ(decision.epochs, 1);
  EXPECT_EQ(decision.score, 0.5);
}

TEST(StoppingRuleTest, ACollapseIsTwoEpochsAtTheLevelOfGuessing) {
  using testing::HasSubstr;
  const double chance = 0.03;
  // Frozen BatchNorm at a high rate: what the source had learnt is lost.
  EXPECT_THAT(DescribeCollapse({0.6, 0.031, 0.028}, chance),
              HasSubstr("epochs 1 and 2 score 0.0310 and 0.0280, no better than guessing (0.0300), "
                        "after 0.6000 before training"));
  // The initial weights know nothing; what was learnt since then is lost.
  EXPECT_THAT(DescribeCollapse({0, 0.3, 0.5, 0, 0}, 0),
              HasSubstr("epochs 3 and 4 score 0.0000 and 0.0000, next to nothing, after 0.5000 at "
                        "epoch 2"));
  EXPECT_EQ(DescribeCollapse({0.6, 0.03}, chance), "");             // one epoch is no proof
  EXPECT_EQ(DescribeCollapse({0.6, 0.03, 0.2}, chance), "");        // it recovers
  EXPECT_EQ(DescribeCollapse({0.6, 0.03, 0.1}, chance), "");        // above a tenth of it
  EXPECT_EQ(DescribeCollapse({0, 0.03, 0.03, 0.03}, chance), "");   // has not learnt yet
  EXPECT_EQ(DescribeCollapse({0.2, 0.03, 0.03}, chance), "");       // was not well above
  EXPECT_EQ(DescribeCollapse({1, 2.5 / 3, 2.5 / 3}, 2.5 / 3), "");  // two classes
  EXPECT_EQ(DescribeCollapse({}, 0), "");
}

TEST(StoppingRuleTest, RefusesWhatIsOutOfRange) {
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(DecideStop({}, PublishedRule(10), 20), StatusIs(kInvalid, HasSubstr("point 0")));
  EXPECT_THAT(DecideStop({0.5}, PublishedRule(0), 20),
              StatusIs(kInvalid, HasSubstr("attempt_epochs is 0")));
  EXPECT_THAT(DecideStop({0.5}, PublishedRule(10), 0),
              StatusIs(kInvalid, HasSubstr("bound on epochs is 0")));
  EXPECT_THAT(DecideStop({std::nan("")}, PublishedRule(10), 1),
              StatusIs(kInvalid, HasSubstr("epoch 0 is nan")));
  StoppingRule rule;
  rule.set_attempt_epochs(4);
  rule.set_max_epochs_from_initial(20);
  EXPECT_THAT(ValidateStoppingRule(rule), StatusIs(kInvalid, HasSubstr("max_epochs is 0")));
  rule.set_max_epochs(8);
  EXPECT_THAT(ValidateStoppingRule(rule), IsOk());
  rule.set_attempt_epochs(-1);
  EXPECT_THAT(ValidateStoppingRule(rule), StatusIs(kInvalid, HasSubstr("attempt_epochs is -1")));
}

StoppingRule IntervalRule(double negligible_gain) {
  StoppingRule rule = PublishedRule(10);
  rule.set_method(StoppingRule::KNEE_INTERVAL);
  rule.set_negligible_gain(negligible_gain);
  rule.set_first_fit_epochs(6);
  return rule;
}

// The number of epochs trained until the rule stops.
int TrainUntilStop(const std::vector<double>& y, const StoppingRule& rule, StoppingDecision* last) {
  for (size_t points = 1; points <= y.size(); ++points) {
    const auto decision = DecideStop(absl::MakeSpan(y.data(), points), rule, kNoBound);
    EXPECT_THAT(decision, IsOk());
    if (!decision.ok()) return -1;
    *last = *decision;
    if (decision->stop) return static_cast<int>(points) - 1;
  }
  return -1;
}

TEST(StoppingRuleTest, TheIntervalStopsEarlierWhereTheKneeIsPlain) {
  std::vector<double> y;
  for (int k = 0; k <= 60; ++k) y.push_back(0.8 - 0.002 * (k - 12) * (k - 12));
  StoppingDecision knee, interval;
  EXPECT_EQ(TrainUntilStop(y, PublishedRule(10), &knee), 22);
  EXPECT_EQ(TrainUntilStop(y, IntervalRule(0), &interval), 12);
  EXPECT_EQ(interval.ending, EdgeOutcome::INTERVAL_PASSED);
  EXPECT_EQ(interval.epochs, knee.epochs);
  EXPECT_NEAR(interval.score, knee.score, 1e-9);
}

TEST(StoppingRuleTest, TheIntervalIsNeverLaterThanTheKnee) {
  for (int i = 0; i < 20; ++i) {
    RandomStream stream(4, "curves", {i});
    const PerformanceCurve curve = {0.4, stream.Uniform(0.05, 0.4), 0, 1e-4, 0.6};
    std::vector<double> y;
    for (int k = 0; k <= 150; ++k) y.push_back(Evaluate(curve, k) + 0.01 * stream.Gaussian());
    StoppingDecision decision;
    const int knee = TrainUntilStop(y, PublishedRule(10), &decision);
    const int interval = TrainUntilStop(y, IntervalRule(0), &decision);
    const int gain = TrainUntilStop(y, IntervalRule(0.005), &decision);
    EXPECT_LE(interval, knee);
    EXPECT_LE(gain, interval);
    EXPECT_GE(gain, 6);
  }
}

TEST(StoppingRuleTest, APlateauKeepsTheBestMeasuredEpoch) {
  StoppingRule rule = PublishedRule(3);
  rule.set_method(StoppingRule::PLATEAU);
  StoppingDecision decision;
  EXPECT_EQ(TrainUntilStop({0.1, 0.4, 0.3, 0.5, 0.5, 0.2, 0.4, 0.9}, rule, &decision), 6);
  EXPECT_EQ(decision.ending, EdgeOutcome::PLATEAU_PASSED);
  EXPECT_EQ(decision.epochs, 3);  // the first of equals
  EXPECT_EQ(decision.score, 0.5);
  EXPECT_FALSE(decision.knee.has_value());
  ASSERT_OK_AND_ASSIGN(decision, DecideStop({0.1, 0.2, 0.3}, rule, 2));
  EXPECT_EQ(decision.ending, EdgeOutcome::BOUND);
  EXPECT_EQ(decision.epochs, 2);
}

TEST(StoppingRuleTest, FitsFewerTermsWhereAsked) {
  RandomStream stream(4, "terms", {});
  std::vector<double> y;
  for (int k = 0; k <= 40; ++k) {
    y.push_back(0.7 - 0.4 * std::exp(-0.3 * k) - 1e-4 * k * k + 0.002 * stream.Gaussian());
  }
  const auto fit = [&](StoppingRule::Function function) {
    StoppingRule rule = PublishedRule(10);
    rule.set_function(function);
    return *EstimateKnee(y, TermsOf(rule));
  };
  const Knee full = fit(StoppingRule::FULL);
  EXPECT_NEAR(full.epoch, 13, 2);  // the truth: 12.8
  const Knee linear = fit(StoppingRule::EXPONENTIAL_LINEAR);
  EXPECT_EQ(linear.curve.d, 0);
  EXPECT_GT(linear.curve.a, 0);
  const Knee quadratic = fit(StoppingRule::QUADRATIC);
  EXPECT_EQ(quadratic.curve.a, 0);
  EXPECT_GT(quadratic.curve.d, 0);
  const Knee exponential = fit(StoppingRule::EXPONENTIAL);
  EXPECT_EQ(exponential.curve.c, 0);
  EXPECT_EQ(exponential.curve.d, 0);
  EXPECT_GT(exponential.epoch, 40);
  EXPECT_LT(full.residual, linear.residual);
  EXPECT_LT(linear.residual, exponential.residual);
  EXPECT_LT(full.residual, quadratic.residual);
}

TEST(StoppingRuleTest, ARaceEndsWhatCannotCatchUp) {
  StoppingRule rule = PublishedRule(10);
  rule.set_race(true);
  std::vector<double> y;
  RandomStream stream(6, "race", {});
  for (int k = 0; k <= 14; ++k)
    y.push_back(0.6 - 0.3 * std::exp(-0.3 * k) + 0.001 * stream.Gaussian());
  ASSERT_OK_AND_ASSIGN(const StoppingDecision alone, DecideStop(y, rule, 30));
  EXPECT_FALSE(alone.stop);
  ASSERT_OK_AND_ASSIGN(const StoppingDecision near, DecideStop(y, rule, 30, 0.6));
  EXPECT_FALSE(near.stop);
  ASSERT_OK_AND_ASSIGN(const StoppingDecision far, DecideStop(y, rule, 30, 0.8));
  EXPECT_TRUE(far.stop);
  EXPECT_EQ(far.ending, EdgeOutcome::OUTPACED);
  EXPECT_LT(far.score, 0.8);
  rule.set_method(StoppingRule::PLATEAU);
  EXPECT_THAT(DecideStop(y, rule, 30),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("race needs a fit")));
}

TEST(StoppingRuleTest, RefusesIntervalSettingsOutOfRange) {
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  StoppingRule rule = IntervalRule(0);
  rule.set_confidence(1);
  EXPECT_THAT(ValidateStoppingRule(rule), StatusIs(kInvalid, HasSubstr("confidence is 1")));
  rule = IntervalRule(-0.1);
  EXPECT_THAT(ValidateStoppingRule(rule), StatusIs(kInvalid, HasSubstr("negligible_gain is -0.1")));
  rule = IntervalRule(0);
  rule.set_first_fit_epochs(3);
  EXPECT_THAT(DecideStop({0.1}, rule, 10), StatusIs(kInvalid, HasSubstr("first_fit_epochs is 3")));
}

}  // namespace
}  // namespace op3d::planner
