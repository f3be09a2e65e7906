#include "data/video/file/frame_index_builder.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "data/video/file/decoder.h"
#include "data/video/file/mpeg4_pictures.h"
#include "data/video/file/nal_units.h"
#include "data/video/file/picture_order.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {

// ---------------------------------------------------------------- the pass over the packets

namespace {

// The facts from one packet.
struct Sight {
  bool shown = true;
  bool entry = false;
  const char* doubt = "";
  PlacedPicture picture;
};

// Codecs with one picture per packet whose key frames are clean starts; for others the frames are
// counted by decoding.
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
      : codec_(parameters.codec_id), unpacked_(unpacked), order_(parameters) {
    if (codec_ == AV_CODEC_ID_H264) nal_codec_ = NalCodec::kH264;
    if (codec_ == AV_CODEC_ID_HEVC) nal_codec_ = NalCodec::kHevc;
    ReadConfiguration(
        absl::MakeConstSpan(parameters.extradata, static_cast<size_t>(parameters.extradata_size)));
  }

  Sight Look(const AVPacket& packet) {
    Sight sight;
    const bool key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
    // Outside of the edit list: only decoded because others need it, not presented.
    sight.shown = (packet.flags & AV_PKT_FLAG_DISCARD) == 0;
    sight.entry = key && sight.shown;
    NalUnits units;
    if (nal_codec_.has_value()) {
      size_t size = 0;
      const uint8_t* data = av_packet_get_side_data(&packet, AV_PKT_DATA_NEW_EXTRADATA, &size);
      if (data != nullptr) ReadConfiguration(absl::MakeConstSpan(data, size));
      units = LookAtNalUnits(packet, &sight);
    }
    sight.picture = order_.Next(packet, units.starts_sequence || sequence_ended_);
    // The leading pictures after it are not decoded.
    if (sequence_ended_ && !units.starts_sequence) sight.doubt = "a sequence ends in its middle";
    sequence_ended_ = units.ends_sequence;
    // Not coded, "show the last one again": the other half of a packed packet, or a dropped frame.
    if (codec_ == AV_CODEC_ID_MPEG4 && !unpacked_ && packet.size <= kLargestUncodedPicture) {
      sight.doubt = "it has empty packets";
    }
    // RFC 6386, 9.1: bit 4 of the first byte is show_frame.
    if (codec_ == AV_CODEC_ID_VP8) sight.shown &= (packet.data[0] & 16) != 0;
    if ((packet.flags & AV_PKT_FLAG_CORRUPT) != 0) sight.doubt = "a packet is cut off";
    return sight;
  }

  bool may_reorder() const { return order_.may_reorder(); }
  bool interlaced() const { return order_.interlaced(); }

 private:
  void ReadConfiguration(absl::Span<const uint8_t> configuration) {
    if (nal_codec_.has_value()) nal_length_ = NalLengthSize(*nal_codec_, configuration);
  }

  NalUnits LookAtNalUnits(const AVPacket& packet, Sight* sight) const {
    const NalUnits units =
        InspectNalUnits(*nal_codec_, nal_length_,
                        absl::MakeConstSpan(packet.data, static_cast<size_t>(packet.size)));
    sight->entry &= units.random_access;
    if (!units.whole) sight->doubt = "a packet is damaged";
    if (!units.picture) sight->doubt = "a packet has no picture";
    return units;
  }

  const AVCodecID codec_;
  const bool unpacked_;
  std::optional<NalCodec> nal_codec_;
  int nal_length_ = 0;
  PictureOrder order_;
  bool sequence_ended_ = false;
};

std::string StreamDoubt(const Demuxer& demuxer) {
  const AVCodecParameters& parameters = demuxer.parameters();
  if (!IsSimpleCodec(parameters.codec_id)) {
    return absl::StrCat("packets of ", avcodec_get_name(parameters.codec_id),
                        " need not be frames");
  }
  if (parameters.field_order != AV_FIELD_UNKNOWN &&
      parameters.field_order != AV_FIELD_PROGRESSIVE) {
    return "it is interlaced, so a packet may contain half a frame";
  }
  return "";
}

// A shown picture: its position in the decoder's output, and its time.
using PlacedTime = std::pair<std::pair<int64_t, int64_t>, int64_t>;

