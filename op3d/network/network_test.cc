#include "op3d/network/network.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

std::unique_ptr<Network> Miniature(double dropout = 0, uint64_t seed = 1) {
  return Network::Make({"dg_p3d_miniature", 5, dropout}, seed).value();
}

at::Tensor Clips(int64_t count = 2, int64_t frames = 16, int64_t side = 32) {
  return at::randn({count, 3, frames, side, side});
}

// Both heads' logits in one tensor.
at::Tensor Logits(Network* network, const at::Tensor& clips) {
  at::NoGradGuard no_grad;
  const std::vector<at::Tensor> heads = network->Forward(clips).value();
  EXPECT_EQ(heads.size(), 2);
  return heads[0] + heads[1] * 3;
}

std::map<std::string, at::Tensor> Copies(const NamedTensors& tensors) {
  std::map<std::string, at::Tensor> copies;
  for (const auto& [name, tensor] : tensors) copies[name] = tensor.detach().clone();
  return copies;
}

TEST(NetworkTest, GivesLogitsOfTwoHeads) {
  const auto network = Miniature();
  ASSERT_OK_AND_ASSIGN(const std::vector<at::Tensor> heads, network->Forward(Clips(3)));
  ASSERT_EQ(heads.size(), 2);
  EXPECT_THAT(heads[0].sizes().vec(), ElementsAre(3, 5));
  EXPECT_THAT(heads[1].sizes().vec(), ElementsAre(3, 5));
  (heads[0].sum() + heads[1].sum()).backward();
  for (const auto& [name, tensor] : network->Parameters()) {
    EXPECT_TRUE(tensor.grad().defined()) << name;
  }
}

TEST(NetworkTest, TheListIsFamiliesTimesSizesAndTwo) {
  EXPECT_THAT(NetworkNames(), AllOf(Contains("dg_p3d_resnet50"), Contains("dg_p3d_miniature"),
                                    Contains("lgd_p3d_resnet50"), Contains("s3dg")));
  EXPECT_EQ(NetworkNames().size(), 9 * 12 + 2);
}

// One narrow network of each kind of size; the golden tests have the numbers.
TEST(NetworkTest, EveryFamilyRunsInBasicGroupedAndDeepSizes) {
  for (const std::string& name : NetworkNames()) {
    const bool kind = absl::EndsWith(name, "_miniature") ||
                      absl::EndsWith(name, "_resnet34") ||
                      absl::EndsWith(name, "_resnext50_32x4d") ||
                      absl::EndsWith(name, "_resnet103");
    if (!kind) continue;
    NetworkOptions options{name, 5, 0};
    options.width = 16;
    if (name == "r2p1d_resnext50_32x4d") {
      EXPECT_THAT(Define(options), StatusIs(kInvalid, HasSubstr("do not make 32 groups")));
      options.width = 64;
    }
    ASSERT_OK_AND_ASSIGN(const auto network, Network::Make(options, 1));
    at::Tensor sum = at::zeros({});
    const std::vector<at::Tensor> trained = network->Forward(Clips(2, 16, 20)).value();
    for (const at::Tensor& head : trained) sum = sum + head.sum();
    sum.backward();
    EXPECT_TRUE(sum.isfinite().item<bool>()) << name;
    EXPECT_TRUE(network->Parameters().front().second.grad().defined()) << name;
    network->SetTraining(false);
    const std::vector<at::Tensor> heads = network->Forward(Clips(1, 16, 20)).value();
    for (const at::Tensor& head : heads) {
      EXPECT_TRUE(head.isfinite().all().item<bool>()) << name;
    }
  }
}

TEST(NetworkTest, RemaindersAreDropped) {
  const auto network = Miniature();
  network->SetTraining(false);
  const at::Tensor clips = Clips(2, 22);
  EXPECT_TRUE(
      at::equal(Logits(network.get(), clips), Logits(network.get(), clips.narrow(2, 0, 20))));
}

