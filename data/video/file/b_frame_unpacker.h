// Undoes what packed_b_frames.h describes: each packet is one picture again, with its own
// presentation time, so that frames are numbered, searched and skipped as in any other file.
//
//   OP3D_ASSIGN_OR_RETURN(BFrameUnpacker unpacker, BFrameUnpacker::Make(stream));
//   while (av_read_frame(input, packet) >= 0) {
//     if (unpacker.Unpack(packet)) Use(packet);           // else there is nothing in it
//   }
//   // If unpacker.broken() is true, the file is not as described and cannot be trusted.
//
// FFmpeg's filter mpeg4_unpack_bframes moves the pictures.  Such files have one time per packet,
// that of its position d.  A picture followed by a B-frame is presented at d + 2 (in packets),
// after that B-frame, which moves to the next position; any other picture at d + 1.
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
  // True if the headers of the stream or of its first packet say that B-frames are packed.
  static bool IsNeeded(const AVStream& stream, const AVPacket& first);

  // For `stream`, which IsNeeded.  Its parameters are changed to those of the unpacked stream.
  static absl::StatusOr<BFrameUnpacker> Make(AVStream* stream);

  // Turns the stream's next packet into that of one picture; it is a key frame if that is an
  // I-frame.  False: it holds none (the position of a B-frame that never came, or of nothing).
  bool Unpack(AVPacket* packet);

  // Call this before packets of another position of the file.
  void Flush();

  // Something came that is impossible with packed B-frames.  From then on Unpack returns false.
  bool broken() const { return broken_; }

 private:
  BFrameUnpacker() = default;

  BitstreamFilterPtr filter_;
  Mpeg4Pictures pictures_;
  // A B-frame waits for its position.
  bool waiting_ = false;
  bool broken_ = false;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FILE_B_FRAME_UNPACKER_H_
