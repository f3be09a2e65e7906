#include "data/transform/pixel_rows.h"

#include <algorithm>
#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#define OP3D_AVX2 __attribute__((target("avx2,fma")))
#endif

namespace op3d::data {
namespace {

constexpr int kBits = 22;
constexpr int32_t kHalf = 1 << (kBits - 1);
constexpr int kHalfWeightBits = kBits / 2;
constexpr float kMean[3] = {float{kPixelMean[0]}, float{kPixelMean[1]}, float{kPixelMean[2]}};
constexpr float kDeviation[3] = {float{kPixelDeviation[0]}, float{kPixelDeviation[1]},
                                 float{kPixelDeviation[2]}};

uint8_t ToByte(int32_t sum) { return static_cast<uint8_t>(std::min(sum >> kBits, 255)); }

void PlainPixel(const uint8_t* in, const int32_t* weight, int taps, uint8_t* out) {
  int32_t red = kHalf, green = kHalf, blue = kHalf;
  for (int k = 0; k < taps; ++k, in += 3) {
    red += in[0] * weight[k];
    green += in[1] * weight[k];
    blue += in[2] * weight[k];
  }
  out[0] = ToByte(red);
  out[1] = ToByte(green);
  out[2] = ToByte(blue);
}

// The pixels from `begin` on.
void PlainPixels(const uint8_t* row, const RowTaps& taps, int begin, uint8_t* out) {
  for (int x = begin; x < static_cast<int>(taps.first.size()); ++x) {
    PlainPixel(row + 3 * taps.first[x], taps.weights.data() + static_cast<size_t>(x) * taps.taps,
               taps.taps, out + 3 * x);
  }
}

void PlainAlongX(const uint8_t* row, int /*readable*/, const RowTaps& taps, uint8_t* out) {
  PlainPixels(row, taps, 0, out);
}

void PlainBytes(const uint8_t* rows, const int32_t* weights, int taps, int bytes, int begin,
                uint8_t* out) {
  for (int i = begin; i < bytes; ++i) {
    int32_t sum = kHalf;
    for (int k = 0; k < taps; ++k) sum += rows[static_cast<size_t>(k) * bytes + i] * weights[k];
    out[i] = ToByte(sum);
  }
}

void PlainAlongY(const uint8_t* rows, const int32_t* weights, int taps, int bytes, uint8_t* out) {
  PlainBytes(rows, weights, taps, bytes, 0, out);
}

void PlainNormaliseFrom(int begin, const uint8_t* pixels, int width, bool mirror, float* red,
                        float* green, float* blue) {
  const auto& table = NormaliseTable();
  for (int x = begin; x < width; ++x) {
    const uint8_t* pixel = pixels + 3 * (mirror ? width - 1 - x : x);
    red[x] = table[0][pixel[0]];
    green[x] = table[1][pixel[1]];
    blue[x] = table[2][pixel[2]];
  }
}

void PlainNormalise(const uint8_t* pixels, int width, bool mirror, float* red, float* green,
                    float* blue) {
  PlainNormaliseFrom(0, pixels, width, mirror, red, green, blue);
}

#if defined(__x86_64__)

// The sums of products with weights that are split into halves.
struct Sums {
  __m256i high, low;
};

// Adds two taps of two pixels, one per lane: three channels and an unused fourth, each with 32 bits
// of both taps' bytes.  Products with whole weights would need 32-bit multiplications.
OP3D_AVX2 inline Sums Add(const Sums& sums, const uint8_t* left, const uint8_t* right,
                          const __m256i* high, const __m256i* low) {
  const __m256i bytes = _mm256_inserti128_si256(
      _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(left))),
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(right)), 1);
  const __m256i pairs = _mm256_shuffle_epi8(
      bytes, _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, 0, -1, 3,
                              -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
  return {_mm256_add_epi32(sums.high, _mm256_madd_epi16(pairs, _mm256_loadu_si256(high))),
          _mm256_add_epi32(sums.low, _mm256_madd_epi16(pairs, _mm256_loadu_si256(low)))};
}

