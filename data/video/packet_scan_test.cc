#include "data/video/packet_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "data/video/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_matchers.h"

namespace op3d {
namespace {

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

TEST_F(PacketScanTest, DoubtsACutOffFile) {
  VideoWriterOptions options = TestClipOptions();
  options.container = "avi";
  options.encoder = "mpeg4";
  options.b_frames = 0;
  const std::string bytes = MakeTestClip(options, 60);
  const std::string path = JoinPath(folder_, "cut.avi");
  // In the last packet: the index behind it is gone too.
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
}  // namespace op3d
