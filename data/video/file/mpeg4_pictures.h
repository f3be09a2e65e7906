// The pictures (VOPs) in the packets of an MPEG-4 Part 2 stream, without decoding.
//
//   Mpeg4Pictures stream;
//   stream.ReadHeaders(configuration);                      // and in each packet, by Find
//   for (const Mpeg4Picture& picture : stream.Find(packet)) Use(picture.type);
//
// Source: ISO/IEC 14496-2, 6.2.3 (VideoObjectLayer) and 6.2.5 (VideoObjectPlane); the meaning of
// DivX's user data is a convention.
#ifndef OP3D_DATA_VIDEO_FILE_MPEG4_PICTURES_H_
#define OP3D_DATA_VIDEO_FILE_MPEG4_PICTURES_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace op3d::data {

struct Mpeg4Picture {
  enum class Type { kI, kP, kB, kS };
  Type type = Type::kI;
  // False: "not coded", no picture is shown for it.
  bool coded = true;
  // The header is complete and makes sense.
  bool valid = true;
};

// The largest size in bytes of a packet whose picture is not coded: a start code, at most 22 bits
// up to vop_coded, stuffing (6.2.5).
inline constexpr int kLargestUncodedPicture = 8;

class Mpeg4Pictures {
 public:
  // Records what the headers in `bytes` say.
  void ReadHeaders(absl::Span<const uint8_t> bytes);

  // The pictures in a packet, in order; its headers apply from here on.
  std::vector<Mpeg4Picture> Find(absl::Span<const uint8_t> packet);

  // A VideoObjectLayer was read; without one pictures cannot be recognised.
  bool has_layer() const { return time_bits_ > 0; }
  // The layer says that pictures are shown in the order in which they are stored.
  bool low_delay() const { return low_delay_; }
  // DivX's or Xvid's user data says that B-frames are packed.
  bool packed() const { return packed_; }

 private:
  void ReadLayer(absl::Span<const uint8_t> bytes);
  void ReadUserData(absl::Span<const uint8_t> bytes);
  Mpeg4Picture ReadPicture(absl::Span<const uint8_t> bytes) const;

  int time_bits_ = 0;
  bool low_delay_ = false;
  bool packed_ = false;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FILE_MPEG4_PICTURES_H_
