#include "data/index/index_update.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "data/index/index_journal.h"
#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class IndexUpdateTest : public testing::Test {
 protected:
  IndexUpdateTest() {
    options_.root = root_;
    options_.file = JoinPath(root_, "a.op3d_index");
    for (int i = 0; i < 4; ++i) {
      paths_.push_back(
          WriteTestClip(root_, "v" + std::to_string(i) + ".mp4", TestClipOptions(), 10 + i));
    }
    const std::string text = JoinPath(root_, "text.mp4");
    EXPECT_THAT(WriteFileAtomically(text, "this is a letter\n"), IsOk());
    paths_.push_back(text);
    paths_.push_back(JoinPath(root_, "none.mp4"));
  }

  std::vector<IndexedVideo> Update() {
    absl::StatusOr<std::vector<IndexedVideo>> videos = IndexVideos(paths_, options_, &report_);
    EXPECT_THAT(videos, IsOk());
    return videos.ok() ? *std::move(videos) : std::vector<IndexedVideo>();
  }

  std::string Bytes() const {
    absl::StatusOr<std::string> bytes = ReadFile(options_.file);
    EXPECT_THAT(bytes, IsOk());
    return bytes.value_or("");
  }

  static void ExpectRight(const std::vector<IndexedVideo>& videos) {
    ASSERT_EQ(videos.size(), 6);
    for (int i = 0; i < 4; ++i) {
      EXPECT_THAT(videos[i].status, IsOk());
      EXPECT_EQ(videos[i].frames, 10 + i);
    }
    EXPECT_THAT(videos[4].status,
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("text.mp4 is not a video")));
    EXPECT_THAT(videos[5].status, StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.mp4")));
  }

  const std::string root_ = TestFolder("index_update");
  IndexOptions options_;
  IndexReport report_;
  std::vector<std::string> paths_;
};

TEST_F(IndexUpdateTest, ScansOnlyTheFirstTime) {
  ExpectRight(Update());
  EXPECT_EQ(report_.scanned, 5);
  const std::string bytes = Bytes();
  EXPECT_FALSE(FileExists(options_.file + ".journal"));
  ExpectRight(Update());
  EXPECT_EQ(report_.scanned, 0);
  EXPECT_EQ(report_.known, 6);
  EXPECT_EQ(Bytes(), bytes);
  options_.rescan = true;
  ExpectRight(Update());
  EXPECT_EQ(report_.scanned, 5);
  EXPECT_EQ(Bytes(), bytes);
}

TEST_F(IndexUpdateTest, ScansWhatIsNewOrHasChanged) {
  Update();
  WriteTestClip(root_, "v1.mp4", TestClipOptions(), 30);
  paths_.push_back(WriteTestClip(root_, "new.mp4", TestClipOptions(), 7));
  std::filesystem::remove(paths_[2]);
  const std::vector<IndexedVideo> videos = Update();
  EXPECT_EQ(report_.scanned, 2);
  EXPECT_EQ(videos[1].frames, 30);
  EXPECT_EQ(videos[6].frames, 7);
  EXPECT_THAT(videos[2].status, StatusIs(absl::StatusCode::kNotFound, HasSubstr("v2.mp4")));
  Update();
  EXPECT_EQ(report_.scanned, 0);
}

TEST_F(IndexUpdateTest, KeepsOtherListsOfTheSameDataset) {
  const std::vector<std::string> all = paths_;
  paths_ = {all[0], all[1]};
  Update();
  paths_ = {all[2], all[3]};
  Update();
  EXPECT_EQ(report_.scanned, 2);
  paths_ = all;
  Update();
  EXPECT_EQ(report_.scanned, 1);
}

TEST_F(IndexUpdateTest, GivesTheSameBytesForAnyNumberOfThreads) {
  Update();
  const std::string bytes = Bytes();
  ASSERT_THAT(RemoveFile(options_.file), IsOk());
  options_.threads = 4;
  ExpectRight(Update());
  EXPECT_EQ(Bytes(), bytes);
}

