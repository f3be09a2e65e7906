#include "data/video/frame_index_builder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/video/decoder.h"
#include "data/video/packet_scan.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

FrameIndex IndexFromPackets(PacketScan scan) {
  FrameIndex index;
  index.unpacked = scan.unpacked;
  index.reorder_depth = ReorderDepth(scan.times);
  index.times = std::move(scan.times);
  std::sort(index.times.begin(), index.times.end());
  for (const int64_t time : scan.entry_times) index.entries.push_back(index.Find(time));
  std::sort(index.entries.begin(), index.entries.end());
  return index;
}

// A frame's duration in the stream's time base, at least 1.
int64_t FrameDuration(const AVStream& stream) {
  const AVRational rate =
      stream.avg_frame_rate.num > 0 ? stream.avg_frame_rate : stream.r_frame_rate;
  if (rate.num <= 0 || rate.den <= 0) return 1;
  return std::max<int64_t>(1, av_rescale_q(1, av_inv_q(rate), stream.time_base));
}

absl::StatusOr<FrameIndex> IndexFromFrames(const std::string& path, const VideoLimits& limits,
                                           std::string doubt) {
  OP3D_ASSIGN_OR_RETURN(Demuxer demuxer, Demuxer::Open(path, limits));
  OP3D_ASSIGN_OR_RETURN(Decoder decoder, Decoder::Make(demuxer, 0, limits));
  const int64_t duration = FrameDuration(demuxer.stream());
  FrameIndex index;
  index.doubt = std::move(doubt);
  while (const AVFrame* frame = decoder.Next(&demuxer)) {
    int64_t time = PresentationTime(*frame);
    if (!index.times.empty() && (time == AV_NOPTS_VALUE || time <= index.times.back())) {
      time = index.times.back() + duration;
    }
    index.times.push_back(time == AV_NOPTS_VALUE ? 0 : time);
    if (static_cast<int64_t>(index.times.size()) > limits.max_frames) {
      return absl::ResourceExhaustedError(
          absl::StrCat(path, " has more than ", limits.max_frames,
                       " frames, the limit; loader.max_frames of the settings can raise it"));
    }
  }
  return index;
}

}  // namespace

absl::StatusOr<FrameIndex> MakeFrameIndex(Demuxer* demuxer, const VideoLimits& limits) {
  OP3D_ASSIGN_OR_RETURN(PacketScan scan, ScanPackets(demuxer, limits));
  FrameIndex index;
  if (scan.doubt.empty()) {
    index = IndexFromPackets(std::move(scan));
  } else {
    OP3D_ASSIGN_OR_RETURN(index, IndexFromFrames(demuxer->path(), limits, scan.doubt));
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

}  // namespace op3d
