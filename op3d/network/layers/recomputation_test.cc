// Compares activation checkpointing with the plain step: the same bits, less memory.
#include "op3d/network/layers/recomputation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "absl/strings/match.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/network/network.h"

namespace op3d {
namespace {

struct Step {
  std::vector<at::Tensor> heads;
  std::map<std::string, at::Tensor> gradients, state;
};

// Two micro-batches whose gradients are summed.
Step TakeStep(const std::string& name, const at::Tensor& clips, bool recompute, bool frozen) {
  NetworkOptions options{name, 5, 0.2};
  if (!absl::StartsWith(name, "s3d")) options.width = 16;
  const auto network = Network::Make(options, 1).value();
  network->SetRecompute(recompute);
  network->SetFrozenBatchNorm(frozen);
  network->SeedDropout(7);
  Step step;
  for (int i = 0; i < 2; ++i) {
    at::Tensor loss;
    step.heads = network->Forward(clips + i).value();
    for (const at::Tensor& head : step.heads) {
      const at::Tensor own = head.square().sum();
      loss = loss.defined() ? loss + own : own;
    }
    loss.backward();
  }
  for (const auto& [entry, tensor] : network->Parameters()) step.gradients[entry] = tensor.grad();
  for (const auto& [entry, tensor] : network->StateDict()) step.state[entry] = tensor.detach();
  return step;
}

class RecomputationTest : public testing::TestWithParam<const char*> {};

TEST_P(RecomputationTest, HasTheBitsOfThePlainStep) {
  const at::Tensor clips = at::randn({2, 3, 16, 24, 24});
  for (const bool frozen : {false, true}) {
    const Step plain = TakeStep(GetParam(), clips, false, frozen);
    const Step again = TakeStep(GetParam(), clips, true, frozen);
    for (size_t i = 0; i < plain.heads.size(); ++i) {
      EXPECT_TRUE(at::equal(again.heads[i], plain.heads[i])) << i;
    }
    for (const auto& [name, gradient] : plain.gradients) {
      ASSERT_EQ(again.gradients.at(name).defined(), gradient.defined()) << name;
      if (!gradient.defined()) continue;
      EXPECT_TRUE(at::equal(again.gradients.at(name), gradient)) << name;
    }
    // Running statistics and counters were updated once.
    for (const auto& [name, tensor] : plain.state) {
      EXPECT_TRUE(at::equal(again.state.at(name), tensor)) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, RecomputationTest,
                         testing::Values("dg_p3d_miniature", "dg_p3d_resnet50", "lgd_p3d_resnet18",
                                         "p3dc_resnet50", "s3dg"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace op3d
