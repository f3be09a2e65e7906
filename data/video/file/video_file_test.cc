#include "data/video/file/video_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
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
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class VideoFileTest : public testing::Test {
 protected:
  const std::string folder_ = TestFolder("video_file");
};

TEST_F(VideoFileTest, TellsAboutTheVideo) {
  const std::string path = WriteTestClip(folder_, "clip.mp4", TestClipOptions(), 30);
  ASSERT_OK_AND_ASSIGN(const VideoScan scan, ScanMedia(path));
  EXPECT_EQ(scan.info.frames, 30);
  EXPECT_EQ(scan.info.width, 64);
  EXPECT_EQ(scan.info.height, 48);
  EXPECT_EQ(scan.info.rotation, 0);
  EXPECT_EQ(scan.info.codec, "h264");
  EXPECT_DOUBLE_EQ(scan.info.pts_seconds.front(), 0.0);
  EXPECT_NEAR(scan.info.pts_seconds.back(), 29 / 25.0, 1e-9);
  EXPECT_THAT(scan.info.warnings, IsEmpty());
}

TEST_F(VideoFileTest, KeepsAFirstTimeAfterZero) {
  VideoWriterOptions options = TestClipOptions();
  options.first_frame_time = 50;
  ASSERT_OK_AND_ASSIGN(const VideoScan scan,
                       ScanMedia(WriteTestClip(folder_, "late.mkv", options, 30)));
  EXPECT_NEAR(scan.info.pts_seconds.front(), 2.0, 1e-6);
}

// All frames of the file, decoded in this way.
std::vector<RgbImage> AllFrames(const std::string& path, const Decoding& decoding,
                                const std::vector<int64_t>& indices) {
  MediaOptions options;
  options.decoding = decoding;
  auto reader = OpenMedia(path, options);
  EXPECT_THAT(reader, IsOk());
  std::vector<RgbImage> frames;
  EXPECT_THAT((*reader)->Read(indices,
                              [&](int64_t, const RgbImage& image) {
                                EXPECT_EQ(image.width, (*reader)->info().width);
                                EXPECT_EQ(image.height, (*reader)->info().height);
                                frames.push_back(image);
                                return absl::OkStatus();
                              }),
              IsOk());
  return frames;
}

TEST_F(VideoFileTest, FastDecodingGivesTheSameFramesInSlightlyOtherPixels) {
  VideoWriterOptions options = TestClipOptions();
  options.crf = 40;  // so that there is something to filter
  const std::string path = WriteTestClip(folder_, "filtered.mp4", options, 30);
  const std::vector<int64_t> wanted = {0, 7, 8, 21, 29};
  const std::vector<RgbImage> exact = AllFrames(path, {}, wanted);
  const std::vector<RgbImage> fast = AllFrames(path, {true, 32}, wanted);
  ASSERT_EQ(exact.size(), fast.size());
  bool differs = false;
  for (size_t i = 0; i < exact.size(); ++i) {
    EXPECT_EQ(fast[i].width, 64);  // H.264 has no smaller pictures
    EXPECT_EQ(NumberOf(fast[i]), wanted[i]);
    differs = differs || fast[i].pixels != exact[i].pixels;
  }
  EXPECT_TRUE(differs);
}

TEST_F(VideoFileTest, FastDecodingHalvesPicturesOfCodecsThatCan) {
  VideoWriterOptions options = TestClipOptions();
  options.encoder = "mpeg4";
  options.container = "avi";
  const std::string path = WriteTestClip(folder_, "small.avi", options, 20);
  const std::vector<int64_t> wanted = {3, 4, 19};
  const std::vector<RgbImage> exact = AllFrames(path, {}, wanted);
  const struct {
    Decoding decoding;
    int width, height;
  } cases[] = {{{false, 1}, 64, 48}, {{true, 0}, 64, 48},  {{true, 25}, 64, 48},
               {{true, 24}, 32, 24}, {{true, 13}, 32, 24}, {{true, 12}, 16, 12}};
  for (const auto& asked : cases) {
    const std::vector<RgbImage> fast = AllFrames(path, asked.decoding, wanted);
    ASSERT_EQ(fast.size(), wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(fast[i].width, asked.width);
      EXPECT_EQ(fast[i].height, asked.height);
      // The middle of each block of NumberedFrame, which is 16 x 24 pixels.
      for (int block = 0; block < 8; ++block) {
        const auto grey = [&](const RgbImage& image) {
          const int x = (block % 4 * 2 + 1) * image.width / 8;
          const int y = (block / 4 * 2 + 1) * image.height / 4;
          return static_cast<int>(image.pixels[3 * (y * image.width + x)]);
        };
        EXPECT_NEAR(grey(fast[i]), grey(exact[i]), 40) << "frame " << wanted[i];
      }
    }
  }
}

