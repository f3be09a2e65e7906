#include "data/video/image/yuv_to_rgb.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// One function for each level of vector instructions; the program's loader selects the best.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define OP3D_VECTORISED __attribute__((target_clones("avx2", "default")))
#else
#define OP3D_VECTORISED
#endif

namespace op3d::data {
namespace {

// A fixed-point coefficient as libswscale rounds it to 16 bits.
int RoundTo16(int64_t value) {
  return static_cast<int>(std::clamp<int64_t>((value + (1 << 15)) >> 16, -0x7FFF, 0x7FFF));
}

// Quarter weights: pixel 2k is sample k mixed with a quarter of the previous sample, pixel 2k + 1
// with a quarter of the next one; `samples` may be read one beyond both ends of [begin, end).
OP3D_VECTORISED void WidenQuarters(const uint8_t* samples, int begin, int end, int16_t* out) {
  for (int k = begin; k < end; ++k) {
    const int three = 3 * samples[k];
    out[2 * (k - begin)] = static_cast<int16_t>((three + samples[k - 1]) * 32);
    out[2 * (k - begin) + 1] = static_cast<int16_t>((three + samples[k + 1]) * 32);
  }
}

// General weights: pixel 2k mixes sample left[k] and the next one, pixel 2k + 1 mixes right[k] and
// the next one.
OP3D_VECTORISED void WidenPairs(const uint8_t* left, const uint8_t* right, const int16_t* first,
                                const int16_t* second, int pairs, int16_t* out) {
  for (int k = 0; k < pairs; ++k) {
    out[2 * k] = static_cast<int16_t>((left[k] * first[2 * k] + left[k + 1] * second[2 * k]) >> 7);
    out[2 * k + 1] =
        static_cast<int16_t>((right[k] * first[2 * k + 1] + right[k + 1] * second[2 * k + 1]) >> 7);
  }
}

// The pair of pixels (2k, 2k + 1) from which on the even pixel's first sample is k instead of k -
// 1; nullopt if an odd pixel's first sample is not k, or if there is no such pair.
std::optional<int> FindTurn(const std::vector<int>& position) {
  const int pairs = static_cast<int>(position.size()) / 2;
  int turn = 1;
  while (turn < pairs - 1 && position[2 * turn] == turn - 1) ++turn;
  for (int k = 1; k < pairs - 1; ++k) {
    if (position[2 * k] != (k < turn ? k - 1 : k) || position[2 * k + 1] != k) return std::nullopt;
  }
  return turn;
}

struct Colours {
  int luma_scale, luma_offset, red_v, green_u, green_v, blue_u;
};

uint8_t Byte(int value) { return static_cast<uint8_t>(std::min(std::max(value, 0), 255)); }

// `u` and `v` are twice the samples times 128, minus the value of grey.
void ConvertPixels(const uint8_t* y, const int16_t* u, const int16_t* v, int begin, int width,
                   const Colours& c, uint8_t* rgb) {
  for (int x = begin; x < width; ++x) {
    const int luma = (y[x] * c.luma_scale - c.luma_offset) * 256 + (1 << 20);
    rgb[3 * x] = Byte((luma + v[x] * c.red_v) >> 21);
    rgb[3 * x + 1] = Byte((luma + v[x] * c.green_v + u[x] * c.green_u) >> 21);
    rgb[3 * x + 2] = Byte((luma + u[x] * c.blue_u) >> 21);
  }
}

#if defined(__x86_64__)

// Two 16-bit constants for all pairs of a product.
__attribute__((target("avx2"))) inline __m256i Pairs(int first, int second) {
  return _mm256_set1_epi32((first & 0xFFFF) | (second * 65536));
}

// The sixteen sums of a colour before rounding, from pairs v and u, as words.
__attribute__((target("avx2"))) inline __m256i Words(__m256i luma_low, __m256i luma_high,
                                                     __m256i low, __m256i high, __m256i factors) {
  return _mm256_packs_epi32(
      _mm256_srai_epi32(_mm256_add_epi32(luma_low, _mm256_madd_epi16(low, factors)), 21),
      _mm256_srai_epi32(_mm256_add_epi32(luma_high, _mm256_madd_epi16(high, factors)), 21));
}

// Sixteen pixels at once; each half of a vector holds eight of them.
__attribute__((target("avx2"))) int Avx2ConvertPixels(const uint8_t* y, const int16_t* u,
                                                      const int16_t* v, int width, const Colours& c,
                                                      uint8_t* rgb) {
  const __m256i red_factors = Pairs(c.red_v, 0), green_factors = Pairs(c.green_v, c.green_u),
                blue_factors = Pairs(0, c.blue_u);
  const __m256i luma_factor = _mm256_set1_epi32(c.luma_scale * 256);
  const __m256i luma_base = _mm256_set1_epi32((1 << 20) - c.luma_offset * 256);
  // Shuffles eight reds and greens, and eight blues, to the first sixteen and last eight bytes.
  const __m256i red_green_first = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 8, -1, 1, 9, -1, 2, 10, -1, 3, 11, -1, 4, 12, -1, 5));
  const __m256i blue_first = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(-1, -1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1));
  const __m256i red_green_last = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(13, -1, 6, 14, -1, 7, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1));
  const __m256i blue_last = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(-1, 5, -1, -1, 6, -1, -1, 7, -1, -1, -1, -1, -1, -1, -1, -1));
  int x = 0;
  for (; x + 16 <= width; x += 16, rgb += 48) {
    const __m256i words =
        _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(y + x)));
    const __m256i zero = _mm256_setzero_si256();
    const __m256i luma_low = _mm256_add_epi32(
        _mm256_mullo_epi32(_mm256_unpacklo_epi16(words, zero), luma_factor), luma_base);
    const __m256i luma_high = _mm256_add_epi32(
        _mm256_mullo_epi32(_mm256_unpackhi_epi16(words, zero), luma_factor), luma_base);
    const __m256i us = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(u + x));
    const __m256i vs = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(v + x));
    const __m256i low = _mm256_unpacklo_epi16(vs, us), high = _mm256_unpackhi_epi16(vs, us);
    const __m256i red = Words(luma_low, luma_high, low, high, red_factors);
    const __m256i green = Words(luma_low, luma_high, low, high, green_factors);
    const __m256i blue = Words(luma_low, luma_high, low, high, blue_factors);
    const __m256i red_green = _mm256_packus_epi16(red, green);
    const __m256i blues = _mm256_packus_epi16(blue, blue);
    const __m256i first = _mm256_or_si256(_mm256_shuffle_epi8(red_green, red_green_first),
                                          _mm256_shuffle_epi8(blues, blue_first));
    const __m256i last = _mm256_or_si256(_mm256_shuffle_epi8(red_green, red_green_last),
                                         _mm256_shuffle_epi8(blues, blue_last));
    __m128i* out = reinterpret_cast<__m128i*>(rgb);
    _mm_storeu_si128(out, _mm256_castsi256_si128(first));
    _mm_storel_epi64(out + 1, _mm256_castsi256_si128(last));
    out = reinterpret_cast<__m128i*>(rgb + 24);
    _mm_storeu_si128(out, _mm256_extracti128_si256(first, 1));
    _mm_storel_epi64(out + 1, _mm256_extracti128_si256(last, 1));
  }
  return x;
}

