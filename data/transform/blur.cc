#include "data/transform/blur.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace op3d::data {
namespace {

constexpr int kPasses = 3;
constexpr uint32_t kHalf = 1u << 23;

// Half the length of the box that gives the deviation `sigma` after `kPasses` passes.  Computed in
// single precision as in Pillow: in double precision some sigmas give other bytes.
float BoxRadius(float sigma) {
  const float variance = sigma * sigma / static_cast<float>(kPasses);
  const float length = static_cast<float>(std::sqrt(12.0 * double{variance} + 1.0));
  const float whole = static_cast<float>(std::floor((double{length} - 1.0) / 2.0));
  const float part = (2.0f * whole + 1.0f) * (whole * (whole + 1.0f) - 3.0f * variance) /
                     (6.0f * (variance - (whole + 1.0f) * (whole + 1.0f)));
  return whole + part;
}

}  // namespace

Blur::Blur(float sigma) {
  const float radius = BoxRadius(sigma > 0.0f ? std::min(sigma, 1000.0f) : 0.0f);
  radius_ = static_cast<int>(radius);
  weight_ = static_cast<uint32_t>(static_cast<float>(1 << 24) / (radius * 2.0f + 1.0f));
  edge_weight_ = ((1u << 24) - static_cast<uint32_t>(radius_ * 2 + 1) * weight_) / 2;
}

void Blur::Apply(int width, int height, uint8_t* pixels) {
  if (width < 1 || height < 1) return;
  const size_t size = static_cast<size_t>(width) * height * 3;
  other_.resize(size);
  padded_.resize((static_cast<size_t>(width) + 2 * (radius_ + 1)) * 3);
  sums_.resize(static_cast<size_t>(width) * 3);
  uint8_t* from = pixels;
  uint8_t* to = other_.data();
  for (int i = 0; i < kPasses; ++i, std::swap(from, to)) BoxAlongX(width, height, from, to);
  for (int i = 0; i < kPasses; ++i, std::swap(from, to)) BoxAlongY(width, height, from, to);
  // An even number of passes: the result is back in `pixels`.
}

void Blur::BoxAlongX(int width, int height, const uint8_t* in, uint8_t* out) {
  const int row = width * 3;
  const int pad = radius_ + 1;
  uint8_t* padded = padded_.data();
  uint32_t* sums = sums_.data();
  for (int y = 0; y < height; ++y, in += row, out += row) {
    for (int i = 0; i < pad; ++i) {
      std::memcpy(padded + i * 3, in, 3);
      std::memcpy(padded + (pad + width + i) * 3, in + row - 3, 3);
    }
    std::memcpy(padded + pad * 3, in, row);
    std::fill_n(sums, row, 0u);
    for (int tap = 1; tap <= 2 * radius_ + 1; ++tap) {
      for (int i = 0; i < row; ++i) sums[i] += padded[i + tap * 3];
    }
    const uint8_t* far = padded + (2 * pad) * 3;
    for (int i = 0; i < row; ++i) {
      const uint32_t edges = uint32_t{padded[i]} + far[i];
      out[i] = static_cast<uint8_t>((sums[i] * weight_ + edges * edge_weight_ + kHalf) >> 24);
    }
  }
}

void Blur::BoxAlongY(int width, int height, const uint8_t* in, uint8_t* out) {
  const int row = width * 3;
  uint32_t* sums = sums_.data();
  auto row_at = [&](int y) { return in + static_cast<size_t>(std::clamp(y, 0, height - 1)) * row; };
  for (int y = 0; y < height; ++y, out += row) {
    std::fill_n(sums, row, 0u);
    for (int tap = -radius_; tap <= radius_; ++tap) {
      const uint8_t* inner = row_at(y + tap);
      for (int i = 0; i < row; ++i) sums[i] += inner[i];
    }
    const uint8_t* above = row_at(y - radius_ - 1);
    const uint8_t* below = row_at(y + radius_ + 1);
    for (int i = 0; i < row; ++i) {
      const uint32_t edges = uint32_t{above[i]} + below[i];
      out[i] = static_cast<uint8_t>((sums[i] * weight_ + edges * edge_weight_ + kHalf) >> 24);
    }
  }
}

}  // namespace op3d::data
