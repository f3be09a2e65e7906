#include "data/video/file/demuxer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class DemuxerTest : public testing::Test {
 protected:
  const std::string folder_ = TestFolder("demuxer");
  FfmpegLog log_;
};

TEST_F(DemuxerTest, GivesThePacketsOfTheVideo) {
  const std::string path = WriteTestClip(folder_, "clip.mp4", TestClipOptions(), 20);
  ASSERT_OK_AND_ASSIGN(Demuxer demuxer, Demuxer::Open(path, {}));
  EXPECT_EQ(demuxer.parameters().codec_id, AV_CODEC_ID_H264);
  EXPECT_EQ(demuxer.video_streams(), 1);
  const AVPacket* peeked = demuxer.Peek();
  ASSERT_NE(peeked, nullptr);
  const int64_t first = peeked->pts;
  int packets = 0;
  while (const AVPacket* packet = demuxer.Next()) {
    if (packets++ == 0) {
      EXPECT_EQ(packet->pts, first);
    }
  }
  EXPECT_EQ(packets, 20);
  EXPECT_EQ(demuxer.Next(), nullptr);
  EXPECT_FALSE(demuxer.damaged());
}

// For every codec and container: what the header does not say is still found.
TEST_F(DemuxerTest, TheHeaderAloneGivesTheSamePackets) {
  const struct {
    const char *file, *container, *encoder;
  } kinds[] = {{"a.mp4", "mp4", "libx264"},      {"a.mp4", "mp4", "libx265"},
               {"a.mp4", "mp4", "libaom-av1"},   {"a.mp4", "mp4", "mpeg4"},
               {"a.webm", "webm", "libvpx-vp9"}, {"a.mkv", "matroska", "libx264"},
               {"a.avi", "avi", "mpeg4"},        {"a.ts", "mpegts", "libx264"}};
  for (const auto& kind : kinds) {
    SCOPED_TRACE(testing::Message() << kind.encoder << " in " << kind.file);
    VideoWriterOptions options = TestClipOptions();
    options.encoder = kind.encoder;
    options.container = kind.container;
    const std::string path = WriteTestClip(folder_, kind.file, options, 12);
    ASSERT_OK_AND_ASSIGN(Demuxer whole, Demuxer::Open(path, {}));
    ASSERT_OK_AND_ASSIGN(Demuxer header, Demuxer::Open(path, {}, Demuxer::Probe::kHeader));
    EXPECT_EQ(header.parameters().codec_id, whole.parameters().codec_id);
    EXPECT_EQ(header.parameters().width, whole.parameters().width);
    EXPECT_EQ(header.parameters().height, whole.parameters().height);
    EXPECT_EQ(header.stream().time_base.den, whole.stream().time_base.den);
    int packets = 0;
    while (const AVPacket* want = whole.Next()) {
      const AVPacket* packet = header.Next();
      ASSERT_NE(packet, nullptr);
      EXPECT_EQ(packet->pts, want->pts) << "packet " << packets;
      EXPECT_EQ(packet->flags, want->flags);
      EXPECT_EQ(std::string(reinterpret_cast<const char*>(packet->data), packet->size),
                std::string(reinterpret_cast<const char*>(want->data), want->size));
      ++packets;
    }
    EXPECT_EQ(header.Next(), nullptr);
    EXPECT_GE(packets, 12);
  }
}

TEST_F(DemuxerTest, SeeksToAKeyFrame) {
  VideoWriterOptions options = TestClipOptions();
  options.key_frame_distance = 10;
  options.b_frames = 0;
  ASSERT_OK_AND_ASSIGN(Demuxer demuxer,
                       Demuxer::Open(WriteTestClip(folder_, "clip.mp4", options, 50), {}));
  while (demuxer.Next() != nullptr) continue;
  const int64_t step = demuxer.stream().time_base.den / (25 * demuxer.stream().time_base.num);
  ASSERT_TRUE(demuxer.Seek(34 * step));
  const AVPacket* packet = demuxer.Next();
  ASSERT_NE(packet, nullptr);
  EXPECT_EQ(packet->pts, 30 * step);
}

// Its pictures are 3,969x61,464, which is only visible after decoding one.
TEST_F(DemuxerTest, AKilobyteDoesNotCostAGigabyte) {
  ASSERT_OK_AND_ASSIGN(const std::string path,
                       RunfilePath("data/video/file/testdata/huge_pictures.webm"));
  rusage before = {}, after = {};
  getrusage(RUSAGE_SELF, &before);
  Demuxer::Open(path, {}).status().IgnoreError();
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 200 << 10);  // kilobytes
}

