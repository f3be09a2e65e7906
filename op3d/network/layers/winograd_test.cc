#include "op3d/network/layers/winograd.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace op3d {
namespace {

struct Case {
  WinogradTile tile;
  int64_t images, height, width, channels, outputs;
};

class WinogradTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!HasWinograd()) GTEST_SKIP() << "this processor has no AVX-512";
  }
};

at::Tensor Convolved(const at::Tensor& images, const at::Tensor& weight) {
  return at::convolution(images.to(at::kDouble), weight.to(at::kDouble), {}, {1, 1},
                         {weight.size(2) / 2, weight.size(3) / 2}, {1, 1}, false, {0, 0}, 1);
}

at::Tensor Images(int64_t images, int64_t channels, int64_t height, int64_t width) {
  return at::randn({images, height, width, channels}).permute({0, 3, 1, 2});
}

double Worst(const at::Tensor& actual, const at::Tensor& expected) {
  return ((actual - expected).abs().max() / expected.abs().max()).item<double>();
}

TEST_P(WinogradTest, IsTheConvolution) {
  const Case& c = GetParam();
  const int64_t taps = c.tile == WinogradTile::k4x1 ? 1 : 3;
  const at::Tensor images = Images(c.images, c.channels, c.height, c.width);
  const at::Tensor weight = at::randn({c.outputs, c.channels, 3, taps});
  const at::Tensor bias = at::randn({c.outputs});
  const at::Tensor kernels = WinogradKernels(c.tile, weight, WinogradUse::kForward);
  const at::Tensor expected = Convolved(images, weight);
  const at::Tensor plain = Winograd(c.tile, images, kernels, c.outputs, {}, {}, Activation::kNone);
  EXPECT_LT(Worst(plain, expected), 2e-5);

  const at::Tensor sum = Images(c.images, c.outputs, c.height, c.width);
  const at::Tensor joined = (expected + bias.view({1, -1, 1, 1}) + sum).relu();
  const at::Tensor onto =
      Winograd(c.tile, images, kernels, c.outputs, bias, sum, Activation::kRelu);
  EXPECT_LT(Worst(onto, joined), 2e-5);
  EXPECT_TRUE(onto.is_alias_of(sum));

  // The same bits for other threads, for one image alone and for another layout of the weight.
  const int threads = at::get_num_threads();
  at::set_num_threads(3);
  EXPECT_TRUE(
      at::equal(Winograd(c.tile, images, kernels, c.outputs, {}, {}, Activation::kNone), plain));
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(Winograd(c.tile, images.narrow(0, c.images - 1, 1), kernels, c.outputs, {},
                                 {}, Activation::kNone),
                        plain.narrow(0, c.images - 1, 1)));
  EXPECT_TRUE(at::equal(WinogradKernels(c.tile, weight.contiguous(at::MemoryFormat::ChannelsLast),
                                        WinogradUse::kForward),
                        kernels));
}

// Rounded once: the bits of the result in float32 for the same values, rounded.
TEST_P(WinogradTest, ComputesBfloat16InFloat32) {
  const Case& c = GetParam();
  const int64_t taps = c.tile == WinogradTile::k4x1 ? 1 : 3;
  at::Tensor images = Images(c.images, c.channels, c.height, c.width).to(at::kBFloat16);
  images.select(0, 0).select(1, 0).select(1, 0).fill_(NAN);
  if (c.images > 1) images.select(0, c.images - 1).fill_(1e38);
  const at::Tensor weight = at::randn({c.outputs, c.channels, 3, taps}).to(at::kBFloat16);
  const at::Tensor bias = at::randn({c.outputs}).to(at::kBFloat16);
  const at::Tensor sum = Images(c.images, c.outputs, c.height, c.width).to(at::kBFloat16);
  const auto convolved = [&](at::ScalarType type) {
    return Winograd(c.tile, images.to(type),
                    WinogradKernels(c.tile, weight.to(type), WinogradUse::kForward), c.outputs,
                    bias.to(type), sum.to(type, /*non_blocking=*/false, /*copy=*/true),
                    Activation::kRelu);
  };
  const at::Tensor actual = convolved(at::kBFloat16);
  ASSERT_EQ(actual.scalar_type(), at::kBFloat16);
  const at::Tensor expected = convolved(at::kFloat).to(at::kBFloat16);
  EXPECT_TRUE(at::allclose(actual, expected, 0, 0, /*equal_nan=*/true));
  EXPECT_TRUE(actual.isnan().any().item<bool>());
}

TEST_P(WinogradTest, IsTheGradient) {
  const Case& c = GetParam();
  const int64_t taps = c.tile == WinogradTile::k4x1 ? 1 : 3;
  // The gradient of a convolution from outputs to channels.
  const at::Tensor gradient = Images(c.images, c.channels, c.height, c.width);
  const at::Tensor weight = at::randn({c.channels, c.outputs, 3, taps});
  const at::Tensor kernels = WinogradKernels(c.tile, weight, WinogradUse::kGradient);
  const at::Tensor turned = weight.transpose(0, 1).flip({2, 3});
  EXPECT_LT(Worst(Winograd(c.tile, gradient, kernels, c.outputs, {}, {}, Activation::kNone),
                  Convolved(gradient, turned)),
            2e-5);
}

INSTANTIATE_TEST_SUITE_P(Shapes, WinogradTest,
                         testing::Values(Case{WinogradTile::k4x4, 3, 8, 12, 32, 64},
                                         Case{WinogradTile::k4x4, 2, 7, 5, 64, 32},
                                         Case{WinogradTile::k4x4, 1, 1, 1, 32, 32},
                                         Case{WinogradTile::k2x2, 2, 4, 4, 64, 96},
                                         Case{WinogradTile::k2x2, 3, 7, 3, 32, 32},
                                         Case{WinogradTile::k4x1, 2, 4, 9, 64, 32},
                                         Case{WinogradTile::k4x1, 2, 5, 33, 32, 64}));

TEST(FasterTileTest, LeavesOtherConvolutionsToTheLibrary) {
  const at::Tensor images = Images(1, 64, 28, 28);
  EXPECT_FALSE(FasterTile(images, 64, {3, 3}, {2, 2}, {1, 1}, 1).has_value());
  EXPECT_FALSE(FasterTile(images, 64, {3, 3}, {1, 1}, {0, 0}, 1).has_value());
  EXPECT_FALSE(FasterTile(images, 64, {3, 3}, {1, 1}, {1, 1}, 32).has_value());
  EXPECT_FALSE(FasterTile(images, 64, {1, 1}, {1, 1}, {0, 0}, 1).has_value());
  EXPECT_FALSE(FasterTile(images, 40, {3, 3}, {1, 1}, {1, 1}, 1).has_value());
  EXPECT_FALSE(FasterTile(images.to(at::kDouble), 64, {3, 3}, {1, 1}, {1, 1}, 1).has_value());
  // One frame: what falls on the padding costs the library nothing.
  EXPECT_FALSE(FasterTile(Images(1, 64, 1, 49), 64, {3, 1}, {1, 1}, {1, 0}, 1).has_value());
}

}  // namespace
}  // namespace op3d
