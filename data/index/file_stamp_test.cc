#include "data/index/file_stamp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "data/video/testing/test_tar.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FileStampTest : public testing::Test {
 protected:
  FileStamp Stamp(const std::string& path) const {
    absl::StatusOr<FileStamp> stamp = StampMedia(path);
    EXPECT_THAT(stamp, IsOk());
    return stamp.value_or(FileStamp());
  }

  const std::string folder_ = TestFolder("file_stamp");
};

TEST_F(FileStampTest, AMemberHasItsTarsStamp) {
  const std::string tar = WriteTestTar(JoinPath(folder_, "s.tar"), {{"a.mp4", "a"}});
  EXPECT_GT(Stamp(tar).bytes, 1024);
  EXPECT_TRUE(Stamp(tar) == Stamp(JoinPath(tar, "a.mp4")));
}

TEST_F(FileStampTest, TellsSizeAndTime) {
  const std::string path = JoinPath(folder_, "a.mp4");
  ASSERT_THAT(WriteFileAtomically(path, "12345"), IsOk());
  const FileStamp first = Stamp(path);
  EXPECT_EQ(first.bytes, 5);
  EXPECT_TRUE(first == Stamp(path));
  fs::last_write_time(path, fs::last_write_time(path) + std::chrono::nanoseconds(1));
  EXPECT_FALSE(first == Stamp(path));
  EXPECT_EQ(Stamp(path).modified_nanoseconds, first.modified_nanoseconds + 1);
  EXPECT_THAT(StampMedia(JoinPath(folder_, "none")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
}

TEST_F(FileStampTest, NoticesFramesThatCome) {
  const std::string frames = JoinPath(folder_, "frames");
  ASSERT_THAT(MakeFolders(frames), IsOk());
  fs::last_write_time(frames, fs::file_time_type() + std::chrono::hours(1));
  const FileStamp empty = Stamp(frames);
  EXPECT_EQ(empty.bytes, 0);
  ASSERT_THAT(WriteFileAtomically(JoinPath(frames, "00001.jpg"), "x"), IsOk());
  EXPECT_FALSE(empty == Stamp(frames));
}

TEST_F(FileStampTest, LooksAtADatabasesData) {
  const std::string database = JoinPath(folder_, "a.lmdb");
  ASSERT_THAT(MakeFolders(database), IsOk());
  ASSERT_THAT(WriteFileAtomically(JoinPath(database, "data.mdb"), "1234567"), IsOk());
  EXPECT_EQ(Stamp(database).bytes, 7);
}

}  // namespace
}  // namespace op3d::data
