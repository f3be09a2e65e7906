#include "op3d/gpu/convolutions.h"

#include <ATen/Context.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <cmath>

namespace op3d::gpu {
namespace {

ConvolutionShape Shape(std::array<int64_t, 3> kernel, std::array<int64_t, 3> stride) {
  ConvolutionShape shape;
  shape.input = {2, 4, 7, 5, 6};
  shape.out_channels = 8;
  shape.kernel = kernel;
  shape.stride = stride;
  shape.padding = {kernel[0] / 2, kernel[1] / 2, kernel[2] / 2};
  shape.groups = 2;
  shape.type = "fp32";
  return shape;
}

TEST(MeasureConvolutionTest, BothFormsRun) {
  for (ConvolutionShape shape :
       {Shape({1, 3, 3}, {1, 2, 2}), Shape({3, 1, 1}, {1, 2, 2}), Shape({3, 1, 1}, {1, 1, 1})}) {
    for (const bool training : {false, true}) {
      shape.training = training;
      for (const ConvolutionForm form : {ConvolutionForm::kImages, ConvolutionForm::kClips}) {
        const double seconds = MeasureConvolution(shape, form, at::kCPU);
        EXPECT_TRUE(seconds > 0 && seconds < 10) << shape.Key() << ": " << seconds;
      }
    }
  }
}

TEST(MeasureConvolutionTest, WhatCannotRunTakesInfinitelyLong) {
  ConvolutionShape shape = Shape({1, 3, 3}, {1, 1, 1});
  shape.input[2] = -1;
  EXPECT_TRUE(std::isinf(MeasureConvolution(shape, ConvolutionForm::kImages, at::kCPU)));
}

TEST(RunsAsClipsTest, NeverOnTheCpu) {
  ConvolutionShape shape = Shape({1, 3, 3}, {1, 1, 1});
  EXPECT_FALSE(RunsAsClips(at::ones({2, 6}), &shape));
}

TEST(SetDeterministicTest, SetsCudnnsSwitches) {
  SetDeterministic(true);
  EXPECT_TRUE(at::globalContext().deterministicCuDNN());
  EXPECT_FALSE(at::globalContext().benchmarkCuDNN());
  SetDeterministic(false);
  EXPECT_FALSE(at::globalContext().deterministicCuDNN());
  EXPECT_TRUE(at::globalContext().benchmarkCuDNN());
}

}  // namespace
}  // namespace op3d::gpu
