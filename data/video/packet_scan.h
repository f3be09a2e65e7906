// One pass over a file's packets: their times, the places where decoding can start, and any reason
// not to believe them.
#ifndef DATA_VIDEO_PACKET_SCAN_H_
#define DATA_VIDEO_PACKET_SCAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/video/demuxer.h"
#include "data/video/video_info.h"

namespace op3d {

struct PacketScan {
  // Of the packets whose pictures are presented, in the order stored, in the stream's time base.
  std::vector<int64_t> times;
  // Times of the pictures from which decoding is exact, in the order stored.
  std::vector<int64_t> entry_times;
  // Packets of the stream, whatever they hold.
  int64_t packets = 0;
  // Why the number or the times of the frames may differ from the packets'; empty = they do not.
  std::string doubt;
  // The packets are those of Demuxer::UnpackBFrames.
  bool unpacked = false;
};

// ResourceExhausted: more packets than `limits.max_frames`.
absl::StatusOr<PacketScan> ScanPackets(Demuxer* demuxer, const VideoLimits& limits);

// How many pictures have to wait in a decoder at most: of the pictures stored before one, the
// number presented after it.
int ReorderDepth(const std::vector<int64_t>& times);

}  // namespace op3d

#endif  // DATA_VIDEO_PACKET_SCAN_H_
