// Compares every code path of Convolution with LibTorch's plain 3-D convolution in float64.
#include "op3d/network/layers/convolution.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/conv3d.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace op3d {
namespace {

struct Result {
  at::Tensor output, input_gradient, weight_gradient;
};

class ConvolutionTest : public testing::TestWithParam<ConvolutionDefinition> {
 protected:
  // An odd size, so that strides leave remainders.
  static constexpr int64_t kClips = 2, kFrames = 5, kHeight = 7, kWidth = 6;

  ConvolutionTest()
      : definition_(GetParam()),
        weight_(at::randn({definition_.out_channels, definition_.in_channels / definition_.groups,
                           definition_.kernel[0], definition_.kernel[1], definition_.kernel[2]},
                          at::kDouble)
                    .set_requires_grad(true)),
        clips_(at::randn({kClips, definition_.in_channels, kFrames, kHeight, kWidth}, at::kDouble)
                   .set_requires_grad(true)) {}

  // Gradients of a weighted sum of the output.
  Result Finish(const at::Tensor& output) {
    if (!mix_.defined()) mix_ = at::randn(output.sizes(), at::kDouble);
    (output * mix_).sum().backward();
    Result result{output.detach(), clips_.grad().clone(), weight_.grad().clone()};
    clips_.mutable_grad() = weight_.mutable_grad() = at::Tensor();
    return result;
  }

  Result Expected() {
    return Finish(at::conv3d(clips_, weight_, {}, definition_.stride, definition_.padding, 1,
                             definition_.groups));
  }

  static void ExpectSame(const Result& actual, const Result& expected) {
    ASSERT_EQ(actual.output.sizes(), expected.output.sizes());
    const auto worst = [](const at::Tensor& a, const at::Tensor& b) {
      return (a - b).abs().max().item<double>();
    };
    EXPECT_LT(worst(actual.output, expected.output), 1e-12);
    EXPECT_LT(worst(actual.input_gradient, expected.input_gradient), 1e-12);
    EXPECT_LT(worst(actual.weight_gradient, expected.weight_gradient), 1e-11);
  }

  TensorTable Table() const { return {{definition_.name + ".weight", weight_}}; }

  ConvolutionDefinition definition_;
  at::Tensor weight_, clips_, mix_;
};

class AnyLayerTest : public ConvolutionTest {};

TEST_P(AnyLayerTest, IsA3dConvolution) {
  FeatureMap input;
  input.clips = kClips;
  input.size = {kFrames, kHeight, kWidth};
  input.rows = clips_.permute({0, 2, 3, 4, 1}).reshape({-1, definition_.in_channels});
  const FeatureMap output = Convolution(definition_, Table()).Apply(input);
  EXPECT_EQ(output.clips, kClips);
  ExpectSame(Finish(output.Clips()), Expected());
}

INSTANTIATE_TEST_SUITE_P(
    Ways, AnyLayerTest,
    testing::Values(
        ConvolutionDefinition{"pointwise", 12, 20},
        ConvolutionDefinition{"pointwise_strided", 12, 20, {1, 1, 1}, {1, 2, 2}},
        ConvolutionDefinition{"narrow", 4, 20},
        ConvolutionDefinition{"narrow_strided", 4, 20, {1, 1, 1}, {1, 2, 2}},
        ConvolutionDefinition{"spatial", 4, 6, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
        ConvolutionDefinition{"spatial_strided", 4, 6, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}},
        ConvolutionDefinition{"spatial_grouped", 8, 12, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}, 4},
        ConvolutionDefinition{"spatial_wide", 64, 6, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}},
        ConvolutionDefinition{"temporal_wide", 64, 6, {3, 1, 1}, {1, 1, 1}, {1, 0, 0}},
        ConvolutionDefinition{"temporal", 4, 6, {3, 1, 1}, {1, 1, 1}, {1, 0, 0}},
        ConvolutionDefinition{"temporal_strided", 4, 6, {3, 1, 1}, {1, 2, 2}, {1, 0, 0}},
        ConvolutionDefinition{"temporal_grouped", 8, 12, {3, 1, 1}, {1, 2, 2}, {1, 0, 0}, 4}),
    [](const auto& info) { return info.param.name; });

class FirstLayerTest : public ConvolutionTest {};

TEST_P(FirstLayerTest, IsA3dConvolution) {
  const FeatureMap output = Convolution(definition_, Table()).ApplyToClips(clips_);
  ExpectSame(Finish(output.Clips()), Expected());
}

INSTANTIATE_TEST_SUITE_P(
    Ways, FirstLayerTest,
    testing::Values(ConvolutionDefinition{"stem", 3, 8, {4, 7, 7}, {4, 2, 2}, {0, 3, 3}},
                    ConvolutionDefinition{"deep_stem", 3, 8, {2, 3, 3}, {2, 2, 2}, {0, 1, 1}}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace op3d
