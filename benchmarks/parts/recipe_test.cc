#include "benchmarks/parts/recipe.h"

#include <cmath>
#include <utility>
#include <vector>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "op3d/network/network.h"
#include "op3d/train/settings/network_settings.h"
#include "op3d/train/state_trainer.h"
#include "op3d/train/testing/tiny_job.h"
#include "planner/graphs/transition_graph.h"

namespace op3d::benchmarks {
namespace {

StateSettings Clip() {
  StateSettings clip;
  EXPECT_THAT(ParseTextproto("name: 'us16x4' segments: 16 frames_per_segment: 4 stride: 1 "
                             "learning_rate: 0.04 batch_size: 16 accumulation: 1",
                             "clip", &clip),
              IsOk());
  return clip;
}

// The released schedule of 239 epochs (PySlowFast's stepwise multigrid) has these shapes: T/4 and
// T/2 at S / sqrt 2, T/2 and T at S, with 8, 4, 2 and 1 times the clips, three times, then only T
// at S.
TEST(MultigridPlanTest, HasTheShapesOfTheLongCycle) {
  constexpr double kFrames = 239 * 64;
  const Plan plan = MultigridPlan(Clip(), kFrames, /*full_crop=*/224, /*videos=*/10000);
  ASSERT_EQ(plan.steps_size(), 13);
  const int segments[] = {4, 8, 8, 16}, crop[] = {158, 158, 224, 224}, batch[] = {8, 4, 2, 1};
  const double rate[] = {1, 0.1, 0.01, 0.001}, epochs[] = {94, 60, 42, 43};
  double frames = 0;
  for (int i = 0; i < 13; ++i) {
    SCOPED_TRACE(i);
    const int shape = i < 12 ? i % 4 : 3, stage = i / 4;
    const StateSettings& state = plan.steps(i).state();
    EXPECT_EQ(state.segments(), segments[shape]);
    EXPECT_EQ(state.frames_per_segment(), 4);
    EXPECT_EQ(state.crop(), crop[shape]);
    EXPECT_EQ(state.batch_size(), 16);
    EXPECT_EQ(state.accumulation(), batch[shape]);
    EXPECT_NEAR(state.learning_rate(), 0.04 * batch[shape] * rate[stage], 1e-12);
    EXPECT_THAT(planner::ValidateState(state), IsOk());
    const double own = plan.steps(i).epochs() * planner::FullFramesPerClip(state, 224);
    // Equally many steps for each shape: equal frames, because larger batches have smaller clips.
    EXPECT_NEAR(own, epochs[stage] * 64 / (i < 12 ? 4 : 1), 64) << own;
    frames += own;
  }
  EXPECT_NEAR(frames, kFrames, 32);
  const ScheduleSettings& first = plan.steps(0).state().schedule();
  EXPECT_EQ(first.linear().final_learning_rate(), plan.steps(0).state().learning_rate());
  EXPECT_EQ(first.linear().warmup_epochs(), 2 * plan.steps(0).epochs() / 3);
}

TEST(MultigridPlanTest, KeepsTwoStepsInAnEpochAndConsecutiveClipsTheirSpan) {
  StateSettings clip = Clip();
  clip.set_segments(1);
  clip.set_frames_per_segment(32);
  const Plan plan = MultigridPlan(clip, 1000, /*full_crop=*/32, /*videos=*/100);
  for (const Plan::Step& step : plan.steps()) {
    const StateSettings& state = step.state();
    EXPECT_LE(state.accumulation(), 3);
    EXPECT_EQ(state.frames_per_segment() * state.stride(), 32);
    EXPECT_GE(state.frames_per_segment(), 16);
    EXPECT_GE(step.epochs(), 1);
  }
  // Later states correct the rounding to whole epochs.
  double frames = 0;
  for (const Plan::Step& step : plan.steps()) {
    frames += step.epochs() * planner::FullFramesPerClip(step.state(), 32);
  }
  EXPECT_NEAR(frames, 1000, 16);
}

TEST(RecipePlanTest, AFrameOfASmallerCropCountsByItsArea) {
  StateSettings clip = Clip();
  EXPECT_EQ(FramesOf(clip, 3, 50, 32), 3 * 48 * 64);
  clip.set_crop(16);
  EXPECT_EQ(FramesOf(clip, 3, 50, 32), 3 * 48 * 16);
  RecipeSettings recipe;
  *recipe.mutable_fixed()->mutable_state() = clip;
  recipe.mutable_fixed()->set_frames(160);
  ASSERT_OK_AND_ASSIGN(const Plan plan, RecipePlan(recipe, Plan(), 32));
  EXPECT_EQ(plan.steps(0).epochs(), 10);
}

class TinyRecipeTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(tiny_, MakeTinyJob());
    tiny_->job.videos = &tiny_->train;
    ASSERT_THAT(
        ParseTextproto("name: 'own' hand_tuned { epochs: 3 cosine { final_learning_rate: 1e-4 } "
                       "state { name: 'S' segments: 1 frames_per_segment: 16 stride: 1 "
                       "learning_rate: 0.01 batch_size: 9 accumulation: 1 } } test_clips: 1",
                       "recipe", &recipe_),
        IsOk());
    labels_.classes.resize(9);
  }
  RecipeRun Make() {
    return RecipeRun(recipe_, *RecipePlan(recipe_, Plan(), 32), tiny_->job, folder_);
  }

