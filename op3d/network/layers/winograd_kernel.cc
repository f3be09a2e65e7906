// Compiled with AVX-512: nothing here may run before HasWinograd() was asked, and no header with
// code in it may be included, because the linker could take its functions from here.
#include "op3d/network/layers/winograd_kernel.h"

namespace op3d {
namespace {

constexpr int64_t kLanes = 16;
// Columns of one step of the matrix product, and the most rows: 14 x 2 sums fit into 32 registers.
constexpr int64_t kColumns = 32;
constexpr int64_t kMostRows = 14;
// Tiles that are transformed together: their values stay in the second cache.
constexpr int64_t kBlock = 28;
// Between the places' matrices, so that equal rows of two do not compete for one cache line.
constexpr int64_t kGap = 48;

using Vector = float __attribute__((vector_size(64), aligned(4), may_alias));

inline Vector Load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
inline void Store(float* to, Vector value) { *reinterpret_cast<Vector*>(to) = value; }

using Halves = uint16_t __attribute__((vector_size(32), aligned(2), may_alias));
using Bits = uint32_t __attribute__((vector_size(64)));

inline Vector Load(const Bfloat16Bits* from) {
  const Halves high = *reinterpret_cast<const Halves*>(from);
  return reinterpret_cast<Vector>(__builtin_convertvector(high, Bits) << 16);
}

// Rounded to the nearest, ties to even; a NaN stays one.
inline void Store(Bfloat16Bits* to, Vector value) {
  const Bits bits = reinterpret_cast<Bits>(value);
  const Bits rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const Bits halves = value == value ? rounded : Bits{} + 0x7fc0u;
  *reinterpret_cast<Halves*>(to) = __builtin_convertvector(halves, Halves);
}

// One side of a tile: kOutputs from kInputs values.
template <int kSide>
struct Side;

template <>
struct Side<1> {
  static constexpr int kInputs = 1, kOutputs = 1, kTaps = 1, kBefore = 0;
  static void Input(const Vector* d, int64_t, Vector* t, int64_t) { t[0] = d[0]; }
  static void Output(const Vector* m, int64_t, Vector* y, int64_t) { y[0] = m[0]; }
  static void Kernel(const Vector* g, Vector* u, int64_t) { u[0] = g[0]; }
};

template <>
struct Side<2> {
  static constexpr int kInputs = 4, kOutputs = 2, kTaps = 3, kBefore = 1;
  static void Input(const Vector* d, int64_t from, Vector* t, int64_t to) {
    const Vector d0 = d[0], d1 = d[from], d2 = d[2 * from], d3 = d[3 * from];
    t[0] = d0 - d2;
    t[to] = d1 + d2;
    t[2 * to] = d2 - d1;
    t[3 * to] = d1 - d3;
  }
  static void Output(const Vector* m, int64_t from, Vector* y, int64_t to) {
    const Vector m0 = m[0], m1 = m[from], m2 = m[2 * from], m3 = m[3 * from];
    y[0] = m0 + m1 + m2;
    y[to] = m1 - m2 - m3;
  }
  static void Kernel(const Vector* g, Vector* u, int64_t to) {
    u[0] = g[0];
    u[to] = 0.5f * (g[0] + g[1] + g[2]);
    u[2 * to] = 0.5f * (g[0] - g[1] + g[2]);
    u[3 * to] = g[2];
  }
};

template <>
struct Side<4> {
  static constexpr int kInputs = 6, kOutputs = 4, kTaps = 3, kBefore = 1;
  static void Input(const Vector* d, int64_t from, Vector* t, int64_t to) {
    const Vector d0 = d[0], d1 = d[from], d2 = d[2 * from], d3 = d[3 * from], d4 = d[4 * from],
                 d5 = d[5 * from];
    const Vector even = d4 - 4.0f * d2, odd = d3 - 4.0f * d1;
    const Vector even2 = d4 - d2, odd2 = 2.0f * (d3 - d1);
    t[0] = 4.0f * d0 - 5.0f * d2 + d4;
    t[to] = even + odd;
    t[2 * to] = even - odd;
    t[3 * to] = even2 + odd2;
    t[4 * to] = even2 - odd2;
    t[5 * to] = 4.0f * d1 - 5.0f * d3 + d5;
  }
  static void Output(const Vector* m, int64_t from, Vector* y, int64_t to) {
    const Vector m1 = m[from], m2 = m[2 * from], m3 = m[3 * from], m4 = m[4 * from];
    const Vector sum = m1 + m2, difference = m1 - m2, sum2 = m3 + m4, difference2 = m3 - m4;
    y[0] = m[0] + sum + sum2;
    y[to] = difference + 2.0f * difference2;
    y[2 * to] = sum + 4.0f * sum2;
    y[3 * to] = difference + 8.0f * difference2 + m[5 * from];
  }
  static void Kernel(const Vector* g, Vector* u, int64_t to) {
    const Vector sum = g[0] + g[2], wide = g[0] + 4.0f * g[2], twice = 2.0f * g[1];
    u[0] = g[0] * (1.0f / 4);
    u[to] = (sum + g[1]) * (-1.0f / 6);
    u[2 * to] = (sum - g[1]) * (-1.0f / 6);
    u[3 * to] = (wide + twice) * (1.0f / 24);
    u[4 * to] = (wide - twice) * (1.0f / 24);
    u[5 * to] = g[2];
  }
};

// out [kRows, 32] = a [kRows, count] times b [count, 32].
template <int kRows>
void Multiply(const float* a, int64_t row, const float* b, int64_t count, float* out,
              int64_t out_row) {
  Vector sums[kRows][2] = {};
  for (int64_t k = 0; k < count; ++k, b += kColumns) {
    const Vector left = Load(b), right = Load(b + kLanes);
#pragma GCC unroll 14
    for (int r = 0; r < kRows; ++r) {
      sums[r][0] += a[r * row + k] * left;
      sums[r][1] += a[r * row + k] * right;
    }
  }
#pragma GCC unroll 14
  for (int r = 0; r < kRows; ++r) {
    Store(out + r * out_row, sums[r][0]);
    Store(out + r * out_row + kLanes, sums[r][1]);
  }
}

using Multiplier = void (*)(const float*, int64_t, const float*, int64_t, float*, int64_t);
constexpr Multiplier kMultipliers[] = {nullptr,      Multiply<1>,  Multiply<2>,  Multiply<3>,
                                       Multiply<4>,  Multiply<5>,  Multiply<6>,  Multiply<7>,
                                       Multiply<8>,  Multiply<9>,  Multiply<10>, Multiply<11>,
                                       Multiply<12>, Multiply<13>, Multiply<14>};

int64_t Quotient(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <typename High, typename Wide>
struct Tiled {
  static constexpr int kPlaces = High::kInputs * Wide::kInputs;

  static int64_t Rows(const WinogradShape& s) { return Quotient(s.height, High::kOutputs); }
  static int64_t Columns(const WinogradShape& s) { return Quotient(s.width, Wide::kOutputs); }
  static int64_t Count(const WinogradShape& s) { return s.images * Rows(s) * Columns(s); }
  static int64_t InputPlace(const WinogradShape& s) { return kBlock * s.channels + kGap; }
  static int64_t OutputPlace(const WinogradShape& s) { return kBlock * s.outputs + kGap; }

  static int64_t KernelPlace(const WinogradShape& s) { return s.channels * s.outputs + kGap; }

  struct Position {
    int64_t image, row, column;  // of the first output
  };
  static Position Of(const WinogradShape& s, int64_t tile) {
    const int64_t across = Columns(s), down = Rows(s);
    return {tile / (across * down), tile / across % down * High::kOutputs,
            tile % across * Wide::kOutputs};
  }

  static void Kernels(const WinogradShape& s, const float* kernels, const int64_t* strides,
                      float* transformed) {
    const int64_t place = KernelPlace(s);
    for (int64_t i = 0; i < kPlaces * kGap; ++i) {
      transformed[(i / kGap + 1) * place - 1 - i % kGap] = 0;
    }
    for (int64_t output = 0; output < s.outputs; output += kLanes) {
      for (int64_t channel = 0; channel < s.channels; ++channel) {
        const float* from = kernels + output * strides[0] + channel * strides[1];
        alignas(64) float taps[Wide::kTaps * High::kTaps][kLanes];
        for (int64_t lane = 0; lane < kLanes; ++lane, from += strides[0]) {
          for (int x = 0; x < Wide::kTaps; ++x) {
            for (int y = 0; y < High::kTaps; ++y) {
              taps[x * High::kTaps + y][lane] = from[y * strides[2] + x * strides[3]];
            }
          }
        }
        Vector read[Wide::kTaps * High::kTaps], rows[High::kInputs * Wide::kTaps], done[kPlaces];
        for (int i = 0; i < Wide::kTaps * High::kTaps; ++i) read[i] = Load(taps[i]);
        for (int x = 0; x < Wide::kTaps; ++x) {
          High::Kernel(read + x * High::kTaps, rows + x, Wide::kTaps);
        }
        float* to = transformed + output / kColumns * s.channels * kColumns + channel * kColumns +
                    output % kColumns;
        for (int y = 0; y < High::kInputs; ++y) {
          Wide::Kernel(rows + y * Wide::kTaps, done + y * Wide::kInputs, 1);
        }
        for (int i = 0; i < kPlaces; ++i) Store(to + i * place, done[i]);
      }
    }
  }

  template <typename Value>
  static void Input(const WinogradShape& s, const Value* images, int64_t tile, int64_t index,
                    float* values) {
    static const Value zeros[kLanes] = {};
    const Position at = Of(s, tile);
    const Value* pixels[kPlaces];
    for (int y = 0; y < High::kInputs; ++y) {
      for (int x = 0; x < Wide::kInputs; ++x) {
        const int64_t row = at.row + y - High::kBefore, column = at.column + x - Wide::kBefore;
        const bool inside = row >= 0 && row < s.height && column >= 0 && column < s.width;
        pixels[y * Wide::kInputs + x] =
            inside ? images + ((at.image * s.height + row) * s.width + column) * s.channels
                   : nullptr;
      }
    }
    const int64_t place = InputPlace(s);
    for (int64_t c = 0; c < s.channels; c += kLanes) {
      Vector read[kPlaces], half[kPlaces], done[kPlaces];
      for (int i = 0; i < kPlaces; ++i) {
        read[i] = Load(pixels[i] == nullptr ? zeros : pixels[i] + c);
      }
      for (int x = 0; x < Wide::kInputs; ++x) {
        High::Input(read + x, Wide::kInputs, half + x, Wide::kInputs);
      }
      for (int y = 0; y < High::kInputs; ++y) {
        Wide::Input(half + y * Wide::kInputs, 1, done + y * Wide::kInputs, 1);
      }
      float* to = values + index * s.channels + c;
      for (int i = 0; i < kPlaces; ++i) Store(to + i * place, done[i]);
    }
  }

  template <typename Value>
  static void Output(const WinogradShape& s, const float* products, int64_t tile, int64_t index,
                     const float* bias, const Value* sum, bool relu, Value* output) {
    const Position at = Of(s, tile);
    const int64_t place = OutputPlace(s);
    for (int64_t c = 0; c < s.outputs; c += kLanes) {
      Vector read[kPlaces], half[High::kOutputs * Wide::kInputs],
          done[High::kOutputs * Wide::kOutputs];
      const float* from = products + index * s.outputs + c;
      for (int i = 0; i < kPlaces; ++i) read[i] = Load(from + i * place);
      for (int x = 0; x < Wide::kInputs; ++x) {
        High::Output(read + x, Wide::kInputs, half + x, Wide::kInputs);
      }
      for (int y = 0; y < High::kOutputs; ++y) {
        Wide::Output(half + y * Wide::kInputs, 1, done + y * Wide::kOutputs, 1);
      }
      for (int y = 0; y < High::kOutputs && at.row + y < s.height; ++y) {
        for (int x = 0; x < Wide::kOutputs && at.column + x < s.width; ++x) {
          const int64_t to =
              ((at.image * s.height + at.row + y) * s.width + at.column + x) * s.outputs + c;
          Vector value = done[y * Wide::kOutputs + x];
          if (bias != nullptr) value += Load(bias + c);
          if (sum != nullptr) value += Load(sum + to);
          // A NaN must stay one.
          if (relu) value = value < 0 ? Vector{} : value;
          Store(output + to, value);
        }
      }
    }
  }

  template <typename Value>
  static void Convolve(const WinogradShape& s, const Value* images, const float* transformed,
                       const float* bias, const Value* sum, bool relu, int64_t begin, int64_t end,
                       float* scratch, Value* output) {
    float* values = scratch;
    float* products = scratch + kPlaces * InputPlace(s);
    const int64_t blocks = Quotient(end - begin, kBlock);
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t first = begin + (end - begin) * block / blocks;
      const int64_t tiles = begin + (end - begin) * (block + 1) / blocks - first;
      for (int64_t i = 0; i < tiles; ++i) Input(s, images, first + i, i, values);
      const int64_t groups = Quotient(tiles, kMostRows);
      for (int place = 0; place < kPlaces; ++place) {
        const float* kernel = transformed + place * KernelPlace(s);
        for (int64_t column = 0; column < s.outputs; column += kColumns) {
          for (int64_t group = 0; group < groups; ++group) {
            const int64_t row = tiles * group / groups;
            const int64_t rows = tiles * (group + 1) / groups - row;
            kMultipliers[rows](
                values + place * InputPlace(s) + row * s.channels, s.channels, kernel, s.channels,
                products + place * OutputPlace(s) + row * s.outputs + column, s.outputs);
          }
          kernel += s.channels * kColumns;
        }
      }
      for (int64_t i = 0; i < tiles; ++i) {
        Output(s, products, first + i, i, bias, sum, relu, output);
      }
    }
  }
};

using Tiles44 = Tiled<Side<4>, Side<4>>;
using Tiles22 = Tiled<Side<2>, Side<2>>;
using Tiles41 = Tiled<Side<4>, Side<1>>;

// `call` gets the tiles' type as a null pointer.
template <typename Call>
auto With(WinogradTile tile, Call call) {
  switch (tile) {
    case WinogradTile::k4x4:
      return call(static_cast<Tiles44*>(nullptr));
    case WinogradTile::k2x2:
      return call(static_cast<Tiles22*>(nullptr));
    default:
      return call(static_cast<Tiles41*>(nullptr));
  }
}

}  // namespace

bool HasWinograd() { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma"); }

double Bfloat16Rate() {
  if (__builtin_cpu_supports("amx-bf16")) return 8;
  // Intel's vector instruction for it makes no more products than that for float32.
  return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_is("amd") ? 2 : 1;
}

int64_t WinogradTiles(const WinogradShape& shape) {
  return With(shape.tile, [&](auto* tiles) { return tiles->Count(shape); });
}

int64_t WinogradKernelFloats(const WinogradShape& shape) {
  return With(shape.tile, [&](auto* tiles) { return tiles->kPlaces * tiles->KernelPlace(shape); });
}

int64_t WinogradScratchFloats(const WinogradShape& shape) {
  return With(shape.tile, [&](auto* tiles) {
    return tiles->kPlaces * (tiles->InputPlace(shape) + tiles->OutputPlace(shape));
  });
}

void WinogradKernels(const WinogradShape& shape, const float* kernels, const int64_t* strides,
                     float* transformed) {
  With(shape.tile, [&](auto* tiles) { tiles->Kernels(shape, kernels, strides, transformed); });
}

template <typename Value>
void WinogradConvolve(const WinogradShape& shape, const Value* images, const float* transformed,
                      const float* bias, const Value* sum, bool relu, int64_t begin, int64_t end,
                      float* scratch, Value* output) {
  With(shape.tile, [&](auto* tiles) {
    tiles->Convolve(shape, images, transformed, bias, sum, relu, begin, end, scratch, output);
  });
}

template void WinogradConvolve(const WinogradShape&, const float*, const float*, const float*,
                               const float*, bool, int64_t, int64_t, float*, float*);
template void WinogradConvolve(const WinogradShape&, const Bfloat16Bits*, const float*,
                               const float*, const Bfloat16Bits*, bool, int64_t, int64_t, float*,
                               Bfloat16Bits*);

}  // namespace op3d
