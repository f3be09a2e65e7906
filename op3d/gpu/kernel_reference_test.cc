// Compares the kernels' arithmetic, run on the CPU, with the layers and the optimiser that the CPU
// uses itself.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/threshold_backward.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/util/Half.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "op3d/base/testing/status_matchers.h"
#include "op3d/gpu/fused_step.h"
#include "op3d/gpu/kernels/host_device.h"
#include "op3d/gpu/rows.h"
#include "op3d/network/layers/batch_norm.h"
#include "op3d/network/layers/row_sums.h"
#include "op3d/train/step/optimizer.h"

namespace op3d {
namespace {

// The largest difference as a share of the largest value.
double Apart(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor wide = b.to(at::kDouble);
  return (a.to(at::kDouble) - wide).abs().max().item<double>() /
         std::max(0.1, wide.abs().max().item<double>());
}

uint32_t BitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

float FloatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

gpu::Fp16 Narrow(float value) {
  gpu::Fp16 narrow;
  gpu::Store(value, &narrow);
  return narrow;
}

TEST(Fp16Test, EveryNumberIsLibTorchs) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const uint16_t half = static_cast<uint16_t>(bits);
    const float expected = c10::Half(half, c10::Half::from_bits());
    const float value = gpu::ToFloat(gpu::Fp16{half});
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(value)) << bits;
      EXPECT_EQ(Narrow(value).bits, 0x7E00 | (half & 0x8000)) << bits;
    } else {
      ASSERT_EQ(BitsOf(value), BitsOf(expected)) << bits;
      ASSERT_EQ(Narrow(value).bits, bits);
    }
  }
}

// Around every number of float16 and every middle between two of them, and many others.
TEST(Fp16Test, RoundsAsLibTorch) {
  const auto expect = [](uint32_t bits) {
    const float value = FloatOf(bits);
    if (std::isnan(value)) return;
    ASSERT_EQ(Narrow(value).bits, c10::Half(value).x) << value;
  };
  for (uint32_t half = 0; half < 0x7C00; ++half) {
    const float low = gpu::ToFloat(gpu::Fp16{static_cast<uint16_t>(half)});
    const float high =
        half == 0x7BFF ? 65536 : gpu::ToFloat(gpu::Fp16{static_cast<uint16_t>(half + 1)});
    for (const uint32_t sign : {0u, 0x80000000u}) {
      for (const uint32_t middle : {BitsOf(low), BitsOf((low + high) / 2)}) {
        expect((middle + 1) | sign);
        expect(middle | sign);
        if (middle > 0) expect((middle - 1) | sign);
      }
    }
  }
  for (uint32_t bits = 0; bits < 0xFFFF0000u; bits += 4099) expect(bits);
}

struct Sizes {
  int64_t rows, channels, clips;
};

class RowsTest : public testing::TestWithParam<Sizes> {
 protected:
  RowsTest() { at::manual_seed(1); }
};

TEST_P(RowsTest, SumsAreThoseOfTheLayersBitForBit) {
  const auto [rows, channels, clips] = GetParam();
  const at::Tensor a = at::randn({rows, channels}), b = at::randn({rows, channels});
  const at::Tensor per_clip = at::randn({clips, channels});
  for (const bool relu : {false, true}) {
    for (const bool two : {false, true}) {
      const at::Tensor other = two ? b : at::Tensor();
      at::Tensor expected, sum;
      SumRows(a, other, per_clip, relu ? Activation::kRelu : Activation::kNone, &expected);
      gpu::SumRowsOf(a, other, per_clip, relu, &sum);
      EXPECT_TRUE(sum.equal(expected));
      // 16 bits are rounded once: within one unit of their last digit.
      for (const auto& [type, digit] :
           {std::pair(at::kBFloat16, 1.0 / 128), std::pair(at::kHalf, 1.0 / 1024)}) {
        at::Tensor narrow;
        gpu::SumRowsOf(a.to(type), two ? b.to(type) : other, per_clip, relu, &narrow);
        EXPECT_LT(Apart(narrow, expected), digit);
      }
    }
  }
  const at::Tensor gradient = at::randn({rows, channels});
  EXPECT_TRUE(gpu::ReluGradientOf(gradient, a).equal(at::threshold_backward(gradient, a, 0)));
  EXPECT_LT(Apart(gpu::ClipTotals(a, clips, 0.25), a.view({clips, -1, channels}).sum(1).mul(0.25)),
            1e-6);
  EXPECT_FALSE(gpu::RunsOnGpu(a));
}

