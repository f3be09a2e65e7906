#include "op3d/train/step/training_precision.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::HasSubstr;

TEST(TrainingPrecisionTest, NothingAndAWordStayAsTheyAre) {
  TrainingSettings training;
  ASSERT_OK_AND_ASSIGN(const std::string nothing,
                       DecidePrecision("cpu", "bf16", nullptr, &training));
  EXPECT_EQ(nothing, "");
  EXPECT_EQ(training.precision(), "");
  training.set_precision("bf16");
  training.set_arithmetic(TrainingSettings::NATIVE);
  ASSERT_OK_AND_ASSIGN(const std::string wanted,
                       DecidePrecision("cpu", "fp32", nullptr, &training));
  EXPECT_EQ(wanted, "precision bf16");
  EXPECT_EQ(training.precision(), "bf16");
}

TEST(TrainingPrecisionTest, Bf16WithoutItsInstructionsIsSaid) {
  TrainingSettings training;
  training.set_precision("bf16");
  ASSERT_OK_AND_ASSIGN(const std::string reason, DecidePrecision("cpu", "", nullptr, &training));
  EXPECT_THAT(reason, HasSubstr("portable arithmetic has no instructions for it"));
}

TEST(TrainingPrecisionTest, ArithmeticIsTakenFromTheFlagOrTheSettings) {
  TrainingSettings training;
  EXPECT_THAT(UseTrainingArithmetic("fast", &training),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'fast' is none of")));
  EXPECT_THAT(UseTrainingArithmetic("native", &training), IsOk());
  EXPECT_EQ(training.arithmetic(), TrainingSettings::NATIVE);
  EXPECT_THAT(UseTrainingArithmetic("", &training), IsOk());
  EXPECT_EQ(training.arithmetic(), TrainingSettings::NATIVE);
}

TEST(TrainingPrecisionTest, AutoIsMeasuredOnceAndThenKept) {
  TrainingSettings training;
  training.set_precision("auto");
  ASSERT_OK_AND_ASSIGN(const std::string reason, DecidePrecision("cpu", "", nullptr, &training));
  EXPECT_THAT(training.precision(), testing::AnyOf("fp32", "bf16"));
  EXPECT_THAT(reason, HasSubstr("precision " + training.precision() + ": a matrix product"));
  for (const char* earlier : {"fp32", "bf16"}) {
    training.set_precision("auto");
    ASSERT_OK_AND_ASSIGN(const std::string kept,
                         DecidePrecision("cpu", earlier, nullptr, &training));
    EXPECT_THAT(kept, HasSubstr("as this run was begun"));
    EXPECT_EQ(training.precision(), earlier);
  }
}

TEST(TrainingPrecisionTest, WhatTrainsNothingIsRefused) {
  for (const char* word : {"fp64", "tf32", "fp16", "half"}) {
    TrainingSettings training;
    training.set_precision(word);
    EXPECT_THAT(DecidePrecision("cpu", "", nullptr, &training).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(word)));
  }
}

}  // namespace
}  // namespace op3d
