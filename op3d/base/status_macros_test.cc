#include "op3d/base/status_macros.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

absl::StatusOr<int> Half(int number) {
  if (number % 2 != 0) return absl::InvalidArgumentError("odd");
  return number / 2;
}

absl::StatusOr<int> Quarter(int number) {
  OP3D_ASSIGN_OR_RETURN(const int half, Half(number));
  OP3D_RETURN_IF_ERROR(Half(half).status());
  OP3D_ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

TEST(StatusMacrosTest, ErrorsReturnAtOnceValuesPass) {
  ASSERT_OK_AND_ASSIGN(const int quarter, Quarter(12));
  EXPECT_EQ(quarter, 3);
  EXPECT_THAT(Quarter(6), StatusIs(absl::StatusCode::kInvalidArgument, "odd"));
}

TEST(StatusMacrosTest, AnnotateKeepsTheCode) {
  EXPECT_THAT(Annotate(absl::NotFoundError("gone"), "a.csv"),
              StatusIs(absl::StatusCode::kNotFound, "a.csv: gone"));
  EXPECT_THAT(Annotate(absl::OkStatus(), "a.csv"), IsOk());
}

TEST(StatusMacrosTest, ExitCodesAreThoseOfThePrograms) {
  EXPECT_EQ(ExitCode(absl::OkStatus()), 0);
  EXPECT_EQ(ExitCode(absl::InvalidArgumentError("")), 2);
  EXPECT_EQ(ExitCode(absl::ResourceExhaustedError("")), 1);
  EXPECT_EQ(ExitCode(absl::CancelledError("")), 130);
}

}  // namespace
}  // namespace op3d