// One clip of one row and channel; channels that no pack or tile divides; many rows.
INSTANTIATE_TEST_SUITE_P(Sizes, RowsTest,
                         testing::Values(Sizes{1, 1, 1}, Sizes{12, 7, 3}, Sizes{1200, 40, 2},
                                         Sizes{70000, 8, 1}));

TEST(RowsOfTest, AnAddressThatNoPackCanReadIsReadOneByOne) {
  const at::Tensor memory = at::randn({1 + 6 * 8});
  const at::Tensor a = memory.narrow(0, 1, 48).view({6, 8}), b = at::randn({6, 8});
  at::Tensor sum;
  gpu::SumRowsOf(a, b, {}, false, &sum);
  EXPECT_TRUE(sum.equal(a + b));
}

TEST(RowsOfTest, WrongTensorsAreRefused) {
  at::Tensor sum;
  EXPECT_ANY_THROW(gpu::SumRowsOf(at::ones({2, 3}), at::ones({3, 2}), {}, false, &sum));
  EXPECT_ANY_THROW(gpu::SumRowsOf(at::ones({2, 3}, at::kDouble), {}, {}, false, &sum));
  EXPECT_ANY_THROW(gpu::ClipTotals(at::ones({5, 3}), 2, 1));
}

struct NormCase {
  int64_t rows, channels;
  bool batch_statistics, relu;
};

class NormTest : public testing::TestWithParam<NormCase> {
 protected:
  NormTest() { at::manual_seed(1); }
};

TEST_P(NormTest, EqualsTheLayerWithItsGradientsAndStatistics) {
  const auto [rows, channels, batch_statistics, relu] = GetParam();
  TensorTable table = {{"n.weight", at::rand({channels}).add_(0.5).set_requires_grad(true)},
                       {"n.bias", at::randn({channels}).set_requires_grad(true)},
                       {"n.running_mean", at::randn({channels})},
                       {"n.running_var", at::rand({channels}).add_(0.5)},
                       {"n.num_batches_tracked", at::zeros({}, at::kLong)}};
  const at::Tensor mean = table["n.running_mean"].clone();
  const at::Tensor variance = table["n.running_var"].clone();
  FeatureMap input;
  input.rows = at::randn({rows, channels}).mul_(3).add_(1).set_requires_grad(true);
  const at::Tensor gradient = at::randn({rows, channels});
  ForwardMode mode;
  mode.training = batch_statistics;
  const FeatureMap expected = BatchNorm({"n", channels, 1e-5, true}, table)
                                  .Apply(input, relu ? Activation::kRelu : Activation::kNone, mode);
  (expected.rows * gradient).sum().backward();

  const at::Tensor x = input.rows.detach(), weight = table["n.weight"].detach();
  gpu::NormOptions options;
  options.batch_statistics = batch_statistics;
  options.relu = relu;
  const gpu::NormOutput output =
      gpu::Normalise(x, {}, weight, table["n.bias"].detach(), mean, variance, options);
  EXPECT_LT(Apart(output.rows, expected.rows.detach()), 2e-6);
  EXPECT_LT(Apart(mean, table["n.running_mean"]), 1e-6);
  EXPECT_LT(Apart(variance, table["n.running_var"]), 1e-6);
  const gpu::NormGradient back =
      gpu::NormaliseBackward(gradient, relu ? output.rows : at::Tensor(), x, weight, output.mean,
                             output.inverse_deviation, batch_statistics, /*shortcut_wanted=*/true);
  EXPECT_LT(Apart(back.rows, input.rows.grad()), 1e-5);
  EXPECT_LT(Apart(back.weight, table["n.weight"].grad()), 1e-5);
  EXPECT_LT(Apart(back.bias, table["n.bias"].grad()), 1e-5);
  const at::Tensor masked = relu ? at::threshold_backward(gradient, output.rows, 0) : gradient;
  EXPECT_TRUE(back.shortcut.equal(masked));
}

