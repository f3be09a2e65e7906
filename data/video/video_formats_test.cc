// Frames are numbered by presentation, and any of them can be read alone, whatever the format.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "data/video/file/video_file.h"
#include "data/video/media.h"
#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

struct Format {
  const char* file;
  void (*change)(VideoWriterOptions* options);
};

std::ostream& operator<<(std::ostream& out, const Format& format) { return out << format.file; }

class VideoFileFormatTest : public testing::TestWithParam<Format> {
 protected:
  static std::string Clip(int frames) {
    VideoWriterOptions options = TestClipOptions();
    GetParam().change(&options);
    return WriteTestClip(TestFolder("formats"), GetParam().file, options, frames);
  }
};

TEST_P(VideoFileFormatTest, FramesAreNumberedByPresentation) {
  ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(Clip(100)));
  ASSERT_EQ(reader->info().frames, 100);
  ASSERT_EQ(reader->info().pts_seconds.size(), 100);
  const std::vector<int> shown = Shown(reader.get(), FirstNumbers(100));
  for (int k = 0; k < 100; ++k) EXPECT_EQ(shown[k], k);
  for (int k = 1; k < 100; ++k) {
    // 1.1 ms: Matroska's times are whole milliseconds.
    EXPECT_NEAR(reader->info().pts_seconds[k] - reader->info().pts_seconds[0], k / 25.0, 1.1e-3);
  }
}

