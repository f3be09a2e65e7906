// Compares the evaluation form with the network from which it is made.
#include "op3d/network/evaluation_network.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "absl/strings/match.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using ::testing::HasSubstr;

// A narrow network, with statistics and norm weights as after a training.
std::unique_ptr<Network> Trained(const std::string& name) {
  NetworkOptions options{name, 5, 0};
  if (!absl::StartsWith(name, "s3d")) options.width = 16;
  auto network = Network::Make(options, 1).value();
  at::NoGradGuard no_grad;
  for (const auto& [entry, tensor] : network->StateDict()) {
    if (absl::EndsWith(entry, "running_var")) {
      tensor.uniform_(0.5, 2);
    } else if (absl::EndsWith(entry, "running_mean") ||
               (tensor.dim() == 1 && absl::EndsWith(entry, ".bias"))) {
      tensor.uniform_(-0.5, 0.5);
    } else if (tensor.dim() == 1 && absl::EndsWith(entry, ".weight")) {
      tensor.uniform_(0.5, 1.5);
    } else if (tensor.dim() == 2) {  // the context's last layers start at zero
      tensor.uniform_(-0.1, 0.1);
    }
  }
  network->SetTraining(false);
  return network;
}

// The largest difference of logits divided by their largest magnitude.
double Worst(Network* network, const EvaluationNetwork& form, const at::Tensor& clips) {
  at::NoGradGuard no_grad;
  const auto expected = network->Forward(clips).value();
  const auto actual = form.Forward(clips).value();
  EXPECT_EQ(actual.size(), expected.size());
  double worst = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(actual[i].scalar_type(), clips.scalar_type());
    worst = std::max(worst, (actual[i] - expected[i]).abs().max().item<double>() /
                                expected[i].abs().max().item<double>());
  }
  return worst;
}

class EvaluationNetworkTest : public testing::TestWithParam<const char*> {};

TEST_P(EvaluationNetworkTest, ScoresAsTheNetwork) {
  const auto network = Trained(GetParam());
  const at::Tensor clips = at::randn({2, 3, 16, 24, 24});
  ASSERT_OK_AND_ASSIGN(const auto form, EvaluationNetwork::Make(*network));
  EXPECT_LT(Worst(network.get(), *form, clips), 1e-4);
  ASSERT_THAT(network->SetPrecision(Precision::kFloat64), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto exact, EvaluationNetwork::Make(*network));
  EXPECT_LT(Worst(network.get(), *exact, clips.to(at::kDouble)), 1e-12);
  ASSERT_THAT(network->SetPrecision(Precision::kBfloat16), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto rounded, EvaluationNetwork::Make(*network));
  EXPECT_LT(Worst(network.get(), *rounded, clips), 0.1);
}

INSTANTIATE_TEST_SUITE_P(Families, EvaluationNetworkTest,
                         testing::Values("dg_p3d_resnet18", "dg_p3d_resnet50",
                                         "dg_p3d_resnext50_32x4d", "dg_p3d_resnet103",
                                         "p3d_resnet18", "p3d_resnet50", "p3da_resnet50",
                                         "p3db_resnet18", "p3db_resnet50", "p3dc_resnet34",
                                         "lgd_p3d_resnet18", "lgd_p3d_resnet50", "r2p1d_resnet34",
                                         "r2p1d_resnet50", "i3d_resnet18", "i3d_resnet50",
                                         "c2d_resnet18", "c2d_resnet50", "s3d", "s3dg"),
                         [](const auto& info) { return std::string(info.param); });

TEST(EvaluationNetworkCopyTest, LeavesTheNetworkAndDoesNotFollowIt) {
  const auto network = Trained("dg_p3d_resnet18");
  std::map<std::string, at::Tensor> before;
  for (const auto& [name, tensor] : network->StateDict()) before[name] = tensor.detach().clone();
  ASSERT_OK_AND_ASSIGN(const auto form, EvaluationNetwork::Make(*network));
  const at::Tensor clips = at::randn({1, 3, 16, 24, 24});
  const at::Tensor kept = clips.clone();
  const at::Tensor first = form->Forward(clips).value()[0];
  EXPECT_TRUE(at::equal(clips, kept));
  EXPECT_FALSE(first.requires_grad());
  for (const auto& [name, tensor] : network->StateDict()) {
    EXPECT_TRUE(at::equal(tensor, before[name])) << name;
  }
  for (const auto& [name, tensor] : network->Parameters()) {
    at::NoGradGuard no_grad;
    EXPECT_TRUE(tensor.requires_grad()) << name;
    tensor.zero_();
  }
  EXPECT_TRUE(at::equal(form->Forward(clips).value()[0], first));
}

TEST(EvaluationNetworkCopyTest, RefusesWhatTheNetworkRefuses) {
  const auto network = Trained("dg_p3d_miniature");
  ASSERT_OK_AND_ASSIGN(const auto form, EvaluationNetwork::Make(*network));
  EXPECT_THAT(form->Forward(at::randn({1, 3, 15, 24, 24})),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("needs at least 16")));
  EXPECT_THAT(form->Forward(at::randn({1, 3, 16, 24, 24}).to(at::kDouble)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("the network is Float")));
}

TEST(EvaluationNetworkCopyTest, TakesClipsOfSeveralSizes) {
  for (const char* name : {"dg_p3d_resnet18", "dg_p3d_resnet50"}) {
    NetworkOptions options{name, 5, 0};
    options.width = 32;  // wide enough for Winograd's algorithm
    const auto network = Network::Make(options, 1).value();
    network->SetTraining(false);
    ASSERT_OK_AND_ASSIGN(const auto form, EvaluationNetwork::Make(*network));
    for (const int64_t clips : {1, 3}) {
      for (const int64_t frames : {16, 32}) {
        for (const int64_t side : {64, 112, 40}) {
          EXPECT_LT(Worst(network.get(), *form, at::randn({clips, 3, frames, side, side})), 1e-4)
              << name << " " << clips << "x" << frames << "x" << side;
        }
      }
    }
  }
}

TEST(EvaluationNetworkCopyTest, TakesAFrozenNetwork) {
  const auto network = Trained("dg_p3d_resnet18");
  network->SetFrozenBatchNorm(true);
  ASSERT_OK_AND_ASSIGN(const auto form, EvaluationNetwork::Make(*network));
  EXPECT_LT(Worst(network.get(), *form, at::randn({2, 3, 16, 24, 24})), 1e-4);
}

}  // namespace
}  // namespace op3d
