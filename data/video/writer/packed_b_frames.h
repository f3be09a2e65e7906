// The way in which DivX and early Xvid store MPEG-4 B-frames in AVI files, which have no
// presentation times: a B-frame is in the packet of the picture it waits for, and its own packet is
// an empty picture ("not coded").
//
//   BFramePacker packer(frame_rate);
//   for (const std::string& packet : encoded) Use(packer.Add(packet));   // one out for one in,
//   Use(packer.Finish());                                                // one packet later
#ifndef OP3D_DATA_VIDEO_WRITER_PACKED_B_FRAMES_H_
#define OP3D_DATA_VIDEO_WRITER_PACKED_B_FRAMES_H_

#include <string>

#include "absl/strings/string_view.h"

namespace op3d::data {

// Not thread-safe.
class BFramePacker {
 public:
  // Frames per second: the unit of the time in a picture's header.
  explicit BFramePacker(int frame_rate);

  // Takes the next packet of MPEG-4 in decoding order (at most one B-frame in a row) and returns
  // the previous one as it must be stored; empty for the first.
  std::string Add(absl::string_view packet);
  // The last one.
  std::string Finish();

 private:
  std::string EmptyPicture() const;

  const int time_bits_;
  std::string held_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_WRITER_PACKED_B_FRAMES_H_
