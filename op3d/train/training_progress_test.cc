#include "op3d/train/training_progress.h"

#include <cmath>

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TrainingProgress Some() {
  TrainingProgress progress;
  progress.epochs = 2;
  progress.losses = {1.0 / 3, 0.1};
  progress.micro_batches = 7;
  progress.loss_sum = std::sqrt(2.0);
  progress.clips = 28;
  progress.skipped = 2;
  progress.examples = {"b: torn", "a: empty"};
  progress.step_loss_sum = 1.0 / 9;
  progress.step_clips = 4;
  progress.running_loss = 1.0 / 7;
  progress.running_steps = 19;
  progress.notes = {{"point", "epoch: 2"}, {"empty", ""}};
  return progress;
}

TEST(TrainingProgressTest, ComesBackWithEveryBit) {
  const TrainingProgress some = Some();
  ASSERT_OK_AND_ASSIGN(const TrainingProgress again,
                       TrainingProgress::FromMetadata(some.ToMetadata()));
  EXPECT_EQ(again.epochs, 2);
  EXPECT_EQ(again.losses, some.losses);
  EXPECT_EQ(again.micro_batches, 7);
  EXPECT_EQ(again.loss_sum, some.loss_sum);
  EXPECT_EQ(again.clips, 28);
  EXPECT_EQ(again.skipped, 2);
  EXPECT_THAT(again.examples, ElementsAre("b: torn", "a: empty"));
  EXPECT_EQ(again.step_loss_sum, some.step_loss_sum);
  EXPECT_EQ(again.step_clips, 4);
  EXPECT_EQ(again.running_loss, some.running_loss);
  EXPECT_EQ(again.running_steps, 19);
  EXPECT_EQ(again.notes, some.notes);
}

TEST(TrainingProgressTest, TheLossScaleIsThereOnlyWithFp16) {
  const auto plain = Some().ToMetadata();
  ASSERT_OK_AND_ASSIGN(const TrainingProgress none, TrainingProgress::FromMetadata(plain));
  EXPECT_FALSE(none.loss_scale.has_value());
  TrainingProgress some = Some();
  some.loss_scale = {32768, 1999};
  some.skipped_steps = 3;
  auto metadata = some.ToMetadata();
  EXPECT_EQ(metadata.size(), plain.size() + 3);
  ASSERT_OK_AND_ASSIGN(const TrainingProgress again, TrainingProgress::FromMetadata(metadata));
  EXPECT_EQ(again.loss_scale->factor, 32768);
  EXPECT_EQ(again.loss_scale->good_steps, 1999);
  EXPECT_EQ(again.skipped_steps, 3);
  metadata["loss_scale"] = plain.at("running_loss");  // 1 / 7
  EXPECT_THAT(TrainingProgress::FromMetadata(metadata),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("loss scale of 0.142857")));
  some.loss_scale = {32768, 2000};
  EXPECT_THAT(TrainingProgress::FromMetadata(some.ToMetadata()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("2000 good steps")));
  metadata = some.ToMetadata();
  metadata.erase("good_steps");
  EXPECT_THAT(TrainingProgress::FromMetadata(metadata),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no 'good_steps'")));
}

TEST(TrainingProgressTest, AnEpochEndsWithTheMeanOfItsClips) {
  TrainingProgress progress = Some();
  progress.skipped_steps = 1;
  progress.EndEpoch();
  EXPECT_EQ(progress.epochs, 3);
  EXPECT_EQ(progress.losses.back(), std::sqrt(2.0) / 28);
  EXPECT_EQ(progress.micro_batches, 0);
  EXPECT_EQ(progress.clips, 0);
  EXPECT_EQ(progress.skipped_steps, 0);
  EXPECT_TRUE(progress.examples.empty());
  EXPECT_EQ(progress.running_steps, 19);  // goes on over epochs
}

TEST(TrainingProgressTest, DivergenceIsALossThatStaysHigh) {
  TrainingProgress progress;
  for (int step = 0; step < 100; ++step) {
    ASSERT_THAT(progress.AddStepLoss(step == 50 ? 100 : 4, 10), IsOk()) << step;  // one jump
  }
  absl::Status status;
  int step = 0;
  while (status.ok() && step < 100) status = progress.AddStepLoss(40, 10), ++step;
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal, HasSubstr("above the limit of 10")));
  EXPECT_LT(step, 20);
  EXPECT_THAT(progress.AddStepLoss(std::nan(""), 10),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("the loss is nan")));
}

TEST(TrainingProgressTest, TheLimitIsAMultipleOfWhatGuessingCosts) {
  ASSERT_OK_AND_ASSIGN(const double limit, DivergenceLimit(0, 400));
  EXPECT_DOUBLE_EQ(limit, 20 * std::log(400));
  ASSERT_OK_AND_ASSIGN(const double lower, DivergenceLimit(0.5, 400));
  EXPECT_DOUBLE_EQ(lower, std::log(400));
  EXPECT_THAT(DivergenceLimit(-1, 400).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("divergence_factor is -1")));
}

TEST(TrainingProgressTest, WhatIsMissingOrTornIsNamed) {
  auto metadata = Some().ToMetadata();
  metadata["clips"] = "many";
  EXPECT_THAT(TrainingProgress::FromMetadata(metadata),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("'clips' holds 'many'")));
  metadata.erase("clips");
  EXPECT_THAT(TrainingProgress::FromMetadata(metadata),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no 'clips'")));
  metadata = Some().ToMetadata();
  metadata["losses"] = "3ff0 x";
  EXPECT_THAT(TrainingProgress::FromMetadata(metadata),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("'losses' holds 'x'")));
}

}  // namespace
}  // namespace op3d
