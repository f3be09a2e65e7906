#include "op3d/network/layers/weight_gradient.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

namespace op3d {
namespace {

constexpr int64_t kColumnBytes = 8 << 20;

// Along one side of the images: the taps of the kernel that overlap the input at all (for a clip of
// one frame only the middle one), and the zeros that they need around it.
struct Side {
  int64_t first_tap, taps, zeros_before, zeros_behind;
};

Side SideOf(int64_t input, int64_t output, int64_t kernel, int64_t stride, int64_t padding) {
  const int64_t last_start = (output - 1) * stride;
  Side side = {};
  side.first_tap = std::max<int64_t>(0, padding - last_start);
  side.taps = std::min(kernel, input + padding) - side.first_tap;
  side.zeros_before = padding - side.first_tap;
  side.zeros_behind = std::max<int64_t>(0, last_start + side.taps - side.zeros_before - input);
  return side;
}

}  // namespace

at::Tensor WeightGradient(const at::Tensor& gradient, const at::Tensor& images,
                          const std::vector<int64_t>& kernel, const std::vector<int64_t>& stride,
                          const std::vector<int64_t>& padding) {
  const int64_t count = images.size(0), channels = images.size(3), out_channels = gradient.size(3);
  const Side height = SideOf(images.size(1), gradient.size(1), kernel[0], stride[0], padding[0]);
  const Side width = SideOf(images.size(2), gradient.size(2), kernel[1], stride[1], padding[1]);
  const int64_t positions = gradient.size(1) * gradient.size(2);
  const int64_t row = height.taps * width.taps * channels;
  const int64_t image_bytes = positions * row * static_cast<int64_t>(images.element_size());
  const int64_t chunk = std::max<int64_t>(1, kColumnBytes / image_bytes);
  at::Tensor product;
  for (int64_t begin = 0; begin < count; begin += chunk) {
    const int64_t n = std::min(chunk, count - begin);
    const at::Tensor padded = at::constant_pad_nd(
        images.narrow(0, begin, n),
        {0, 0, width.zeros_before, width.zeros_behind, height.zeros_before, height.zeros_behind});
    // The pixels of a window's row are contiguous in memory.
    const auto strides = padded.strides();
    const at::Tensor columns =
        padded
            .as_strided({n, gradient.size(1), gradient.size(2), height.taps, width.taps * channels},
                        {strides[0], strides[1] * stride[0], strides[2] * stride[1], strides[1], 1})
            .reshape({n * positions, row});
    const at::Tensor rows = gradient.narrow(0, begin, n).view({n * positions, out_channels}).t();
    if (product.defined()) {
      product.addmm_(rows, columns);
    } else {
      product = rows.mm(columns);
    }
  }
  const at::Tensor taps =
      product.view({out_channels, height.taps, width.taps, channels}).permute({0, 3, 1, 2});
  if (height.taps == kernel[0] && width.taps == kernel[1]) return taps;
  at::Tensor all = at::zeros({out_channels, channels, kernel[0], kernel[1]}, product.options());
  all.narrow(2, height.first_tap, height.taps).narrow(3, width.first_tap, width.taps).copy_(taps);
  return all;
}

}  // namespace op3d
