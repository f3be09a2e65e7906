#include "data/video/file/mpeg4_pictures.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace op3d::data {
namespace {

// Bits from the most significant on; zeros past the end.
class Bits {
 public:
  explicit Bits(absl::Span<const uint8_t> bytes) : bytes_(bytes) {}

  uint32_t Read(int count) {
    uint32_t value = 0;
    for (; count > 0; --count, ++position_) {
      const size_t byte = position_ / 8;
      const int bit = byte < bytes_.size() ? bytes_[byte] >> (7 - position_ % 8) & 1 : 0;
      value = value << 1 | static_cast<uint32_t>(bit);
    }
    return value;
  }
  bool ended() const { return position_ > bytes_.size() * 8; }

 private:
  const absl::Span<const uint8_t> bytes_;
  size_t position_ = 0;
};

// Calls `use`(code, the bytes after it) for each start code, 00 00 01 `code`.
template <typename Use>
void ForEachStartCode(absl::Span<const uint8_t> bytes, Use use) {
  for (size_t i = 0; i + 3 < bytes.size(); ++i) {
    if (bytes[i] != 0 || bytes[i + 1] != 0 || bytes[i + 2] != 1) continue;
    use(bytes[i + 3], bytes.subspan(i + 4));
    i += 3;
  }
}

// ISO/IEC 14496-2, table 6-3.
constexpr uint8_t kFirstLayer = 0x20, kLastLayer = 0x2F, kUserData = 0xB2, kPicture = 0xB6;

}  // namespace

void Mpeg4Pictures::ReadHeaders(absl::Span<const uint8_t> bytes) {
  ForEachStartCode(bytes, [&](uint8_t code, absl::Span<const uint8_t> rest) {
    if (code >= kFirstLayer && code <= kLastLayer) ReadLayer(rest);
    if (code == kUserData) ReadUserData(rest);
  });
}

std::vector<Mpeg4Picture> Mpeg4Pictures::Find(absl::Span<const uint8_t> packet) {
  std::vector<Mpeg4Picture> pictures;
  ForEachStartCode(packet, [&](uint8_t code, absl::Span<const uint8_t> rest) {
    if (code >= kFirstLayer && code <= kLastLayer) ReadLayer(rest);
    if (code == kUserData) ReadUserData(rest);
    if (code == kPicture) pictures.push_back(ReadPicture(rest));
  });
  return pictures;
}

void Mpeg4Pictures::ReadLayer(absl::Span<const uint8_t> bytes) {
  constexpr uint32_t kSimple = 1, kAdvancedSimple = 17, kExtendedAspect = 15, kGreyscale = 3;
  Bits bits(bytes);
  bits.Read(1);  // random_accessible_vol
  const uint32_t type = bits.Read(8);
  uint32_t version = 1;
  if (bits.Read(1) != 0) {
    version = bits.Read(4);
    bits.Read(3);
  }
  if (bits.Read(4) == kExtendedAspect) bits.Read(16);
  // If nothing is specified, decoders use the type.
  bool low_delay = type == kSimple || type == kAdvancedSimple;
  if (bits.Read(1) != 0) {  // vol_control_parameters
    bits.Read(2);
    low_delay = bits.Read(1) != 0;
    if (bits.Read(1) != 0) {  // vbv_parameters: 79 bits
      for (const int count : {16, 16, 16, 16, 15}) bits.Read(count);
    }
  }
  if (bits.Read(2) == kGreyscale && version != 1) bits.Read(4);
  bits.Read(1);
  const uint32_t resolution = bits.Read(16);
  if (bits.Read(1) == 0 || bits.ended() || resolution == 0) return;
  low_delay_ = low_delay;
  time_bits_ = 1;
  while ((resolution - 1) >> time_bits_ != 0) ++time_bits_;
}

void Mpeg4Pictures::ReadUserData(absl::Span<const uint8_t> bytes) {
  // "DivX503b1393p", "DivX501Build413p".
  std::string text(reinterpret_cast<const char*>(bytes.data()), std::min<size_t>(bytes.size(), 64));
  text = text.substr(0, std::strlen(text.c_str()));
  if (!absl::StartsWith(text, "DivX")) return;
  size_t at = 4;
  const auto skip_digits = [&] {
    const size_t begin = at;
    while (at < text.size() && absl::ascii_isdigit(text[at])) ++at;
    return at > begin;
  };
  if (!skip_digits()) return;
  if (text.compare(at, 5, "Build") == 0) {
    at += 5;
  } else if (text.compare(at, 1, "b") == 0) {
    at += 1;
  } else {
    return;
  }
  if (skip_digits()) packed_ = at < text.size() && text[at] == 'p';
}

Mpeg4Picture Mpeg4Pictures::ReadPicture(absl::Span<const uint8_t> bytes) const {
  Bits bits(bytes);
  Mpeg4Picture picture;
  picture.type = static_cast<Mpeg4Picture::Type>(bits.Read(2));
  while (bits.Read(1) != 0) {  // modulo_time_base: a one for each second
  }
  const bool marker = bits.Read(1) != 0;
  bits.Read(time_bits_);
  const bool second_marker = bits.Read(1) != 0;
  picture.coded = bits.Read(1) != 0;
  picture.valid = has_layer() && marker && second_marker && !bits.ended();
  return picture;
}

}  // namespace op3d::data