TEST(NetworkTest, BadClipsAreRefused) {
  const auto network = Miniature();
  EXPECT_THAT(network->Forward(Clips(1, 15)),
              StatusIs(kInvalid, HasSubstr("clip of 15 frames is too short: the spatial head needs "
                                           "at least 16")));
  EXPECT_THAT(network->Forward(at::zeros({3, 16, 32, 32})),
              StatusIs(kInvalid, HasSubstr("shape [3, 16, 32, 32]; they must be [N, 3, T, H, W]")));
  EXPECT_THAT(network->Forward(at::zeros({1, 4, 16, 32, 32})),
              StatusIs(kInvalid, HasSubstr("[1, 4, 16, 32, 32]")));
  EXPECT_THAT(network->Forward(at::zeros({0, 3, 16, 32, 32})),
              StatusIs(kInvalid, HasSubstr("N at least 1")));
  EXPECT_THAT(network->Forward(at::zeros({1, 3, 16, 0, 32})),
              StatusIs(kInvalid, HasSubstr("height 0 and width 32")));
  EXPECT_THAT(network->Forward(Clips().to(at::kDouble)),
              StatusIs(kInvalid, HasSubstr("clips are Double on cpu, the network is Float")));
  EXPECT_THAT(network->Forward(at::Tensor()), StatusIs(kInvalid, HasSubstr("(none)")));
  EXPECT_THAT(network->Forward(Clips(1, 16, 8)), StatusIs(kInvalid, HasSubstr("single value")));
  network->SetTraining(false);
  EXPECT_THAT(network->Forward(Clips(1, 16, 1)), IsOk());
}

TEST(NetworkTest, BadOptionsAreRefused) {
  EXPECT_THAT(Network::Make({"dg_p3d_resnet51", 5, 0}, 1).status(),
              StatusIs(kInvalid, HasSubstr("no network 'dg_p3d_resnet51'")));
  EXPECT_THAT(Network::Make({"dg_p3d_miniature", 0, 0}, 1).status(),
              StatusIs(kInvalid, HasSubstr("0 classes")));
  for (const double dropout : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THAT(Network::Make({"dg_p3d_miniature", 5, dropout}, 1).status(),
                StatusIs(kInvalid, HasSubstr("is outside [0, 1)")));
  }
}

NetworkOptions Options(const std::string& name) {
  NetworkOptions options;
  options.name = name;
  options.classes = 5;
  return options;
}

TEST(NetworkTest, NumbersAndAblationsOutsideTheirRangeAreRefused) {
  NetworkOptions options = Options("dg_p3d_resnet50");
  options.width = 20;
  EXPECT_THAT(Define(options),
              StatusIs(kInvalid, HasSubstr("width of 20 must be a positive multiple "
                                           "of 8")));
  options = Options("dg_p3d_resnet50");
  options.early_stride = -1;
  EXPECT_THAT(Define(options), StatusIs(kInvalid, HasSubstr("early_stride of -1")));
  options = Options("p3d_resnet50");
  options.dual_pool = 2;
  EXPECT_THAT(Define(options), StatusIs(kInvalid, HasSubstr("no spatial head")));
  options = Options("s3dg");
  options.width = 8;
  EXPECT_THAT(Define(options), StatusIs(kInvalid, HasSubstr("its own widths")));
  options = Options("i3d_resnet50");
  options.without_spatial_head = true;
  EXPECT_THAT(Define(options), StatusIs(kInvalid, HasSubstr("only a network of DG-P3D")));
  options = Options("dg_p3d_resnet50");
  options.without_spatial_head = options.without_temporal_head = true;
  EXPECT_THAT(Define(options), StatusIs(kInvalid, HasSubstr("no logits")));
}

TEST(NetworkTest, AblationsLeaveOutWhatTheyName) {
  const auto names = [](const NetworkOptions& options) {
    std::set<std::string> names;
    for (const auto& [name, tensor] : Network::Make(options, 1).value()->StateDict()) {
      names.insert(name);
    }
    return names;
  };
  NetworkOptions options = Options("dg_p3d_miniature");
  const std::set<std::string> all = names(options);
  options.without_spatial_head = true;
  std::set<std::string> expected;
  for (const std::string& name : all) {
    if (name.find("_dual") == std::string::npos) expected.insert(name);
  }
  EXPECT_EQ(names(options), expected);
  // Without its pool over four frames, four frames are enough.
  auto network = Network::Make(options, 1).value();
  network->SetTraining(false);
  ASSERT_OK_AND_ASSIGN(const std::vector<at::Tensor> heads, network->Forward(Clips(1, 4)));
  EXPECT_EQ(heads.size(), 1);

  options = Options("dg_p3d_miniature");
  options.without_temporal_head = true;
  const std::set<std::string> spatial = names(options);
  EXPECT_EQ(spatial.count("layer4.0.conv1.weight") + spatial.count("fc.weight"), 0);
  EXPECT_EQ(spatial.count("fc_dual.weight"), 1);

  options = Options("dg_p3d_miniature");
  options.without_global_context = true;
  EXPECT_EQ(names(options).count("layer1.0.fc1.weight"), 0);
}

