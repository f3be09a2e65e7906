#include "data/video/writer/packed_b_frames.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"

namespace op3d::data {
namespace {

constexpr absl::string_view kPictureStart("\0\0\1\xB6", 4);
// User data by which decoders recognise that B-frames are packed.
constexpr absl::string_view kPackedNote(
    "\0\0\1\xB2"
    "DivX503b1393p",
    17);

// vop_coding_type, the first two bits of a picture; -1 if there is none.
int TypeOf(absl::string_view packet) {
  const size_t at = packet.find(kPictureStart);
  if (at == absl::string_view::npos || at + 4 >= packet.size()) return -1;
  return static_cast<uint8_t>(packet[at + 4]) >> 6;
}

}  // namespace

BFramePacker::BFramePacker(int frame_rate)
    : time_bits_([frame_rate] {
        int bits = 1;
        while ((frame_rate - 1) >> bits != 0) ++bits;
        return bits;
      }()) {}

std::string BFramePacker::Add(absl::string_view packet) {
  constexpr int kI = 0, kB = 2;
  const int type = TypeOf(packet);
  if (type == kB) {
    std::string packed = absl::StrCat(std::exchange(held_, EmptyPicture()), packet);
    return packed;
  }
  std::string next(packet);
  if (type == kI) next.insert(next.find(std::string(kPictureStart)), std::string(kPackedNote));
  return std::exchange(held_, std::move(next));
}

std::string BFramePacker::Finish() { return std::exchange(held_, ""); }

// A P picture that is not coded.
std::string BFramePacker::EmptyPicture() const {
  // vop_coding_type 01, modulo_time_base 0, marker 1; vop_time_increment; marker 1, vop_coded 0;
  // stuffing: a zero, then ones up to the byte's end.
  std::string bits = absl::StrCat("0101", std::string(time_bits_, '0'), "10", "0");
  while (bits.size() % 8 != 0) bits += '1';
  std::string bytes(kPictureStart);
  for (size_t i = 0; i < bits.size(); i += 8) {
    int byte = 0;
    for (size_t j = 0; j < 8; ++j) byte = byte << 1 | (bits[i + j] - '0');
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace op3d::data
