#include "data/command/video_copy.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "data/video/media.h"
#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The numbers that the frames of a video show.
std::vector<int> NumbersOf(const std::string& path) {
  auto reader = OpenMedia(path);
  EXPECT_THAT(reader, IsOk());
  if (!reader.ok()) return {};
  std::vector<int64_t> frames((*reader)->info().frames);
  for (size_t k = 0; k < frames.size(); ++k) frames[k] = static_cast<int64_t>(k);
  std::vector<int> numbers;
  EXPECT_THAT((*reader)->Read(frames,
                              [&](int64_t, const RgbImage& image) {
                                numbers.push_back(NumberOf(image));
                                return absl::OkStatus();
                              }),
              IsOk());
  return numbers;
}

class VideoCopyTest : public testing::TestWithParam<VideoForm> {
 protected:
  const std::string folder_ = TestFolder("video_copy");
  // With B-frames and one key frame.
  const std::string path_ = WriteTestClip(folder_, "a.b.mp4", TestClipOptions(), 30, 7);
  const Video video_ = {"a", path_, 0, 30};
};

TEST_P(VideoCopyTest, FrameForFrameTheSame) {
  VideoCopyOptions options;
  options.form = GetParam();
  options.key_frame_distance = 5;
  const std::string target =
      CopyPath(absl::StrCat(folder_, "/copy/a.b.avi"), /*is_folder=*/false, options.form);
  ASSERT_THAT(CopyVideo(video_, options, target), IsOk());
  EXPECT_EQ(NumbersOf(target), NumbersOf(path_));
  // Called again: existing copies stay or are rewritten completely.
  ASSERT_THAT(CopyVideo(video_, options, target), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(folder_ + "/copy"));
  EXPECT_EQ(names.size(), 1);  // nothing half-written beside it
}

INSTANTIATE_TEST_SUITE_P(Forms, VideoCopyTest,
                         testing::Values(VideoForm::kFile, VideoForm::kFrames, VideoForm::kLmdb),
                         [](const testing::TestParamInfo<VideoForm>& info) {
                           return std::string(VideoFormName(info.param));
                         });

TEST_F(VideoCopyTest, KeyFramesStandWhereTheyAreAskedFor) {
  VideoCopyOptions options;
  options.key_frame_distance = 5;
  ASSERT_THAT(CopyVideo(video_, options, folder_ + "/copy.mp4"), IsOk());
  ASSERT_OK_AND_ASSIGN(const VideoScan scan, ScanMedia(folder_ + "/copy.mp4"));
  EXPECT_EQ(scan.info.frames, 30);
  // A late frame only needs the packets of one interval, not of the whole video.
  ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(folder_ + "/copy.mp4", scan));
  ASSERT_THAT(reader->Read({28}, [](int64_t, const RgbImage&) { return absl::OkStatus(); }),
              IsOk());
  EXPECT_LE(reader->counters().packets, 6);
}

TEST_F(VideoCopyTest, SmallerByTheShortSide) {
  VideoCopyOptions options;
  options.short_side = 25;  // 33.3 x 25: files have even sides
  ASSERT_THAT(CopyVideo(video_, options, folder_ + "/small.mp4"), IsOk());
  ASSERT_OK_AND_ASSIGN(const VideoScan scan, ScanMedia(folder_ + "/small.mp4"));
  EXPECT_EQ(scan.info.height, 24);
  EXPECT_EQ(scan.info.width, 32);
}

TEST_F(VideoCopyTest, ADamagedVideoLeavesNothing) {
  ASSERT_OK_AND_ASSIGN(std::string bytes, ReadFile(path_));
  for (size_t i = bytes.size() / 3; i < bytes.size() / 2; ++i) bytes[i] = 'x';
  ASSERT_THAT(WriteFileAtomically(folder_ + "/bad.mp4", bytes), IsOk());
  for (const VideoForm form : {VideoForm::kFile, VideoForm::kFrames, VideoForm::kLmdb}) {
    VideoCopyOptions options;
    options.form = form;
    const std::string target = CopyPath(folder_ + "/out/bad.mp4", false, form);
    // As if the index still had the undamaged video.
    ASSERT_OK_AND_ASSIGN(const VideoScan whole, ScanMedia(path_));
    Video video = {"bad", folder_ + "/bad.mp4", 0, whole.info.frames};
    const absl::Status status = CopyVideo(video, options, target);
    if (status.ok()) continue;  // the decoder concealed it: then it is a copy like any other
    EXPECT_FALSE(std::filesystem::exists(target)) << status;
  }
  EXPECT_THAT(CopyVideo({"no", folder_ + "/no.mp4", 0, 3}, {}, folder_ + "/out/no.mp4"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no.mp4")));
}

TEST_F(VideoCopyTest, WhatCannotBeIsASentence) {
  VideoCopyOptions options;
  options.crf = 52;
  EXPECT_THAT(CheckVideoCopyOptions(options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("crf is 52")));
  EXPECT_THAT(ParseVideoForm("avi"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("video, frames, lmdb")));
  EXPECT_EQ(CopyPath("x/a.b", /*is_folder=*/true, VideoForm::kFile), "x/a.b.mp4");
  EXPECT_EQ(CopyPath("x/a/data.mdb", /*is_folder=*/false, VideoForm::kFrames), "x/a");
}

}  // namespace
}  // namespace op3d::data
