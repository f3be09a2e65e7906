#include "data/video/writer/video_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "data/video/media.h"
#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(VideoWriterTest, EqualPicturesGiveEqualBytes) {
  const std::string once = MakeTestClip(TestClipOptions(), 30);
  EXPECT_TRUE(once == MakeTestClip(TestClipOptions(), 30));
  EXPECT_FALSE(once == MakeTestClip(TestClipOptions(), 30, 1));
}

TEST(VideoWriterTest, NoiseToo) {
  const auto encode = [] {
    const auto writer = VideoWriter::Make(TestClipOptions());
    RandomStream stream(1, "noise", {});
    for (int i = 0; i < 60; ++i) {
      RgbImage image = NumberedFrame(i);
      for (uint8_t& value : image.pixels) value += stream.UniformInt(16);
      EXPECT_THAT((*writer)->Add(image), IsOk());
    }
    return *(*writer)->Finish();
  };
  const std::string once = encode();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(encode() == once);
}

TEST(VideoWriterTest, WritesNoVersions) {
  EXPECT_THAT(MakeTestClip(TestClipOptions(), 5),
              AllOf(Not(HasSubstr("x264")), Not(HasSubstr("Lavf")), Not(HasSubstr("Lavc"))));
}

TEST(VideoWriterTest, ColoursComeBack) {
  RgbImage image;
  image.width = 64;
  image.height = 48;
  for (int i = 0; i < 64 * 48; ++i) image.pixels.insert(image.pixels.end(), {200, 60, 90});
  ASSERT_OK_AND_ASSIGN(const auto writer, VideoWriter::Make(TestClipOptions()));
  for (int i = 0; i < 5; ++i) ASSERT_THAT(writer->Add(image), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string bytes, writer->Finish());
  const std::string path = JoinPath(TestFolder("colours"), "clip.mp4");
  ASSERT_THAT(WriteFileAtomically(path, bytes), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(path));
  const std::vector<int64_t> wanted = {4};
  ASSERT_THAT(reader->Read(wanted,
                           [&](int64_t, const RgbImage& decoded) {
                             // 3: 8-bit limited YUV and crf 20; a wrong matrix is off by 15.
                             EXPECT_NEAR(decoded.pixels[0], 200, 3);
                             EXPECT_NEAR(decoded.pixels[1], 60, 3);
                             EXPECT_NEAR(decoded.pixels[2], 90, 3);
                             return absl::OkStatus();
                           }),
              IsOk());
}

TEST(VideoWriterTest, LeavesOutFrameTimes) {
  ASSERT_OK_AND_ASSIGN(const auto writer, VideoWriter::Make(TestClipOptions()));
  ASSERT_THAT(writer->Add(NumberedFrame(0)), IsOk());
  ASSERT_THAT(writer->Add(NumberedFrame(1), 3), IsOk());
  ASSERT_THAT(writer->Add(NumberedFrame(2)), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string bytes, writer->Finish());
  const std::string path = JoinPath(TestFolder("variable"), "clip.mkv");
  ASSERT_THAT(WriteFileAtomically(path, bytes), IsOk());
  ASSERT_OK_AND_ASSIGN(const VideoScan scan, ScanMedia(path));
  EXPECT_THAT(scan.info.pts_seconds,
              ElementsAre(testing::DoubleNear(0.0, 1e-6), testing::DoubleNear(0.16, 1e-6),
                          testing::DoubleNear(0.2, 1e-6)));
}

TEST(VideoWriterTest, RefusesWhatCannotBe) {
  const auto make = [](auto change) {
    VideoWriterOptions options = TestClipOptions();
    change(&options);
    return VideoWriter::Make(options).status();
  };
  const auto invalid = [](const char* words) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words));
  };
  EXPECT_THAT(make([](auto* options) { options->width = 63; }), invalid("63x48"));
  EXPECT_THAT(make([](auto* options) { options->height = 0; }), invalid("64x0"));
  EXPECT_THAT(make([](auto* options) { options->crf = 52; }), invalid("crf 52"));
  EXPECT_THAT(make([](auto* options) { options->frame_rate = 0; }), invalid("frame rate of 0"));
  EXPECT_THAT(make([](auto* options) { options->container = "shoebox"; }), invalid("shoebox"));
  EXPECT_THAT(make([](auto* options) { options->encoder = "enigma"; }), invalid("enigma"));
  EXPECT_THAT(make([](auto* options) { options->preset = "warp"; }), invalid("libx264"));
}

TEST(VideoWriterTest, RefusesAPictureOfAnotherSize) {
  ASSERT_OK_AND_ASSIGN(const auto writer, VideoWriter::Make(TestClipOptions()));
  RgbImage image = NumberedFrame(0);
  image.height = 46;
  EXPECT_THAT(writer->Add(image), StatusIs(absl::StatusCode::kInvalidArgument,
                                           AllOf(HasSubstr("64x46"), HasSubstr("64x48"))));
  EXPECT_THAT(writer->Finish(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("at least one frame")));
}

TEST(VideoWriterTest, EndsOnce) {
  ASSERT_OK_AND_ASSIGN(const auto writer, VideoWriter::Make(TestClipOptions()));
  ASSERT_THAT(writer->Add(NumberedFrame(0)), IsOk());
  ASSERT_THAT(writer->Finish(), IsOk());
  EXPECT_THAT(writer->Finish(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("finished")));
  EXPECT_THAT(writer->Add(NumberedFrame(0)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("finished")));
}

}  // namespace
}  // namespace op3d::data
