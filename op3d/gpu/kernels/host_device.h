// What every kernel needs to run on a GPU and on the CPU from one source: a mark for functions,
// numbers in 16 bits, and packs of numbers that are read at once.
//
// A kernel is a plain struct of pointers and sizes.  It has one of two forms:
//
//   struct Doubled {                      // a point kernel: a function of an index
//     const float* in;
//     float* out;
//     int64_t count;
//     OP3D_HD int64_t points() const { return count; }
//     OP3D_HD void operator()(int64_t i) const { out[i] = 2 * in[i]; }
//   };
//
// A tile kernel has threads that share memory and work in phases: constants kThreads and kPhases, a
// type Shared, tiles(), and Phase(phase, tile, thread, shared); all threads of a tile finish a phase
// before any of them begins the next one (optimizer_kernels.h has short ones).
//
// cpu_driver.h runs both in a loop, grid_driver.h on a GPU.  Only multiplications and additions as
// they are written, IEEE division and square roots: both give the same bits (nvcc: -fmad=false).
// Pointers may be null only where a kernel says so.
#ifndef OP3D_GPU_KERNELS_HOST_DEVICE_H_
#define OP3D_GPU_KERNELS_HOST_DEVICE_H_

#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#define OP3D_HD __host__ __device__ inline
#else
#define OP3D_HD inline
#endif

namespace op3d::gpu {

// i / divisor and i % divisor of numbers that are not negative.  Divisions in 64 bits take a GPU
// ten times as long.
OP3D_HD int64_t Divide(int64_t i, int64_t divisor, int64_t* rest) {
  if (((i | divisor) >> 32) == 0) {
    const uint32_t quotient = static_cast<uint32_t>(i) / static_cast<uint32_t>(divisor);
    *rest = i - int64_t{quotient} * divisor;
    return quotient;
  }
  *rest = i % divisor;
  return i / divisor;
}

// A bfloat16 by its bits.
struct Bf16 {
  uint16_t bits;
};

OP3D_HD float ToFloat(float value) { return value; }
OP3D_HD float ToFloat(Bf16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float wide;
  memcpy(&wide, &bits, sizeof(wide));
  return wide;
}

OP3D_HD void Store(float value, float* out) { *out = value; }
// Rounds to the nearest, halves to even; every NaN becomes the same one.
OP3D_HD void Store(float value, Bf16* out) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  const bool nan = (bits & 0x7FFFFFFFu) > 0x7F800000u;
  out->bits =
      nan ? uint16_t{0x7FC0} : static_cast<uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

// A float16 (IEEE 754's binary16) by its bits.
struct Fp16 {
  uint16_t bits;
};

OP3D_HD float ToFloat(Fp16 value) {
  const uint32_t sign = (value.bits & 0x8000u) << 16, rest = value.bits & 0x7FFFu;
  uint32_t bits = rest << 13;
  if (rest >= 0x7C00u) {  // infinite or not a number
    bits |= 0x7F800000u;
  } else if (rest >= 0x0400u) {
    bits += (127u - 15u) << 23;
  } else {  // a multiple of 2^-24
    const float multiple = static_cast<float>(rest) * (1.0f / (1 << 24));
    memcpy(&bits, &multiple, sizeof(bits));
  }
  bits |= sign;
  float wide;
  memcpy(&wide, &bits, sizeof(wide));
  return wide;
}

// Rounds to the nearest, halves to even, from 65520 on to infinity; a NaN keeps its sign alone.
OP3D_HD void Store(float value, Fp16* out) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  const uint32_t sign = (bits >> 16) & 0x8000u, rest = bits & 0x7FFFFFFFu;
  uint32_t narrow = 0;
  if (rest > 0x7F800000u) {
    narrow = 0x7E00u;
  } else if (rest >= 0x477FF000u) {  // 65520
    narrow = 0x7C00u;
  } else if (rest >= 0x38800000u) {  // 2^-14: normal numbers
    narrow = (rest - ((127u - 15u) << 23) + 0x0FFFu + ((rest >> 13) & 1u)) >> 13;
  } else if (rest >= 0x33000000u) {  // 2^-25; smaller ones round to 0
    // In units of 2^-24.
    const uint32_t digits = (rest & 0x007FFFFFu) | 0x00800000u, shift = 126u - (rest >> 23);
    narrow = (digits + (1u << (shift - 1)) - 1 + ((digits >> shift) & 1u)) >> shift;
  }
  out->bits = static_cast<uint16_t>(sign | narrow);
}

// Numbers that are read and written at once; their address is a multiple of the pack's size.
template <typename T, int kPack>
struct alignas(sizeof(T) * kPack) [[gnu::may_alias]] Pack {
  T values[kPack];
};

// The numbers in 16 bytes.
template <typename T>
inline constexpr int kWidePack = 16 / static_cast<int>(sizeof(T));

template <int kPack, typename T>
OP3D_HD Pack<T, kPack> LoadPack(const T* at) {
  return *reinterpret_cast<const Pack<T, kPack>*>(at);
}

template <int kPack, typename T>
OP3D_HD void StorePack(const Pack<T, kPack>& pack, T* at) {
  *reinterpret_cast<Pack<T, kPack>*>(at) = pack;
}

}  // namespace op3d::gpu

#endif  // OP3D_GPU_KERNELS_HOST_DEVICE_H_
