#include "planner/runner/child_process.h"

#include <gtest/gtest.h>

#include "op3d/base/bazel.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::planner {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kLong = absl::Minutes(1);

TEST(ChildProcessTest, TalksLineByLine) {
  ASSERT_OK_AND_ASSIGN(auto child, ChildProcess::Start("exec cat", "."));
  for (const char* line : {"one", "", "two words"}) {
    ASSERT_THAT(child->WriteLine(line), IsOk());
    ASSERT_OK_AND_ASSIGN(const std::string answer, child->ReadLine(kLong));
    EXPECT_EQ(answer, line);
  }
}

TEST(ChildProcessTest, StartsInTheFolder) {
  const std::string folder = TestFolder("here");
  ASSERT_OK_AND_ASSIGN(auto child, ChildProcess::Start("pwd -P", folder));
  ASSERT_OK_AND_ASSIGN(const std::string answer, child->ReadLine(kLong));
  EXPECT_THAT(answer, HasSubstr("here"));
}

TEST(ChildProcessTest, SaysHowTheChildEnded) {
  ASSERT_OK_AND_ASSIGN(auto gone, ChildProcess::Start("exit 3", "."));
  EXPECT_THAT(gone->ReadLine(kLong),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("exit code 3")));
  // Writing to it does not send a signal that ends this process.
  EXPECT_THAT(gone->WriteLine("hello"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("exit code 3")));
  ASSERT_OK_AND_ASSIGN(auto killed, ChildProcess::Start("kill -9 $$", "."));
  EXPECT_THAT(killed->ReadLine(kLong),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("signal 9")));
  ASSERT_OK_AND_ASSIGN(auto missing, ChildProcess::Start("exec /no/such/program", "."));
  EXPECT_THAT(missing->ReadLine(kLong), StatusIs(absl::StatusCode::kInvalidArgument,
                                                 HasSubstr("cannot be run: exit code 127")));
}

TEST(ChildProcessTest, DoesNotWaitForEver) {
  ASSERT_OK_AND_ASSIGN(auto silent, ChildProcess::Start("printf half; exec cat", "."));
  EXPECT_THAT(silent->ReadLine(absl::Milliseconds(30)),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("30ms")));
  ASSERT_OK_AND_ASSIGN(auto endless, ChildProcess::Start("exec tr '\\0' x < /dev/zero", "."));
  EXPECT_THAT(endless->ReadLine(kLong),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1 MiB")));
}

}  // namespace
}  // namespace op3d::planner
