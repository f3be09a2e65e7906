#include "data/video/yuv_to_rgb.h"

#include <algorithm>

// One function for each level of vector instructions; the loader of the program takes the best.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define OP3D_VECTORISED __attribute__((target_clones("avx2", "default")))
#else
#define OP3D_VECTORISED
#endif

namespace op3d {
namespace {

// A fixed-point coefficient as libswscale rounds it to 16 bits.
int RoundTo16(int64_t value) {
  return static_cast<int>(std::clamp<int64_t>((value + (1 << 15)) >> 16, -0x7FFF, 0x7FFF));
}

// Quarters: pixel 2k is sample k with a quarter of the one before it, pixel 2k + 1 with one of the
// sample after; `samples` may be read one beyond both ends of [begin, end).
OP3D_VECTORISED void WidenQuarters(const uint8_t* samples, int begin, int end, int16_t* out) {
  for (int k = begin; k < end; ++k) {
    const int three = 3 * samples[k];
    out[2 * (k - begin)] = static_cast<int16_t>((three + samples[k - 1]) * 32);
    out[2 * (k - begin) + 1] = static_cast<int16_t>((three + samples[k + 1]) * 32);
  }
}

struct Colours {
  int luma_scale, luma_offset, red_v, green_u, green_v, blue_u;
};

uint8_t Byte(int value) { return static_cast<uint8_t>(std::min(std::max(value, 0), 255)); }

// `u` and `v` are twice the samples times 128, less what grey has.
OP3D_VECTORISED void ConvertRow(const uint8_t* y, const int16_t* u, const int16_t* v, int width,
                                Colours c, uint8_t* rgb) {
  for (int x = 0; x < width; ++x) {
    const int luma = (y[x] * c.luma_scale - c.luma_offset) * 256 + (1 << 20);
    rgb[3 * x] = Byte((luma + v[x] * c.red_v) >> 21);
    rgb[3 * x + 1] = Byte((luma + v[x] * c.green_v + u[x] * c.green_u) >> 21);
    rgb[3 * x + 2] = Byte((luma + u[x] * c.blue_u) >> 21);
  }
}

OP3D_VECTORISED void AddRows(const int16_t* a, const int16_t* b, int width, int16_t* sums) {
  for (int x = 0; x < width; ++x) sums[x] = static_cast<int16_t>(a[x] + b[x] - 32768);
}

}  // namespace

std::optional<YuvToRgb> YuvToRgb::Make(int width, int height, const int matrix[4],
                                       bool full_range) {
  std::optional<BilinearFilter> across = MakeBilinearFilter((width + 1) / 2, width, 1 << 14);
  std::optional<BilinearFilter> down = MakeBilinearFilter((height + 1) / 2, height, 1 << 12);
  if (!across.has_value() || !down.has_value()) return std::nullopt;
  YuvToRgb converter;
  converter.across_ = *std::move(across);
  converter.down_ = *std::move(down);
  converter.quarters_ = width % 2 == 0;
  int64_t colours[4] = {matrix[0], matrix[1], -matrix[2], -matrix[3]};
  int64_t luma = 1 << 16;
  if (full_range) {
    for (int64_t& colour : colours) colour = colour * 224 / 255;
  } else {
    luma = luma * 255 / 219;
  }
  converter.luma_scale_ = RoundTo16(luma << 13);
  converter.luma_offset_ = full_range ? 0 : 16 * converter.luma_scale_;
  converter.red_v_ = RoundTo16(colours[0] * (1 << 13));
  converter.blue_u_ = RoundTo16(colours[1] * (1 << 13));
  converter.green_u_ = RoundTo16(colours[2] * (1 << 13));
  converter.green_v_ = RoundTo16(colours[3] * (1 << 13));
  return converter;
}

void YuvToRgb::Widen(const uint8_t* samples, int left, int width, int16_t* out) const {
  int x = left;
  const int right = left + width;
  const auto one = [&](int pixel) {
    const uint8_t* at = samples + across_.position[pixel];
    return static_cast<int16_t>((at[0] * across_.first[pixel] + at[1] * across_.second[pixel]) >>
                                7);
  };
  if (quarters_) {
    // Whole pairs of pixels that have neighbours on both sides.
    const int begin = std::max(1, (left + 1) / 2);
    const int end = std::min(right / 2, static_cast<int>(across_.position.size()) / 2 - 1);
    if (begin < end) {
      for (; x < 2 * begin; ++x) out[x - left] = one(x);
      WidenQuarters(samples, begin, end, out + (x - left));
      x = 2 * end;
    }
  }
  for (; x < right; ++x) out[x - left] = one(x);
}

void YuvToRgb::Convert(const std::array<const uint8_t*, 3>& planes,
                       const std::array<ptrdiff_t, 3>& strides, const Box& box, uint8_t* rgb) {
  const Colours colours = {luma_scale_, luma_offset_, red_v_, green_u_, green_v_, blue_u_};
  for (std::vector<int16_t>& rows : widened_) rows.resize(2 * static_cast<size_t>(box.width));
  for (std::vector<int16_t>& sums : sums_) sums.resize(box.width);
  widened_row_ = {-1, -1};
  for (int y = box.top; y < box.top + box.height; ++y, rgb += 3 * box.width) {
    const int row = down_.position[y];
    // libswscale does not weigh two rows: it takes the upper one, or the mean.
    const bool mean = down_.second[y] >= 2048;
    for (const int r : {row, row + 1}) {
      if (widened_row_[r % 2] == r || (r > row && !mean)) continue;
      for (int c = 0; c < 2; ++c) {
        Widen(planes[c + 1] + r * strides[c + 1], box.left, box.width,
              widened_[c].data() + (r % 2) * box.width);
      }
      widened_row_[r % 2] = r;
    }
    for (int c = 0; c < 2; ++c) {
      const int16_t* upper = widened_[c].data() + (row % 2) * box.width;
      const int16_t* lower = mean ? widened_[c].data() + ((row + 1) % 2) * box.width : upper;
      AddRows(upper, lower, box.width, sums_[c].data());
    }
    ConvertRow(planes[0] + y * strides[0] + box.left, sums_[0].data(), sums_[1].data(), box.width,
               colours, rgb);
  }
}

}  // namespace op3d
