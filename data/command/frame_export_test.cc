#include "data/command/frame_export.h"

#include <nlohmann/json.hpp>

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

}  // namespace
}  // namespace op3d::data
