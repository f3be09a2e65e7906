#include "data/video/file/frame_index_builder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/video/file/decoder.h"
#include "data/video/file/packet_scan.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
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

absl::StatusOr<FrameIndex> IndexFromFrames(const std::string& path, const VideoLimits& limits,
                                           const PacketScan& scan,
                                           std::vector<std::string>* warnings) {
  OP3D_ASSIGN_OR_RETURN(Demuxer demuxer, Demuxer::Open(path, limits));
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
          absl::StrCat(path, " has more than ", limits.max_frames,
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
    FfmpegLog log;  // what is wrong is counted when it is looked at again
    OP3D_ASSIGN_OR_RETURN(PacketScan scan, ScanPackets(demuxer, limits));
    if (scan.doubt.empty() && scan.resized_at < 0 && !scan.interlaced && log.count() == 0) {
      return scan;
    }
    const std::string path = demuxer->path();
    OP3D_ASSIGN_OR_RETURN(*demuxer, Demuxer::Open(path, limits));
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
    OP3D_ASSIGN_OR_RETURN(index, IndexFromFrames(demuxer->path(), limits, scan, warnings));
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
