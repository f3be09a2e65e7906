#include "data/index/video_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"
#include "data/video/ffmpeg/ffmpeg_version.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::HasSubstr;

constexpr FrameContent kPictures = FrameContent::kPictures;
constexpr FrameContent kFlow = FrameContent::kFlow;

IndexedVideo Good(int64_t frames) {
  return {{1000 + frames, 77}, absl::OkStatus(), frames, "scan"};
}

VideoIndex Small() {
  VideoIndex index("/data/k400");
  index.Insert("/data/k400/val/b.mp4", kPictures, Good(250));
  index.Insert("/data/k400/val/a.mp4", kPictures,
               {{5, 6}, absl::DataLossError("/data/k400/val/a.mp4: no frame decodes"), 0, ""});
  index.Insert("/data/k400/val/a.mp4", kFlow, Good(9));
  index.Insert("/elsewhere/c.mp4", kPictures,
               {{0, 1}, absl::InvalidArgumentError("no video"), 0, ""});
  index.Insert("/data/k400/\xff\xfe not UTF-8.avi", kPictures, Good(3));
  return index;
}

TEST(VideoIndexTest, KeepsEverything) {
  ASSERT_OK_AND_ASSIGN(const VideoIndex index,
                       VideoIndex::Parse(Small().Serialize(), "/data/k400"));
  EXPECT_EQ(index.size(), 5);
  const IndexedVideo* b = index.Find("/data/k400/val/b.mp4", kPictures);
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->frames, 250);
  EXPECT_EQ(b->scan, "scan");
  EXPECT_TRUE((b->stamp == FileStamp{1250, 77}));
  EXPECT_THAT(b->status, IsOk());
  EXPECT_EQ(index.Find("/data/k400/val/b.mp4", kFlow), nullptr);
  EXPECT_EQ(index.Find("/data/k400/val/a.mp4", kFlow)->frames, 9);
  EXPECT_EQ(index.Find("/data/k400/\xff\xfe not UTF-8.avi", kPictures)->frames, 3);
  EXPECT_THAT(index.Find("/elsewhere/c.mp4", kPictures)->status,
              StatusIs(absl::StatusCode::kInvalidArgument, "/elsewhere/c.mp4: no video"));
}

TEST(VideoIndexTest, MovesWithItsDataset) {
  ASSERT_OK_AND_ASSIGN(const VideoIndex index,
                       VideoIndex::Parse(Small().Serialize(), "/mnt/copy/"));
  EXPECT_EQ(index.Find("/data/k400/val/b.mp4", kPictures), nullptr);
  ASSERT_NE(index.Find("/mnt/copy/val/b.mp4", kPictures), nullptr);
  EXPECT_THAT(index.Find("/mnt/copy/val/a.mp4", kPictures)->status,
              StatusIs(absl::StatusCode::kDataLoss, "/mnt/copy/val/a.mp4: no frame decodes"));
}

TEST(VideoIndexTest, EqualEntriesGiveEqualBytes) {
  VideoIndex other("/data/k400/");
  other.Insert("/data/k400/val/b.mp4", kPictures, Good(1));
  other.Insert("/data/k400/gone.mp4", kPictures, Good(1));
  const VideoIndex small = Small();
  for (const char* path : {"/elsewhere/c.mp4", "/data/k400/\xff\xfe not UTF-8.avi",
                           "/data/k400/val/a.mp4", "/data/k400/val/b.mp4"}) {
    other.Insert(path, kPictures, *small.Find(path, kPictures));
  }
  other.Insert("/data/k400/val/a.mp4", kFlow, Good(9));
  other.Erase("/data/k400/gone.mp4", kPictures);
  EXPECT_EQ(other.Serialize(), small.Serialize());
}

TEST(VideoIndexTest, TakesRecordsIn) {
  const VideoIndex small = Small();
  VideoIndex index("/data/k400");
  for (const auto& [path, content] :
       {std::pair<std::string, FrameContent>{"/data/k400/val/a.mp4", kPictures},
        {"/data/k400/val/a.mp4", kFlow},
        {"/data/k400/val/b.mp4", kPictures},
        {"/elsewhere/c.mp4", kPictures},
        {"/data/k400/\xff\xfe not UTF-8.avi", kPictures}}) {
    ASSERT_THAT(index.InsertRecord(small.EncodeRecord(path, content, *small.Find(path, content))),
                IsOk());
  }
  EXPECT_EQ(index.Serialize(), small.Serialize());
  EXPECT_THAT(index.InsertRecord("nonsense"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cannot be parsed")));
}

TEST(VideoIndexTest, ANewFfmpegMakesItAnew) {
  const std::string bytes = Small().Serialize();
  ASSERT_THAT(bytes, HasSubstr(FfmpegVersion()));
  const std::string other = absl::StrReplaceAll(bytes, {{FfmpegVersion(), "libavcodec 1.2.3"}});
  ASSERT_OK_AND_ASSIGN(const VideoIndex index, VideoIndex::Parse(other, "/data/k400"));
  EXPECT_EQ(index.size(), 0);
}

TEST(VideoIndexTest, NoticesEveryDamage) {
  const std::string whole = Small().Serialize();
  RandomStream stream(1, "damage", {});
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = whole;
    char& byte = bytes[stream.UniformInt(bytes.size())];
    byte = static_cast<char>(byte ^ (1 + stream.UniformInt(255)));
    const auto index = VideoIndex::Parse(bytes, "/data/k400");
    // A change in the versions' line may look like another version.
    EXPECT_TRUE(!index.ok() || index->size() == 0) << i;
  }
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(VideoIndex::Parse(whole.substr(0, size), "").ok()) << size;
  }
}

TEST(VideoIndexTest, ReadsAFile) {
  const std::string folder = TestFolder("video_index");
  const std::string file = JoinPath(folder, "a.op3d_index");
  ASSERT_OK_AND_ASSIGN(const VideoIndex none, VideoIndex::Read(file, "/data/k400"));
  EXPECT_EQ(none.size(), 0);
  ASSERT_THAT(WriteFileAtomically(file, Small().Serialize()), IsOk());
  ASSERT_OK_AND_ASSIGN(const VideoIndex index, VideoIndex::Read(file, "/data/k400"));
  EXPECT_EQ(index.size(), 5);
  ASSERT_THAT(WriteFileAtomically(file, "something else"), IsOk());
  EXPECT_THAT(VideoIndex::Read(file, ""),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("a.op3d_index: the index is")));
}

}  // namespace
}  // namespace op3d::data