#endif  // defined(__x86_64__)

void ConvertRow(const uint8_t* y, const int16_t* u, const int16_t* v, int width, const Colours& c,
                uint8_t* rgb) {
  int done = 0;
#if defined(__x86_64__)
  static const bool avx2 = __builtin_cpu_supports("avx2");
  if (avx2) done = Avx2ConvertPixels(y, u, v, width, c, rgb);
#endif
  ConvertPixels(y, u, v, done, width, c, rgb);
}

OP3D_VECTORISED void AddRows(const int16_t* a, const int16_t* b, int width, int16_t* sums) {
  for (int x = 0; x < width; ++x) sums[x] = static_cast<int16_t>(a[x] + b[x] - 32768);
}

}  // namespace

Box ChromaBox(const Box& box, int width, int height) {
  // A pixel's two samples are those around half of its position; sides that are rounded up move them
  // by up to one.
  constexpr int kMargin = 2;
  const auto first = [](int start) { return std::max(0, start / 2 - kMargin); };
  const auto end = [](int start, int length, int pixels) {
    return std::min((pixels + 1) / 2, (start + length - 1) / 2 + kMargin + 1);
  };
  Box chroma = {first(box.left), first(box.top), 0, 0};
  chroma.width = end(box.left, box.width, width) - chroma.left;
  chroma.height = end(box.top, box.height, height) - chroma.top;
  return chroma;
}

std::optional<YuvToRgb> YuvToRgb::Make(int width, int height, const int matrix[4],
                                       bool full_range) {
  std::optional<BilinearFilter> across = MakeBilinearFilter((width + 1) / 2, width, 1 << 14);
  std::optional<BilinearFilter> down = MakeBilinearFilter((height + 1) / 2, height, 1 << 12);
  if (!across.has_value() || !down.has_value()) return std::nullopt;
  YuvToRgb converter;
  converter.across_ = *std::move(across);
  converter.down_ = *std::move(down);
  converter.quarters_ = width % 2 == 0;
  converter.turn_ = FindTurn(converter.across_.position);
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
  // Whole pairs of pixels that have neighbours on both sides.
  const int begin = std::max(1, (left + 1) / 2);
  const int end = std::min(right / 2, static_cast<int>(across_.position.size()) / 2 - 1);
  if (begin < end && (quarters_ || turn_.has_value())) {
    for (; x < 2 * begin; ++x) out[x - left] = one(x);
    if (quarters_) {
      WidenQuarters(samples, begin, end, out + (x - left));
    } else {
      const int turn = std::clamp(*turn_, begin, end);
      const int16_t *first = across_.first.data(), *second = across_.second.data();
      WidenPairs(samples + begin - 1, samples + begin, first + 2 * begin, second + 2 * begin,
                 turn - begin, out + (2 * begin - left));
      WidenPairs(samples + turn, samples + turn, first + 2 * turn, second + 2 * turn, end - turn,
                 out + (2 * turn - left));
    }
    x = 2 * end;
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
    // libswscale does not weight two rows: it uses the upper one, or the mean.
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

}  // namespace op3d::data
