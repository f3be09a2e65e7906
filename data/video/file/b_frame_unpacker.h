// Undoes what packed_b_frames.h describes: one picture a packet again, each with its own time of
// presentation, so that frames are numbered, looked for and passed over as in any other file.
//
//   OP3D_ASSIGN_OR_RETURN(BFrameUnpacker unpacker, BFrameUnpacker::Make(stream));
//   while (av_read_frame(input, packet) >= 0) {
//     if (unpacker.Unpack(packet)) Use(packet);           // else there is nothing in it
//   }
//   // Where unpacker.broken() is true, the file is not as described: nothing of it is to be trusted.
//
// FFmpeg's filter mpeg4_unpack_bframes moves the pictures.  Such files have one time a packet, that
// of its place, d.  A picture that a B-frame follows is presented at d + 2 (in packets), after that
// B-frame, which goes into the next place; any other at d + 1.
#ifndef OP3D_DATA_VIDEO_FILE_B_FRAME_UNPACKER_H_
#define OP3D_DATA_VIDEO_FILE_B_FRAME_UNPACKER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "data/video/ffmpeg/ffmpeg.h"
#include "data/video/file/mpeg4_pictures.h"

namespace op3d::data {

// Not thread-safe.
class BFrameUnpacker {
 public:
  // True when the headers of the stream or of its first packet say that B-frames are packed.
  static bool IsNeeded(const AVStream& stream, const AVPacket& first);

  // For `stream`, which IsNeeded.  Its parameters are changed to those of the unpacked stream.
  static absl::StatusOr<BFrameUnpacker> Make(AVStream* stream);

  // Turns the stream's next packet into that of one picture, a key frame where that is an I-frame.
  // False: it holds none (the place of a B-frame that never came, or of nothing).
  bool Unpack(AVPacket* packet);

  // Call this before packets of another place of the file.
  void Flush();

  // Something came that packed B-frames do not explain.  From then on Unpack is false.
  bool broken() const { return broken_; }

 private:
  BFrameUnpacker() = default;

  BitstreamFilterPtr filter_;
  Mpeg4Pictures pictures_;
  // A B-frame waits for its place.
  bool waiting_ = false;
  bool broken_ = false;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FILE_B_FRAME_UNPACKER_H_
