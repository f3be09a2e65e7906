#include "data/transform/colour.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace op3d::data {
namespace {

using ByteTable = std::array<uint8_t, 256>;

uint8_t Luma(const uint8_t* pixel) {
  return static_cast<uint8_t>((pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 32768) >>
                              16);
}

// other + factor * (value - other), clipped and truncated.
uint8_t Mix(float other, float factor, float value) {
  const float mixed = other + factor * (value - other);
  return static_cast<uint8_t>(std::min(std::max(mixed, 0.0f), 255.0f));
}

// Every byte mixed with the same other value.
void MixWithConstant(float other, float factor, absl::Span<uint8_t> pixels) {
  ByteTable table;
  for (int value = 0; value < 256; ++value) {
    table[value] = Mix(other, factor, static_cast<float>(value));
  }
  for (uint8_t& byte : pixels) byte = table[byte];
}

// Hue and saturation as bytes; the value is the largest channel.
struct HueSaturation {
  int hue;
  int saturation;
};

HueSaturation ToHueSaturation(int red, int green, int blue, int high, int low) {
  const float range = static_cast<float>(high - low);
  const float to_red = static_cast<float>(high - red) / range;
  const float to_green = static_cast<float>(high - green) / range;
  const float to_blue = static_cast<float>(high - blue) / range;
  float sixth;
  if (red == high) {
    sixth = to_blue - to_green;
  } else if (green == high) {
    sixth = static_cast<float>(2.0 + double{to_red} - double{to_blue});
  } else {
    sixth = static_cast<float>(4.0 + double{to_green} - double{to_red});
  }
  double turns = double{sixth} / 6.0 + 1.0;  // in [5/6, 2): fmod(turns, 1) is one subtraction
  if (turns >= 1.0) turns -= 1.0;
  const double hue = double{static_cast<float>(turns)} * 255.0;
  const double saturation = double{range / static_cast<float>(high)} * 255.0;
  return {std::min(255, static_cast<int>(hue)), std::min(255, static_cast<int>(saturation))};
}

// The meaning of the hue's byte: one of six sectors, and the position in it.
struct HueTable {
  std::array<uint8_t, 256> sector;
  std::array<float, 256> share;
};

HueTable MakeHueTable() {
  HueTable table;
  for (int hue = 0; hue < 256; ++hue) {
    const double sixths = hue * 6.0 / 255.0;
    table.sector[hue] = static_cast<uint8_t>(static_cast<int>(sixths) % 6);
    table.share[hue] = static_cast<float>(sixths - std::floor(sixths));
  }
  return table;
}

uint8_t Nearest(double value) {
  return static_cast<uint8_t>(std::min(255.0, std::max(0.0, std::floor(value + 0.5))));
}

void FromHsv(const HueTable& table, int hue, int saturation, int value, uint8_t* pixel) {
  const float share = table.share[hue];
  const float grey = static_cast<float>(saturation / 255.0);
  const uint8_t v = static_cast<uint8_t>(value);
  const uint8_t p = Nearest(value * (1.0 - double{grey}));
  const uint8_t q = Nearest(value * (1.0 - double{grey * share}));
  const uint8_t t = Nearest(value * (1.0 - double{grey} * (1.0 - double{share})));
  const uint8_t sectors[6][3] = {{v, t, p}, {q, v, p}, {p, v, t}, {p, q, v}, {t, p, v}, {v, p, q}};
  std::copy_n(sectors[table.sector[hue]], 3, pixel);
}

}  // namespace

void AdjustBrightness(float factor, absl::Span<uint8_t> pixels) {
  MixWithConstant(0.0f, factor, pixels);
}

void AdjustContrast(float factor, absl::Span<uint8_t> pixels) {
  const size_t count = pixels.size() / 3;
  if (count == 0) return;
  int64_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += Luma(&pixels[i * 3]);
  const int mean = static_cast<int>(static_cast<double>(sum) / static_cast<double>(count) + 0.5);
  MixWithConstant(static_cast<float>(mean), factor, pixels);
}

void AdjustSaturation(float factor, absl::Span<uint8_t> pixels) {
  for (size_t i = 0; i + 2 < pixels.size(); i += 3) {
    uint8_t* pixel = &pixels[i];
    const float luma = Luma(pixel);
    for (int c = 0; c < 3; ++c) pixel[c] = Mix(luma, factor, pixel[c]);
  }
}

void AdjustHue(double turns, absl::Span<uint8_t> pixels) {
  static const HueTable table = MakeHueTable();
  const int step = static_cast<int>(turns * 255.0);  // cut off towards zero
  for (size_t i = 0; i + 2 < pixels.size(); i += 3) {
    uint8_t* pixel = &pixels[i];
    const int red = pixel[0], green = pixel[1], blue = pixel[2];
    const int high = std::max({red, green, blue});
    const int low = std::min({red, green, blue});
    if (high == low) continue;  // grey has no hue
    const HueSaturation hs = ToHueSaturation(red, green, blue, high, low);
    if (hs.saturation == 0) {
      std::fill_n(pixel, 3, static_cast<uint8_t>(high));
    } else {
      FromHsv(table, (hs.hue + step) & 255, hs.saturation, high, pixel);
    }
  }
}

void MakeGrey(absl::Span<uint8_t> pixels) {
  for (size_t i = 0; i + 2 < pixels.size(); i += 3) {
    const uint8_t luma = Luma(&pixels[i]);
    pixels[i] = pixels[i + 1] = pixels[i + 2] = luma;
  }
}

}  // namespace op3d::data
