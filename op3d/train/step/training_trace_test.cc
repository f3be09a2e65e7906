// Compares three steps of a small DG-P3D with the numbers of a second implementation (in JAX,
// float64, with its own network, gradients and optimisers): losses, gradient norms, weights,
// running statistics and averages.  Weights and clips are those of golden_filling.h, settings and
// labels are in the file, so any other implementation can compute the numbers again.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/network/network.h"
#include "op3d/network/testing/golden_filling.h"
#include "op3d/train/step/optimizer.h"
#include "op3d/train/step/weight_average.h"

namespace op3d {
namespace {

using nlohmann::json;

// The difference of two libraries' float64 sums over three steps; a wrong epsilon gives 1e-7.
constexpr double kTolerance = 1e-9;
constexpr int kMicroBatches = 2;

std::unique_ptr<Network> FilledNetwork() {
  auto network = Network::Make({"dg_p3d_miniature", 9, 0}, 0);
  EXPECT_THAT(network, IsOk());
  NamedTensors filling;
  for (const auto& [name, tensor] : (*network)->StateDict()) {
    if (absl::EndsWith(name, "num_batches_tracked")) continue;
    std::vector<float> values = GoldenFilling(name, tensor.sizes().vec());
    filling.emplace_back(name, at::from_blob(values.data(), tensor.sizes(), at::kFloat).clone());
  }
  EXPECT_THAT((*network)->LoadStateDict(filling), IsOk());
  EXPECT_THAT((*network)->To(at::kDouble), IsOk());
  return *std::move(network);
}

// Returns the sum of the heads' cross entropies of one micro-batch; adds its gradients.
double Accumulate(Network* network, int pass, const std::vector<int64_t>& labels,
                  double loss_weight) {
  std::vector<float> clip =
      GoldenClip({2, 3, 16, 32, 32}, pass == 0 ? "input" : absl::StrCat("input.", pass));
  const at::Tensor clips =
      at::from_blob(clip.data(), {2, 3, 16, 32, 32}, at::kFloat).to(at::kDouble);
  const auto heads = network->Forward(clips);
  EXPECT_THAT(heads, IsOk());
  const at::Tensor targets = at::tensor(labels);
  const at::Tensor loss =
      at::cross_entropy_loss((*heads)[0], targets) + at::cross_entropy_loss((*heads)[1], targets);
  (loss * (loss_weight / kMicroBatches)).backward();
  return loss.item<double>();
}

void ExpectTensor(const std::map<std::string, at::Tensor>& tensors, const json& want) {
  for (const auto& [name, facts] : want.items()) {
    const at::Tensor tensor = tensors.at(name).detach();
    EXPECT_NEAR(tensor.square().sum().item<double>() / facts["sum_of_squares"].get<double>(), 1,
                kTolerance)
        << name;
    for (size_t i = 0; i < facts["first"].size(); ++i) {
      EXPECT_NEAR(tensor.flatten()[i].item<double>(), facts["first"][i].get<double>(), kTolerance)
          << name;
    }
  }
}

void ExpectFirst(const std::map<std::string, at::Tensor>& tensors, const json& want) {
  for (const auto& [name, values] : want.items()) {
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_NEAR(tensors.at(name)[i].item<double>(), values[i].get<double>(), kTolerance) << name;
    }
  }
}

std::map<std::string, at::Tensor> ByName(const NamedTensors& tensors) {
  return {tensors.begin(), tensors.end()};
}

void CheckTrace(const json& golden) {
  SgdSettings sgd;
  sgd.set_momentum(0.9);
  sgd.set_nesterov(true);
  sgd.set_weight_decay(1e-4);
  sgd.set_clip_norm(golden["clip_norm"]);
  TrainingSettings training;
  training.set_classifier_rate_factor(golden["classifier_rate_factor"]);
  if (golden["optimizer"] == "adamw") {
    training.mutable_adamw()->set_beta1(0.9);
    training.mutable_adamw()->set_beta2(0.999);
    training.mutable_adamw()->set_epsilon(1e-8);
    training.mutable_adamw()->set_weight_decay(0.05);
  }
  const std::unique_ptr<Network> network = FilledNetwork();
  ASSERT_OK_AND_ASSIGN(const auto optimizer, Optimizer::Make(network->Parameters(), sgd, training));
  ASSERT_OK_AND_ASSIGN(const auto average,
                       WeightAverage::Make(network.get(), golden["average_decay"]));
  int pass = 0;
  for (size_t step = 0; step < golden["steps"].size(); ++step) {
    SCOPED_TRACE(step);
    const json& want = golden["steps"][step];
    for (int micro = 0; micro < kMicroBatches; ++micro, ++pass) {
      EXPECT_NEAR(Accumulate(network.get(), pass, golden["labels"][pass], golden["loss_weight"]),
                  want["losses"][micro].get<double>(), kTolerance);
    }
    ASSERT_OK_AND_ASSIGN(const double norm, optimizer->Step(golden["rates"][step]));
    EXPECT_NEAR(norm / want["norm"].get<double>(), 1, kTolerance);
    EXPECT_EQ(norm > sgd.clip_norm(), want["clipped"].get<bool>());
    ASSERT_THAT(average->Update(), IsOk());
    ExpectTensor(ByName(network->StateDict()), want["after"]);
    ExpectTensor(ByName(average->network().StateDict()), want["average"]);
  }
  ExpectFirst(ByName(network->StateDict()), golden["buffers"]);
  ExpectFirst(ByName(average->network().StateDict()), golden["average_buffers"]);
  EXPECT_EQ(ByName(average->network().StateDict()).at("bn1.num_batches_tracked").item<int64_t>(),
            pass);
}

TEST(TrainingTraceTest, ThreeStepsEqualTheSecondImplementation) {
  ASSERT_OK_AND_ASSIGN(const std::string path,
                       RunfilePath("op3d/train/step/testdata/training_trace.json"));
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(path));
  const json traces = json::parse(text);
  ASSERT_EQ(traces.size(), 3);
  for (const json& golden : traces) {
    SCOPED_TRACE(absl::StrCat(golden["optimizer"].get<std::string>(), ", classifiers x",
                              golden["classifier_rate_factor"].get<int>()));
    ASSERT_EQ(golden["steps"].size(), 3);
    CheckTrace(golden);
  }
}

TEST(WeightAverageTest, ADecayOutsideItsRangeIsASentence) {
  const std::unique_ptr<Network> network = FilledNetwork();
  EXPECT_THAT(WeightAverage::Make(network.get(), 1).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr("[0, 1)")));
}

}  // namespace
}  // namespace op3d
