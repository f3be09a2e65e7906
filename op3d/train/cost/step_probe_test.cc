#include "op3d/train/cost/step_probe.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

StepProbe Miniature() {
  StepProbe probe;
  probe.network.set_name("dg_p3d_miniature");
  probe.classes = 9;
  probe.sgd.set_momentum(0.9);
  probe.sgd.set_clip_norm(40);
  return probe;
}

TEST(StepProbeTest, OnlyLargeClipsShrink) {
  const ProbedClip small = ShrunkenClip({8, 56, true});
  EXPECT_EQ(small.frames, 8);
  EXPECT_EQ(small.side, 56);
  const ProbedClip large = ShrunkenClip({128, 224, false});
  EXPECT_EQ(large.frames, 16);
  EXPECT_EQ(large.side, 112);
  EXPECT_FALSE(large.train);
}

TEST(StepProbeTest, OneMeasurementIsScaledByTheMultiplyAdds) {
  StepCosts costs(Miniature());
  ASSERT_OK_AND_ASSIGN(const StepCost clip, costs.Of({16, 32, /*train=*/true}));
  EXPECT_GT(clip.train_seconds, clip.score_seconds);
  EXPECT_GT(clip.score_seconds, 0);
  EXPECT_GT(clip.weight_bytes, 0);
  // Nothing is measured again: exactly four times the frames' multiply-adds but for the classifier.
  ASSERT_OK_AND_ASSIGN(const StepCost longer, costs.Of({64, 32, /*train=*/true}));
  EXPECT_NEAR(longer.train_seconds / clip.train_seconds, 4, 0.05);
  EXPECT_DOUBLE_EQ(longer.score_seconds / clip.score_seconds,
                   longer.train_seconds / clip.train_seconds);
  EXPECT_EQ(longer.weight_bytes, clip.weight_bytes);
  EXPECT_NEAR(longer.multiply_adds / clip.multiply_adds, 4, 0.05);
}

TEST(StepProbeTest, AnH200TrainsByItsProductAlone) {
  StepCost clip;
  EXPECT_EQ(ClipsOfAnH200(clip), 0);
  // DG-P3D-R50 at 16x224x224; the larger clips of the released plan make it half as many.
  clip.multiply_adds = 23.6e9;
  EXPECT_NEAR(ClipsOfAnH200(clip), 2260, 1);
  // A miniature.
  clip.multiply_adds = 7e6;
  EXPECT_EQ(ClipsOfAnH200(clip), 0);
}

TEST(StepProbeTest, ScoringAloneIsNotATraining) {
  StepCosts costs(Miniature());
  ASSERT_OK_AND_ASSIGN(const StepCost scored, costs.Of({16, 32, /*train=*/false}));
  EXPECT_EQ(scored.train_seconds, 0);
  EXPECT_GT(scored.score_seconds, 0);
  ASSERT_OK_AND_ASSIGN(const StepCost trained, costs.Of({16, 32, /*train=*/true}));
  EXPECT_GT(trained.train_seconds, 0);
}

TEST(StepProbeTest, RefusesAClipThatIsTooSmall) {
  StepCosts costs(Miniature());
  EXPECT_EQ(costs.Of({0, 32, true}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(costs.Of({16, 0, true}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace op3d
