#include "data/transform/rand_augment.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/types/span.h"
#include "data/transform/colour.h"

namespace op3d::data {
namespace {

constexpr double kPi = 3.14159265358979323846;

using Table = std::array<uint8_t, 256>;

// The upper end of each operation's range, at magnitude 30; 0 if it has none.
double Top(AugmentOperation operation) {
  switch (operation) {
    case AugmentOperation::kRotate:
      return 30;
    case AugmentOperation::kPosterize:
      return 4;
    case AugmentOperation::kSolarize:
      return 256;
    case AugmentOperation::kSolarizeAdd:
      return 110;
    case AugmentOperation::kColor:
    case AugmentOperation::kContrast:
    case AugmentOperation::kBrightness:
    case AugmentOperation::kSharpness:
      return 0.9;
    case AugmentOperation::kShearX:
    case AugmentOperation::kShearY:
      return 0.3;
    case AugmentOperation::kCutout:
      return 0.3571;
    case AugmentOperation::kTranslateX:
    case AugmentOperation::kTranslateY:
      return 0.4464;
    default:
      return 0;
  }
}

uint8_t Byte(double value) { return static_cast<uint8_t>(std::clamp(value, 0.0, 255.0)); }

template <typename Function>
Table MakeTable(Function function) {
  Table table;
  for (int i = 0; i < 256; ++i) table[i] = function(i);
  return table;
}

void Look(const Table& table, absl::Span<uint8_t> pixels) {
  for (uint8_t& byte : pixels) byte = table[byte];
}

void LookChannel(const Table& table, int channel, absl::Span<uint8_t> pixels) {
  for (size_t i = channel; i < pixels.size(); i += 3) pixels[i] = table[pixels[i]];
}

void AutoContrast(absl::Span<uint8_t> pixels) {
  for (int channel = 0; channel < 3; ++channel) {
    int low = 255, high = 0;
    for (size_t i = channel; i < pixels.size(); i += 3) {
      low = std::min<int>(low, pixels[i]);
      high = std::max<int>(high, pixels[i]);
    }
    if (high <= low) continue;
    const double scale = 255.0 / (high - low);
    const double offset = -low * scale;
    LookChannel(MakeTable([&](int i) { return Byte(i * scale + offset); }), channel, pixels);
  }
}

void Equalize(absl::Span<uint8_t> pixels) {
  for (int channel = 0; channel < 3; ++channel) {
    std::array<int64_t, 256> count = {};
    for (size_t i = channel; i < pixels.size(); i += 3) ++count[pixels[i]];
    int64_t sum = 0, last = 0, used = 0;
    for (const int64_t n : count) {
      if (n == 0) continue;
      sum += n;
      last = n;
      ++used;
    }
    const int64_t step = (sum - last) / 255;
    if (used < 2 || step == 0) continue;
    int64_t n = step / 2;
    LookChannel(MakeTable([&](int i) {
                  const auto byte = static_cast<uint8_t>(std::min<int64_t>(255, n / step));
                  n += count[i];
                  return byte;
                }),
                channel, pixels);
  }
}

// A mix with the picture smoothed by 1 1 1, 1 5 1, 1 1 1 over 13; borders are not smoothed.
void Sharpen(float factor, int width, int height, std::vector<uint8_t>* pixels) {
  const std::vector<uint8_t> source = *pixels;
  constexpr float kOne = 1.0f / 13.0f, kFive = 5.0f / 13.0f;
  const int row = 3 * width;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < row; ++x) {
      const uint8_t* at = source.data() + static_cast<size_t>(y) * row + x;
      float smooth = *at;
      if (y > 0 && y + 1 < height && x >= 3 && x < row - 3) {
        float sum = 0.5f;
        for (int dy = -1; dy <= 1; ++dy) {
          for (int dx = -1; dx <= 1; ++dx) {
            sum += (dx == 0 && dy == 0 ? kFive : kOne) * at[dy * row + 3 * dx];
          }
        }
        smooth = static_cast<float>(static_cast<uint8_t>(std::clamp(sum, 0.0f, 255.0f)));
      }
      const float mixed = smooth + factor * (*at - smooth);
      (*pixels)[static_cast<size_t>(y) * row + x] =
          static_cast<uint8_t>(std::clamp(mixed, 0.0f, 255.0f));
    }
  }
}

// Source = matrix * (x, y, 1) at pixel centres: x' = m0 x + m1 y + m2, y' = m3 x + m4 y + m5.
using Matrix = std::array<double, 6>;

// The nearest source pixel for each position; outside is black.  If there is only scaling, in real
// numbers, otherwise in integers with 16 fractional bits: as in Pillow.
void Affine(const Matrix& m, int width, int height, std::vector<uint8_t>* pixels) {
  const std::vector<uint8_t> source = *pixels;
  const bool scaled = m[1] == 0 && m[3] == 0;
  const auto fix = [](double value) {
    return static_cast<int64_t>(std::floor(value * 65536.0 + 0.5));
  };
  const int64_t x0 = fix(m[2] + m[0] * 0.5 + m[1] * 0.5), y0 = fix(m[5] + m[3] * 0.5 + m[4] * 0.5);
  const int64_t xx = fix(m[0]), xy = fix(m[1]), yx = fix(m[3]), yy = fix(m[4]);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      int64_t from_x, from_y;
      if (scaled) {
        from_x = static_cast<int64_t>(std::floor(m[2] + m[0] * 0.5 + x));
        from_y = static_cast<int64_t>(std::floor(m[5] + m[4] * 0.5 + y));
      } else {
        from_x = (x0 + x * xx + y * xy) >> 16;
        from_y = (y0 + x * yx + y * yy) >> 16;
      }
      uint8_t* to = pixels->data() + (static_cast<size_t>(y) * width + x) * 3;
      if (from_x < 0 || from_x >= width || from_y < 0 || from_y >= height) {
        std::fill(to, to + 3, uint8_t{0});
      } else {
        std::copy_n(source.data() + (from_y * width + from_x) * 3, 3, to);
      }
    }
  }
}