OP3D_AVX2 inline __m256i Rounded(const Sums& sums) {
  return _mm256_srli_epi32(
      _mm256_add_epi32(_mm256_slli_epi32(sums.high, kHalfWeightBits), sums.low), kBits);
}

// The sums of eight bytes of the row: `pick` puts an output's two bytes into 32 bits.
OP3D_AVX2 __attribute__((always_inline)) inline __m256i EightBytes(const uint8_t* at,
                                                                   const int8_t* pick,
                                                                   const int16_t* halves,
                                                                   int pairs) {
  const __m256i picked = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(pick));
  Sums sums = {_mm256_setzero_si256(), _mm256_set1_epi32(kHalf)};
  for (int pair = 0; pair < pairs; ++pair, at += 6, halves += 32) {
    const __m256i bytes =
        _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
    const __m256i two = _mm256_shuffle_epi8(bytes, picked);
    const __m256i* weights = reinterpret_cast<const __m256i*>(halves);
    sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(two, _mm256_loadu_si256(weights)));
    sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(two, _mm256_loadu_si256(weights + 1)));
  }
  return Rounded(sums);
}

// 32 bytes at once, then eight.  A constant `pairs` makes straight code.
OP3D_AVX2 __attribute__((always_inline)) inline void Avx2BytesAlongX(const uint8_t* row,
                                                                     int readable,
                                                                     const RowTaps& taps, int pairs,
                                                                     uint8_t* out) {
  const int eights = static_cast<int>(taps.starts.size());
  // Sixteen bytes are read for two taps.
  int usable = eights;
  while (usable > 0 && taps.starts[usable - 1] + 6 * (pairs - 1) + 16 > 3 * readable) --usable;
  const int32_t* const starts = taps.starts.data();
  const int8_t* const picks = taps.picks.data();
  const int16_t* const halves = taps.byte_halves.data();
  const size_t step = static_cast<size_t>(32) * pairs;
#define OP3D_SUMS(k) EightBytes(row + starts[k], picks + 32 * (k), halves + step * (k), pairs)
  int i = 0;
  for (; i + 4 <= usable; i += 4) {
    const __m256i first = _mm256_packus_epi32(OP3D_SUMS(i), OP3D_SUMS(i + 1));
    const __m256i second = _mm256_packus_epi32(OP3D_SUMS(i + 2), OP3D_SUMS(i + 3));
    // Packing works on halves of the vectors.
    const __m256i mixed = _mm256_packus_epi16(first, second);
    _mm256_storeu_si256(
        reinterpret_cast<__m256i*>(out + 8 * i),
        _mm256_permutevar8x32_epi32(mixed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
  }
  for (; i < usable; ++i) {
    const __m256i words =
        _mm256_permute4x64_epi64(_mm256_packus_epi32(OP3D_SUMS(i), _mm256_setzero_si256()), 0xD8);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out + 8 * i),
                     _mm_packus_epi16(_mm256_castsi256_si128(words), _mm_setzero_si128()));
  }
#undef OP3D_SUMS
  PlainPixels(row, taps, 8 * i / 3, out);
}

// Four pixels at once.
OP3D_AVX2 void Avx2AlongX(const uint8_t* row, int readable, const RowTaps& taps, uint8_t* out) {
  if (!taps.starts.empty()) {
    if (taps.taps <= 2) {
      Avx2BytesAlongX(row, readable, taps, 1, out);
    } else {
      Avx2BytesAlongX(row, readable, taps, (taps.taps + 1) / 2, out);
    }
    return;
  }
  const int width = static_cast<int>(taps.first.size());
  const int pairs = (taps.taps + 1) / 2;
  const __m256i* halves = reinterpret_cast<const __m256i*>(taps.halves.data());
  const __m256i compact =
      _mm256_setr_epi8(0, 1, 2, 4, 5, 6, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 1, 2, 4, 5, 6,
                       -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  int x = 0;
  // Sixteen bytes are read for two taps.
  for (; x + 4 <= width && 3 * (taps.first[x + 3] + 2 * (pairs - 1)) + 16 <= 3 * readable; x += 4) {
    const int* first = taps.first.data() + x;
    Sums even = {_mm256_setzero_si256(), _mm256_set1_epi32(kHalf)};
    Sums odd = even;
    for (int pair = 0; pair < pairs; ++pair, halves += 4) {
      const uint8_t* at = row + 6 * pair;
      even = Add(even, at + 3 * first[0], at + 3 * first[2], halves, halves + 1);
      odd = Add(odd, at + 3 * first[1], at + 3 * first[3], halves + 2, halves + 3);
    }
    // The lanes hold pixels 0 and 1, 2 and 3.
    const __m256i words = _mm256_packus_epi32(Rounded(even), Rounded(odd));
    const __m256i bytes = _mm256_shuffle_epi8(_mm256_packus_epi16(words, words), compact);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out + 3 * x), _mm256_castsi256_si128(bytes));
    const __m128i last = _mm256_extracti128_si256(bytes, 1);
    const int32_t four = _mm_cvtsi128_si32(last);
    const int16_t two = static_cast<int16_t>(_mm_extract_epi16(last, 2));
    std::memcpy(out + 3 * x + 6, &four, sizeof(four));
    std::memcpy(out + 3 * x + 10, &two, sizeof(two));
  }
  PlainPixels(row, taps, x, out);
}

