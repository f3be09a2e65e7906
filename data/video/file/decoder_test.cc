#include "data/video/file/decoder.h"

#include <gtest/gtest.h>

#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

TEST(DecoderTest, GivesFramesInOrderOfPresentation) {
  FfmpegLog log;
  VideoWriterOptions options = TestClipOptions();
  options.b_frames = 3;
  const std::string path = WriteTestClip(TestFolder("decoder"), "clip.mp4", options, 40);
  ASSERT_OK_AND_ASSIGN(Demuxer demuxer, Demuxer::Open(path, {}));
  ASSERT_OK_AND_ASSIGN(Decoder decoder, Decoder::Make(demuxer, 2, {}));
  int64_t before = -1;
  int frames = 0;
  while (const AVFrame* frame = decoder.Next(&demuxer)) {
    EXPECT_GT(PresentationTime(*frame), before);
    before = PresentationTime(*frame);
    ++frames;
  }
  EXPECT_EQ(frames, 40);
  EXPECT_EQ(decoder.frames(), 40);
  EXPECT_EQ(decoder.packets(), 40);
  EXPECT_EQ(decoder.Next(&demuxer), nullptr);
  EXPECT_EQ(log.count(), 0) << log.first();
}

// FFmpeg's H.264 decoder aborts the process above a depth of 16.
TEST(DecoderTest, BearsAnyReorderDepth) {
  FfmpegLog log;
  const std::string path = WriteTestClip(TestFolder("depth"), "clip.mp4", TestClipOptions(), 60);
  for (const int depth : {-1, 16, 17, 64, 1000}) {
    ASSERT_OK_AND_ASSIGN(Demuxer demuxer, Demuxer::Open(path, {}));
    ASSERT_OK_AND_ASSIGN(Decoder decoder, Decoder::Make(demuxer, depth, {}));
    int frames = 0;
    while (decoder.Next(&demuxer) != nullptr) ++frames;
    EXPECT_EQ(frames, 60);
  }
}

TEST(DecoderTest, StartsAnewAfterAFlush) {
  FfmpegLog log;
  const std::string path = WriteTestClip(TestFolder("flush"), "clip.mp4", TestClipOptions(), 10);
  ASSERT_OK_AND_ASSIGN(Demuxer demuxer, Demuxer::Open(path, {}));
  ASSERT_OK_AND_ASSIGN(Decoder decoder, Decoder::Make(demuxer, 0, {}));
  while (decoder.Next(&demuxer) != nullptr) continue;
  decoder.Flush();
  ASSERT_OK_AND_ASSIGN(Demuxer again, Demuxer::Open(path, {}));
  int frames = 0;
  while (decoder.Next(&again) != nullptr) ++frames;
  EXPECT_EQ(frames, 10);
}

}  // namespace
}  // namespace op3d::data
