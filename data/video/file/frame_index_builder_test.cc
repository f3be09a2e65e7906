#include "data/video/file/frame_index_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

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

// ---------------------------------------------------------------- the pass over the packets

using testing::HasSubstr;

class PacketScanTest : public testing::Test {
 protected:
  PacketScan Scan(const std::string& path) {
    absl::StatusOr<Demuxer> demuxer = Demuxer::Open(path, {});
    EXPECT_THAT(demuxer, IsOk());
    if (!demuxer.ok()) return {};
    absl::StatusOr<PacketScan> scan = ScanPackets(&*demuxer, {});
    EXPECT_THAT(scan, IsOk());
    return *scan;
  }

  const std::string folder_ = TestFolder("packet_scan");
  FfmpegLog log_;
};

TEST(ReorderDepthTest, CountsTheFramesThatWait) {
  EXPECT_EQ(ReorderDepth({}), 0);
  EXPECT_EQ(ReorderDepth({0, 1, 2, 3}), 0);
  EXPECT_EQ(ReorderDepth({0, 3, 1, 2, 6, 4, 5}), 1);        // I P B B P B B
  EXPECT_EQ(ReorderDepth({0, 8, 4, 2, 1, 3, 6, 5, 7}), 3);  // a pyramid
}

TEST_F(PacketScanTest, BelievesAPlainFile) {
  VideoWriterOptions options = TestClipOptions();
  options.key_frame_distance = 12;
  options.b_frames = 3;
  const PacketScan scan = Scan(WriteTestClip(folder_, "clip.mp4", options, 60));
  EXPECT_EQ(scan.doubt, "");
  EXPECT_EQ(scan.packets, 60);
  EXPECT_EQ(scan.times.size(), 60);
  EXPECT_FALSE(std::is_sorted(scan.times.begin(), scan.times.end()));
  EXPECT_EQ(scan.entry_times.size(), 5);
  EXPECT_GE(ReorderDepth(scan.times), 1);
}

TEST_F(PacketScanTest, DoubtsPacketsWithoutTimes) {
  VideoWriterOptions options = TestClipOptions();
  options.container = "avi";
  options.encoder = "mpeg4";
  options.b_frames = 2;
  const PacketScan scan = Scan(WriteTestClip(folder_, "b.avi", options, 30));
  EXPECT_THAT(scan.doubt, HasSubstr("no presentation times"));
  options.b_frames = 0;
  EXPECT_EQ(Scan(WriteTestClip(folder_, "p.avi", options, 30)).doubt, "");
}

TEST_F(PacketScanTest, DoubtsTimesOfDecoding) {
  for (const char* encoder : {"libx264", "libx265", "mpeg4", "mpeg2video"}) {
    for (const char* container : {"mp4", "matroska", "mpegts"}) {
      SCOPED_TRACE(testing::Message() << encoder << " in " << container);
      VideoWriterOptions options = TestClipOptions();
      options.encoder = encoder;
      options.container = container;
      options.b_frames = 2;
      EXPECT_EQ(Scan(WriteTestClip(folder_, "right", options, 40)).doubt, "");
      options.decoding_times = true;
      const PacketScan scan = Scan(WriteTestClip(folder_, "wrong", options, 40));
      EXPECT_THAT(scan.doubt, HasSubstr("timestamps are decoding times"));
      EXPECT_TRUE(scan.decoding_times);
      // Without B-frames the times are right.
      options.b_frames = 0;
      EXPECT_EQ(Scan(WriteTestClip(folder_, "plain", options, 40)).doubt, "");
    }
  }
}

