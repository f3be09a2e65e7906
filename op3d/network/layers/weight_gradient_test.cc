// Compares with LibTorch's own backward pass, in float64.
#include "op3d/network/layers/weight_gradient.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <tuple>

namespace op3d {
namespace {

using Integers = std::vector<int64_t>;

struct Case {
  const char* name;
  Integers images;  // A, B, D, C
  int64_t out_channels;
  Integers kernel, stride, padding;
};

class WeightGradientTest : public testing::TestWithParam<Case> {};

TEST_P(WeightGradientTest, IsLibTorchs) {
  const Case& c = GetParam();
  Integers output = c.images;
  for (int side = 0; side < 2; ++side) {
    output[1 + side] =
        (c.images[1 + side] + 2 * c.padding[side] - c.kernel[side]) / c.stride[side] + 1;
  }
  output[3] = c.out_channels;
  const at::Tensor images = at::randn(c.images, at::kDouble);
  const at::Tensor gradient = at::randn(output, at::kDouble);
  const at::Tensor weight =
      at::randn({c.out_channels, c.images[3], c.kernel[0], c.kernel[1]}, at::kDouble);
  const at::Tensor expected = std::get<1>(at::convolution_backward(
      gradient.permute({0, 3, 1, 2}), images.permute({0, 3, 1, 2}), weight, c10::nullopt, c.stride,
      c.padding, {1, 1}, /*transposed=*/false, {0, 0}, 1, {false, true, false}));
  const at::Tensor actual = WeightGradient(gradient, images, c.kernel, c.stride, c.padding);
  ASSERT_EQ(actual.sizes(), expected.sizes());
  EXPECT_LT((actual - expected).abs().max().item<double>(), 1e-10);
}

INSTANTIATE_TEST_SUITE_P(
    Windows, WeightGradientTest,
    testing::Values(Case{"square", {3, 6, 5, 4}, 7, {3, 3}, {1, 1}, {1, 1}},
                    Case{"strided", {3, 7, 6, 4}, 5, {3, 3}, {2, 2}, {1, 1}},
                    Case{"unpadded", {2, 6, 6, 3}, 4, {2, 3}, {2, 1}, {0, 0}},
                    Case{"stem", {2, 16, 15, 12}, 8, {7, 7}, {2, 2}, {3, 3}},
                    Case{"in_time", {2, 4, 9, 6}, 6, {3, 1}, {1, 1}, {1, 0}},
                    Case{"in_time_strided", {2, 5, 9, 6}, 6, {3, 1}, {2, 1}, {1, 0}},
                    Case{"one_frame", {3, 1, 9, 6}, 5, {3, 1}, {1, 1}, {1, 0}},
                    Case{"two_frames", {3, 2, 9, 6}, 5, {7, 1}, {1, 1}, {3, 0}},
                    Case{"one_pixel", {4, 1, 1, 6}, 5, {3, 3}, {1, 1}, {1, 1}},
                    // The columns of even one image are beyond 8 MiB; those of five are, too.
                    Case{"large", {2, 40, 40, 96}, 3, {3, 3}, {1, 1}, {1, 1}},
                    Case{"in_chunks", {11, 16, 16, 96}, 3, {3, 3}, {1, 1}, {1, 1}}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace op3d