  const std::string folder_ = TestFolder("recipe");
  std::unique_ptr<TinyJob> tiny_;
  RecipeSettings recipe_;
  TestLabels labels_;
};

TEST_F(TinyRecipeTest, AModelThatIsTakenAndTestsAtChanceIsNamed) {
  // Untrained, although its file claims otherwise: like BatchNorm statistics that do not fit.
  ASSERT_OK_AND_ASSIGN(const auto network,
                       Network::Make(ToNetworkOptions(tiny_->job.network, 9), 1));
  const std::string file = JoinPath(folder_, "model.safetensors");
  ASSERT_THAT(network->SaveWeights(file, WeightsMetadata(tiny_->job, {1, 16, 1}, /*loss=*/0.04)),
              IsOk());
  RecipeRun run = Make();
  ASSERT_THAT(run.Take(file, RecipeResult()), IsOk());
  ASSERT_OK_AND_ASSIGN(const RecipeResult result, run.Test(tiny_->train, labels_, 1));
  EXPECT_LT(result.test().top1(), 0.25);
  EXPECT_THAT(result.warnings(),
              testing::Contains(testing::HasSubstr("the BatchNorm statistics do not fit")));
}

TEST_F(TinyRecipeTest, WhatAnEarlierProcessTrainedIsSaidToBeSo) {
  {
    // A training that stops after its second epoch.
    const StateTask state = [&] {
      StateTask made = ToStateTask(recipe_.hand_tuned().state(), 3);
      *made.schedule.mutable_cosine() = recipe_.hand_tuned().cosine();
      made.epochs = 3;
      return made;
    }();
    TrainingJob job = tiny_->job;
    job.purpose += ".1";
    ASSERT_OK_AND_ASSIGN(const auto trainer,
                         StateTrainer::Start(job, state, JoinPath(folder_, "state_1")));
    for (int epoch = 0; epoch < 2; ++epoch) {
      ASSERT_THAT(trainer->TrainEpoch().status(), IsOk());
      ASSERT_THAT(trainer->Save({}), IsOk());
    }
    ASSERT_THAT(trainer->Flush(), IsOk());
  }
  std::vector<std::pair<int, bool>> calls;
  RecipeRun run = Make();
  ASSERT_THAT(run.Train([&](int done, int total, double loss) {
    EXPECT_EQ(total, 3);
    calls.emplace_back(done, loss > 0);
  }),
              IsOk());
  EXPECT_THAT(calls, testing::ElementsAre(std::make_pair(2, false), std::make_pair(3, true),
                                          std::make_pair(3, true)));
}

}  // namespace
}  // namespace op3d::benchmarks
