// Compares the networks with the numbers of the released program, in float64.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/network/testing/golden_case.h"

namespace op3d {
namespace {

// Relative to a tensor's root mean square.  Other instruction sets change the reference itself by
// 1.5e-13; a single BatchNorm with a wrong epsilon changes the logits by 1e-7.
constexpr double kTolerance = 1e-10;
// In float32 other instruction sets change features by up to 7e-5.
constexpr double kFloatTolerance = 5e-4;

double RootMeanSquare(const at::Tensor& tensor) {
  return std::sqrt(tensor.detach().to(at::kDouble).square().mean().item<double>());
}

// Compares observed features with the file's, each relative to its root mean square.
class FeatureCheck {
 public:
  FeatureCheck(const Safetensors* file, double tolerance) : file_(file), tolerance_(tolerance) {}

  FeatureObserver Observer() {
    return [this](const std::string& name, const at::Tensor& feature) {
      const std::vector<double> stats = Doubles(*file_, name + ".stats");
      ASSERT_EQ(stats.size(), 6) << "no golden feature " << name;
      const double rms = std::hypot(stats[3], stats[4]);
      EXPECT_LT(WorstDifference(feature, *file_, name, rms), tolerance_) << name;
      ++seen_;
    };
  }

  void ExpectAll() const {
    int expected = 0;
    for (const TensorView& tensor : file_->tensors()) {
      expected += absl::string_view(tensor.name).find(".stats") != absl::string_view::npos;
    }
    EXPECT_EQ(seen_, expected);
    EXPECT_GT(seen_, 10);
  }

 private:
  const Safetensors* file_;
  double tolerance_;
  int seen_ = 0;
};

void ExpectLogits(const std::vector<at::Tensor>& heads, const Safetensors& file, double tolerance) {
  at::Tensor score;
  for (size_t i = 0; i < heads.size(); ++i) {
    const std::string name = absl::StrCat("logits.", i);
    EXPECT_LT(WorstDifference(heads[i], file, name, RootMeanSquare(heads[i])), tolerance) << name;
    score = score.defined() ? score + heads[i] : heads[i];
  }
  EXPECT_EQ(file.Find(absl::StrCat("logits.", heads.size(), ".f64")), nullptr) << "a head lacks";
  score = score / static_cast<double>(heads.size());
  EXPECT_LT(WorstDifference(score, file, "score", RootMeanSquare(score)), tolerance);
}

void CheckForward(const std::string& name, const std::string& mode,
                  const std::array<int64_t, 4>& shape, at::ScalarType type, double tolerance) {
  const auto& [clips, frames, height, width] = shape;
  const GoldenCase golden(name);
  const Safetensors file = golden.Read(
      absl::StrCat(mode, "_", clips, "x", frames, "x", height, "x", width, ".safetensors"));
  const std::unique_ptr<Network> network = golden.MakeNetwork(type);
  network->SetTraining(mode == "train");
  const at::Tensor input = GoldenClips({clips, 3, frames, height, width}, "input", type);
  at::NoGradGuard no_grad;
  FeatureCheck check(&file, tolerance);
  ASSERT_OK_AND_ASSIGN(const std::vector<at::Tensor> heads,
                       network->Forward(input, check.Observer()));
  check.ExpectAll();
  ExpectLogits(heads, file, tolerance);
  if (mode == "train") return;
  // Without an observer, the stem uses another code path.
  ASSERT_OK_AND_ASSIGN(const std::vector<at::Tensor> again, network->Forward(input));
  ExpectLogits(again, file, tolerance);
}

// A simple implementation of the reference's optimiser, to reach the second step.
class ReferenceSgd {
 public:
  explicit ReferenceSgd(const nlohmann::json& facts) : facts_(facts) {}

  // Returns the global norm before clipping.
  double Step(const NamedTensors& parameters) {
    at::NoGradGuard no_grad;
    double squares = 0;
    for (const auto& [name, tensor] : parameters) {
      squares += tensor.grad().square().sum().item<double>();
    }
    const double norm = std::sqrt(squares);
    const double factor = std::min(1.0, facts_["clip_norm"].get<double>() / (norm + 1e-6));
    const double momentum = facts_["momentum"], rate = facts_["lr"];
    for (const auto& [name, tensor] : parameters) {
      const at::Tensor d = tensor.grad() * factor + tensor * facts_["weight_decay"].get<double>();
      at::Tensor& v = momentum_[name];
      v = v.defined() ? v * momentum + d : d;
      tensor.sub_((d + v * momentum) * rate);
    }
    return norm;
  }