// FFmpeg's H.264 decoder aborts the process if more than 16 pictures have to wait.
TEST_F(DemuxerTest, AHeaderCannotAskForAnyDelay) {
  const std::string clip = WriteTestClip(folder_, "clip.mp4", TestClipOptions(), 40);
  const std::string path = JoinPath(folder_, "delay.nut");
  for (const int delay : {16, 17, 999}) {
    ASSERT_THAT(WriteFileAtomically(path, WithDelay(clip, delay)), IsOk());
    ASSERT_OK_AND_ASSIGN(Demuxer demuxer, Demuxer::Open(path, {}));
    EXPECT_LE(demuxer.parameters().video_delay, 16);
    int packets = 0;
    while (demuxer.Next() != nullptr) ++packets;
    EXPECT_EQ(packets, 40);
  }
}

TEST_F(DemuxerTest, AnErrorOfTheMachineIsNotTheVideos) {
  const std::string path = WriteTestClip(folder_, "clip.mp4", TestClipOptions(), 5);
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none = {0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const absl::Status status = Demuxer::Open(path, {}).status();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal, HasSubstr("clip.mp4")));
  EXPECT_THAT(Demuxer::Open(path, {}), IsOk());
}

TEST_F(DemuxerTest, RefusesWhatIsNoVideo) {
  EXPECT_THAT(Demuxer::Open(folder_ + "/none.mp4", {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.mp4")));
  EXPECT_THAT(Demuxer::Open(folder_, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is a folder")));
  const std::string empty = JoinPath(folder_, "empty.mp4");
  ASSERT_THAT(WriteFileAtomically(empty, ""), IsOk());
  EXPECT_THAT(Demuxer::Open(empty, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("empty.mp4 is empty")));
  const std::string text = JoinPath(folder_, "text.mp4");
  ASSERT_THAT(WriteFileAtomically(text, std::string(5000, 'x')), IsOk());
  EXPECT_THAT(Demuxer::Open(text, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("text.mp4 is not a video")));
  const std::string pipe = JoinPath(folder_, "pipe.mp4");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(Demuxer::Open(pipe, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a regular file")));
}

TEST_F(DemuxerTest, DoesNotFollowPlaylists) {
  WriteTestClip(folder_, "clip.mp4", TestClipOptions(), 20);
  const std::string concat = JoinPath(folder_, "list.ffconcat");
  ASSERT_THAT(WriteFileAtomically(concat, "ffconcat version 1.0\nfile clip.mp4\n"), IsOk());
  EXPECT_THAT(Demuxer::Open(concat, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a video")));
  EXPECT_THAT(Demuxer::Open("http:clip.mp4", {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("http:clip.mp4")));
}

TEST_F(DemuxerTest, TakesStrangeNamesAsTheyAre) {
  for (const char* name : {"http:clip.mp4", "a%03d b.mp4", "-x_000001_000002.mp4"}) {
    EXPECT_THAT(Demuxer::Open(WriteTestClip(folder_, name, TestClipOptions(), 3), {}), IsOk());
  }
}

TEST_F(DemuxerTest, RefusesFramesBeyondTheLimit) {
  VideoLimits limits;
  limits.max_pixels = 64 * 48 - 1;
  const std::string path = WriteTestClip(folder_, "clip.mp4", TestClipOptions(), 3);
  EXPECT_THAT(Demuxer::Open(path, limits),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("64x48"), HasSubstr("limit of 3071 pixels"))));
}

TEST_F(DemuxerTest, ReadsTheRotation) {
  VideoWriterOptions options = TestClipOptions();
  bool exact = false;
  options.rotation = 90;
  ASSERT_OK_AND_ASSIGN(const Demuxer turned,
                       Demuxer::Open(WriteTestClip(folder_, "90.mp4", options, 3), {}));
  const Orientation orientation = turned.orientation(&exact);
  EXPECT_TRUE(exact);
  EXPECT_TRUE(orientation.transpose && orientation.flip_x && !orientation.flip_y);
  options.rotation = 80;
  ASSERT_OK_AND_ASSIGN(const Demuxer tilted,
                       Demuxer::Open(WriteTestClip(folder_, "80.mp4", options, 3), {}));
  EXPECT_TRUE(tilted.orientation(&exact).transpose);
  EXPECT_FALSE(exact);
}

}  // namespace
}  // namespace op3d::data