// Without the other head, and with a context that starts at zero, the remaining parts compute the
// same as before.
TEST(NetworkTest, AblationsDoNotChangeWhatStays) {
  const auto whole = Miniature();
  whole->SetTraining(false);
  NetworkOptions options = whole->options();
  options.without_temporal_head = true;
  auto part = Network::Make(options, 1).value();
  part->SetTraining(false);
  std::map<std::string, at::Tensor> values;
  for (const auto& [name, tensor] : whole->StateDict()) values[name] = tensor;
  NamedTensors kept;
  for (const auto& [name, tensor] : part->StateDict()) kept.emplace_back(name, values.at(name));
  ASSERT_THAT(part->LoadStateDict(kept), IsOk());
  const at::Tensor clips = Clips();
  EXPECT_TRUE(at::equal(part->Forward(clips).value()[0], whole->Forward(clips).value()[1]));
}

TEST(NetworkTest, WidthAndStridesAreConfigurable) {
  NetworkOptions options = Options("p3d_resnet18");
  options.width = 8;
  options.early_stride = 2;
  auto network = Network::Make(options, 1).value();
  network->SetTraining(false);
  EXPECT_THAT(network->Forward(Clips(1, 2)), IsOk());
  EXPECT_THAT(network->Forward(Clips(1, 1)),
              StatusIs(kInvalid, HasSubstr("1 frames is too short: the stem needs at least 2")));
  options = Options("dg_p3d_miniature");
  options.dual_pool = 2;
  network = Network::Make(options, 1).value();
  network->SetTraining(false);
  EXPECT_THAT(network->Forward(Clips(1, 8)), IsOk());
}

TEST(NetworkTest, TheGlobalHeadOfLgdIsForTrainingOnly) {
  NetworkOptions options = Options("lgd_p3d_resnet18");
  options.width = 8;
  auto network = Network::Make(options, 1).value();
  EXPECT_EQ(network->Forward(Clips(2, 8)).value().size(), 2);
  network->SetTraining(false);
  EXPECT_EQ(network->Forward(Clips(2, 8)).value().size(), 1);
}

TEST(NetworkTest, S3dNeedsPixelsNotFrames) {
  auto network = Network::Make(Options("s3d"), 1).value();
  network->SetTraining(false);
  EXPECT_THAT(network->Forward(Clips(1, 1, 17)), IsOk());
  EXPECT_THAT(network->Forward(Clips(1, 16, 16)),
              StatusIs(kInvalid, HasSubstr("height 16 and width 16: both must be at least 17")));
}

TEST(NetworkTest, InitialValuesFollowFromTheSeed) {
  const auto first = Copies(Miniature(0, 7)->StateDict());
  const auto same = Copies(Miniature(0, 7)->StateDict());
  const auto other = Copies(Miniature(0, 8)->StateDict());
  for (const auto& [name, tensor] : first) EXPECT_TRUE(at::equal(tensor, same.at(name))) << name;
  EXPECT_FALSE(at::equal(first.at("conv1.weight"), other.at("conv1.weight")));
  EXPECT_TRUE(at::equal(first.at("layer2.0.fc2.weight"), at::zeros({64, 4})));
}

TEST(NetworkTest, DropoutFollowsFromItsSeedAlone) {
  const auto network = Miniature(0.5);
  const auto other = Miniature(0.5);
  const at::Tensor clips = Clips();
  network->SeedDropout(3);
  const at::Tensor first = Logits(network.get(), clips);
  const at::Tensor second = Logits(network.get(), clips);
  EXPECT_FALSE(at::equal(first, second));  // the next pass has other masks
  network->SeedDropout(3);
  other->SeedDropout(4);
  EXPECT_FALSE(at::equal(Logits(other.get(), clips), first));
  // The other network's random draws in between change nothing.
  EXPECT_TRUE(at::equal(Logits(network.get(), clips), first));
  EXPECT_TRUE(at::equal(Logits(network.get(), clips), second));
}