TEST_F(PacketScanTest, DoubtsRecordingsWhoseTimesOverlap) {
  for (const char* encoder : {"libx264", "libx265", "mpeg4", "mpeg2video"}) {
    SCOPED_TRACE(encoder);
    VideoWriterOptions options = TestClipOptions();
    options.container = "mpegts";
    options.encoder = encoder;
    options.first_frame_time = 25;
    const std::string first = MakeTestClip(options, 50);
    const std::string path = JoinPath(folder_, "joined.ts");
    // In its middle, at its last picture, before it.
    for (const int64_t second : {43, 74, 0}) {
      options.first_frame_time = second;
      const std::string joined = JoinTransportStreams(first, MakeTestClip(options, 50));
      ASSERT_THAT(WriteFileAtomically(path, joined), IsOk());
      EXPECT_NE(Scan(path).doubt, "") << second;
    }
    options.first_frame_time = 75;
    const std::string joined = JoinTransportStreams(first, MakeTestClip(options, 50));
    ASSERT_THAT(WriteFileAtomically(path, joined), IsOk());
    const PacketScan scan = Scan(path);
    EXPECT_EQ(scan.doubt, "");
    EXPECT_EQ(scan.times.size(), 100);
  }
}

TEST_F(PacketScanTest, SeesAnotherSize) {
  for (const char* encoder : {"libx264", "libx265", "mpeg2video"}) {
    SCOPED_TRACE(encoder);
    VideoWriterOptions options = TestClipOptions();
    options.container = "mpegts";
    options.encoder = encoder;
    const std::string first = MakeTestClip(options, 20);
    EXPECT_EQ(Scan(WriteTestClip(folder_, "one_size.ts", options, 20)).resized_at, -1);
    options.width = 48;
    options.height = 64;
    options.first_frame_time = 20;
    ASSERT_OK_AND_ASSIGN(const auto writer, VideoWriter::Make(options));
    const RgbImage grey = {48, 64, std::vector<uint8_t>(48 * 64 * 3, 99)};
    for (int k = 0; k < 20; ++k) ASSERT_THAT(writer->Add(grey), IsOk());
    ASSERT_OK_AND_ASSIGN(const std::string second, writer->Finish());
    const std::string path = JoinPath(folder_, "sizes.ts");
    ASSERT_THAT(WriteFileAtomically(path, JoinTransportStreams(first, second)), IsOk());
    const PacketScan scan = Scan(path);
    EXPECT_THAT(scan.doubt, HasSubstr("change their size"));
    EXPECT_EQ(scan.resized_at, 20);
    EXPECT_EQ(scan.resized_width, 48);
    EXPECT_EQ(scan.resized_height, 64);
  }
}

TEST_F(PacketScanTest, DoubtsACutOffFile) {
  VideoWriterOptions options = TestClipOptions();
  options.container = "avi";
  options.encoder = "mpeg4";
  options.b_frames = 0;
  const std::string bytes = MakeTestClip(options, 60);
  const std::string path = JoinPath(folder_, "cut.avi");
  // In the last packet: the index after it is gone too.
  ASSERT_THAT(WriteFileAtomically(path, bytes.substr(0, bytes.rfind("idx1") - 10)), IsOk());
  EXPECT_THAT(Scan(path).doubt, HasSubstr("cut off"));
}

TEST_F(PacketScanTest, DoubtsADamagedPacket) {
  std::string bytes = MakeTestClip(TestClipOptions(), 30);
  const size_t media = bytes.find("mdat");
  ASSERT_NE(media, std::string::npos);
  bytes[media + 4] = '\x7f';  // the first unit's length
  const std::string path = JoinPath(folder_, "damaged.mp4");
  ASSERT_THAT(WriteFileAtomically(path, bytes), IsOk());
  EXPECT_THAT(Scan(path).doubt, HasSubstr("a packet"));
}

TEST_F(PacketScanTest, StopsAtTheLimit) {
  const std::string path = WriteTestClip(folder_, "clip.mp4", TestClipOptions(), 30);
  VideoLimits limits;
  limits.max_frames = 29;
  ASSERT_OK_AND_ASSIGN(Demuxer demuxer, Demuxer::Open(path, limits));
  EXPECT_THAT(ScanPackets(&demuxer, limits),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("more than 29 frames")));
}

}  // namespace
}  // namespace op3d::data
