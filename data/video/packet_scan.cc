#include "data/video/packet_scan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "data/video/mpeg4_pictures.h"
#include "data/video/nal_units.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

// What one packet tells.
struct Sight {
  bool shown = true;
  bool entry = false;
  const char* doubt = "";
};

// Codecs with one picture a packet whose key frames are clean starts; others are decoded to count.
bool IsSimpleCodec(AVCodecID codec) {
  switch (codec) {
    case AV_CODEC_ID_AV1:
    case AV_CODEC_ID_FFV1:
    case AV_CODEC_ID_FLV1:
    case AV_CODEC_ID_H263:
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_MJPEG:
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_MPEG4:
    case AV_CODEC_ID_MSMPEG4V3:
    case AV_CODEC_ID_PRORES:
    case AV_CODEC_ID_VP8:
    case AV_CODEC_ID_VP9:
      return true;
    default:
      return false;
  }
}

class PacketInspector {
 public:
  PacketInspector(const AVCodecParameters& parameters, bool unpacked)
      : codec_(parameters.codec_id), unpacked_(unpacked) {
    if (codec_ == AV_CODEC_ID_H264) nal_codec_ = NalCodec::kH264;
    if (codec_ == AV_CODEC_ID_HEVC) nal_codec_ = NalCodec::kHevc;
    if (nal_codec_.has_value()) {
      nal_length_ = NalLengthSize(
          *nal_codec_, absl::MakeConstSpan(parameters.extradata,
                                           static_cast<size_t>(parameters.extradata_size)));
    }
  }

  Sight Look(const AVPacket& packet) const {
    Sight sight;
    const bool key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
    // Outside of the edit list: decoded for the sake of others, not presented.
    sight.shown = (packet.flags & AV_PKT_FLAG_DISCARD) == 0;
    sight.entry = key && sight.shown;
    if (nal_codec_.has_value()) LookAtNalUnits(packet, &sight);
    // Not coded, "show the last one again": the other half of a packed packet, or a dropped frame.
    if (codec_ == AV_CODEC_ID_MPEG4 && !unpacked_ && packet.size <= kLargestUncodedPicture) {
      sight.doubt = "it has empty packets";
    }
    // RFC 6386, 9.1: bit 4 of the first byte is show_frame.
    if (codec_ == AV_CODEC_ID_VP8) sight.shown &= (packet.data[0] & 16) != 0;
    if ((packet.flags & AV_PKT_FLAG_CORRUPT) != 0) sight.doubt = "a packet is cut off";
    return sight;
  }

 private:
  void LookAtNalUnits(const AVPacket& packet, Sight* sight) const {
    const NalUnits units =
        InspectNalUnits(*nal_codec_, nal_length_,
                        absl::MakeConstSpan(packet.data, static_cast<size_t>(packet.size)));
    sight->entry &= units.random_access;
    if (!units.whole) sight->doubt = "a packet is damaged";
    if (!units.picture) sight->doubt = "a packet has no picture";
  }

  const AVCodecID codec_;
  const bool unpacked_;
  absl::optional<NalCodec> nal_codec_;
  int nal_length_ = 0;
};

std::string StreamDoubt(const Demuxer& demuxer) {
  const AVCodecParameters& parameters = demuxer.parameters();
  if (!IsSimpleCodec(parameters.codec_id)) {
    return absl::StrCat("packets of ", avcodec_get_name(parameters.codec_id),
                        " need not be frames");
  }
  if (parameters.field_order != AV_FIELD_UNKNOWN &&
      parameters.field_order != AV_FIELD_PROGRESSIVE) {
    return "it is interlaced: a packet may be half a frame";
  }
  return "";
}

// Why these times do not number frames.
std::string TimesDoubt(std::vector<int64_t> times, int64_t first_stored) {
  if (times.empty()) return "it has no packets";
  std::sort(times.begin(), times.end());
  if (times.front() == AV_NOPTS_VALUE) return "its packets have no presentation times";
  if (std::adjacent_find(times.begin(), times.end()) != times.end()) {
    return "packets share a presentation time";
  }
  if (times.front() < first_stored) return "frames come before the first key frame";
  return "";
}

}  // namespace

absl::StatusOr<PacketScan> ScanPackets(Demuxer* demuxer, const VideoLimits& limits) {
  PacketScan scan;
  scan.doubt = StreamDoubt(*demuxer);
  scan.unpacked = demuxer->HasPackedBFrames();
  if (scan.unpacked) OP3D_RETURN_IF_ERROR(demuxer->UnpackBFrames());
  const PacketInspector inspector(demuxer->parameters(), scan.unpacked);
  int64_t first_stored = AV_NOPTS_VALUE;
  while (const AVPacket* packet = demuxer->Next()) {
    if (++scan.packets > limits.max_frames) {
      return absl::ResourceExhaustedError(
          absl::StrCat(demuxer->path(), " has more than ", limits.max_frames,
                       " frames, the limit; loader.max_frames of the settings can raise it"));
    }
    const Sight sight = inspector.Look(*packet);
    if (scan.doubt.empty()) scan.doubt = sight.doubt;
    if (scan.packets == 1) {
      first_stored = packet->pts;
      const bool key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
      if (scan.doubt.empty() && !key) scan.doubt = "it does not start with a key frame";
    }
    if (sight.shown) scan.times.push_back(packet->pts);
    if (sight.entry) scan.entry_times.push_back(packet->pts);
  }
  if (scan.doubt.empty() && demuxer->damaged()) {
    scan.doubt = scan.unpacked ? "its B-frames are not packed as they should be"
                               : "reading ended with an error";
  }
  if (scan.doubt.empty()) scan.doubt = TimesDoubt(scan.times, first_stored);
  return scan;
}

int ReorderDepth(const std::vector<int64_t>& times) {
  // Decoders hold at most 16 pictures; a longer way back is no reordering that one can do.
  constexpr size_t kLongest = 32;
  int depth = 0;
  for (size_t i = 0; i < times.size(); ++i) {
    int later = 0;
    for (size_t j = i < kLongest ? 0 : i - kLongest; j < i; ++j) later += times[j] > times[i];
    depth = std::max(depth, later);
  }
  return depth;
}

}  // namespace op3d