TEST(NetworkTest, DropoutKeepsTheMean) {
  // With a classifier of ones over features of about 1, the logit is their mean times 256.
  const auto network = Miniature(0.25);
  at::Tensor features;
  const FeatureObserver keep = [&](const std::string& name, const at::Tensor& feature) {
    if (name == "pool") features = feature.clone();
  };
  at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : network->Parameters()) {
    if (name == "fc.weight") tensor.fill_(1);
    if (name == "fc.bias") tensor.fill_(0);
  }
  double ratio = 0;
  for (int i = 0; i < 20; ++i) {
    const std::vector<at::Tensor> heads = network->Forward(Clips(8), keep).value();
    ratio += heads[0].sum().item<double>() / (5 * features.sum().item<double>()) / 20;
  }
  EXPECT_NEAR(ratio, 1, 0.03);
  network->SetTraining(false);
  const std::vector<at::Tensor> heads = network->Forward(Clips(8), keep).value();
  EXPECT_NEAR(heads[0].sum().item<double>() / (5 * features.sum().item<double>()), 1, 1e-5);
}

TEST(NetworkTest, FrozenBatchNormKeepsItsStatistics) {
  const auto network = Miniature();
  network->SetFrozenBatchNorm(true);
  const auto before = Copies(network->StateDict());
  ASSERT_OK_AND_ASSIGN(const std::vector<at::Tensor> heads, network->Forward(Clips()));
  (heads[0].sum() + heads[1].square().sum()).backward();
  int counters = 0;
  for (const auto& [name, tensor] : network->StateDict()) {
    const bool running = absl::StrContains(name, "running_");
    const bool first = absl::StartsWith(name, "bn1.");
    EXPECT_EQ(at::equal(tensor, before.at(name)), !(first && !tensor.requires_grad()))
        << name << running;
    counters += absl::EndsWith(name, "num_batches_tracked");
  }
  EXPECT_EQ(counters, 1);  // that of bn1
  for (const auto& [name, tensor] : network->Parameters()) {
    EXPECT_TRUE(tensor.grad().defined()) << name;
  }
  // In evaluation it is the same as without freezing.
  network->SetTraining(false);
  const at::Tensor clips = Clips();
  const at::Tensor frozen = Logits(network.get(), clips);
  network->SetFrozenBatchNorm(false);
  EXPECT_TRUE(at::equal(Logits(network.get(), clips), frozen));
  EXPECT_EQ(network->StateDict().size(), before.size() + 20);
}

TEST(NetworkTest, WeightsSurviveAFile) {
  const std::string folder = TestFolder("network_weights");
  const auto network = Miniature();
  Logits(network.get(), Clips());  // moves the running statistics
  ASSERT_THAT(network->SaveWeights(folder + "/a.safetensors", {{"epoch", "2"}}), IsOk());
  ASSERT_THAT(network->SaveWeights(folder + "/b.safetensors", {{"epoch", "2"}}), IsOk());
  EXPECT_EQ(ReadFile(folder + "/a.safetensors").value(),
            ReadFile(folder + "/b.safetensors").value());
  const auto other = Miniature(0, 99);
  ASSERT_THAT(other->LoadWeights(folder + "/a.safetensors"), IsOk());
  const auto copies = Copies(other->StateDict());
  for (const auto& [name, tensor] : network->StateDict()) {
    EXPECT_TRUE(at::equal(tensor, copies.at(name))) << name;
  }
  EXPECT_THAT(other->LoadWeights(folder + "/c.safetensors"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("c.safetensors")));
}

TEST(NetworkTest, MovesToAnotherTypeAndDevice) {
  const auto network = Miniature();
  const NamedTensors handles = network->Parameters();
  ASSERT_THAT(network->To(at::kDouble), IsOk());
  EXPECT_EQ(handles[0].second.scalar_type(), at::kDouble);
  EXPECT_THAT(network->Forward(Clips().to(at::kDouble)), IsOk());
  EXPECT_THAT(network->ToDevice("cpu"), IsOk());
  EXPECT_TRUE(network->device().is_cpu());
  EXPECT_THAT(network->ToDevice("gpu"), StatusIs(kInvalid, HasSubstr("'gpu' is none of")));
  EXPECT_THAT(network->To(at::kLong), StatusIs(kInvalid, HasSubstr("Long")));
}

TEST(NetworkTest, EvaluatesInSeveralThreadsAtOnce) {
  const auto network = Miniature(0.5);
  network->SetTraining(false);
  const at::Tensor clips = Clips();
  const at::Tensor expected = Logits(network.get(), clips);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 5; ++k) EXPECT_TRUE(at::equal(Logits(network.get(), clips), expected));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace op3d
