#include "op3d/base/training_failure.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

TEST(TrainingFailureTest, TheMarkStaysThroughAnnotate) {
  const absl::Status marked =
      MarkTrainingFailure(absl::InternalError("s: the loss is nan, in /tmp"), "the loss is nan");
  const absl::Status annotated = Annotate(marked, "S0-S1");
  EXPECT_THAT(annotated,
              StatusIs(absl::StatusCode::kInternal, "S0-S1: s: the loss is nan, in /tmp"));
  EXPECT_EQ(TrainingFailureOf(annotated).value_or("none"), "the loss is nan");
  EXPECT_FALSE(TrainingFailureOf(absl::InternalError("the loss is nan")));
  EXPECT_FALSE(TrainingFailureOf(absl::OkStatus()));
}

}  // namespace
}  // namespace op3d