TEST_F(VideoFileTest, TurnsUpright) {
  VideoWriterOptions options = TestClipOptions();
  for (const int rotation : {90, 180, 270}) {
    options.rotation = rotation;
    // Frame 1: white in the top left corner only.
    ASSERT_OK_AND_ASSIGN(const auto reader,
                         OpenMedia(WriteTestClip(folder_, "turned.mp4", options, 3)));
    EXPECT_EQ(reader->info().rotation, rotation);
    const bool upright = rotation == 180;
    EXPECT_EQ(reader->info().width, upright ? 64 : 48);
    EXPECT_EQ(reader->info().height, upright ? 48 : 64);
    const std::vector<int64_t> wanted = {1};
    ASSERT_THAT(reader->Read(wanted,
                             [&](int64_t, const RgbImage& image) {
                               const int w = image.width;
                               const int h = image.height;
                               const bool right = rotation != 270;
                               const bool bottom = rotation != 90;
                               for (const bool x : {false, true}) {
                                 for (const bool y : {false, true}) {
                                   const int at = ((y ? h - 5 : 4) * w + (x ? w - 5 : 4)) * 3;
                                   EXPECT_EQ(image.pixels[at] > 127, x == right && y == bottom);
                                 }
                               }
                               return absl::OkStatus();
                             }),
                IsOk());
  }
}

TEST_F(VideoFileTest, ReadsTheDefaultStream) {
  const std::vector<std::string> clips = {
      WriteTestClip(folder_, "first.mp4", TestClipOptions(), 20, 100),
      WriteTestClip(folder_, "second.mp4", TestClipOptions(), 30, 0)};
  for (const int chosen : {0, 1}) {
    const std::string path = JoinPath(folder_, "two.mkv");
    ASSERT_THAT(WriteFileAtomically(path, JoinTestClips(clips, chosen)), IsOk());
    ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(path));
    EXPECT_EQ(reader->info().frames, chosen == 0 ? 20 : 30);
    EXPECT_THAT(Shown(reader.get(), {3, 19}),
                chosen == 0 ? ElementsAre(103, 119) : ElementsAre(3, 19));
    EXPECT_THAT(reader->info().warnings, Contains(HasSubstr("2 video streams")));
  }
}

TEST_F(VideoFileTest, DecodesForwardOnceAndConvertsOnlyWhatIsWanted) {
  VideoWriterOptions options = TestClipOptions();
  options.key_frame_distance = 200;
  options.b_frames = 0;
  ASSERT_OK_AND_ASSIGN(const auto reader,
                       OpenMedia(WriteTestClip(folder_, "long.mp4", options, 100)));
  EXPECT_THAT(Shown(reader.get(), {10, 50}), ElementsAre(10, 50));
  EXPECT_THAT(Shown(reader.get(), {51, 80}), ElementsAre(51, 80));
  const VideoReader::Counters& counters = reader->counters();
  EXPECT_EQ(counters.converted, 4);
  EXPECT_EQ(counters.decoded, 81);
  EXPECT_EQ(counters.seeks, 0);
  EXPECT_EQ(counters.rewinds, 0);
  // The decoder still has the last frame.
  EXPECT_THAT(Shown(reader.get(), {80}), ElementsAre(80));
  EXPECT_EQ(counters.decoded, 81);
  EXPECT_EQ(counters.rewinds, 0);
  EXPECT_THAT(Shown(reader.get(), {79}), ElementsAre(79));
  EXPECT_EQ(counters.rewinds, 1);
}

