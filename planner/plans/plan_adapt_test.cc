#include "planner/plans/plan_adapt.h"

#include <numeric>
#include <random>
#include <vector>

#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "planner/plans/plan_io.h"

namespace op3d::planner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

Plan Shipped(const char* name) {
  const auto plan = FindPlan(name);
  EXPECT_THAT(plan, IsOk());
  return plan.value_or(Plan());
}

std::vector<int> Epochs(const Plan& plan) {
  std::vector<int> epochs;
  for (const Plan::Step& step : plan.steps()) epochs.push_back(step.epochs());
  return epochs;
}

AdaptedPlan Adapt(const Plan& plan, int epochs, int clips_per_step = 0, int videos = 0) {
  PlanAdaptation adaptation;
  adaptation.epochs = epochs;
  adaptation.clips_per_step = clips_per_step;
  adaptation.videos = videos;
  auto adapted = AdaptPlan(plan, adaptation);
  EXPECT_THAT(adapted, IsOk());
  return adapted.ok() ? *std::move(adapted) : AdaptedPlan();
}

TEST(PlanAdaptTest, EveryStateKeepsItsShareOfTheEpochs) {
  const Plan plan = Shipped("kinetics400");
  ASSERT_THAT(Epochs(plan), ElementsAre(58, 108, 26, 10, 18));
  EXPECT_THAT(Epochs(Adapt(plan, 110).plan), ElementsAre(29, 54, 13, 5, 9));
  EXPECT_THAT(Epochs(Adapt(plan, 2200).plan), ElementsAre(580, 1080, 260, 100, 180));
  // At least one epoch each, however small the share.
  EXPECT_THAT(Epochs(Adapt(plan, 5).plan), ElementsAre(1, 1, 1, 1, 1));
  const AdaptedPlan same = Adapt(plan, 220);
  EXPECT_THAT(Epochs(same.plan), ElementsAre(58, 108, 26, 10, 18));
  EXPECT_THAT(same.notes, IsEmpty());
}

// No step is a whole epoch away from its share, except those that are held at one.
TEST(PlanAdaptTest, SharesAreExactForAnyPlan) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    Plan plan;
    for (int i = 0; i < 1 + static_cast<int>(random() % 6); ++i) {
      Plan::Step& step = *plan.add_steps();
      step.set_epochs(1 + random() % 200);
      StateSettings& state = *step.mutable_state();
      state.set_name("S" + std::to_string(i));
      state.set_segments(1);
      state.set_frames_per_segment(16);
      state.set_stride(1);
      state.set_learning_rate(0.1);
      state.set_batch_size(4);
      state.set_accumulation(2);
    }
    const int total = plan.steps_size() + random() % 300;
    const std::vector<int> epochs = Epochs(Adapt(plan, total).plan);
    ASSERT_EQ(std::accumulate(epochs.begin(), epochs.end(), 0), total);
    for (size_t i = 0; i < epochs.size(); ++i) {
      const double share = 1.0 * total * plan.steps(i).epochs() / TotalEpochs(plan);
      EXPECT_GE(epochs[i], 1);
      EXPECT_LT(epochs[i], share + 1.0 + 1e-6);
    }
  }
}

TEST(PlanAdaptTest, TheRateFollowsTheClipsPerStep) {
  const Plan plan = Shipped("kinetics400");
  ASSERT_EQ(plan.steps(0).state().batch_size() * plan.steps(0).state().accumulation(), 256);
  const AdaptedPlan adapted = Adapt(plan, 0, /*clips_per_step=*/64);
  for (int i = 0; i < plan.steps_size(); ++i) {
    const StateSettings& before = plan.steps(i).state();
    const StateSettings& after = adapted.plan.steps(i).state();
    EXPECT_EQ(after.batch_size(), before.batch_size());
    EXPECT_EQ(after.batch_size() * after.accumulation(), 64);
    EXPECT_DOUBLE_EQ(after.learning_rate(), before.learning_rate() / 4);
    EXPECT_EQ(after.frames_per_segment(), before.frames_per_segment());
  }
  EXPECT_THAT(adapted.notes[0], HasSubstr("S1: 64 clips a step instead of 256, so the rate is "
                                          "0.01 instead of 0.04"));
  EXPECT_EQ(adapted.plan.value(), 0);
  EXPECT_THAT(adapted.plan.source(), HasSubstr("not searched or measured; from: released"));
  EXPECT_THAT(ValidatePlan(adapted.plan), IsOk());
}

TEST(PlanAdaptTest, ASmallDatasetGetsEnoughStepsPerEpoch) {
  const Plan plan = Shipped("kinetics400");
  // UCF101 is large enough for the plan's own batches.
  EXPECT_THAT(Adapt(plan, 0, 0, 9537).notes, IsEmpty());
  const AdaptedPlan small = Adapt(plan, 0, 0, 280);
  for (const Plan::Step& step : small.plan.steps()) {
    const int clips = step.state().batch_size() * step.state().accumulation();
    EXPECT_GE(280 / clips, kLeastStepsPerEpoch);
    EXPECT_GT(clips, 14);
  }
  const AdaptedPlan tiny = Adapt(plan, 0, 0, 3);
  EXPECT_EQ(tiny.plan.steps(0).state().batch_size(), 1);
  EXPECT_EQ(tiny.plan.steps(0).state().accumulation(), 1);
}

TEST(PlanAdaptTest, ASchedulesEpochsAndFinalRateChangeWithIt) {
  Plan plan = Shipped("kinetics400");
  OneMinusSqrtSettings& falls =
      *plan.mutable_steps(0)->mutable_state()->mutable_schedule()->mutable_one_minus_sqrt();
  falls.set_final_learning_rate(0.004);
  falls.set_warmup_epochs(4);
  StepSettings& steps = *plan.mutable_steps(1)->mutable_state()->mutable_schedule()->mutable_step();
  steps.set_factor(0.1);
  steps.add_epochs(54);
  steps.add_epochs(81);
  const Plan adapted = Adapt(plan, 110, 128).plan;
  const ScheduleSettings& first = adapted.steps(0).state().schedule();
  EXPECT_DOUBLE_EQ(first.one_minus_sqrt().final_learning_rate(), 0.002);
  EXPECT_EQ(first.one_minus_sqrt().warmup_epochs(), 2);
  EXPECT_THAT(adapted.steps(1).state().schedule().step().epochs(), ElementsAre(27, 41));
  EXPECT_FALSE(adapted.steps(2).state().has_schedule());
}

TEST(PlanAdaptTest, WhatCannotBeIsASentence) {
  const Plan plan = Shipped("kinetics400");
  EXPECT_THAT(AdaptPlan(plan, {}), StatusIs(kInvalid, HasSubstr("nothing to adapt the plan to")));
  PlanAdaptation few;
  few.epochs = 4;
  EXPECT_THAT(AdaptPlan(plan, few),
              StatusIs(kInvalid, HasSubstr("4 epochs are fewer than the plan's 5 steps")));
  few.epochs = -1;
  EXPECT_THAT(AdaptPlan(plan, few), StatusIs(kInvalid, HasSubstr("epochs")));
  EXPECT_THAT(AdaptPlan(Plan(), few), StatusIs(kInvalid, HasSubstr("no steps")));
}

}  // namespace
}  // namespace op3d::planner
