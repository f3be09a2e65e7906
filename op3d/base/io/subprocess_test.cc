#include "op3d/base/io/subprocess.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

SubprocessOptions Shell(const std::string& script) {
  SubprocessOptions options;
  options.command = {"/bin/sh", "-c", script};
  return options;
}

TEST(SubprocessTest, SaysHowItEnded) {
  ASSERT_OK_AND_ASSIGN(const auto three, Subprocess::Start(Shell("exit 3")));
  EXPECT_EQ(three->Wait(), 3);
  EXPECT_TRUE(three->Ended());
  ASSERT_OK_AND_ASSIGN(const auto killed, Subprocess::Start(Shell("sleep 60")));
  EXPECT_FALSE(killed->Ended());
  EXPECT_FALSE(killed->WaitFor(absl::Milliseconds(5)));
  killed->Signal(SIGTERM);
  EXPECT_TRUE(killed->WaitFor(absl::Seconds(20)));
  EXPECT_EQ(killed->Wait(), -SIGTERM);
  SubprocessOptions none;
  none.command = {"/no/such/program"};
  ASSERT_OK_AND_ASSIGN(const auto missing, Subprocess::Start(none));
  EXPECT_EQ(missing->Wait(), 127);
  EXPECT_THAT(Subprocess::Start({}),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr("empty")));
}

TEST(SubprocessTest, HasItsOwnEnvironmentFolderAndLog) {
  ::setenv("OP3D_TEST_KEPT", "kept", 1);
  ::setenv("OP3D_TEST_TAKEN_OUT", "there", 1);
  const std::string folder = TestFolder("folder");
  SubprocessOptions options =
      Shell("echo $OP3D_TEST_KEPT $OP3D_TEST_NEW ${OP3D_TEST_TAKEN_OUT-gone}; pwd; echo error >&2");
  options.folder = folder;
  options.log = JoinPath(folder, "log");
  options.variables = {{"OP3D_TEST_NEW", "new=1"}, {"OP3D_TEST_TAKEN_OUT", std::nullopt}};
  ASSERT_OK_AND_ASSIGN(const auto child, Subprocess::Start(options));
  EXPECT_EQ(child->Wait(), 0);
  EXPECT_EQ(*ReadFile(options.log), "kept new=1 gone\n" + folder + "\nerror\n");
  options.folder = "/no/such/folder";
  ASSERT_OK_AND_ASSIGN(const auto nowhere, Subprocess::Start(options));
  EXPECT_EQ(nowhere->Wait(), 126);
}

TEST(SubprocessTest, TalksThroughPipes) {
  SubprocessOptions options = Shell("read line; echo \"got $line\"");
  options.pipes = true;
  ASSERT_OK_AND_ASSIGN(const auto child, Subprocess::Start(options));
  ASSERT_EQ(::write(child->input(), "x\n", 2), 2);
  std::array<char, 16> answer;
  ASSERT_EQ(::read(child->output(), answer.data(), answer.size()), 6);
  EXPECT_EQ(std::string(answer.data(), 6), "got x\n");
  EXPECT_EQ(child->Wait(), 0);
  EXPECT_EQ(::write(child->input(), "x\n", 2), -1);  // an error, not a signal
}

TEST(SubprocessTest, FilesCannotOutgrowTheirLimit) {
  const std::string path = JoinPath(TestFolder("limit"), "file");
  SubprocessOptions options = Shell("head -c 100000 /dev/zero > " + path);
  options.largest_file = 5000;
  options.log = "/dev/null";
  ASSERT_OK_AND_ASSIGN(const auto child, Subprocess::Start(options));
  EXPECT_NE(child->Wait(), 0);
  EXPECT_EQ(ReadFile(path)->size(), 5000);
}

TEST(SubprocessTest, AGroupEndsWithItsLeader) {
  const std::string path = JoinPath(TestFolder("group"), "pid");
  {
    SubprocessOptions options =
        Shell("sleep 60 & echo $! > " + path + ".new; mv " + path + ".new " + path + "; wait");
    options.own_group = true;
    ASSERT_OK_AND_ASSIGN(const auto child, Subprocess::Start(options));
    while (!FileExists(path)) ::usleep(1000);
  }
  const pid_t grandchild = std::atoi(ReadFile(path)->c_str());
  // Whoever takes it over may be slow to wait for it: a zombie counts as ended.
  const auto runs = [&] {
    const auto stat = ReadFile("/proc/" + std::to_string(grandchild) + "/stat");
    return stat.ok() && stat->find(") Z ") == std::string::npos;
  };
  for (int i = 0; i < 5000 && runs(); ++i) ::usleep(1000);
  EXPECT_FALSE(runs());
}

}  // namespace
}  // namespace op3d