// Why the times cannot number the pictures of `placed`, which are in stored order.
std::string TimesDoubt(std::vector<PlacedTime> placed, int64_t first_stored, double time_unit,
                       PacketScan* scan) {
  std::vector<int64_t> times = scan->times;
  if (times.empty()) return "it has no packets";
  const bool rising =
      std::adjacent_find(times.begin(), times.end(), std::greater_equal<>()) == times.end();
  if (!rising) std::sort(times.begin(), times.end());
  if (times.front() == AV_NOPTS_VALUE) return "its packets have no presentation times";
  if (std::adjacent_find(times.begin(), times.end()) != times.end()) {
    return "packets share a presentation time";
  }
  if (times.front() < first_stored) return "frames come before the first key frame";
  std::sort(placed.begin(), placed.end());
  for (size_t i = 1; i < placed.size(); ++i) {
    if (placed[i - 1].first < placed[i].first && placed[i - 1].second < placed[i].second) continue;
    scan->decoding_times = rising;
    return rising ? "its timestamps are decoding times: they increase in the stored order, "
                    "which is not the order in which pictures are shown"
                  : "its timestamps are not in the order in which its pictures are shown, as in "
                    "joined recordings";
  }
  for (size_t i = 1; i < times.size(); ++i) {
    const double gap =
        (static_cast<double>(times[i]) - static_cast<double>(times[i - 1])) * time_unit;
    if (gap <= kLongestGap) continue;
    return absl::StrFormat("its timestamps jump by %.0f s, as in joined recordings", gap);
  }
  scan->reorder_depth = ReorderDepth(scan->times);
  return scan->reorder_depth > kLargestReorderDepth ? "its pictures are stored too far from "
                                                      "their display positions"
                                                    : "";
}

void NoteSize(const PlacedPicture& picture, const AVCodecParameters& parameters, PacketScan* scan) {
  if (scan->resized_at >= 0 || picture.width <= 0 || picture.height <= 0 ||
      (picture.width == parameters.width && picture.height == parameters.height)) {
    return;
  }
  scan->resized_at = static_cast<int64_t>(scan->times.size()) - 1;
  scan->resized_width = picture.width;
  scan->resized_height = picture.height;
}

}  // namespace

absl::StatusOr<PacketScan> ScanPackets(Demuxer* demuxer, const VideoLimits& limits) {
  PacketScan scan;
  scan.doubt = StreamDoubt(*demuxer);
  scan.unpacked = demuxer->HasPackedBFrames();
  if (scan.unpacked) OP3D_RETURN_IF_ERROR(demuxer->UnpackBFrames());
  PacketInspector inspector(demuxer->parameters(), scan.unpacked);
  std::vector<PlacedTime> placed;
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
    if (sight.shown) {
      scan.times.push_back(packet->pts);
      placed.emplace_back(sight.picture.place, packet->pts);
      NoteSize(sight.picture, demuxer->parameters(), &scan);
    }
    if (sight.entry) scan.entry_times.push_back(packet->pts);
  }
  scan.interlaced = inspector.interlaced();
  if (scan.doubt.empty() && demuxer->damaged()) {
    scan.doubt = scan.unpacked ? "its B-frames are not packed as they should be"
                               : "reading ended with an error";
  }
  // A decoder that restarts with another size may lose the waiting pictures.
  if (scan.doubt.empty() && scan.resized_at >= 0 && inspector.may_reorder()) {
    scan.doubt = "its pictures change their size";
  }
  if (scan.doubt.empty()) {
    scan.doubt =
        TimesDoubt(std::move(placed), first_stored, av_q2d(demuxer->stream().time_base), &scan);
  }
  return scan;
}

int ReorderDepth(const std::vector<int64_t>& times) {
  // Decoders hold fewer pictures than this; a longer distance cannot be reordering.
  constexpr size_t kLongest = 32;
  int depth = 0;
  for (size_t i = 0; i < times.size(); ++i) {
    int later = 0;
    for (size_t j = i < kLongest ? 0 : i - kLongest; j < i; ++j) later += times[j] > times[i];
    depth = std::max(depth, later);
  }
  return depth;
}

// ---------------------------------------------------------------- the index

