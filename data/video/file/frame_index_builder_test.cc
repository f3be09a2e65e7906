#include "data/video/file/frame_index_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FrameIndexBuilderTest : public testing::Test {
 protected:
  absl::StatusOr<FrameIndex> Index(const std::string& path, const VideoLimits& limits = {}) {
    absl::StatusOr<Demuxer> demuxer = Demuxer::Open(path, limits);
    if (!demuxer.ok()) return demuxer.status();
    return MakeFrameIndex(&*demuxer, limits, &warnings_);
  }

  const std::string folder_ = TestFolder("frame_index_builder");
  FfmpegLog log_;
  std::vector<std::string> warnings_;
};

TEST_F(FrameIndexBuilderTest, SortsPacketsByPresentation) {
  VideoWriterOptions options = TestClipOptions();
  options.key_frame_distance = 10;
  options.b_frames = 2;
  ASSERT_OK_AND_ASSIGN(const FrameIndex index,
                       Index(WriteTestClip(folder_, "clip.mp4", options, 35)));
  EXPECT_EQ(index.doubt, "");
  EXPECT_EQ(index.times.size(), 35);
  EXPECT_TRUE(std::is_sorted(index.times.begin(), index.times.end()));
  EXPECT_THAT(index.entries, ElementsAre(0, 10, 20, 30));
  EXPECT_GE(index.reorder_depth, 1);
}

TEST_F(FrameIndexBuilderTest, DecodesWherePacketsDoNotTell) {
  VideoWriterOptions options = TestClipOptions();
  options.container = "avi";
  options.encoder = "mpeg4";
  options.b_frames = 2;
  ASSERT_OK_AND_ASSIGN(const FrameIndex index,
                       Index(WriteTestClip(folder_, "clip.avi", options, 35)));
  EXPECT_THAT(index.doubt, HasSubstr("no presentation times"));
  EXPECT_EQ(index.times.size(), 35);
  EXPECT_EQ(std::adjacent_find(index.times.begin(), index.times.end(), std::greater_equal<>()),
            index.times.end());
  EXPECT_TRUE(index.entries.empty());
}

TEST_F(FrameIndexBuilderTest, RefusesWhatLastsTooLong) {
  VideoWriterOptions options = TestClipOptions();
  options.frame_rate = 1;
  VideoLimits limits;
  limits.max_seconds = 20.0;
  const std::string fits = WriteTestClip(folder_, "fits.mp4", options, 21);
  EXPECT_THAT(Index(fits, limits), IsOk());
  const std::string long_clip = WriteTestClip(folder_, "long.mp4", options, 22);
  EXPECT_THAT(Index(long_clip, limits),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("lasts 21 s")));
}

TEST_F(FrameIndexBuilderTest, SaysThatNothingDecodes) {
  std::string bytes = MakeTestClip(TestClipOptions(), 10);
  const size_t media = bytes.find("mdat") + 4;
  const size_t end = bytes.find("moov") - 4;
  ASSERT_LT(media, end);
  bytes.replace(media, end - media, end - media, '\0');
  const std::string path = JoinPath(folder_, "hollow.mp4");
  ASSERT_THAT(WriteFileAtomically(path, bytes), IsOk());
  EXPECT_THAT(Index(path),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("none of its 10 packets decodes")));
}

}  // namespace
}  // namespace op3d::data
