#include "op3d/base/program/common_flags.h"

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(CommonFlagsTest, ThreadsAreThoseOfTheMachineUnlessGiven) {
  EXPECT_EQ(*ThreadsOf(3), 3);
  EXPECT_EQ(*ThreadsOf(1024, 4), 1024);
  EXPECT_GE(*ThreadsOf(0), 1);
  EXPECT_EQ(*ThreadsOf(0, 1 << 20), 1);
  EXPECT_THAT(ThreadsOf(-1), StatusIs(kInvalid, "--threads is -1; it must be in [0, 1024]"));
  EXPECT_THAT(ThreadsOf(1025), StatusIs(kInvalid, "--threads is 1025; it must be in [0, 1024]"));
}

TEST(CommonFlagsTest, ASplitIsANumber) {
  EXPECT_EQ(*SplitOf(""), std::nullopt);
  EXPECT_EQ(*SplitOf("2"), 2);
  EXPECT_THAT(SplitOf("two"), StatusIs(kInvalid, testing::HasSubstr("--split=two is neither")));
}

TEST(CommonFlagsTest, ARunsFolderIsOfItsDay) {
  EXPECT_THAT(DefaultRunFolder("k400"),
              testing::ContainsRegex("results/runs/k400-20[0-9][0-9]-[01][0-9]-[0-3][0-9]$"));
}

TEST(CommonFlagsTest, HowToGoOnIsSaidWhereSomethingIsSaved) {
  const std::string folder = TestFolder("run");
  const absl::Status full = absl::ResourceExhaustedError("the disk is full");
  EXPECT_EQ(SayHowToGoOn(full, folder, "runs"), full);
  ASSERT_THAT(WriteFileAtomically(JoinPath(folder, "settings.textproto"), ""), IsOk());
  EXPECT_THAT(
      SayHowToGoOn(full, folder, "runs"),
      StatusIs(absl::StatusCode::kResourceExhausted,
               testing::EndsWith("the same command with --output_dir=runs resumes the run.")));
  EXPECT_THAT(SayHowToGoOn(absl::OkStatus(), folder, "runs"), IsOk());
  const absl::Status wrong = absl::InvalidArgumentError("--seed is -3");
  EXPECT_EQ(SayHowToGoOn(wrong, folder, "runs"), wrong);
}

}  // namespace
}  // namespace op3d
