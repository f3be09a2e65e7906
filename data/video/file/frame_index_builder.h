// Makes the frame index of a file, from one pass over its packets: their times, the positions where
// decoding can start, and any reason not to trust them.
//
// It needs only one pass over the packets, without decoding, if they are consistent: one
// picture per packet, each with its own time, starting at a key frame, and times in the order in
// which a decoder outputs the pictures.  Otherwise (damage, missing times, decoding times,
// concatenated recordings, interlaced fields) everything is decoded once, and the frames are those
// that the decoder returned.
#ifndef OP3D_DATA_VIDEO_FILE_FRAME_INDEX_BUILDER_H_
#define OP3D_DATA_VIDEO_FILE_FRAME_INDEX_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/video/file/demuxer.h"
#include "data/video/reader/frame_index.h"
#include "data/video/reader/video_info.h"

namespace op3d::data {

struct PacketScan {
  // Times of the packets whose pictures are presented, in stored order, in the stream's time base.
  std::vector<int64_t> times;
  // Times of the pictures from which decoding is exact, in stored order.
  std::vector<int64_t> entry_times;
  // The number of packets of the stream, whatever they contain.
  int64_t packets = 0;
  // The largest number of pictures that wait in a decoder for one presented before them.
  int reorder_depth = 0;
  // The times increase in stored order, although pictures are shown in another order: they are
  // decoding times, which a remux has written instead of missing ones.
  bool decoding_times = false;
  // The first pictures are interlaced; if packets were decoded to examine the streams, that is
  // already a reason for `doubt`.
  bool interlaced = false;
  // Why the number or the times of the frames may differ from the packets'; empty = they do not.
  std::string doubt;
  // The packets are those of Demuxer::UnpackBFrames.
  bool unpacked = false;
  // The first picture whose size differs from the stream's: its index in `times`, or -1.
  int64_t resized_at = -1;
  int resized_width = 0;
  int resized_height = 0;
};

// The longest gap between two pictures' times that is accepted, in seconds.  When a recording in a
// transport stream starts again at 0, its clock seems to wrap: 26 hours.
inline constexpr double kLongestGap = 12 * 3600.0;

// Times are only accepted if they order the pictures as a decoder does.  ResourceExhausted: more
// packets than `limits.max_frames`.
absl::StatusOr<PacketScan> ScanPackets(Demuxer* demuxer, const VideoLimits& limits);

// PacketScan::reorder_depth: the largest number of pictures that are stored before one but
// presented after it; 32 if it is more than that.
int ReorderDepth(const std::vector<int64_t>& times);

// Reads all packets of `demuxer`, which must be newly opened.  DataLoss: no frame decodes.
// ResourceExhausted: more frames or seconds than `limits` allow.  Adds a warning to `warnings`
// about pictures that change their size, if headers show it.
absl::StatusOr<FrameIndex> MakeFrameIndex(Demuxer* demuxer, const VideoLimits& limits,
                                          std::vector<std::string>* warnings);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FILE_FRAME_INDEX_BUILDER_H_
