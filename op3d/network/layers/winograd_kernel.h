// Convolutions with fewer multiplications (Winograd 1980; Lavin and Gray 2016), for AVX-512.
//
// A tile of m outputs along a side comes from m + 2 inputs and m + 2 products instead of 3 m.  With
// m = 4 in height and width a 3x3 kernel needs 36 products for 16 outputs instead of 144; the
// products of one place in many tiles are one matrix product.  The sums are other ones, so results
// differ in their last bits: about 1e-6 of their scale.  bf16 is read and written; sums are float32.
#ifndef OP3D_NETWORK_LAYERS_WINOGRAD_KERNEL_H_
#define OP3D_NETWORK_LAYERS_WINOGRAD_KERNEL_H_

#include <cstdint>

namespace op3d {

// Outputs of a tile: 4x4 or 2x2 with 3x3 kernels; 4x1 with 3x1 kernels.
enum class WinogradTile { k4x4, k2x2, k4x1 };

// Stride 1, and zeros around the images so that the output has their size.  Channels are a multiple
// of 16, outputs of 32.
struct WinogradShape {
  WinogradTile tile;
  int64_t images, height, width, channels, outputs;
};

// The upper half of a float's bits.
struct Bfloat16Bits {
  uint16_t bits;
};

// True if this processor has the instructions.
bool HasWinograd();

// The library's products in bf16 in the time of one in float32, about: 8 with matrix instructions, 2
// on AMD's processors with AVX512_BF16, 1 elsewhere.
double Bfloat16Rate();

// Of all images, and what is computed for one of them: floats of the transformed kernels, of the
// memory that one call needs.
int64_t WinogradTiles(const WinogradShape& shape);
int64_t WinogradKernelFloats(const WinogradShape& shape);
int64_t WinogradScratchFloats(const WinogradShape& shape);

// From kernels whose value for (output, channel, row, column) is at
// kernels[output * strides[0] + channel * strides[1] + row * strides[2] + column * strides[3]].
void WinogradKernels(const WinogradShape& shape, const float* kernels, const int64_t* strides,
                     float* transformed);

// Tiles [begin, end) of the output of `images` [images, height, width, channels] to `output`:
// convolution + bias + sum, then ReLU.  `bias` [outputs] and `sum`, in the output's shape, may be
// null, and `sum` may be `output`.  Value is float or Bfloat16Bits; everything is computed in
// float32, and a result rounded once, when it is stored.
template <typename Value>
void WinogradConvolve(const WinogradShape& shape, const Value* images, const float* transformed,
                      const float* bias, const Value* sum, bool relu, int64_t begin, int64_t end,
                      float* scratch, Value* output);

}  // namespace op3d

#endif  // OP3D_NETWORK_LAYERS_WINOGRAD_KERNEL_H_
