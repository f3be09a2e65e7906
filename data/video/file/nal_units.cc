#include "data/video/file/nal_units.h"

namespace op3d::data {
namespace {

void Note(NalCodec codec, uint8_t first_byte, NalUnits* units) {
  if (codec == NalCodec::kH264) {
    const int type = first_byte & 31;  // ITU-T H.264, table 7-1: 1 slice, 5 IDR slice
    units->picture |= type == 1 || type == 2 || type == 5;
    units->random_access |= type == 5;
    units->starts_sequence |= type == 5;
  } else {
    const int type =
        (first_byte >> 1) & 63;  // ITU-T H.265, table 7-1: 16..21 BLA, IDR, CRA; 36, 37 end
    units->picture |= type <= 21;
    units->random_access |= type >= 16 && type <= 21;
    units->starts_sequence |= type >= 16 && type <= 20;
    units->ends_sequence |= type == 36 || type == 37;
  }
}

NalUnits WithLengths(NalCodec codec, size_t length_size, absl::Span<const uint8_t> packet) {
  NalUnits units;
  while (!packet.empty()) {
    if (packet.size() < length_size) break;
    uint64_t length = 0;
    for (size_t i = 0; i < length_size; ++i) length = length << 8 | packet[i];
    packet.remove_prefix(length_size);
    if (length > packet.size()) break;
    if (length > 0) Note(codec, packet[0], &units);
    packet.remove_prefix(length);
  }
  units.whole = packet.empty();
  return units;
}

NalUnits WithStartCodes(NalCodec codec, absl::Span<const uint8_t> packet) {
  NalUnits units;
  for (size_t i = 0; i + 3 < packet.size(); ++i) {
    if (packet[i] != 0 || packet[i + 1] != 0 || packet[i + 2] != 1) continue;
    Note(codec, packet[i + 3], &units);
    i += 3;
  }
  return units;
}

}  // namespace

int NalLengthSize(NalCodec codec, absl::Span<const uint8_t> configuration) {
  // ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1: both records start with a version, 1; a sequence of
  // start codes starts with 0.
  const size_t position = codec == NalCodec::kH264 ? 4 : 21;
  if (configuration.size() <= position || configuration[0] != 1) return 0;
  return (configuration[position] & 3) + 1;
}

NalUnits InspectNalUnits(NalCodec codec, int length_size, absl::Span<const uint8_t> packet) {
  return length_size == 0 ? WithStartCodes(codec, packet)
                          : WithLengths(codec, static_cast<size_t>(length_size), packet);
}

}  // namespace op3d::data