TEST_F(VideoFileTest, PassesOverFramesThatNothingRefersTo) {
  VideoWriterOptions options = TestClipOptions();
  options.key_frame_distance = 200;
  options.b_frames = 2;
  ASSERT_OK_AND_ASSIGN(const auto reader,
                       OpenMedia(WriteTestClip(folder_, "b_frames.mp4", options, 100)));
  EXPECT_THAT(Shown(reader.get(), {60, 61, 62, 63}), ElementsAre(60, 61, 62, 63));
  const VideoReader::Counters& counters = reader->counters();
  EXPECT_GT(counters.packets, 63);
  EXPECT_LT(counters.decoded, 50);
  EXPECT_EQ(counters.rewinds, 0);
}

// Recordings concatenated byte by byte: all pictures of the first, then all of the second.
TEST_F(VideoFileTest, ReadsJoinedRecordings) {
  constexpr int64_t kWrap = (int64_t{1} << 33) * 25 / 90000;  // of the times, in frames
  const struct {
    const char* encoder;
    int64_t first, second;
    bool continued;
  } kinds[] = {
      {"libx264", 25, 43, true},                  // overlap: more than 16 pictures
      {"libx264", 25, 43, false},                 // packets between are missing
      {"libx264", 25, 73, true},                  // two pictures
      {"libx264", 25, 75, true},                  // seamless
      {"libx264", 25, 25, true},                  // the same times
      {"libx264", 2500, 0, true},                 // back to the start
      {"libx264", 0, 2500, true},                 // a gap
      {"libx264", kWrap - 20, 0, true},           // the clock wraps inside, then starts again
      {"libx264", kWrap - 40, kWrap - 90, true},  // it wraps inside the first
      {"libx265", 25, 43, true},
      {"libx265", 25, 43, false},
      {"mpeg2video", 25, 43, true},
      {"mpeg4", 25, 43, true},
  };
  for (const auto& kind : kinds) {
    SCOPED_TRACE(testing::Message() << kind.encoder << " " << kind.first << " " << kind.second);
    VideoWriterOptions options = TestClipOptions();
    options.container = "mpegts";
    options.encoder = kind.encoder;
    options.b_frames = 2;
    options.key_frame_distance = 20;
    options.first_frame_time = kind.first;
    const std::string first = MakeTestClip(options, 50);
    options.first_frame_time = kind.second;
    const std::string second = MakeTestClip(options, 50, 100);
    const std::string path = JoinPath(folder_, "joined.ts");
    ASSERT_THAT(WriteFileAtomically(
                    path, kind.continued ? JoinTransportStreams(first, second) : first + second),
                IsOk());
    std::vector<int> want(100);
    for (int k = 0; k < 100; ++k) want[k] = k < 50 ? k : k + 50;
    ASSERT_OK_AND_ASSIGN(const VideoScan scan, ScanMedia(path));
    EXPECT_EQ(scan.info.frames, 100);
    EXPECT_TRUE(std::is_sorted(scan.info.pts_seconds.begin(), scan.info.pts_seconds.end()));
    ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(path, scan));
    EXPECT_EQ(Shown(reader.get(), FirstNumbers(100)), want);
    for (const int64_t k : {17, 60, 99, 49, 52, 0}) {
      EXPECT_THAT(Shown(reader.get(), {k}), ElementsAre(want[k])) << k;
    }
  }
}

TEST_F(VideoFileTest, ReadsAFileWhoseHeaderAsksForALongDelay) {
  const std::string clip = WriteTestClip(folder_, "clip.mp4", TestClipOptions(), 40);
  const std::string path = JoinPath(folder_, "delay.nut");
  ASSERT_THAT(WriteFileAtomically(path, WithDelay(clip, 999)), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(path));
  ASSERT_EQ(reader->info().frames, 40);
  const std::vector<int> shown = Shown(reader.get(), FirstNumbers(40));
  for (int k = 0; k < 40; ++k) EXPECT_EQ(shown[k], k);
}

TEST_F(VideoFileTest, SaysWhyTimesWereNotBelieved) {
  VideoWriterOptions options = TestClipOptions();
  options.b_frames = 2;
  options.decoding_times = true;
  ASSERT_OK_AND_ASSIGN(const VideoScan scan,
                       ScanMedia(WriteTestClip(folder_, "remux.mp4", options, 30)));
  EXPECT_THAT(scan.info.warnings, ElementsAre(HasSubstr("its timestamps are decoding times")));
}

