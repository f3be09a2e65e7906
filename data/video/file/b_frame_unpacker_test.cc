#include "data/video/file/b_frame_unpacker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "data/video/file/demuxer.h"
#include "data/video/file/video_file.h"
#include "data/video/media.h"
#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::HasSubstr;

constexpr int kFrames = 41;

VideoWriterOptions Options(bool packed) {
  VideoWriterOptions options = TestClipOptions();
  options.container = "avi";
  options.encoder = "mpeg4";
  options.fourcc = "DX50";
  options.b_frames = 1;
  options.key_frame_distance = 12;
  options.packed_b_frames = packed;
  return options;
}

class BFrameUnpackerTest : public testing::Test {
 protected:
  std::vector<RgbImage> Decode(const std::string& path) {
    std::vector<RgbImage> images;
    absl::StatusOr<std::unique_ptr<VideoReader>> reader = OpenMedia(path);
    EXPECT_THAT(reader, IsOk());
    if (!reader.ok()) return images;
    EXPECT_THAT((*reader)->Read(FirstNumbers((*reader)->info().frames),
                                [&](int64_t, const RgbImage& image) {
                                  images.push_back(image);
                                  return absl::OkStatus();
                                }),
                IsOk());
    return images;
  }

  const std::string folder_ = TestFolder("unpacker");
  FfmpegLog log_;
};

TEST_F(BFrameUnpackerTest, GivesEachPictureItsTime) {
  const std::string path = WriteTestClip(folder_, "packed.avi", Options(true), kFrames);
  ASSERT_OK_AND_ASSIGN(Demuxer demuxer, Demuxer::Open(path, {}));
  ASSERT_TRUE(demuxer.HasPackedBFrames());
  ASSERT_THAT(demuxer.UnpackBFrames(), IsOk());
  std::vector<int64_t> times;
  int keys = 0;
  while (const AVPacket* packet = demuxer.Next()) {
    keys += (packet->flags & AV_PKT_FLAG_KEY) != 0;
    times.push_back(packet->pts);
  }
  EXPECT_FALSE(demuxer.damaged());
  ASSERT_EQ(times.size(), kFrames);
  EXPECT_GE(keys, kFrames / 12);
  EXPECT_FALSE(std::is_sorted(times.begin(), times.end()));
  std::sort(times.begin(), times.end());
  for (int i = 1; i < kFrames; ++i) EXPECT_EQ(times[i], times[i - 1] + 1);
}

TEST_F(BFrameUnpackerTest, FramesAreThoseOfTheStreamThatWasPacked) {
  const std::vector<RgbImage> plain =
      Decode(WriteTestClip(folder_, "plain.avi", Options(false), kFrames));
  const std::string path = WriteTestClip(folder_, "packed.avi", Options(true), kFrames);
  const std::vector<RgbImage> packed = Decode(path);
  ASSERT_EQ(packed.size(), kFrames);
  ASSERT_EQ(plain.size(), kFrames);
  for (int k = 0; k < kFrames; ++k) EXPECT_EQ(packed[k].pixels, plain[k].pixels) << k;
  ASSERT_OK_AND_ASSIGN(const VideoScan scan, ScanVideoFile(path, {}));
  EXPECT_EQ(scan.index.doubt, "");
  EXPECT_TRUE(scan.index.unpacked);
  EXPECT_THAT(scan.info.warnings, testing::IsEmpty());
  EXPECT_GT(scan.index.entries.size(), 2);
}

TEST_F(BFrameUnpackerTest, WhatIsNotPackedIsLeftAlone) {
  ASSERT_OK_AND_ASSIGN(
      Demuxer demuxer,
      Demuxer::Open(WriteTestClip(folder_, "plain.avi", Options(false), kFrames), {}));
  EXPECT_FALSE(demuxer.HasPackedBFrames());
}

// If the empty positions are not as expected, frames are counted by decoding.
TEST_F(BFrameUnpackerTest, BelievesNothingOfABrokenFile) {
  std::string bytes = MakeTestClip(Options(true), kFrames);
  // The fourth position of a B-frame, "00dc", its size and an uncoded picture: now it is no
  // picture.
  size_t at = bytes.find("movi");
  for (int places = 0; places < 4;) {
    at = bytes.find("00dc", at + 4);
    ASSERT_NE(at, std::string::npos);
    places += bytes[at + 4] <= kLargestUncodedPicture && bytes[at + 5] == 0;
  }
  bytes[at + 8 + 3] = '\0';
  const std::string path = JoinPath(folder_, "broken.avi");
  ASSERT_THAT(WriteFileAtomically(path, bytes), IsOk());
  ASSERT_OK_AND_ASSIGN(const VideoScan scan, ScanVideoFile(path, {}));
  EXPECT_THAT(scan.index.doubt, HasSubstr("not packed as they should be"));
  EXPECT_FALSE(scan.index.unpacked);
  EXPECT_EQ(Decode(path).size(), scan.info.frames);
}

}  // namespace
}  // namespace op3d::data