  const at::Tensor& momentum(const std::string& name) { return momentum_[name]; }

 private:
  const nlohmann::json& facts_;
  std::map<std::string, at::Tensor> momentum_;
};

class TrainingCheck {
 public:
  explicit TrainingCheck(const std::string& name)
      : golden_(name),
        facts_(golden_.facts()["training"]),
        file_(golden_.Read("training.safetensors")),
        network_(golden_.MakeNetwork(at::kDouble)),
        sgd_(facts_) {}

  void Run() {
    for (int step = 0; step < facts_["steps"]; ++step) CheckStep(step);
    CheckBuffers();
  }

 private:
  // Forward and backward of one micro-batch.
  void Accumulate(const nlohmann::json& by_step, int micro) {
    const std::array<int64_t, 5> shape = facts_["input_shape"];
    const std::string clip = pass_ == 0 ? "input" : absl::StrCat("input.", pass_);
    FeatureCheck check(&file_, kTolerance);
    const bool first = pass_ == 0;
    ASSERT_OK_AND_ASSIGN(const std::vector<at::Tensor> heads,
                         network_->Forward(GoldenClips(shape, clip, at::kDouble),
                                           first ? check.Observer() : FeatureObserver()));
    if (first) check.ExpectAll();
    const at::Tensor labels = at::tensor(facts_["labels"][pass_].get<std::vector<int64_t>>());
    at::Tensor loss;
    for (const at::Tensor& head : heads) {
      const at::Tensor part = at::cross_entropy_loss(head, labels);
      loss = loss.defined() ? loss + part : part;
    }
    EXPECT_NEAR(loss.item<double>(), by_step["loss_f64"][micro].get<double>(), kTolerance);
    const double weight = facts_["loss_weight"].get<double>() / MicroBatches();
    (loss * weight).backward();
    ++pass_;
  }

  int MicroBatches() const { return facts_["micro_batches_a_step"]; }

  void CheckStep(int step) {
    const nlohmann::json& by_step = facts_["by_step"][step];
    for (int micro = 0; micro < MicroBatches(); ++micro) {
      ASSERT_NO_FATAL_FAILURE(Accumulate(by_step, micro));
    }
    const std::string prefix = absl::StrCat("step", step + 1, ".");
    const NamedTensors& parameters = network_->Parameters();
    const std::vector<double> norms = Doubles(file_, prefix + "grad_norms");
    ASSERT_EQ(norms.size(), 2 * parameters.size());
    std::map<std::string, at::Tensor> by_name(parameters.begin(), parameters.end());
    for (size_t i = 0; i < parameters.size(); ++i) {
      const auto& [name, tensor] = parameters[i];
      ASSERT_EQ(name, facts_["parameter_order_of_grad_norms"][i].get<std::string>());
      const double expected = norms[parameters.size() + i];
      EXPECT_NEAR(tensor.grad().norm().item<double>() / expected, 1, kTolerance) << name;
    }
    for (const std::string name : facts_["watched"])
      Expect(prefix + "grad.", name, by_name[name].grad());
    const double norm = sgd_.Step(parameters);
    EXPECT_NEAR(norm / by_step["total_norm_f64"].get<double>(), 1, kTolerance);
    for (const std::string name : facts_["watched"]) {
      Expect(prefix + "after.", name, by_name[name]);
      Expect(prefix + "momentum.", name, sgd_.momentum(name));
      by_name[name].mutable_grad() = at::Tensor();
    }
    for (const auto& [name, tensor] : parameters) tensor.mutable_grad() = at::Tensor();
  }

  void Expect(const std::string& prefix, const std::string& name, const at::Tensor& tensor) {
    EXPECT_LT(WorstDifference(tensor, file_, prefix + name, RootMeanSquare(tensor)), kTolerance)
        << prefix << name;
  }

