#include "op3d/base/file.h"

#include <cerrno>
#include <cstdlib>

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Folder() {
  std::string name = testing::TempDir() + "/fileXXXXXX";
  return ::mkdtemp(name.data());
}

TEST(FileTest, WritesReplacesAndLeavesNoNeighbour) {
  const std::string folder = Folder(), path = JoinPath(folder, "a");
  ASSERT_THAT(WriteFileAtomically(path, "one"), IsOk());
  ASSERT_THAT(WriteFileAtomically(path, std::string("t\0o", 3)), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string content, ReadFile(path));
  EXPECT_EQ(content, std::string("t\0o", 3));
  ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(folder));
  EXPECT_THAT(names, ElementsAre("a"));
}

TEST(FileTest, ErrorsNameThePath) {
  EXPECT_THAT(ReadFile("/no/such/file"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such/file")));
  EXPECT_THAT(ListFolder("/no/such"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such")));
  EXPECT_THAT(WriteFileAtomically("/no/such/file", "x"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such/file")));
  EXPECT_THAT(ErrnoStatus(ENOSPC, "cannot write", "a"),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("free some space")));
}

TEST(FileTest, FullDiskLeavesTheOldContent) {
  // /dev/full refuses every write, like a full disk; a folder cannot be replaced by a file.
  EXPECT_THAT(WriteFileAtomically("/dev/full/x", "y"), testing::Not(IsOk()));
  const std::string folder = Folder();
  ASSERT_THAT(MakeFolders(JoinPath(folder, "a/b")), IsOk());
  EXPECT_THAT(WriteFileAtomically(JoinPath(folder, "a"), "y"), testing::Not(IsOk()));
  ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(folder));
  EXPECT_THAT(names, ElementsAre("a"));
}

TEST(FileTest, RemovingAndMakingTwiceIsFine) {
  const std::string path = JoinPath(Folder(), "x");
  EXPECT_THAT(RemoveFile(path), IsOk());
  EXPECT_THAT(MakeFolders(path), IsOk());
  EXPECT_THAT(MakeFolders(path), IsOk());
  EXPECT_TRUE(FolderExists(path));
  EXPECT_FALSE(FileExists(path));
}

TEST(FileTest, Crc32IsThatOfZip) { EXPECT_EQ(Crc32("123456789"), 0xcbf43926u); }

TEST(FileTest, FreeSpaceIsThatOfTheDiskAPathWillBeOn) {
  const std::string folder = Folder();
  ASSERT_OK_AND_ASSIGN(const int64_t there, FreeBytes(folder));
  EXPECT_GT(there, 0);
  EXPECT_THAT(FreeBytes(JoinPath(folder, "not/yet/there")), IsOk());
}

}  // namespace
}  // namespace op3d
