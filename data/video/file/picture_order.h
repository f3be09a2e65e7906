// The order in which a decoder outputs the pictures of packets, and their size, from the pictures'
// headers alone.
//
//   PictureOrder order(stream.parameters());
//   const PlacedPicture first = order.Next(packet, /*starts_sequence=*/true);
//   const PlacedPicture second = order.Next(next_packet, /*starts_sequence=*/false);
//   // Where second.place < first.place, it is shown before the first, though stored later.
//
// H.264 and HEVC pictures contain their position in their sequence (picture order count).  In
// MPEG-1, 2 and 4 the B-frames stored after a picture are shown before it.  All other codecs used
// here show pictures in stored order.
#ifndef OP3D_DATA_VIDEO_FILE_PICTURE_ORDER_H_
#define OP3D_DATA_VIDEO_FILE_PICTURE_ORDER_H_

#include <cstdint>
#include <utility>

#include "absl/types/span.h"
#include "data/video/ffmpeg/ffmpeg.h"

namespace op3d::data {

struct PlacedPicture {
  // The sequence, and the position in it: a decoder outputs pictures in increasing order.  If two
  // pictures have the same value, a header could not be read.
  std::pair<int64_t, int64_t> place;
  // In pixels, as stored; 0 = this packet does not say.
  int width = 0;
  int height = 0;
};

// Not thread-safe.
class PictureOrder {
 public:
  explicit PictureOrder(const AVCodecParameters& parameters);

  // The picture of the next packet in stored order.  `starts_sequence`: see NalUnits; false for
  // other codecs.
  PlacedPicture Next(const AVPacket& packet, bool starts_sequence);

  // Whether the first picture that says it is a field, or a frame of two fields.
  bool interlaced() const {
    return context_->field_order != AV_FIELD_UNKNOWN &&
           context_->field_order != AV_FIELD_PROGRESSIVE;
  }

  // Whether pictures may be shown in another order than they are stored, and so wait in a decoder.
  bool may_reorder() const { return kind_ != Kind::kAsStored; }

 private:
  // How a codec orders its pictures.
  enum class Kind { kAsStored, kByCount, kBFrames };

  void StartParser();
  void Parse(const AVPacket& packet);

  const Kind kind_;
  CodecPtr context_;
  ParserPtr parser_;
  int64_t sequence_ = 0;
  // Pictures (for kBFrames those that others refer to), and B-frames after the last of them.
  int64_t pictures_ = 0;
  int64_t b_frames_ = 0;
};

// The size in the header of a VP9 key frame; {0, 0} for anything else.
std::pair<int, int> Vp9KeyFrameSize(absl::Span<const uint8_t> packet);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FILE_PICTURE_ORDER_H_
