#include "op3d/base/bazel.h"

#include <cstdlib>

#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

TEST(BazelTest, UserPathsCountFromWhereTheUserCalled) {
  ::setenv("BUILD_WORKING_DIRECTORY", "/home/ada", 1);
  EXPECT_EQ(UserPath("videos"), "/home/ada/videos");
  EXPECT_EQ(UserPath("/data"), "/data");
  EXPECT_EQ(UserPath(""), "");
  ::unsetenv("BUILD_WORKING_DIRECTORY");
  EXPECT_EQ(UserPath("videos"), "videos");
}

TEST(BazelTest, FindsItsOwnFiles) {
  EXPECT_THAT(RunfilePath("op3d/base/bazel_test"), IsOk());
  EXPECT_THAT(RunfilePath("no/such"),
              StatusIs(absl::StatusCode::kNotFound, testing::HasSubstr("no/such")));
}

TEST(BazelTest, TestFoldersAreFresh) {
  const std::string folder = TestFolder("fresh");
  ASSERT_THAT(WriteFileAtomically(JoinPath(folder, "x"), ""), IsOk());
  EXPECT_EQ(TestFolder("fresh"), folder);
  EXPECT_FALSE(FileExists(JoinPath(folder, "x")));
}

}  // namespace
}  // namespace op3d