TEST_F(VideoFileTest, SaysThatPicturesChangeTheirSize) {
  // FFmpeg's MPEG-2 decoder loses the waiting picture when the size changes.
  const struct {
    const char* encoder;
    int lost;
  } kinds[] = {{"libx264", 0}, {"mpeg2video", 1}};
  for (const auto& kind : kinds) {
    SCOPED_TRACE(kind.encoder);
    VideoWriterOptions options = TestClipOptions();
    options.container = "mpegts";
    options.encoder = kind.encoder;
    options.b_frames = 2;
    const std::string first = MakeTestClip(options, 20);
    options.width = 48;
    options.height = 64;
    options.first_frame_time = 20;
    ASSERT_OK_AND_ASSIGN(const auto writer, VideoWriter::Make(options));
    const RgbImage grey = {48, 64, std::vector<uint8_t>(48 * 64 * 3, 99)};
    for (int k = 0; k < 20; ++k) ASSERT_THAT(writer->Add(grey), IsOk());
    ASSERT_OK_AND_ASSIGN(const std::string second, writer->Finish());
    const std::string path = JoinPath(folder_, "sizes.ts");
    ASSERT_THAT(WriteFileAtomically(path, JoinTransportStreams(first, second)), IsOk());
    ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(path));
    ASSERT_EQ(reader->info().frames, 40 - kind.lost);
    EXPECT_EQ(reader->info().width, 64);
    EXPECT_THAT(reader->info().warnings, Contains(HasSubstr("is 48x64; all are scaled to 64x48")));
    const int64_t last = 19 - kind.lost;
    EXPECT_THAT(Shown(reader.get(), {last}), ElementsAre(last));
    EXPECT_THAT(Shown(reader.get(), {last + 1, 39 - kind.lost}), testing::SizeIs(2));
    EXPECT_EQ(reader->counters().resized, 2);
  }
}

TEST_F(VideoFileTest, SeeksWhenAKeyFrameLiesOnTheWay) {
  VideoWriterOptions options = TestClipOptions();
  options.key_frame_distance = 10;
  options.b_frames = 0;
  ASSERT_OK_AND_ASSIGN(const auto reader,
                       OpenMedia(WriteTestClip(folder_, "short.mp4", options, 100)));
  const VideoReader::Counters& counters = reader->counters();
  EXPECT_THAT(Shown(reader.get(), {0, 72}), ElementsAre(0, 72));
  EXPECT_EQ(counters.seeks, 1);
  EXPECT_EQ(counters.decoded, 4);  // 0; 70, 71, 72
  EXPECT_THAT(Shown(reader.get(), {75, 81}), ElementsAre(75, 81));
  EXPECT_EQ(counters.seeks, 2);
  EXPECT_EQ(counters.decoded, 9);  // 73, 74, 75; 80, 81
  EXPECT_THAT(Shown(reader.get(), {15}), ElementsAre(15));
  EXPECT_EQ(counters.seeks, 3);
  EXPECT_EQ(counters.rewinds, 0);
  EXPECT_EQ(counters.decoded, 15);
}

TEST_F(VideoFileTest, RefusesIndicesThatCannotBe) {
  ASSERT_OK_AND_ASSIGN(const auto reader,
                       OpenMedia(WriteTestClip(folder_, "clip.mp4", TestClipOptions(), 30)));
  const auto read = [&](const std::vector<int64_t>& indices) {
    return reader->Read(indices, [](int64_t, const RgbImage&) { return absl::OkStatus(); });
  };
  EXPECT_THAT(read({}), IsOk());
  EXPECT_THAT(read({3, 30}),
              StatusIs(absl::StatusCode::kOutOfRange,
                       AllOf(HasSubstr("clip.mp4 has no frame 30"), HasSubstr("0 to 29"))));
  EXPECT_THAT(read({-1}), StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("no frame -1")));
  EXPECT_THAT(read({4, 4}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("4 follows 4")));
  EXPECT_EQ(reader->counters().decoded, 0);
}

TEST_F(VideoFileTest, EndsWhenTheSinkSaysSo) {
  ASSERT_OK_AND_ASSIGN(const auto reader,
                       OpenMedia(WriteTestClip(folder_, "clip.mp4", TestClipOptions(), 30)));
  int calls = 0;
  EXPECT_THAT(reader->Read(FirstNumbers(30),
                           [&](int64_t, const RgbImage&) {
                             return ++calls < 3 ? absl::OkStatus() : absl::AbortedError("enough");
                           }),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("enough")));
  EXPECT_EQ(calls, 3);
}

