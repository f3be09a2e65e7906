// Names of precisions, and bfloat16 and float16 compared with single precision: every convolution
// in use, whole networks, a training step.
#include "op3d/torch/precision.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/network/evaluation_network.h"
#include "op3d/network/layers/convolution.h"
#include "op3d/network/network.h"

namespace op3d {
namespace {

using ::testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

double RelativeToScale(const at::Tensor& actual, const at::Tensor& expected) {
  return (actual.detach().to(at::kFloat) - expected.detach()).abs().max().item<double>() /
         expected.detach().square().mean().sqrt().item<double>();
}

TEST(PrecisionTest, KnowsItsWords) {
  for (const char* word : {"fp32", "tf32", "bf16", "fp16", "fp64"}) {
    ASSERT_OK_AND_ASSIGN(const Precision precision, ParsePrecision(word));
    EXPECT_EQ(PrecisionName(precision), word);
  }
  ASSERT_OK_AND_ASSIGN(const Precision none, ParsePrecision(""));
  EXPECT_EQ(none, Precision::kFloat32);
  EXPECT_THAT(ParsePrecision("half").status(), StatusIs(kInvalid, HasSubstr("none of fp32")));
  EXPECT_THAT(ParsePrecision("auto").status(), StatusIs(kInvalid, HasSubstr("decided before")));
}

TEST(PrecisionTest, ChoosesWhatIsWanted) {
  ASSERT_OK_AND_ASSIGN(const PrecisionChoice wanted, ChoosePrecision("bf16", "cpu"));
  EXPECT_EQ(wanted.precision, Precision::kBfloat16);
  for (const char* word : {"tf32", "fp16"}) {
    EXPECT_THAT(ChoosePrecision(word, "cpu").status(),
                StatusIs(kInvalid, HasSubstr(absl::StrCat("'", word, "' is for CUDA devices"))));
    ASSERT_OK_AND_ASSIGN(const PrecisionChoice on_gpu, ChoosePrecision(word, "cuda:1"));
    EXPECT_EQ(PrecisionName(on_gpu.precision), word);
  }
  EXPECT_THAT(ChoosePrecision("half", "cpu").status(), StatusIs(kInvalid, HasSubstr("auto")));
  // The result of auto depends on the machine, but it always gives a reason.
  ASSERT_OK_AND_ASSIGN(const PrecisionChoice found, ChoosePrecision("auto", "cpu"));
  EXPECT_THAT(found.reason,
              HasSubstr(absl::StrCat("precision ", PrecisionName(found.precision), ": ")));
  EXPECT_THAT(found.reason, HasSubstr("times as long as in fp32"));
}

class HalfPrecisionTest : public testing::TestWithParam<Precision> {
 protected:
  HalfPrecisionTest() { at::manual_seed(1); }

  at::ScalarType type() const { return ComputingType(GetParam()); }
  // Of bfloat16 with its 8 bits, or of float16 with 11.
  double Tolerance(double of_bfloat16) const {
    return GetParam() == Precision::kBfloat16 ? of_bfloat16 : of_bfloat16 / 7.5;
  }
};

INSTANTIATE_TEST_SUITE_P(Precisions, HalfPrecisionTest,
                         testing::Values(Precision::kBfloat16, Precision::kFloat16),
                         [](const auto& info) { return PrecisionName(info.param); });

// Kernel, stride and padding of every kind of convolution in the registry, also at sizes whose
// strided outputs have width 1.
TEST_P(HalfPrecisionTest, EveryConvolutionIsNearSinglePrecision) {
  const std::vector<ConvolutionDefinition> layers = {
      {"pointwise", 16, 24},
      {"pointwise_strided", 16, 24, {1, 1, 1}, {1, 2, 2}},
      {"narrow", 4, 24},
      {"spatial", 16, 24, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}},
      {"spatial_strided", 16, 24, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}},
      {"spatial_grouped", 16, 32, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}, 4},
      {"temporal", 16, 24, {3, 1, 1}, {1, 1, 1}, {1, 0, 0}},
      {"temporal_strided", 16, 24, {3, 1, 1}, {1, 2, 2}, {1, 0, 0}},
      {"temporal_grouped", 16, 32, {3, 1, 1}, {1, 1, 1}, {1, 0, 0}, 4},
      {"cubic", 16, 24, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}},
      {"cubic_strided", 16, 24, {3, 3, 3}, {1, 2, 2}, {1, 1, 1}},
      {"s3d_temporal", 16, 24, {7, 1, 1}, {2, 1, 1}, {3, 0, 0}}};
  for (const ConvolutionDefinition& layer : layers) {
    const at::Tensor weight = at::randn({layer.out_channels, layer.in_channels / layer.groups,
                                         layer.kernel[0], layer.kernel[1], layer.kernel[2]});
    const Convolution convolution(layer, {{layer.name + ".weight", weight}});
    for (const int64_t side : {1, 2, 3, 7}) {
      FeatureMap input;
      input.clips = 2;
      input.size = {4, side, side};
      input.rows = at::randn({2 * 4 * side * side, layer.in_channels});
      const at::Tensor expected = convolution.Apply(input).rows;
      input.rows = input.rows.to(type());
      const at::Tensor actual = convolution.Apply(input).rows;
      EXPECT_EQ(actual.scalar_type(), type());
      EXPECT_LT(RelativeToScale(actual, expected), Tolerance(0.05))
          << layer.name << " of side " << side;
    }
  }
}

