#include "data/video/stored/frame_lmdb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::HasSubstr;

class FrameLmdbTest : public testing::Test {
 protected:
  // Values from a few bytes, which are stored with their keys, to several pages.
  static std::vector<LmdbPicture> Pictures(int count) {
    std::vector<LmdbPicture> pictures;
    for (int i = 1; i <= count; ++i) {
      std::string key = "000000" + std::to_string(i) + ".jpg";
      pictures.push_back({key.substr(key.size() - 10), std::string(i * 97, 'a' + i % 26)});
    }
    return pictures;
  }

  std::string Write(const std::string& name, int count) const {
    const std::string path = JoinPath(folder_, name);
    EXPECT_THAT(WriteFrameLmdb(path, Pictures(count)), IsOk());
    return path;
  }

  const std::string folder_ = TestFolder("frame_lmdb");
};

TEST_F(FrameLmdbTest, GivesBackWhatWasWritten) {
  const std::string path = Write("clip", 300);
  for (const std::string& opened : {path, path + "/data.mdb"}) {
    EXPECT_TRUE(IsLmdb(opened));
    ASSERT_OK_AND_ASSIGN(const auto frames, OpenFrameLmdb(opened, FrameContent::kPictures, {}));
    ASSERT_EQ(frames->frames(), 300);
    for (const int64_t k : {0, 7, 299, 100}) {
      ASSERT_OK_AND_ASSIGN(const absl::string_view bytes, frames->Encoded(k, 0));
      EXPECT_EQ(bytes, Pictures(300)[k].jpeg);
    }
    EXPECT_EQ(frames->Where(6, 0), opened + ": 000007.jpg");
  }
  ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(path));
  EXPECT_THAT(names, testing::ElementsAre("data.mdb"));  // no lock
}

TEST_F(FrameLmdbTest, WritesTheSameBytesEveryTime) {
  ASSERT_OK_AND_ASSIGN(const std::string a, ReadFile(Write("a", 50) + "/data.mdb"));
  ASSERT_OK_AND_ASSIGN(const std::string b, ReadFile(Write("b", 50) + "/data.mdb"));
  EXPECT_EQ(a, b);
}

TEST_F(FrameLmdbTest, OtherFilesAreNoDatabases) {
  const std::string clip = WriteTestClip(folder_, "clip.mp4", TestClipOptions(), 3);
  EXPECT_FALSE(IsLmdb(clip));
  EXPECT_FALSE(IsLmdb(folder_));
  EXPECT_FALSE(IsLmdb(JoinPath(folder_, "none")));
  EXPECT_THAT(OpenFrameLmdb(clip, FrameContent::kPictures, {}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("clip.mp4")));
  EXPECT_THAT(OpenFrameLmdb(JoinPath(folder_, "none"), FrameContent::kPictures, {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
  EXPECT_THAT(OpenFrameLmdb(Write("flow", 3), FrameContent::kFlow, {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("holds no flow")));
}

// Reading a missing page would kill the process.
TEST_F(FrameLmdbTest, RefusesADatabaseThatWasCutOff) {
  const std::string path = Write("cut", 100);
  const std::string data = path + "/data.mdb";
  const auto size = std::filesystem::file_size(data);
  for (const auto bytes : {size - 1, size / 2, uintmax_t{8192}, uintmax_t{100}, uintmax_t{0}}) {
    std::filesystem::resize_file(data, bytes);
    EXPECT_FALSE(OpenFrameLmdb(path, FrameContent::kPictures, {}).ok()) << bytes;
  }
}

}  // namespace
}  // namespace op3d::data