TEST_F(VideoFileTest, RefusesWhatIsNoVideo) {
  EXPECT_THAT(OpenMedia(folder_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("holds no frames")));
  EXPECT_THAT(ScanMedia(JoinPath(folder_, "none.mp4")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.mp4")));
  const std::string text = JoinPath(folder_, "text.mp4");
  ASSERT_THAT(WriteFileAtomically(text, "this is a letter\n"), IsOk());
  EXPECT_THAT(ScanMedia(text),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a video")));
}

TEST_F(VideoFileTest, GivesWhatIsThereOfACutOffFile) {
  VideoWriterOptions options = TestClipOptions();
  options.container = "matroska";
  const std::string bytes = MakeTestClip(options, 100);
  const std::string path = JoinPath(folder_, "cut.mkv");
  ASSERT_THAT(WriteFileAtomically(path, bytes.substr(0, bytes.size() / 2)), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(path));
  EXPECT_GT(reader->info().frames, 10);
  EXPECT_LT(reader->info().frames, 90);
  const std::vector<int> shown = Shown(reader.get(), FirstNumbers(reader->info().frames));
  EXPECT_EQ(shown.front(), 0);
  EXPECT_THAT(reader->info().warnings, Contains(HasSubstr("FFmpeg warned")));
}

TEST_F(VideoFileTest, AnMp4WithoutItsEndIsNoVideo) {
  const std::string bytes = MakeTestClip(TestClipOptions(), 100);
  const std::string path = JoinPath(folder_, "cut.mp4");
  ASSERT_THAT(WriteFileAtomically(path, bytes.substr(0, bytes.size() / 2)), IsOk());
  EXPECT_THAT(ScanMedia(path), StatusIs(absl::StatusCode::kInvalidArgument,
                                        AllOf(HasSubstr("cut.mp4"), HasSubstr("not a video"))));
}

// No damage may crash, hang, or make the reader return frames with numbers outside its range.
TEST_F(VideoFileTest, SurvivesDamage) {
  for (const char* container : {"mp4", "matroska", "mpegts", "avi"}) {
    VideoWriterOptions options = TestClipOptions();
    options.container = container;
    if (options.container == "avi") options.encoder = "mpeg4";
    const std::string whole = MakeTestClip(options, 30);
    for (int i = 0; i < 15; ++i) {
      RandomStream stream(3, container, {i});
      std::string bytes = whole;
      for (int change = 0; change < 1 + i % 8; ++change) {
        bytes[stream.UniformInt(bytes.size())] = static_cast<char>(stream());
      }
      const std::string path = JoinPath(folder_, "damaged");
      ASSERT_THAT(WriteFileAtomically(path, bytes), IsOk());
      const auto reader = OpenMedia(path, {VideoLimits{1 << 20, 1000, 1e5}});
      if (!reader.ok()) continue;
      int64_t next = 0;
      const absl::Status read = (*reader)->Read(
          FirstNumbers((*reader)->info().frames), [&](int64_t frame, const RgbImage& image) {
            EXPECT_EQ(frame, next++);
            EXPECT_EQ(image.pixels.size(), image.width * image.height * size_t{3});
            return absl::OkStatus();
          });
      EXPECT_TRUE(read.ok() || absl::IsDataLoss(read)) << read;
    }
  }
}

TEST_F(VideoFileTest, ReadersOfSeveralThreadsDoNotDisturbEachOther) {
  const std::string path = WriteTestClip(folder_, "clip.mp4", TestClipOptions(), 60);
  std::vector<std::vector<int>> shown(4);
  std::vector<std::thread> threads;
  for (std::vector<int>& numbers : shown) {
    threads.emplace_back([&numbers, &path] {
      const auto reader = OpenMedia(path);
      ASSERT_THAT(reader, IsOk());
      numbers = Shown(reader->get(), {0, 20, 59});
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<int>& numbers : shown) EXPECT_THAT(numbers, ElementsAre(0, 20, 59));
}

}  // namespace
}  // namespace op3d::data