TEST_P(HalfPrecisionTest, FirstLayersAreNearSinglePrecision) {
  for (const ConvolutionDefinition& layer :
       {ConvolutionDefinition{"stem", 3, 16, {4, 7, 7}, {4, 2, 2}, {0, 3, 3}},
        ConvolutionDefinition{"deep_stem", 3, 16, {4, 3, 3}, {4, 2, 2}, {0, 1, 1}}}) {
    const at::Tensor weight = at::randn({16, 3, layer.kernel[0], layer.kernel[1], layer.kernel[2]});
    const Convolution convolution(layer, {{layer.name + ".weight", weight}});
    for (const int64_t side : {1, 2, 9}) {
      const at::Tensor clips = at::randn({2, 3, 8, side, side});
      EXPECT_LT(RelativeToScale(convolution.ApplyToClips(clips.to(type())).rows,
                                convolution.ApplyToClips(clips).rows),
                Tolerance(0.05))
          << layer.name << " of side " << side;
    }
  }
}

// Relative to the logits' root mean square.  bfloat16 has 8 bits; this is the error after about
// fifty layers.
constexpr double kNetworkTolerance = 0.15;

TEST_P(HalfPrecisionTest, NetworksAreNearSinglePrecision) {
  for (const char* name : {"dg_p3d_miniature", "dg_p3d_resnet50", "lgd_p3d_resnet18",
                           "i3d_resnet18", "r2p1d_resnet18", "s3dg"}) {
    NetworkOptions options{name, 5, 0};
    if (!absl::StartsWith(name, "s3d")) options.width = 16;
    const auto network = Network::Make(options, 1).value();
    network->SetTraining(false);
    at::NoGradGuard no_grad;
    const at::Tensor clips = at::randn({2, 3, 16, 32, 32});
    const auto expected = network->Forward(clips).value();
    ASSERT_THAT(network->SetPrecision(GetParam()), IsOk());
    const auto actual = network->Forward(clips).value();
    const auto form = EvaluationNetwork::Make(*network).value();
    const auto folded = form->Forward(clips).value();
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(actual[i].scalar_type(), at::kFloat);
      EXPECT_LT(RelativeToScale(actual[i], expected[i]), Tolerance(kNetworkTolerance)) << name;
      EXPECT_LT(RelativeToScale(folded[i], expected[i]), Tolerance(kNetworkTolerance)) << name;
    }
  }
}

TEST_P(HalfPrecisionTest, TrainingHasSinglePrecisionGradients) {
  const auto network = Network::Make({"dg_p3d_miniature", 5, 0}, 1).value();
  const at::Tensor clips = at::randn({16, 3, 16, 32, 32});
  std::vector<at::Tensor> expected;
  const auto heads = network->Forward(clips).value();
  (heads[0].square().sum() + heads[1].square().sum()).backward();
  for (const auto& [name, tensor] : network->Parameters()) {
    expected.push_back(tensor.grad().clone());
    tensor.mutable_grad() = at::Tensor();
  }
  ASSERT_THAT(network->SetPrecision(GetParam()), IsOk());
  const auto again = network->Forward(clips).value();
  (again[0].square().sum() + again[1].square().sum()).backward();
  at::Tensor cross = at::zeros({}), a = at::zeros({}), b = at::zeros({});
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto& [name, tensor] = network->Parameters()[i];
    EXPECT_EQ(tensor.scalar_type(), at::kFloat) << name;
    ASSERT_EQ(tensor.grad().scalar_type(), at::kFloat) << name;
    cross = cross + (tensor.grad() * expected[i]).sum();
    a = a + tensor.grad().square().sum();
    b = b + expected[i].square().sum();
  }
  // The cosine between the two gradients of all parameters.  Rounded features change the sign of
  // many activations, so it is not closer to 1; for random gradients it would be 0.
  EXPECT_GT((cross / (a * b).sqrt()).item<double>(), 0.9);
  EXPECT_LT((a / b).sqrt().item<double>(), 1.2);
  EXPECT_GT((a / b).sqrt().item<double>(), 0.8);
}

TEST(PrecisionTest, DoublePrecisionMovesTheParameters) {
  const auto network = Network::Make({"dg_p3d_miniature", 5, 0}, 1).value();
  ASSERT_THAT(network->SetPrecision(Precision::kFloat64), IsOk());
  EXPECT_EQ(network->Parameters()[0].second.scalar_type(), at::kDouble);
  EXPECT_EQ(network->Forward(at::randn({2, 3, 16, 32, 32}, at::kDouble)).value()[0].scalar_type(),
            at::kDouble);
  ASSERT_THAT(network->SetPrecision(Precision::kFloat32), IsOk());
  EXPECT_EQ(network->Parameters()[0].second.scalar_type(), at::kFloat);
  EXPECT_THAT(network->SetPrecision(Precision::kTf32), StatusIs(kInvalid, HasSubstr("CUDA")));
}

}  // namespace
}  // namespace op3d
