#include "op3d/base/io/append_file.h"

#include <signal.h>
#include <sys/resource.h>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

TEST(AppendFileTest, GrowsAtItsEndOverSeveralLives) {
  const std::string path = JoinPath(TestFolder("grows"), "log");
  for (const char* line : {"one\n", "two\n"}) {
    ASSERT_OK_AND_ASSIGN(const auto file, AppendFile::Open(path));
    ASSERT_THAT(file->Append(line), IsOk());
    ASSERT_THAT(file->Append(""), IsOk());
    ASSERT_THAT(file->Sync(), IsOk());
  }
  EXPECT_EQ(*ReadFile(path), "one\ntwo\n");
}

TEST(AppendFileTest, ATornEndIsCutOff) {
  const std::string path = JoinPath(TestFolder("torn"), "log");
  const auto cut = [&](const std::string& text) {
    EXPECT_THAT(WriteFileAtomically(path, text), IsOk());
    const auto file = AppendFile::Open(path);
    EXPECT_THAT((*file)->CutTornLine(), IsOk());
    EXPECT_THAT((*file)->Append("x\n"), IsOk());
    EXPECT_EQ((*file)->size(), static_cast<int64_t>(ReadFile(path)->size()));
    return *ReadFile(path);
  };
  EXPECT_EQ(cut(""), "x\n");
  EXPECT_EQ(cut("{\"half"), "x\n");
  EXPECT_EQ(cut("one\n"), "one\nx\n");
  EXPECT_EQ(cut("one\ntw"), "one\nx\n");
  ASSERT_OK_AND_ASSIGN(const auto file, AppendFile::Open(path));
  EXPECT_THAT(file->CutTo(2), IsOk());
  EXPECT_EQ(*ReadFile(path), "on");
}

TEST(AppendFileTest, AFullDiskLeavesWhatWasThere) {
  const std::string path = JoinPath(TestFolder("full"), "log");
  ASSERT_OK_AND_ASSIGN(const auto file, AppendFile::Open(path));
  ASSERT_THAT(file->Append("whole\n"), IsOk());
  // A file that grows beyond it cannot be written.
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit limit = {10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  EXPECT_THAT(file->Append("too long\n"),
              StatusIs(absl::StatusCode::kInternal, testing::HasSubstr("cannot write")));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(*ReadFile(path), "whole\n");
  EXPECT_THAT(file->Append("more\n"), IsOk());
  EXPECT_EQ(*ReadFile(path), "whole\nmore\n");
}

TEST(AppendFileTest, NamesWhatCannotBeOpened) {
  EXPECT_THAT(AppendFile::Open("/no/such/folder/log"),
              StatusIs(absl::StatusCode::kNotFound, testing::HasSubstr("/no/such/folder/log")));
}

}  // namespace
}  // namespace op3d
