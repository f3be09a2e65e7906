#include "data/command/frame_export.h"

#include <nlohmann/json.hpp>

#include "data/video/image/jpeg.h"
#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::HasSubstr;

class FrameExportTest : public testing::Test {
 protected:
  const std::string video_ =
      WriteTestClip(TestFolder("frame_export"), "a.mp4", TestClipOptions(), 20);
  const std::string out_ = TestFolder("frames") + "/new";
};

TEST_F(FrameExportTest, WritesEachFrameOnceInOrder) {
  ASSERT_OK_AND_ASSIGN(const auto frames, ExportFrames(video_, {19, 0, 7, 7}, 0, out_, {}));
  ASSERT_EQ(frames.size(), 3);
  EXPECT_EQ(frames[1].frame, 7);
  EXPECT_EQ(frames[1].path, out_ + "/frame_000007.png");
  for (const ExportedFrame& frame : frames) EXPECT_TRUE(FileExists(frame.path));
  const auto json = nlohmann::json::parse(ExportedFrameJson(frames[2]));
  EXPECT_EQ(json["frame"], 19);
  EXPECT_EQ(json["file"], out_ + "/frame_000019.png");
}

TEST_F(FrameExportTest, MakesNothingForFramesThatAreNotThere) {
  EXPECT_THAT(ExportFrames(video_, {3, 20}, 0, out_, {}),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("no frame 20")));
  EXPECT_THAT(ExportFrames(video_, {}, 0, out_, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no frames")));
  EXPECT_THAT(ExportFrames(video_, {3}, -1, out_, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-1 pixels")));
  EXPECT_FALSE(FolderExists(out_));
}

TEST_F(FrameExportTest, AStripShowsEvenlySpacedFrames) {
  ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(video_));
  ASSERT_OK_AND_ASSIGN(const std::string jpeg, FrameStrip(reader.get(), 4, 48));
  JpegDecoder decoder;
  RgbImage strip;
  ASSERT_THAT(decoder.Decode(jpeg, 1 << 20, &strip), IsOk());
  ASSERT_EQ(strip.height, 48);
  ASSERT_EQ(strip.width, 4 * 64 + 3 * 2);
  std::vector<int> numbers;
  for (int i = 0; i < 4; ++i) {
    RgbImage frame = {64, 48, {}};
    for (int y = 0; y < 48; ++y) {
      const auto row = strip.pixels.begin() + (y * strip.width + i * 66) * 3;
      frame.pixels.insert(frame.pixels.end(), row, row + 64 * 3);
    }
    numbers.push_back(NumberOf(frame));
  }
  // The middle frames of four parts of five.
  EXPECT_THAT(numbers, testing::ElementsAre(2, 7, 12, 17));

  // 20 frames, all of them, and at another size.
  ASSERT_OK_AND_ASSIGN(const std::string whole, FrameStrip(reader.get(), 100, 24));
  ASSERT_THAT(decoder.Decode(whole, 1 << 20, &strip), IsOk());
  EXPECT_EQ(strip.width, 20 * 32 + 19 * 2);
  EXPECT_THAT(FrameStrip(reader.get(), 0, 24),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("frames of a strip is 0")));
  EXPECT_THAT(FrameStrip(reader.get(), 4, 5000),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("height of a strip is 5000")));
}

TEST_F(FrameExportTest, StripsAreFoundByName) {
  const std::string broken = JoinPath(TestFolder("strips"), "broken.mp4");
  ASSERT_THAT(WriteFileAtomically(broken, "no video"), IsOk());
  const std::vector<Video> videos = {{"a", video_, 0, 20}, {"broken", broken, 0, 20}};
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> strips,
                       FrameStripsOf(videos, {"nowhere", "a", "broken"}));
  ASSERT_EQ(strips.size(), 3u);
  EXPECT_EQ(strips[0], "");
  ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(video_));
  EXPECT_EQ(strips[1], *FrameStrip(reader.get(), 8, 96));
  EXPECT_EQ(strips[2], "");
}

}  // namespace
}  // namespace op3d::data
