#include "op3d/base/program/run_folder.h"

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/testing/testing.pb.h"

namespace op3d {
namespace {

using testing::HasSubstr;

TextprotoTestMessage Settings(double rate) {
  TextprotoTestMessage settings;
  settings.set_name("kinetics400");
  settings.set_rate(rate);
  return settings;
}

TEST(RunFolderTest, IsTakenUpWithTheSameSettingsOnly) {
  const std::string path = JoinPath(TestFolder("run"), "a/b");
  {
    ASSERT_OK_AND_ASSIGN(const auto folder, RunFolder::Open(path, Settings(1)));
    EXPECT_EQ(folder->resumed(), 0);
    folder->Log("started", {{"threads", 2}});
    // A name of a file need not be UTF-8.
    folder->Log("short", {{"example", "caf\xe9.avi"}});
  }
  {
    ASSERT_OK_AND_ASSIGN(const auto folder, RunFolder::Open(path, Settings(1)));
    EXPECT_EQ(folder->resumed(), 1);
    ASSERT_THAT(WriteFileAtomically(folder->Path("weights.safetensors"), "x"), IsOk());
  }
  EXPECT_THAT(RunFolder::Open(path, Settings(2)).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       testing::AllOf(HasSubstr("rate: 1 -> 2"), HasSubstr("--output_dir"))));
  ASSERT_OK_AND_ASSIGN(const std::string log, ReadFile(JoinPath(path, "log.jsonl")));
  EXPECT_THAT(log, HasSubstr("\"event\":\"started\",\"threads\":2}"));
  EXPECT_THAT(log, HasSubstr("\"event\":\"short\",\"example\":\"caf"));
}

TEST(RunFolderTest, ACheckSaysTheSameAndTouchesNothing) {
  const std::string folder = TestFolder("checked"), path = JoinPath(folder, "run");
  EXPECT_THAT(RunFolder::Check(path, Settings(1)), IsOk());
  EXPECT_FALSE(FolderExists(path));
  {
    ASSERT_OK_AND_ASSIGN(const auto run, RunFolder::Open(path, Settings(1)));
    EXPECT_THAT(RunFolder::Check(path, Settings(2)), IsOk());  // it has trained nothing
    ASSERT_THAT(WriteFileAtomically(run->Path("weights.safetensors"), "x"), IsOk());
    EXPECT_THAT(RunFolder::Check(path, Settings(1)), IsOk());
  }
  EXPECT_THAT(RunFolder::Check(path, Settings(2)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("rate: 1 -> 2")));
  EXPECT_FALSE(FileExists(JoinPath(path, "resumed")));
  ASSERT_THAT(WriteFileAtomically(JoinPath(folder, "thesis.tex"), "x"), IsOk());
  EXPECT_THAT(RunFolder::Check(folder, Settings(1)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("holds no run")));
}

TEST(RunFolderTest, ARunThatTrainedNothingBindsNobody) {
  const std::string path = TestFolder("refused");
  {
    ASSERT_OK_AND_ASSIGN(const auto folder, RunFolder::Open(path, Settings(1)));
    folder->Log("stopped", {{"reason", "a batch of 64 of 3 videos"}});
    ASSERT_THAT(WriteFileAtomically(folder->Path("plan.textproto"), "x"), IsOk());
    ASSERT_THAT(MakeFolders(folder->Path("checkpoints/hand_tuned")), IsOk());
    ASSERT_THAT(RunFolder::Open(path, Settings(2)).status(),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another process")));
  }
  {
    ASSERT_OK_AND_ASSIGN(const auto folder, RunFolder::Open(path, Settings(2)));
    EXPECT_EQ(folder->resumed(), 0);
    EXPECT_FALSE(FileExists(folder->Path("plan.textproto")));
    folder->Log("started", {});
    ASSERT_THAT(WriteFileAtomically(folder->Path("checkpoints/hand_tuned/state"), "x"), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const std::string log, ReadFile(JoinPath(path, "log.jsonl")));
  EXPECT_THAT(log, testing::AllOf(HasSubstr("a batch of 64"), HasSubstr("started")));
  EXPECT_THAT(RunFolder::Open(path, Settings(1)).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("rate: 2 -> 1")));
}

TEST(RunFolderTest, SomebodyElsesFolderIsLeftAlone) {
  const std::string path = TestFolder("other");
  ASSERT_THAT(WriteFileAtomically(JoinPath(path, "thesis.tex"), "x"), IsOk());
  EXPECT_THAT(RunFolder::Open(path, Settings(1)).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("thesis.tex")));
  ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(path));
  EXPECT_EQ(names.size(), 1);
}

TEST(RunFolderTest, KilledBeforeItsSettingsStoodThereIsANewRun) {
  const std::string path = TestFolder("early");
  ASSERT_THAT(WriteFileAtomically(JoinPath(path, "settings.textproto.204.tmp"), "ra"), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto folder, RunFolder::Open(path, Settings(1)));
  EXPECT_EQ(folder->resumed(), 0);
}

TEST(RunFolderTest, TwoAtOnceAreRefused) {
  const std::string path = TestFolder("locked");
  ASSERT_OK_AND_ASSIGN(const auto folder, RunFolder::Open(path, Settings(1)));
  EXPECT_THAT(RunFolder::Open(path, Settings(1)).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another process")));
}

}  // namespace
}  // namespace op3d
