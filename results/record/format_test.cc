#include "results/record/format.h"

#include <gtest/gtest.h>

namespace op3d::results {
namespace {

TEST(FormatTest, Figures) {
  EXPECT_EQ(FormatPercent(0.9315), "93.2");
  EXPECT_EQ(FormatPercent(1, 0), "100");
  EXPECT_EQ(FormatPoints(0.0704), "+7.0");
  EXPECT_EQ(FormatPoints(-0.0704, 2), "-7.04");
  EXPECT_EQ(FormatPoints(-0.0001), "0.0");
  EXPECT_EQ(FormatCount(7), "7");
  EXPECT_EQ(FormatCount(-123), "-123");
  EXPECT_EQ(FormatCount(1234567), "1,234,567");
  EXPECT_EQ(FormatNumber(0.04), "0.04");
  EXPECT_EQ(FormatNumber(0.00004), "4e-05");
  EXPECT_EQ(FormatEpochs(1), "1 epoch");
  EXPECT_EQ(FormatEpochs(0), "0 epochs");
}

TEST(FormatTest, ClipsAndPlans) {
  Plan plan;
  Plan::Step* step = plan.add_steps();
  step->mutable_state()->set_segments(1);
  step->mutable_state()->set_frames_per_segment(32);
  step->mutable_state()->set_learning_rate(0.04);
  step->set_epochs(20);
  EXPECT_EQ(FormatClip(step->state()), "32 frames");
  *plan.add_steps() = *step;
  plan.mutable_steps(1)->mutable_state()->set_segments(2);
  plan.mutable_steps(1)->set_epochs(1);
  EXPECT_EQ(FormatClip(plan.steps(1).state()), "2 x 32 frames");
  EXPECT_EQ(FormatPlan(plan), "32@0.04x20, 64@0.04x1");
}

TEST(FormatTest, LearningRateSaysItsSchedule) {
  StateSettings state;
  state.set_learning_rate(0.04);
  EXPECT_EQ(FormatLearningRate(state), "0.04");
  state.mutable_schedule()->mutable_one_minus_sqrt();
  EXPECT_EQ(FormatLearningRate(state), "0.04, falling to 0");
  state.mutable_schedule()->mutable_cosine()->set_final_learning_rate(1e-6);
  EXPECT_EQ(FormatLearningRate(state), "0.04, falling to 1e-06");
  state.mutable_schedule()->mutable_linear();
  EXPECT_EQ(FormatLearningRate(state), "0.04, falling to 0");
  state.mutable_schedule()->mutable_step();
  EXPECT_EQ(FormatLearningRate(state), "0.04, in steps");
}

TEST(FormatTest, ScalesAndBenchmarks) {
  EXPECT_EQ(BenchmarkTitle("ucf101"), "UCF101");
  EXPECT_EQ(BenchmarkTitle("mine"), "mine");
  EXPECT_EQ(ScaleName(BenchmarkSettings::MINIATURE), "miniature");
  EXPECT_EQ(ScaleName(BenchmarkSettings::FULL), "full");
  EXPECT_EQ(ScaleText(BenchmarkSettings::FULL), "full scale");
  EXPECT_EQ(ScaleText(BenchmarkSettings::OWN), "own data");
  EXPECT_EQ(BenchmarkTitle("ucf101", BenchmarkSettings::FULL), "UCF101");
  EXPECT_EQ(BenchmarkTitle("ucf101", BenchmarkSettings::OWN), "ucf101");
  EXPECT_EQ(ScaleName(BenchmarkSettings::SCALE_UNSPECIFIED), "unknown scale");
}

}  // namespace
}  // namespace op3d::results
