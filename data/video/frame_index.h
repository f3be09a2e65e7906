// When each frame of a file is presented, and where decoding can start: what makes frame numbers
// exact.
//
// It comes from one pass over the packets, without decoding, as long as they tell the truth: one
// picture a packet, each with its own time, starting at a key frame.  Where they do not (packed
// B-frames of AVI files, damage, missing times, interlaced fields) everything is decoded once and
// the frames are what came out.
#ifndef DATA_VIDEO_FRAME_INDEX_H_
#define DATA_VIDEO_FRAME_INDEX_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/video/demuxer.h"
#include "data/video/video_info.h"

namespace op3d {

struct FrameIndex {
  // Presentation times in the stream's time base, strictly increasing; frame k has times[k].
  std::vector<int64_t> times;
  // Why packets were not believed; empty when they were.  Then a decoded frame's time finds its
  // number; else only counting from the first frame does.
  std::string doubt;
  // Frames from which decoding is exact, with everything presented after them; increasing.  Empty
  // when in doubt.
  std::vector<int64_t> entries;
  // How many frames can wait in a decoder for one that is presented before them.
  int reorder_depth = 0;

  // The number of the frame with this time, -1 when there is none.
  int64_t Find(int64_t time) const;
  // The last entry in [0, frame]; 0 when there is none.
  int64_t EntryBefore(int64_t frame) const;
};

// Takes all packets out of `demuxer`, which must be freshly open.  DataLoss: no frame decodes.
// ResourceExhausted: more frames or seconds than `limits` allow.
absl::StatusOr<FrameIndex> MakeFrameIndex(Demuxer* demuxer, const VideoLimits& limits);

}  // namespace op3d

#endif  // DATA_VIDEO_FRAME_INDEX_H_