void Rotate(double degrees, int width, int height, std::vector<uint8_t>* pixels) {
  if (degrees == 0) return;
  const auto rounded = [](double value) { return std::round(value * 1e15) / 1e15; };
  const double turn = -degrees * kPi / 180.0;
  const double c = rounded(std::cos(turn)), s = rounded(std::sin(turn));
  const double x = width / 2.0, y = height / 2.0;
  Affine({c, s, c * -x + s * -y + x, -s, c, -s * -x + c * -y + y}, width, height, pixels);
}

// The first corner is clipped before the second one is computed; both corners are inside the
// square.
void Cutout(const AugmentStep& step, int width, int height, std::vector<uint8_t>* pixels) {
  constexpr uint8_t kFill[] = {125, 123, 114};
  const double side = step.value * width;
  const int left = static_cast<int>(std::max(0.0, step.centre_x - side / 2));
  const int top = static_cast<int>(std::max(0.0, step.centre_y - side / 2));
  const int right = static_cast<int>(std::min<double>(width, left + side));
  const int bottom = static_cast<int>(std::min<double>(height, top + side));
  for (int y = top; y <= std::min(bottom, height - 1); ++y) {
    for (int x = left; x <= std::min(right, width - 1); ++x) {
      std::copy_n(kFill, 3, pixels->data() + (static_cast<size_t>(y) * width + x) * 3);
    }
  }
}

}  // namespace

AugmentStep MakeAugmentStep(AugmentOperation operation, double magnitude) {
  AugmentStep step;
  step.operation = operation;
  step.value = magnitude / 30 * Top(operation);
  return step;
}

std::vector<AugmentStep> DrawRandAugment(int count, double magnitude, int width, int height,
                                         RandomStream* stream) {
  std::vector<AugmentStep> steps;
  for (int i = 0; i < count; ++i) {
    // Every step draws the same number of random numbers, even unused ones.
    const auto operation = static_cast<AugmentOperation>(stream->UniformInt(kAugmentOperations));
    AugmentStep step = MakeAugmentStep(operation, magnitude);
    step.sign = stream->Bernoulli(0.5) ? 1 : -1;
    step.centre_x = stream->Uniform(0, width);
    step.centre_y = stream->Uniform(0, height);
    steps.push_back(step);
  }
  return steps;
}

void ApplyAugment(const AugmentStep& step, int width, int height, std::vector<uint8_t>* pixels) {
  const absl::Span<uint8_t> bytes = absl::MakeSpan(*pixels);
  const double value = step.value, signed_value = step.sign * step.value;
  const auto factor = static_cast<float>(1 - signed_value);
  switch (step.operation) {
    case AugmentOperation::kAutoContrast:
      return AutoContrast(bytes);
    case AugmentOperation::kEqualize:
      return Equalize(bytes);
    case AugmentOperation::kInvert:
      return Look(MakeTable([](int i) { return static_cast<uint8_t>(255 - i); }), bytes);
    case AugmentOperation::kRotate:
      return Rotate(signed_value, width, height, pixels);
    case AugmentOperation::kPosterize: {
      // Keeps the upper 4 - floor(value) bits.
      const int mask = 0xff00 >> (4 - static_cast<int>(value)) & 0xff;
      return Look(MakeTable([&](int i) { return static_cast<uint8_t>(i & mask); }), bytes);
    }
    case AugmentOperation::kSolarize:
      return Look(
          MakeTable([&](int i) { return static_cast<uint8_t>(i < 256 - value ? i : 255 - i); }),
          bytes);
    case AugmentOperation::kSolarizeAdd:
      return Look(
          MakeTable([&](int i) { return i < 128 ? Byte(i + value) : static_cast<uint8_t>(i); }),
          bytes);
    case AugmentOperation::kColor:
      return AdjustSaturation(factor, bytes);
    case AugmentOperation::kContrast:
      return AdjustContrast(factor, bytes);
    case AugmentOperation::kBrightness:
      return AdjustBrightness(factor, bytes);
    case AugmentOperation::kSharpness:
      return Sharpen(factor, width, height, pixels);
    case AugmentOperation::kShearX:
      return Affine({1, signed_value, 0, 0, 1, 0}, width, height, pixels);
    case AugmentOperation::kShearY:
      return Affine({1, 0, 0, signed_value, 1, 0}, width, height, pixels);
    case AugmentOperation::kCutout:
      return Cutout(step, width, height, pixels);
    case AugmentOperation::kTranslateX:
      return Affine({1, 0, signed_value * width, 0, 1, 0}, width, height, pixels);
    case AugmentOperation::kTranslateY:
      return Affine({1, 0, 0, 0, 1, signed_value * height}, width, height, pixels);
  }
}

}  // namespace op3d::data