INSTANTIATE_TEST_SUITE_P(Cases, NormTest,
                         testing::Values(NormCase{60, 7, true, true}, NormCase{2, 1, true, false},
                                         NormCase{1500, 40, true, true},
                                         NormCase{1500, 33, true, false},
                                         NormCase{5, 16, false, true},
                                         NormCase{1, 3, false, false}));

TEST(NormOfTest, AddsTheShortcutBeforeTheRelu) {
  const at::Tensor x = at::randn({90, 16}), shortcut = at::randn({90, 16});
  const at::Tensor weight = at::rand({16}), bias = at::randn({16});
  gpu::NormOptions options;
  options.moves = false;
  const at::Tensor plain = gpu::Normalise(x, {}, weight, bias, {}, {}, options).rows;
  options.relu = true;
  const at::Tensor joined = gpu::Normalise(x, shortcut, weight, bias, {}, {}, options).rows;
  EXPECT_LT(Apart(joined, (plain + shortcut).relu()), 1e-6);
}

SgdSettings Sgd(double clip_norm) {
  SgdSettings settings;
  settings.set_momentum(0.9);
  settings.set_nesterov(true);
  settings.set_weight_decay(0.01);
  settings.set_clip_norm(clip_norm);
  return settings;
}

// Several steps of the optimiser and of the kernels on copies, the second one clipped.
void CompareSteps(const TrainingSettings& training,
                  const std::variant<gpu::SgdRule, gpu::AdamWRule>& rule) {
  constexpr double kClip = 150;
  at::manual_seed(1);
  std::vector<gpu::FusedTensors> tensors;
  NamedTensors parameters;
  for (const int64_t size : {3, 40000}) {  // a short and a long one
    const at::Tensor weights = at::randn({size});
    parameters.emplace_back(size == 3 ? "fc" : "conv", weights.clone().set_requires_grad(true));
    tensors.push_back({weights, at::zeros_like(weights), at::zeros_like(weights), weights.clone(),
                       size == 3 ? 10.0 : 1.0});
  }
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Optimizer> optimizer,
                       Optimizer::Make(parameters, Sgd(kClip), training));
  gpu::FusedStep fused(tensors, rule, kClip, /*average_decay=*/0.75);
  const std::vector<at::Tensor> start = {tensors[0].average.clone(), tensors[1].average.clone()};
  for (int step = 1; step <= 3; ++step) {
    std::vector<at::Tensor> gradients;
    for (auto& [name, parameter] : parameters) {
      gradients.push_back(at::randn(parameter.sizes()).mul_(step == 2 ? 5 : 0.1));
      parameter.mutable_grad() = gradients.back().clone();
    }
    ASSERT_OK_AND_ASSIGN(const double norm, optimizer->Step(0.01));
    EXPECT_EQ(norm > kClip, step == 2);
    fused.Run(gradients, {0.01f, step == 1 ? 1 : 0, static_cast<float>(1 - std::pow(0.9, step)),
                          static_cast<float>(std::sqrt(1 - std::pow(0.99, step)))});
    EXPECT_NEAR(fused.Norm() / norm, 1, 1e-5);
    for (size_t i = 0; i < tensors.size(); ++i) {
      EXPECT_LT(Apart(tensors[i].weights, parameters[i].second.detach()), 1e-6);
    }
    if (step == 1) {
      const at::Tensor average = start[1] * 0.75 + tensors[1].weights * 0.25;
      EXPECT_LT(Apart(tensors[1].average, average), 1e-6);
    }
  }
}

TEST(FusedStepTest, SgdStepsAreTheOptimisers) {
  TrainingSettings training;
  training.set_classifier_rate_factor(10);
  CompareSteps(training, gpu::SgdRule{0.9f, 0.01f, true});
}

TEST(FusedStepTest, AdamWStepsAreTheOptimisers) {
  TrainingSettings training;
  training.set_classifier_rate_factor(10);
  training.mutable_adamw()->set_beta1(0.9);
  training.mutable_adamw()->set_beta2(0.99);
  training.mutable_adamw()->set_epsilon(1e-8);
  training.mutable_adamw()->set_weight_decay(0.05);
  CompareSteps(training, gpu::AdamWRule{0.9f, 0.99f, 1e-8f, 0.05f});
}

}  // namespace
}  // namespace op3d