namespace {

FrameIndex IndexFromPackets(const PacketScan& scan) {
  FrameIndex index;
  index.unpacked = scan.unpacked;
  index.reorder_depth = scan.reorder_depth;
  index.times = scan.times;
  std::sort(index.times.begin(), index.times.end());
  for (const int64_t time : scan.entry_times) index.entries.push_back(index.Find(time));
  std::sort(index.entries.begin(), index.entries.end());
  return index;
}

// The longest difference of two frames' times, in the stream's time base, so that sums over a video
// do not overflow.
constexpr int64_t kLongestStep = int64_t{1} << 40;

// A frame's duration in the stream's time base, at least 1.
int64_t FrameDuration(const AVStream& stream) {
  const AVRational rate =
      stream.avg_frame_rate.num > 0 ? stream.avg_frame_rate : stream.r_frame_rate;
  if (rate.num <= 0 || rate.den <= 0) return 1;
  return std::clamp<int64_t>(av_rescale_q(1, av_inv_q(rate), stream.time_base), 1, kLongestStep);
}

// Strictly increasing times for frames that were decoded with the times `decoded`.  Where these are
// unknown, decrease or jump, a frame comes `duration` after the previous one.  A whole recording
// that starts again is moved after the previous one.
std::vector<int64_t> IncreasingTimes(std::vector<int64_t> decoded, bool decoding_times,
                                     int64_t duration, double time_unit) {
  // Decoding times are the presentation times in another order, each with the same delay.
  if (decoding_times) std::sort(decoded.begin(), decoded.end());
  constexpr int64_t kLatest = int64_t{1} << 60;
  constexpr double kOtherRecording = 1.0;  // seconds back
  int64_t moved = 0;
  int64_t last = 0;
  for (size_t k = 0; k < decoded.size(); ++k) {
    const int64_t next = k == 0 ? 0 : last + duration;
    int64_t time = next;
    if (decoded[k] > -kLatest && decoded[k] < kLatest) {
      time = decoded[k] + moved;
      const double gap = static_cast<double>(time - last) * time_unit;
      const bool leaps = gap > kLongestGap || time - last > kLongestStep;
      if (k > 0 && (gap < -kOtherRecording || leaps)) {
        moved += next - time;
        time = next;
      }
      if (k > 0 && time <= last) time = next;
    }
    decoded[k] = last = time;
  }
  return decoded;
}

std::string SizeWarning(int64_t frame, int width, int height, const AVCodecParameters& stream) {
  return absl::StrCat("the pictures change their size: frame ", frame, " is ", width, "x", height,
                      "; all are scaled to ", stream.width, "x", stream.height);
}

absl::StatusOr<FrameIndex> IndexFromFrames(const VideoSource& source, const VideoLimits& limits,
                                           const PacketScan& scan,
                                           std::vector<std::string>* warnings) {
  OP3D_ASSIGN_OR_RETURN(Demuxer demuxer, Demuxer::Open(source, limits));
  OP3D_ASSIGN_OR_RETURN(Decoder decoder, Decoder::Make(demuxer, 0, limits));
  const int64_t duration = FrameDuration(demuxer.stream());
  FrameIndex index;
  index.doubt = scan.doubt;
  bool resized = false;
  while (const AVFrame* frame = decoder.Next(&demuxer)) {
    const AVCodecParameters& stream = demuxer.parameters();
    if (!resized && (frame->width != stream.width || frame->height != stream.height)) {
      resized = true;
      warnings->push_back(SizeWarning(static_cast<int64_t>(index.times.size()), frame->width,
                                      frame->height, stream));
    }
    index.times.push_back(PresentationTime(*frame));
    if (static_cast<int64_t>(index.times.size()) > limits.max_frames) {
      return absl::ResourceExhaustedError(
          absl::StrCat(source.name, " has more than ", limits.max_frames,
                       " frames, the limit; loader.max_frames of the settings can raise it"));
    }
  }
  index.times = IncreasingTimes(std::move(index.times), scan.decoding_times, duration,
                                av_q2d(demuxer.stream().time_base));
  return index;
}

// The scan of a file's packets.  If the header describes the streams completely, FFmpeg's
// examination of the first packets is skipped, which takes as long as this; but not if anything is
// doubtful.
absl::StatusOr<PacketScan> ScanSurely(Demuxer* demuxer, const VideoLimits& limits) {
  if (!demuxer->probed()) {
    FfmpegLog log;  // the full scan below counts the errors
    OP3D_ASSIGN_OR_RETURN(PacketScan scan, ScanPackets(demuxer, limits));
    if (scan.doubt.empty() && scan.resized_at < 0 && !scan.interlaced && log.count() == 0) {
      return scan;
    }
    const VideoSource source = demuxer->source();
    OP3D_ASSIGN_OR_RETURN(*demuxer, Demuxer::Open(source, limits));
  }
  return ScanPackets(demuxer, limits);
}

}  // namespace

absl::StatusOr<FrameIndex> MakeFrameIndex(Demuxer* demuxer, const VideoLimits& limits,
                                          std::vector<std::string>* warnings) {
  OP3D_ASSIGN_OR_RETURN(PacketScan scan, ScanSurely(demuxer, limits));
  FrameIndex index;
  if (scan.doubt.empty()) {
    index = IndexFromPackets(scan);
    if (scan.resized_at >= 0) {
      warnings->push_back(SizeWarning(index.Find(scan.times[scan.resized_at]), scan.resized_width,
                                      scan.resized_height, demuxer->parameters()));
    }
  } else {
    OP3D_ASSIGN_OR_RETURN(index, IndexFromFrames(demuxer->source(), limits, scan, warnings));
  }
  if (index.times.empty()) {
    return absl::DataLossError(absl::StrCat(demuxer->path(), ": none of its ", scan.packets,
                                            " packets decodes to a frame"));
  }
  index.time_unit = av_q2d(demuxer->stream().time_base);
  const double seconds =
      (static_cast<double>(index.times.back()) - static_cast<double>(index.times.front())) *
      index.time_unit;
  if (seconds > limits.max_seconds) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("%s lasts %.0f s, more than the limit of %.0f s; loader.max_seconds of the "
                        "settings can raise it",
                        demuxer->path(), seconds, limits.max_seconds));
  }
  return index;
}

}  // namespace op3d::data
