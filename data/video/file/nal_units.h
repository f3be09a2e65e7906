// Inspects the NAL units of one H.264 or HEVC packet, without decoding: is the packet complete, and
// can decoding start at it?
#ifndef OP3D_DATA_VIDEO_FILE_NAL_UNITS_H_
#define OP3D_DATA_VIDEO_FILE_NAL_UNITS_H_

#include <cstdint>

#include "absl/types/span.h"

namespace op3d::data {

enum class NalCodec { kH264, kHevc };

struct NalUnits {
  // The units' lengths add up to the packet's length; always true for start codes.
  bool whole = true;
  // There is a picture (a slice).
  bool picture = false;
  // The picture is the first of a sequence, whose pictures are all presented after those stored
  // before it: H.264 IDR; HEVC IDR or BLA.
  bool starts_sequence = false;
  // HEVC: the sequence ends here; the next picture starts another one, whatever its type.
  bool ends_sequence = false;
  // The picture is a random access point: H.264 IDR; HEVC IDR, BLA or CRA.  Containers also mark
  // others as key frames (H.264 recovery points), from which decoding is not exact.
  bool random_access = false;
};

// The size in bytes of the length field before each unit, from the codec's configuration record
// (avcC, hvcC): 1, 2 or 4; 0 = units are separated by start codes (no such record).
int NalLengthSize(NalCodec codec, absl::Span<const uint8_t> configuration);

NalUnits InspectNalUnits(NalCodec codec, int length_size, absl::Span<const uint8_t> packet);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FILE_NAL_UNITS_H_
