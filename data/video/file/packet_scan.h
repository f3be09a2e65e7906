// One pass over a file's packets: their times, the places where decoding can start, and any reason
// not to believe them.
#ifndef OP3D_DATA_VIDEO_FILE_PACKET_SCAN_H_
#define OP3D_DATA_VIDEO_FILE_PACKET_SCAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/video/file/demuxer.h"
#include "data/video/reader/video_info.h"

namespace op3d::data {

struct PacketScan {
  // Of the packets whose pictures are presented, in the order stored, in the stream's time base.
  std::vector<int64_t> times;
  // Times of the pictures from which decoding is exact, in the order stored.
  std::vector<int64_t> entry_times;
  // Packets of the stream, whatever they hold.
  int64_t packets = 0;
  // How many pictures have to wait in a decoder at most for one presented before them.
  int reorder_depth = 0;
  // The times increase in the order stored, though pictures are shown in another: times of
  // decoding, which a remux has put in the place of missing ones.
  bool decoding_times = false;
  // The first pictures say so; where packets were looked at before, that is a doubt already.
  bool interlaced = false;
  // Why the number or the times of the frames may differ from the packets'; empty = they do not.
  std::string doubt;
  // The packets are those of Demuxer::UnpackBFrames.
  bool unpacked = false;
  // The first picture of another size than the stream's: in the middle of `times`, or -1.
  int64_t resized_at = -1;
  int resized_width = 0;
  int resized_height = 0;
};

// The longest gap between two pictures' times that is believed, in seconds.  Where a recording in a
// transport stream starts again at 0, its clock seems to have wrapped: 26 hours.
inline constexpr double kLongestGap = 12 * 3600.0;

// Times are believed only where they order the pictures as a decoder does.  ResourceExhausted: more
// packets than `limits.max_frames`.
absl::StatusOr<PacketScan> ScanPackets(Demuxer* demuxer, const VideoLimits& limits);

// PacketScan::reorder_depth: of the pictures stored before one, the number presented after it, at
// most; 32 for more than that.
int ReorderDepth(const std::vector<int64_t>& times);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FILE_PACKET_SCAN_H_
