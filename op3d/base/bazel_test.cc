#include "op3d/base/bazel.h"

#include <cstdlib>
#include <filesystem>

#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

TEST(BazelTest, UserPathsCountFromWhereTheUserCalled) {
  ::setenv("BUILD_WORKING_DIRECTORY", "/home/ada", 1);
  EXPECT_EQ(UserPath("videos"), "/home/ada/videos");
  EXPECT_EQ(UserPath("/data"), "/data");
  EXPECT_EQ(UserPath("videos//"), "/home/ada/videos");
  EXPECT_EQ(UserPath("/data/"), "/data");
  EXPECT_EQ(UserPath("/"), "/");
  EXPECT_EQ(UserPath(""), "");
  ::unsetenv("BUILD_WORKING_DIRECTORY");
  EXPECT_EQ(UserPath("videos"), "videos");
}

TEST(BazelTest, FindsItsOwnFiles) {
  EXPECT_THAT(RunfilePath("op3d/base/bazel_test"), IsOk());
  EXPECT_THAT(RunfilePath("no/such"),
              StatusIs(absl::StatusCode::kNotFound, testing::HasSubstr("no/such")));
}

// The tree next to a program may be from an older build.
TEST(BazelTest, TakesATestsOwnFilesBeforeThoseBesideTheProgram) {
  const std::string path = "op3d/base/bazel_test";
  const std::string root = TestFolder("runfiles");
  const std::string own = JoinPath(root, "op3d/op3d/base/bazel_test");
  std::filesystem::create_directories(JoinPath(root, "op3d/op3d/base"));
  ASSERT_THAT(WriteFileAtomically(own, ""), IsOk());
  const std::string folder = std::filesystem::current_path().string();
  const std::string test_srcdir = std::getenv("TEST_SRCDIR");
  std::filesystem::current_path(root);
  ::setenv("TEST_SRCDIR", root.c_str(), 1);
  EXPECT_EQ(RunfilePath(path).value_or(""), own);
  ::setenv("TEST_SRCDIR", test_srcdir.c_str(), 1);
  std::filesystem::current_path(folder);
}

TEST(BazelTest, TestFoldersAreFresh) {
  const std::string folder = TestFolder("fresh");
  ASSERT_THAT(WriteFileAtomically(JoinPath(folder, "x"), ""), IsOk());
  EXPECT_EQ(TestFolder("fresh"), folder);
  EXPECT_FALSE(FileExists(JoinPath(folder, "x")));
}

}  // namespace
}  // namespace op3d