TEST_P(VideoFileFormatTest, RandomAccessEqualsSequentialDecoding) {
  const std::string path = Clip(100);
  ASSERT_OK_AND_ASSIGN(const auto sequential, OpenMedia(path));
  std::vector<std::vector<uint8_t>> frames;
  ASSERT_THAT(sequential->Read(FirstNumbers(100),
                               [&](int64_t, const RgbImage& image) {
                                 frames.push_back(image.pixels);
                                 return absl::OkStatus();
                               }),
              IsOk());
  ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(path));
  RandomStream stream(7, "frames", {});
  for (int i = 0; i < 12; ++i) {
    const int64_t first = stream.UniformInt(100);
    std::vector<int64_t> wanted;
    for (int64_t k = first; k < 100 && wanted.size() < 4; k += 1 + stream.UniformInt(20)) {
      wanted.push_back(k);
    }
    ASSERT_THAT(reader->Read(wanted,
                             [&](int64_t frame, const RgbImage& image) {
                               EXPECT_EQ(image.pixels, frames[frame]) << frame;
                               return absl::OkStatus();
                             }),
                IsOk());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Formats, VideoFileFormatTest,
    testing::Values(Format{"b.mp4", [](VideoWriterOptions* o) { o->b_frames = 3; }},
                    Format{"gop.mp4",
                           [](VideoWriterOptions* o) {
                             o->b_frames = 2;
                             o->key_frame_distance = 9;
                           }},
                    Format{"late.mp4",
                           [](VideoWriterOptions* o) {
                             o->b_frames = 2;
                             o->key_frame_distance = 25;
                             o->first_frame_time = 40;
                           }},
                    Format{"late.mkv",
                           [](VideoWriterOptions* o) {
                             o->container = "matroska";
                             o->b_frames = 3;
                             o->key_frame_distance = 20;
                             o->first_frame_time = 13;
                           }},
                    Format{"plain.mkv",
                           [](VideoWriterOptions* o) {
                             o->container = "matroska";
                             o->b_frames = 0;
                           }},
                    Format{"live.mkv",
                           [](VideoWriterOptions* o) {
                             o->container = "matroska";
                             o->b_frames = 2;
                             o->live = true;
                           }},
                    Format{"b.ts",
                           [](VideoWriterOptions* o) {
                             o->container = "mpegts";
                             o->b_frames = 2;
                             o->key_frame_distance = 15;
                           }},
                    Format{"ten_bits.mp4",
                           [](VideoWriterOptions* o) {
                             o->pixel_format = "yuv420p10le";
                             o->b_frames = 2;
                           }},
                    Format{"full_range.mp4",
                           [](VideoWriterOptions* o) {
                             o->full_range = true;
                             o->key_frame_distance = 30;
                           }},
                    Format{"hevc.mp4",
                           [](VideoWriterOptions* o) {
                             o->encoder = "libx265";
                             o->key_frame_distance = 30;
                           }},
                    Format{"vp9.webm",
                           [](VideoWriterOptions* o) {
                             o->container = "webm";
                             o->encoder = "libvpx-vp9";
                             o->key_frame_distance = 240;
                           }},
                    Format{"live_vp9.webm",
                           [](VideoWriterOptions* o) {
                             o->container = "webm";
                             o->encoder = "libvpx-vp9";
                             o->live = true;
                           }},
                    Format{"vp8.webm",
                           [](VideoWriterOptions* o) {
                             o->container = "webm";
                             o->encoder = "libvpx";
                             o->key_frame_distance = 40;
                           }},
                    Format{"av1.mkv",
                           [](VideoWriterOptions* o) {
                             o->container = "matroska";
                             o->encoder = "libaom-av1";
                             o->key_frame_distance = 50;
                           }},
                    Format{"mpeg4.avi",
                           [](VideoWriterOptions* o) {
                             o->container = "avi";
                             o->encoder = "mpeg4";
                             o->b_frames = 0;
                             o->key_frame_distance = 12;
                           }},
                    Format{"xvid.avi",
                           [](VideoWriterOptions* o) {
                             o->container = "avi";
                             o->encoder = "mpeg4";
                             o->b_frames = 0;
                             o->key_frame_distance = 12;
                             o->fourcc = "XVID";
                           }},
                    Format{"packed.avi",
                           [](VideoWriterOptions* o) {
                             o->container = "avi";
                             o->encoder = "mpeg4";
                             o->b_frames = 1;
                             o->key_frame_distance = 12;
                             o->packed_b_frames = true;
                             o->fourcc = "DX50";
                           }},
                    // No times in the packets: decoded once to number the frames.
                    Format{"mpeg4_b.avi",
                           [](VideoWriterOptions* o) {
                             o->container = "avi";
                             o->encoder = "mpeg4";
                             o->b_frames = 2;
                             o->key_frame_distance = 12;
                           }},
                    Format{"h264_b.avi",
                           [](VideoWriterOptions* o) {
                             o->container = "avi";
                             o->b_frames = 2;
                             o->key_frame_distance = 12;
                           }},
                     // The times are decoding times: decoded once as well.
                    Format{"remux.mp4",
                           [](VideoWriterOptions* o) {
                             o->b_frames = 3;
                             o->key_frame_distance = 20;
                             o->decoding_times = true;
                           }},
                    Format{"remux_hevc.mp4",
                           [](VideoWriterOptions* o) {
                             o->encoder = "libx265";
                             o->key_frame_distance = 30;
                             o->decoding_times = true;
                           }},
                    Format{"remux_mpeg4.mkv",
                           [](VideoWriterOptions* o) {
                             o->container = "matroska";
                             o->encoder = "mpeg4";
                             o->b_frames = 2;
                             o->key_frame_distance = 12;
                             o->decoding_times = true;
                           }},
                    Format{"remux_mpeg2.mkv",
                           [](VideoWriterOptions* o) {
                             o->container = "matroska";
                             o->encoder = "mpeg2video";
                             o->b_frames = 2;
                             o->key_frame_distance = 12;
                             o->decoding_times = true;
                           }},
                    Format{"mpeg2_b.mkv",
                           [](VideoWriterOptions* o) {
                             o->container = "matroska";
                             o->encoder = "mpeg2video";
                             o->b_frames = 2;
                             o->key_frame_distance = 12;
                           }},
                    Format{"mpeg4_b.mp4", [](VideoWriterOptions* o) {
                             o->encoder = "mpeg4";
                             o->b_frames = 2;
                             o->key_frame_distance = 12;
                           }}));

}  // namespace
}  // namespace op3d::data
