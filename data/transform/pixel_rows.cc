#include "data/transform/pixel_rows.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#define OP3D_AVX2 __attribute__((target("avx2,fma")))
#endif

namespace op3d {
namespace {

constexpr int kBits = 22;
constexpr int32_t kHalf = 1 << (kBits - 1);
constexpr float kMean[3] = {0.485f, 0.456f, 0.406f};
constexpr float kDeviation[3] = {0.229f, 0.224f, 0.225f};

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

void PlainAlongX(const uint8_t* row, int /*readable*/, const int* first, const int32_t* weights,
                 int taps, int width, uint8_t* out) {
  for (int x = 0; x < width; ++x) {
    PlainPixel(row + 3 * first[x], weights + static_cast<size_t>(x) * taps, taps, out + 3 * x);
  }
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

// Four bytes from anywhere as the low lane.
OP3D_AVX2 inline __m128i FourBytes(const uint8_t* at) {
  int32_t bytes;
  std::memcpy(&bytes, at, sizeof(bytes));
  return _mm_cvtsi32_si128(bytes);
}

// Two pixels at once, each with a fourth channel that is thrown away.
OP3D_AVX2 void Avx2AlongX(const uint8_t* row, int readable, const int* first,
                          const int32_t* weights, int taps, int width, uint8_t* out) {
  int x = 0;
  // A pixel more than the taps is read and a byte more than the two pixels is written.
  for (; x + 2 < width && first[x] + taps < readable && first[x + 1] + taps < readable; x += 2) {
    const uint8_t* left = row + 3 * first[x];
    const uint8_t* right = row + 3 * first[x + 1];
    const int32_t* weight = weights + static_cast<size_t>(x) * taps;
    __m256i sum = _mm256_set1_epi32(kHalf);
    for (int k = 0; k < taps; ++k, left += 3, right += 3) {
      const __m256i pixels =
          _mm256_cvtepu8_epi32(_mm_unpacklo_epi32(FourBytes(left), FourBytes(right)));
      const __m256i both = _mm256_inserti128_si256(
          _mm256_castsi128_si256(_mm_set1_epi32(weight[k])), _mm_set1_epi32(weight[taps + k]), 1);
      sum = _mm256_add_epi32(sum, _mm256_mullo_epi32(pixels, both));
    }
    sum = _mm256_srli_epi32(sum, kBits);
    const __m128i words =
        _mm_packus_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    const __m128i bytes = _mm_packus_epi16(words, words);
    const int32_t low = _mm_cvtsi128_si32(bytes);
    const int32_t high = _mm_extract_epi32(bytes, 1);
    std::memcpy(out + 3 * x, &low, sizeof(low));
    std::memcpy(out + 3 * x + 3, &high, sizeof(high));
  }
  for (; x < width; ++x) {
    PlainPixel(row + 3 * first[x], weights + static_cast<size_t>(x) * taps, taps, out + 3 * x);
  }
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
    // The packing goes by halves of the vectors: 0-3, 8-11, 4-7, 12-15.
    const __m256i words =
        _mm256_packus_epi32(_mm256_srli_epi32(low, kBits), _mm256_srli_epi32(high, kBits));
    const __m256i ordered = _mm256_permute4x64_epi64(words, 0xD8);
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(out + i),
        _mm_packus_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1)));
  }
  PlainBytes(rows, weights, taps, bytes, i, out);
}

// Which of bytes 0-15 and which of bytes 8-23 are the channel's of eight pixels, in order.
struct Picks {
  __m128i low, high;
};

OP3D_AVX2 inline Picks MakePicks(int channel, bool mirror) {
  alignas(16) int8_t low[16], high[16];
  for (int i = 0; i < 16; ++i) {
    const int byte = 3 * (mirror ? 7 - i : i) + channel;
    low[i] = static_cast<int8_t>(i < 8 && byte < 16 ? byte : -1);
    high[i] = static_cast<int8_t>(i < 8 && byte >= 16 ? byte - 8 : -1);
  }
  return {_mm_load_si128(reinterpret_cast<const __m128i*>(low)),
          _mm_load_si128(reinterpret_cast<const __m128i*>(high))};
}

// a / b with b's reciprocal: the quotient, then what it lacks (Markstein 1990).  For the bytes and
// constants here it is the correctly rounded one, which the test holds against all of them.
OP3D_AVX2 inline __m256 Divide(__m256 a, float b) {
  const __m256 divisor = _mm256_set1_ps(b);
  const __m256 reciprocal = _mm256_set1_ps(1.0f / b);
  const __m256 quotient = _mm256_mul_ps(a, reciprocal);
  const __m256 rest = _mm256_fnmadd_ps(quotient, divisor, a);
  return _mm256_fmadd_ps(rest, reciprocal, quotient);
}

OP3D_AVX2 void Avx2Normalise(const uint8_t* pixels, int width, bool mirror, float* red,
                             float* green, float* blue) {
  float* const planes[3] = {red, green, blue};
  const Picks picks[3] = {MakePicks(0, mirror), MakePicks(1, mirror), MakePicks(2, mirror)};
  int x = 0;
  for (; x + 8 <= width; x += 8) {
    const uint8_t* in = pixels + 3 * (mirror ? width - 8 - x : x);
    const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
    const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + 8));
    for (int c = 0; c < 3; ++c) {
      const __m128i bytes =
          _mm_or_si128(_mm_shuffle_epi8(low, picks[c].low), _mm_shuffle_epi8(high, picks[c].high));
      const __m256 values = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
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

}  // namespace op3d