OP3D_AVX2 void Avx2AlongY(const uint8_t* rows, const int32_t* weights, int taps, int bytes,
                          uint8_t* out) {
  int i = 0;
  for (; i + 16 <= bytes; i += 16) {
    const uint8_t* in = rows + i;
    __m256i low = _mm256_set1_epi32(kHalf), high = low;
    for (int k = 0; k < taps; ++k, in += bytes) {
      const __m256i weight = _mm256_set1_epi32(weights[k]);
      const __m128i both = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
      low = _mm256_add_epi32(low, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(both), weight));
      high = _mm256_add_epi32(
          high, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(_mm_srli_si128(both, 8)), weight));
    }
    // Packing works on halves of the vectors: 0-3, 8-11, 4-7, 12-15.
    const __m256i words =
        _mm256_packus_epi32(_mm256_srli_epi32(low, kBits), _mm256_srli_epi32(high, kBits));
    const __m256i ordered = _mm256_permute4x64_epi64(words, 0xD8);
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(out + i),
        _mm_packus_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1)));
  }
  PlainBytes(rows, weights, taps, bytes, i, out);
}

// Which bytes of eight pixels belong to the channel: pixels 0-3 are in bytes 0-15, 4-7 in bytes
// 8-23.  Mirrored, the four pixels of each part are in reverse order; so must be the parts.
OP3D_AVX2 inline __m256i MakePicks(int channel, bool mirror) {
  alignas(32) int8_t picks[32];
  for (int i = 0; i < 32; ++i) {
    const bool last = mirror == (i < 16);
    const int pixel = mirror ? 3 - i % 16 / 4 : i % 16 / 4;
    picks[i] = static_cast<int8_t>(i % 4 == 0 ? 3 * pixel + channel + (last ? 4 : 0) : -1);
  }
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(picks));
}

// a / b as a product with b's reciprocal in two parts.  For the bytes and constants used here it is
// the correctly rounded quotient; the test checks all of them.
OP3D_AVX2 inline __m256 Divide(__m256 a, float b) {
  const float high = 1.0f / b;
  const float low = static_cast<float>(1.0 / b - high);
  return _mm256_fmadd_ps(a, _mm256_set1_ps(high), _mm256_mul_ps(a, _mm256_set1_ps(low)));
}

OP3D_AVX2 void Avx2Normalise(const uint8_t* pixels, int width, bool mirror, float* red,
                             float* green, float* blue) {
  float* const planes[3] = {red, green, blue};
  const __m256i picks[3] = {MakePicks(0, mirror), MakePicks(1, mirror), MakePicks(2, mirror)};
  int x = 0;
  for (; x + 8 <= width; x += 8) {
    const uint8_t* in = pixels + 3 * (mirror ? width - 8 - x : x);
    const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
    const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + 8));
    const __m256i both = mirror ? _mm256_inserti128_si256(_mm256_castsi128_si256(high), low, 1)
                                : _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
    for (int c = 0; c < 3; ++c) {
      const __m256 values = _mm256_cvtepi32_ps(_mm256_shuffle_epi8(both, picks[c]));
      const __m256 centred = _mm256_sub_ps(Divide(values, 255.0f), _mm256_set1_ps(kMean[c]));
      _mm256_storeu_ps(planes[c] + x, Divide(centred, kDeviation[c]));
    }
  }
  PlainNormaliseFrom(x, pixels, width, mirror, red, green, blue);
}

