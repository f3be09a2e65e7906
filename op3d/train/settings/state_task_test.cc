#include "op3d/train/settings/state_task.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::HasSubstr;

StateTask SomeState() {
  StateSettings state;
  state.set_segments(4);
  state.set_frames_per_segment(4);
  state.set_stride(2);
  state.set_learning_rate(0.5);
  state.set_batch_size(3);
  state.set_accumulation(2);
  state.set_frozen_batch_norm(true);
  return ToStateTask(state);
}

TEST(StateTaskTest, TakesEveryFieldOfAState) {
  EXPECT_EQ(DescribeStateTask(SomeState()), "4x4 stride 2 lr 0.5 batch 3x2 frozen");
  EXPECT_EQ(SomeState().clips_a_step(), 6);
}

TEST(StateTaskTest, TheDescriptionTellsSchedulesApart) {
  StateTask cosine = SomeState(), steps = SomeState();
  cosine.schedule.mutable_cosine()->set_final_learning_rate(0.25);
  cosine.epochs = 7;
  steps.schedule.mutable_step()->set_factor(0.1);
  EXPECT_THAT(DescribeStateTask(cosine), HasSubstr("over 7 epochs { cosine"));
  EXPECT_NE(DescribeStateTask(cosine), DescribeStateTask(SomeState()));
  EXPECT_NE(DescribeStateTask(steps), DescribeStateTask(cosine));
}

TEST(StateTaskTest, AnEpochIsWholeSteps) {
  ASSERT_OK_AND_ASSIGN(const int64_t steps, StepsPerEpoch(SomeState(), 20));
  EXPECT_EQ(steps, 3);
  EXPECT_THAT(StepsPerEpoch(SomeState(), 5),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::AllOf(HasSubstr("6 clips"), HasSubstr("list of 5 videos"))));
  StateTask none = SomeState();
  none.accumulation = 0;
  EXPECT_THAT(StepsPerEpoch(none, 20),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("accumulation 0")));
}

}  // namespace
}  // namespace op3d