// A killed process leaves a journal with some of the records, the last one incomplete.
TEST_F(IndexUpdateTest, GoesOnWhereAKilledProcessStopped) {
  ExpectRight(Update());
  const std::string bytes = Bytes();
  ASSERT_OK_AND_ASSIGN(const VideoIndex index, VideoIndex::Read(options_.file, root_));
  ASSERT_THAT(RemoveFile(options_.file), IsOk());
  const std::string journal = options_.file + ".journal";
  {
    ASSERT_OK_AND_ASSIGN(const auto earlier, IndexJournal::Open(journal));
    for (const int i : {3, 0, 4}) {
      const IndexedVideo& video = *index.Find(paths_[i], FrameContent::kPictures);
      ASSERT_THAT(earlier->Append(index.EncodeRecord(paths_[i], FrameContent::kPictures, video)),
                  IsOk());
    }
  }
  std::filesystem::resize_file(journal, std::filesystem::file_size(journal) - 1);
  ExpectRight(Update());
  EXPECT_EQ(report_.scanned, 3);
  EXPECT_EQ(Bytes(), bytes);
  EXPECT_FALSE(FileExists(journal));
}

TEST_F(IndexUpdateTest, MakesADamagedIndexAnew) {
  Update();
  const std::string bytes = Bytes();
  std::string changed = bytes;
  changed[bytes.size() / 2] ^= 1;
  ASSERT_THAT(WriteFileAtomically(options_.file, changed), IsOk());
  ExpectRight(Update());
  EXPECT_EQ(report_.scanned, 5);
  EXPECT_EQ(Bytes(), bytes);
}

TEST_F(IndexUpdateTest, ReadsWithoutWriting) {
  options_.read_only = true;
  ExpectRight(Update());
  EXPECT_FALSE(FileExists(options_.file));
  options_.read_only = false;
  Update();
  options_.read_only = true;
  ExpectRight(Update());
  EXPECT_EQ(report_.scanned, 0);
}

TEST_F(IndexUpdateTest, DoesWithoutAFile) {
  options_.file = "";
  ExpectRight(Update());
  options_.file = JoinPath(root_, "no such folder/a.op3d_index");
  ExpectRight(Update());
  EXPECT_EQ(report_.scanned, 5);
}

// A limit belongs to the user, not to the file: with another limit the video may be fine.
TEST_F(IndexUpdateTest, TriesAgainWhatALimitStopped) {
  options_.media.limits.max_frames = 11;
  std::vector<IndexedVideo> videos = Update();
  EXPECT_THAT(videos[3].status, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("limit")));
  options_.media.limits.max_frames = 1000;
  ExpectRight(Update());
  EXPECT_EQ(report_.scanned, 2);
}

TEST_F(IndexUpdateTest, OpensWithoutAnotherPass) {
  const std::vector<IndexedVideo> videos = Update();
  ASSERT_OK_AND_ASSIGN(const auto reader, OpenIndexed(paths_[3], videos[3].scan, {}));
  EXPECT_EQ(reader->info().frames, 13);
  std::vector<int> shown;
  ASSERT_THAT(reader->Read({0, 12},
                           [&](int64_t, const RgbImage& image) {
                             shown.push_back(NumberOf(image));
                             return absl::OkStatus();
                           }),
              IsOk());
  EXPECT_THAT(shown, ElementsAre(0, 12));
  EXPECT_THAT(OpenIndexed(paths_[3], "?", {}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("v3.mp4: the kept scan is damaged")));
}

TEST_F(IndexUpdateTest, ChoosesWhereItCanBeWritten) {
  EXPECT_EQ(DefaultIndexFile(root_, "ucf101"), JoinPath(root_, "ucf101.op3d_index"));
  const std::string closed = JoinPath(root_, "closed");
  ASSERT_THAT(MakeFolders(closed), IsOk());
  std::filesystem::permissions(
      closed, std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  ::setenv("XDG_CACHE_HOME", root_.c_str(), 1);
  const std::string cached = DefaultIndexFile(closed, "ucf101");
  EXPECT_THAT(cached, testing::StartsWith(JoinPath(root_, "op3d/ucf101-")));
  EXPECT_NE(DefaultIndexFile(closed + "/.", "ucf101"), cached);
  ::unsetenv("XDG_CACHE_HOME");
  ::unsetenv("HOME");
  EXPECT_EQ(DefaultIndexFile(closed, "ucf101"), "");
  std::filesystem::permissions(closed, std::filesystem::perms::owner_all);
}

}  // namespace
}  // namespace op3d::data