#endif  // defined(__x86_64__)

}  // namespace

const std::array<std::array<float, 256>, 3>& NormaliseTable() {
  static const std::array<std::array<float, 256>, 3> table = [] {
    std::array<std::array<float, 256>, 3> values;
    for (int c = 0; c < 3; ++c) {
      for (int byte = 0; byte < 256; ++byte) {
        values[c][byte] = (static_cast<float>(byte) / 255.0f - kMean[c]) / kDeviation[c];
      }
    }
    return values;
  }();
  return table;
}

namespace {

int16_t HalfOf(int32_t weight, bool upper) {
  return static_cast<int16_t>(upper ? weight >> kHalfWeightBits
                                    : weight & ((1 << kHalfWeightBits) - 1));
}

// Fills starts, picks and byte_halves, or leaves them empty.
void AddBytes(RowTaps* row) {
  constexpr int kEight = 8, kRead = 16;
  const int bytes = 3 * static_cast<int>(row->first.size());
  const auto input = [row](int byte) { return 3 * row->first[byte / 3] + byte % 3; };
  for (int start = 0; start + kEight <= bytes; start += kEight) {
    // A pixel that is repeated begins before the last channel of the one before it.
    const int first = std::min({input(start), input(start + 1), input(start + 2)});
    for (int byte = start; byte < start + kEight; ++byte) {
      const int place = input(byte) - first;
      if (place + 3 >= kRead) {
        row->starts.clear();
        row->picks.clear();
        row->byte_halves.clear();
        return;
      }
      for (const int pick : {place, -1, place + 3, -1}) {
        row->picks.push_back(static_cast<int8_t>(pick));
      }
    }
    row->starts.push_back(first);
    for (int tap = 0; tap < row->taps; tap += 2) {
      for (const bool upper : {true, false}) {
        for (int byte = start; byte < start + kEight; ++byte) {
          for (const int k : {tap, tap + 1}) {
            const int32_t weight =
                k < row->taps ? row->weights[static_cast<size_t>(byte / 3) * row->taps + k] : 0;
            row->byte_halves.push_back(HalfOf(weight, upper));
          }
        }
      }
    }
  }
}

}  // namespace

RowTaps MakeRowTaps(int taps, std::vector<int> first, std::vector<int32_t> weights) {
  RowTaps row;
  row.taps = taps;
  row.first = std::move(first);
  row.weights = std::move(weights);
  AddBytes(&row);
  if (!row.starts.empty()) return row;
  row.halves.reserve(row.first.size() * (taps + 1) * 8);
  const auto weight = [&row, taps](size_t x, int tap) {
    return tap < taps ? row.weights[x * taps + tap] : 0;
  };
  // [fours][pairs of taps][pixels 0 and 2, 1 and 3][upper, lower half][pixel][channel][tap]
  for (size_t x = 0; x + 4 <= row.first.size(); x += 4) {
    for (int tap = 0; tap < taps; tap += 2) {
      for (const size_t odd : {0, 1}) {
        for (const bool upper : {true, false}) {
          for (const size_t pixel : {x + odd, x + odd + 2}) {
            for (int i = 0; i < 8; ++i) {
              row.halves.push_back(HalfOf(weight(pixel, tap + i % 2), upper));
            }
          }
        }
      }
    }
  }
  return row;
}

const PixelRows& PlainPixelRows() {
  static constexpr PixelRows kRows = {PlainAlongX, PlainAlongY, PlainNormalise};
  return kRows;
}

const PixelRows& BestPixelRows() {
#if defined(__x86_64__)
  static constexpr PixelRows kRows = {Avx2AlongX, Avx2AlongY, Avx2Normalise};
  static const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2) return kRows;
#endif
  return PlainPixelRows();
}

}  // namespace op3d::data
