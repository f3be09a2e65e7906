#include "data/video/file/picture_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "data/video/file/demuxer.h"
#include "data/video/file/nal_units.h"
#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

// The positions order pictures in the same way as their times, which the encoder has set.
TEST(PictureOrderTest, PlacesFollowTheTimes) {
  FfmpegLog log;
  const struct {
    const char *encoder, *container;
    int b_frames;
    bool reorders;
  } kinds[] = {{"libx264", "mp4", 3, true},       {"libx264", "mpegts", 2, true},
               {"libx264", "matroska", 0, false}, {"libx265", "mp4", -1, true},
               {"libx265", "mpegts", 3, true},    {"mpeg4", "mp4", 2, true},
               {"mpeg4", "avi", 0, false},        {"mpeg2video", "matroska", 2, true},
               {"mpeg1video", "mpegts", 2, true}, {"libvpx-vp9", "webm", -1, false},
               {"libaom-av1", "mp4", -1, false}};
  for (const auto& kind : kinds) {
    SCOPED_TRACE(testing::Message() << kind.encoder << " in " << kind.container);
    VideoWriterOptions options = TestClipOptions();
    options.encoder = kind.encoder;
    options.container = kind.container;
    options.b_frames = kind.b_frames;
    options.key_frame_distance = 14;
    const std::string path = WriteTestClip(TestFolder("picture_order"), "clip", options, 60);
    ASSERT_OK_AND_ASSIGN(Demuxer demuxer, Demuxer::Open(path, {}));
    const AVCodecParameters& stream = demuxer.parameters();
    const NalCodec codec = stream.codec_id == AV_CODEC_ID_HEVC ? NalCodec::kHevc : NalCodec::kH264;
    const bool has_nal_units =
        stream.codec_id == AV_CODEC_ID_H264 || stream.codec_id == AV_CODEC_ID_HEVC;
    const int length_size = NalLengthSize(
        codec, absl::MakeConstSpan(stream.extradata, static_cast<size_t>(stream.extradata_size)));
    PictureOrder order(stream);
    std::vector<std::pair<int64_t, std::pair<int64_t, int64_t>>> pictures;
    while (const AVPacket* packet = demuxer.Next()) {
      const NalUnits units = InspectNalUnits(
          codec, length_size, absl::MakeConstSpan(packet->data, static_cast<size_t>(packet->size)));
      const PlacedPicture picture = order.Next(*packet, has_nal_units && units.starts_sequence);
      pictures.emplace_back(packet->pts, picture.place);
      if (pictures.size() == 1 || picture.width > 0) {
        EXPECT_EQ(picture.width, 64);
        EXPECT_EQ(picture.height, 48);
      }
    }
    EXPECT_EQ(pictures.size(), 60);
    EXPECT_EQ(!std::is_sorted(pictures.begin(), pictures.end()), kind.reorders);
    std::sort(pictures.begin(), pictures.end());
    for (size_t k = 1; k < pictures.size(); ++k) {
      EXPECT_LT(pictures[k - 1].second, pictures[k].second) << k;
    }
  }
}

TEST(Vp9KeyFrameSizeTest, ReadsTheHeader) {
  // Profile 0, a shown key frame, BT.601, limited range, 320x240.
  const std::vector<uint8_t> header = {0x82, 0x49, 0x83, 0x42, 0x20, 0x13, 0xf0, 0x0e, 0xf0};
  EXPECT_EQ(Vp9KeyFrameSize(header), std::make_pair(320, 240));
  EXPECT_EQ(Vp9KeyFrameSize(absl::MakeConstSpan(header).subspan(0, 8)), std::make_pair(0, 0));
  std::vector<uint8_t> other = header;
  other[0] = 0x86;  // no key frame
  EXPECT_EQ(Vp9KeyFrameSize(other), std::make_pair(0, 0));
  EXPECT_EQ(Vp9KeyFrameSize({}), std::make_pair(0, 0));
}

}  // namespace
}  // namespace op3d::data
