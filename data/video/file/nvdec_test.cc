#include "data/video/file/nvdec.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/video/ffmpeg/ffmpeg.h"
#include "data/video/media.h"
#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

FramePtr NewFrame(AVPixelFormat format, int width, int height) {
  FramePtr frame(av_frame_alloc());
  frame->format = format;
  frame->width = width;
  frame->height = height;
  EXPECT_EQ(av_frame_get_buffer(frame.get(), 32), 0);
  return frame;
}

// A picture in NV12, with different bytes everywhere.
FramePtr Numbered(int width, int height) {
  FramePtr frame = NewFrame(AV_PIX_FMT_NV12, width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      frame->data[0][y * frame->linesize[0] + x] = static_cast<uint8_t>(7 * x + 31 * y);
    }
  }
  for (int y = 0; y < (height + 1) / 2; ++y) {
    for (int x = 0; x < (width + 1) / 2; ++x) {
      uint8_t* const pair = frame->data[1] + y * frame->linesize[1] + 2 * x;
      pair[0] = static_cast<uint8_t>(3 * x + 5 * y + 1);
      pair[1] = static_cast<uint8_t>(11 * x + 13 * y + 2);
    }
  }
  return frame;
}

TEST(NvdecTest, SeparatesChromaOfAnySize) {
  FramePtr planar(av_frame_alloc());
  for (const auto& [width, height] : {std::pair(64, 48), {17, 9}, {1, 1}, {2, 3}}) {
    const FramePtr nv12 = Numbered(width, height);
    nv12->pts = 40 + width;
    nv12->colorspace = AVCOL_SPC_BT709;
    nv12->color_range = AVCOL_RANGE_JPEG;
    ASSERT_THAT(SeparateChroma(*nv12, planar.get()), IsOk());
    EXPECT_EQ(planar->format, AV_PIX_FMT_YUV420P);
    EXPECT_EQ(planar->width, width);
    EXPECT_EQ(planar->height, height);
    EXPECT_EQ(planar->pts, 40 + width);
    EXPECT_EQ(planar->colorspace, AVCOL_SPC_BT709);
    EXPECT_EQ(planar->color_range, AVCOL_RANGE_JPEG);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        ASSERT_EQ(planar->data[0][y * planar->linesize[0] + x],
                  static_cast<uint8_t>(7 * x + 31 * y));
        ASSERT_EQ(planar->data[1][y / 2 * planar->linesize[1] + x / 2],
                  static_cast<uint8_t>(3 * (x / 2) + 5 * (y / 2) + 1));
        ASSERT_EQ(planar->data[2][y / 2 * planar->linesize[2] + x / 2],
                  static_cast<uint8_t>(11 * (x / 2) + 13 * (y / 2) + 2));
      }
    }
  }
}

// FFmpeg only takes the right and the lower part off pictures on a GPU.
TEST(NvdecTest, LeavesOutWhatTheStreamCrops) {
  const FramePtr nv12 = Numbered(32, 16);
  nv12->crop_left = 4;
  nv12->crop_top = 2;
  FramePtr planar(av_frame_alloc());
  ASSERT_THAT(SeparateChroma(*nv12, planar.get()), IsOk());
  EXPECT_EQ(planar->width, 28);
  EXPECT_EQ(planar->height, 14);
  EXPECT_EQ(planar->data[0][0], 7 * 4 + 31 * 2);
  EXPECT_EQ(planar->data[1][0], 3 * 2 + 5 * 1 + 1);
  EXPECT_EQ(planar->data[2][1], 11 * 3 + 13 * 1 + 2);
  nv12->crop_left = 32;
  EXPECT_THAT(SeparateChroma(*nv12, planar.get()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("leaves out 32 columns")));
}

TEST(NvdecTest, RefusesOtherPixels) {
  FramePtr planar(av_frame_alloc());
  EXPECT_THAT(SeparateChroma(*NewFrame(AV_PIX_FMT_P010LE, 16, 16), planar.get()),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("p010le")));
}

// The number of frames that the CPU decoded, all of which must show theirs.
int64_t InSoftware(const std::string& path, const std::shared_ptr<const Nvdec>& nvdec) {
  MediaOptions options;
  options.decoding.nvdec = nvdec;
  const auto reader = OpenMedia(path, options);
  EXPECT_THAT(reader, IsOk());
  const std::vector<int64_t> all = FirstNumbers((*reader)->info().frames);
  EXPECT_EQ(Shown(reader->get(), all), std::vector<int>(all.begin(), all.end()));
  return (*reader)->counters().software;
}

// Where a GPU is at hand its frames are those of a player; elsewhere the reason is a sentence.
TEST(NvdecTest, DecodesOrSaysWhyNot) {
  const auto nvdec = Nvdec::Open(0);
  if (!nvdec.ok()) {
    EXPECT_THAT(nvdec.status(),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         AllOf(HasSubstr("decoding by NVDEC: "), HasSubstr("decode on the CPU"))));
    EXPECT_EQ(std::string(nvdec.status().message()).find('\n'), std::string::npos);
    GTEST_SKIP() << nvdec.status().message();
  }
  VideoWriterOptions options = TestClipOptions();
  options.b_frames = 2;
  EXPECT_EQ(InSoftware(WriteTestClip(TestFolder("nvdec"), "a.mp4", options, 40), *nvdec), 0);
  options.encoder = "mpeg4";
  options.container = "avi";
  EXPECT_EQ(InSoftware(WriteTestClip(TestFolder("nvdec"), "b.avi", options, 10), *nvdec), 10);
}

TEST(NvdecTest, RefusesAGpuThatIsNotThere) {
  EXPECT_THAT(Nvdec::Open(99),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("GPU 99 cannot be used")));
}

}  // namespace
}  // namespace op3d::data