  // Running statistics and counters after the last pass.
  void CheckBuffers() {
    int checked = 0;
    std::set<const void*> seen;  // S3D's trunk has two names
    for (const auto& [name, tensor] : network_->StateDict()) {
      if (tensor.requires_grad() || !seen.insert(tensor.const_data_ptr()).second) continue;
      if (tensor.scalar_type() == at::kLong) {
        EXPECT_EQ(tensor.item<int64_t>(), pass_) << name;
      } else {
        Expect("buffer.", name, tensor);
      }
      ++checked;
    }
    EXPECT_GT(checked, 20);
  }

  GoldenCase golden_;
  const nlohmann::json& facts_;
  Safetensors file_;
  std::unique_ptr<Network> network_;
  ReferenceSgd sgd_;
  int pass_ = 0;
};

TEST(GoldenNetworkTest, Resnet18Evaluation) {
  CheckForward("dg_p3d_resnet18", "eval", {2, 16, 64, 64}, at::kDouble, kTolerance);
}
TEST(GoldenNetworkTest, Resnet18Training) { TrainingCheck("dg_p3d_resnet18").Run(); }
TEST(GoldenNetworkTest, Resnet18EvaluationInFloat) {
  CheckForward("dg_p3d_resnet18", "eval", {2, 16, 64, 64}, at::kFloat, kFloatTolerance);
}

TEST(GoldenNetworkTest, Resnet50Evaluation) {
  CheckForward("dg_p3d_resnet50", "eval", {2, 16, 64, 64}, at::kDouble, kTolerance);
}
TEST(GoldenNetworkTest, Resnet50EvaluationOfLargerFrames) {
  CheckForward("dg_p3d_resnet50", "eval", {1, 16, 112, 112}, at::kDouble, kTolerance);
}
TEST(GoldenNetworkTest, Resnet50EvaluationWithRemainders) {
  CheckForward("dg_p3d_resnet50", "eval", {1, 22, 96, 128}, at::kDouble, kTolerance);
}
TEST(GoldenNetworkTest, Resnet50Training) { TrainingCheck("dg_p3d_resnet50").Run(); }
TEST(GoldenNetworkTest, Resnet50EvaluationInFloat) {
  CheckForward("dg_p3d_resnet50", "eval", {1, 22, 96, 128}, at::kFloat, kFloatTolerance);
}

TEST(GoldenNetworkTest, Resnet103Evaluation) {
  CheckForward("dg_p3d_resnet103", "eval", {1, 16, 64, 64}, at::kDouble, kTolerance);
}
TEST(GoldenNetworkTest, Resnet103TrainingForward) {
  CheckForward("dg_p3d_resnet103", "train", {2, 16, 64, 64}, at::kDouble, kTolerance);
}

// One case for each family, and every size of DG-P3D.
class FamilyTest : public testing::TestWithParam<std::string> {};

TEST_P(FamilyTest, Evaluation) {
  for (const nlohmann::json& forward : GoldenCase(GetParam()).facts()["forward"]) {
    const std::array<int64_t, 5> shape = forward["input_shape"];
    CheckForward(GetParam(), "eval", {shape[0], shape[2], shape[3], shape[4]}, at::kDouble,
                 kTolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, FamilyTest,
    testing::Values("c2d_resnet103", "c2d_resnet50", "dg_p3d_resnet101", "dg_p3d_resnet152",
                    "dg_p3d_resnet34", "dg_p3d_resnext101_32x8d", "dg_p3d_resnext103_64x4d",
                    "dg_p3d_resnext50_32x4d", "dg_p3d_wide_resnet101_2", "dg_p3d_wide_resnet50_2",
                    "i3d_resnet18", "i3d_resnet50", "lgd_p3d_resnet18", "lgd_p3d_resnet50",
                    "p3d_resnet18", "p3d_resnet50", "p3da_resnet50", "p3db_resnet18",
                    "p3db_resnet50", "p3dc_resnet50", "r2p1d_resnet34", "r2p1d_resnet50", "s3dg"));

class FamilyTrainingTest : public testing::TestWithParam<std::string> {};

TEST_P(FamilyTrainingTest, OneStep) { TrainingCheck(GetParam()).Run(); }

INSTANTIATE_TEST_SUITE_P(Cases, FamilyTrainingTest,
                         testing::Values("c2d_resnet50", "dg_p3d_resnext50_32x4d", "i3d_resnet50",
                                         "lgd_p3d_resnet50", "p3d_resnet50", "r2p1d_resnet50",
                                         "s3dg"));

}  // namespace
}  // namespace op3d
