#include "op3d/network/layers/winograd.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/ops/empty.h>

#include <type_traits>
#include <utility>

namespace op3d {
namespace {

// Transformed kernels of wide layers are larger than the caches; those of 4x4 tiles are four times
// the weight, those of 2x2 tiles less than twice.
constexpr int64_t kLargestWeight = 256 * 256;

// Transforms cost this many times the products, roughly.
constexpr double kTransforms = 1.25;

bool Usable() {
  static const bool usable = HasWinograd() && at::get_cpu_capability() == "AVX512";
  return usable;
}

int64_t Tiles(int64_t side, int64_t outputs) { return (side + outputs - 1) / outputs; }

WinogradShape ShapeOf(WinogradTile tile, const at::Tensor& images, int64_t outputs) {
  return {tile, images.size(0), images.size(2), images.size(3), images.size(1), outputs};
}

}  // namespace

std::optional<WinogradTile> FasterTile(const at::Tensor& images, int64_t outputs,
                                       at::IntArrayRef kernel, at::IntArrayRef stride,
                                       at::IntArrayRef padding, int64_t groups) {
  const bool bfloat16 = images.scalar_type() == at::kBFloat16;
  if (!Usable() || !images.is_cpu() || images.dim() != 4 ||
      (!bfloat16 && images.scalar_type() != at::kFloat) || groups != 1 ||
      images.size(1) % 32 != 0 || outputs % 32 != 0 || !stride.equals({1, 1})) {
    return std::nullopt;
  }
  const int64_t height = images.size(2), width = images.size(3);
  // Products are in float32 here, but in bf16 in the library.
  static const double bfloat16_rate = Bfloat16Rate();
  const double cost = kTransforms * (bfloat16 ? bfloat16_rate : 1);
  const auto faster = [cost](int64_t products, int64_t direct) {
    return cost * static_cast<double>(products) < static_cast<double>(direct);
  };
  // The library's kernels leave out what falls on the padding.
  if (kernel.equals({3, 1}) && padding.equals({1, 0})) {
    if (!faster(6 * Tiles(height, 4), 3 * height - 2)) return std::nullopt;
    return WinogradTile::k4x1;
  }
  if (!kernel.equals({3, 3}) || !padding.equals({1, 1})) return std::nullopt;
  const int64_t direct = (3 * height - 2) * (3 * width - 2);
  const int64_t large = 36 * Tiles(height, 4) * Tiles(width, 4);
  const int64_t small = 16 * Tiles(height, 2) * Tiles(width, 2);
  const bool wide = images.size(1) * outputs > kLargestWeight;
  if (!wide && large <= small && faster(large, direct)) return WinogradTile::k4x4;
  if (faster(small, direct)) return WinogradTile::k2x2;
  return std::nullopt;
}

at::Tensor WinogradKernels(WinogradTile tile, const at::Tensor& weight, WinogradUse use) {
  int64_t outputs = weight.size(0), channels = weight.size(1);
  const at::Tensor values = weight.to(at::kFloat);
  int64_t strides[] = {values.stride(0), values.stride(1), values.stride(2), values.stride(3)};
  const float* first = values.const_data_ptr<float>();
  if (use == WinogradUse::kGradient) {  // outputs and channels change places, the taps their order
    first += (weight.size(2) - 1) * strides[2] + (weight.size(3) - 1) * strides[3];
    std::swap(strides[0], strides[1]);
    std::swap(outputs, channels);
    strides[2] = -strides[2];
    strides[3] = -strides[3];
  }
  const WinogradShape shape = {tile, 1, 1, 1, channels, outputs};
  const at::Tensor kernels = at::empty({WinogradKernelFloats(shape)}, values.options());
  WinogradKernels(shape, first, strides, kernels.mutable_data_ptr<float>());
  return kernels;
}

at::Tensor Winograd(WinogradTile tile, const at::Tensor& images, const at::Tensor& kernels,
                    int64_t outputs, const at::Tensor& bias, const at::Tensor& sum,
                    Activation activation) {
  const WinogradShape shape = ShapeOf(tile, images, outputs);
  const at::Tensor pixels = images.permute({0, 2, 3, 1}).contiguous();
  at::Tensor output = sum;
  if (!output.defined()) {
    output = at::empty({shape.images, shape.height, shape.width, outputs}, images.options())
                 .permute({0, 3, 1, 2});
  }
  TORCH_CHECK(kernels.numel() == WinogradKernelFloats(shape) &&
                  output.permute({0, 2, 3, 1}).is_contiguous() &&
                  output.scalar_type() == images.scalar_type(),
              "another shape, layout or type");
  const at::Tensor added = bias.defined() ? bias.to(at::kFloat) : bias;
  const auto convolve = [&](auto* values) {
    using Value = std::remove_pointer_t<decltype(values)>;
    const auto* from = static_cast<const Value*>(pixels.const_data_ptr());
    constexpr int64_t kGrain = 28;
    at::parallel_for(0, WinogradTiles(shape), kGrain, [&](int64_t begin, int64_t end) {
      const at::Tensor scratch = at::empty({WinogradScratchFloats(shape)}, kernels.options());
      WinogradConvolve<Value>(shape, from, kernels.const_data_ptr<float>(),
                              added.defined() ? added.const_data_ptr<float>() : nullptr,
                              sum.defined() ? values : nullptr, activation == Activation::kRelu,
                              begin, end, scratch.mutable_data_ptr<float>(), values);
    });
  };
  if (images.scalar_type() == at::kBFloat16) {
    convolve(static_cast<Bfloat16Bits*>(output.mutable_data_ptr()));
  } else {
    convolve(output.mutable_data_ptr<float>());
  }
  return output;
}

}  // namespace op3d
