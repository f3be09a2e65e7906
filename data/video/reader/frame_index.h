// When each frame of a video file is presented, and where decoding can start: this makes frame
// numbers exact.
//
//   const int64_t frame = index.Find(time);            // -1: no frame is presented then
//   const int64_t start = index.EntryBefore(frame);    // decoding from here gives `frame` exactly
#ifndef OP3D_DATA_VIDEO_READER_FRAME_INDEX_H_
#define OP3D_DATA_VIDEO_READER_FRAME_INDEX_H_

#include <cstdint>
#include <string>
#include <vector>

namespace op3d::data {

struct FrameIndex {
  // Presentation times in units of the stream's time base, strictly increasing; frame k has
  // times[k].
  std::vector<int64_t> times;
  // The time base, in seconds.
  double time_unit = 0.0;
  // Why the packets were not trusted; empty if they were.  If empty, a decoded frame's time gives
  // its number; otherwise frames must be counted from the first one.
  std::string doubt;
  // Frames from which decoding is exact, for them and everything presented after them; increasing.
  // Empty if `doubt` is not.
  std::vector<int64_t> entries;
  // B-frames are packed: times and entries are those of the unpacked packets.
  bool unpacked = false;
  // The number of frames that can wait in a decoder for one that is presented before them.
  int reorder_depth = 0;

  // The number of the frame with this time, -1 if there is none.
  int64_t Find(int64_t time) const;
  // The last entry in [0, frame]; 0 if there is none.
  int64_t EntryBefore(int64_t frame) const;
  // The presentation times in seconds.
  std::vector<double> Seconds() const;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_READER_FRAME_INDEX_H_
