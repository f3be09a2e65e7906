// Compares BatchNorm and its ReLU with LibTorch's own, including gradients and running statistics.
#include "op3d/network/layers/batch_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace op3d {
namespace {

constexpr int64_t kRows = 60, kChannels = 7;

TensorTable MakeTable(const std::string& name) {
  return {{name + ".weight", at::randn({kChannels}, at::kDouble).set_requires_grad(true)},
          {name + ".bias", at::randn({kChannels}, at::kDouble).set_requires_grad(true)},
          {name + ".running_mean", at::randn({kChannels}, at::kDouble)},
          {name + ".running_var", at::rand({kChannels}, at::kDouble) + 0.5},
          {name + ".num_batches_tracked", at::zeros({}, at::kLong)}};
}

double Worst(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

struct Case {
  std::string text;
  bool training, frozen;
  Activation activation;
  bool batch_statistics;  // what must follow from the first two for a layer that freezes
};

class BatchNormTest : public testing::TestWithParam<Case> {};

TEST_P(BatchNormTest, IsLibTorchs) {
  const Case& c = GetParam();
  TensorTable table = MakeTable("n");
  FeatureMap input;
  input.clips = 3;
  input.size = {5, 2, 2};
  input.rows = at::randn({kRows, kChannels}, at::kDouble).set_requires_grad(true);
  const at::Tensor mix = at::randn({kRows, kChannels}, at::kDouble);
  const std::vector<at::Tensor> leaves = {input.rows, table["n.weight"], table["n.bias"]};
  const at::Tensor mean = table["n.running_mean"].clone();
  const at::Tensor variance = table["n.running_var"].clone();

  at::Tensor expected = at::batch_norm(input.rows, leaves[1], leaves[2], mean, variance,
                                       c.batch_statistics, 0.1, 2e-5, false);
  if (c.activation == Activation::kRelu) expected = expected.relu();
  (expected * mix).sum().backward();
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& leaf : leaves) {
    gradients.push_back(leaf.grad().clone());
    leaf.mutable_grad() = at::Tensor();
  }

  ForwardMode mode;
  mode.training = c.training;
  mode.frozen_batch_norm = c.frozen;
  const BatchNorm norm({"n", kChannels, 2e-5, /*freezes=*/true}, table);
  const FeatureMap output = norm.Apply(input, c.activation, mode);
  (output.rows * mix).sum().backward();
  EXPECT_LT(Worst(output.rows, expected), 1e-13);
  for (size_t i = 0; i < leaves.size(); ++i) {
    EXPECT_LT(Worst(leaves[i].grad(), gradients[i]), 1e-12) << i;
  }
  EXPECT_LT(Worst(table["n.running_mean"], mean), 1e-14);
  EXPECT_LT(Worst(table["n.running_var"], variance), 1e-14);
  EXPECT_EQ(table["n.num_batches_tracked"].item<int64_t>(), c.batch_statistics ? 1 : 0);
}

INSTANTIATE_TEST_SUITE_P(
    Modes, BatchNormTest,
    testing::Values(Case{"training", true, false, Activation::kNone, true},
                    Case{"training_relu", true, false, Activation::kRelu, true},
                    Case{"frozen", true, true, Activation::kNone, false},
                    Case{"frozen_relu", true, true, Activation::kRelu, false},
                    Case{"evaluation_relu", false, false, Activation::kRelu, false}),
    [](const auto& info) { return info.param.text; });

TEST(BatchNormTest, TheStemsFirstDoesNotFreeze) {
  TensorTable table = MakeTable("bn1");
  const BatchNorm norm({"bn1", kChannels, 1e-5, /*freezes=*/false}, table);
  FeatureMap input;
  input.rows = at::ones({kRows, kChannels}, at::kDouble);
  ForwardMode mode;
  mode.training = mode.frozen_batch_norm = true;
  norm.Apply(input, Activation::kNone, mode);
  EXPECT_EQ(table["bn1.num_batches_tracked"].item<int64_t>(), 1);
}

}  // namespace
}  // namespace op3d
