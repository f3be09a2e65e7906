#include "op3d/network/torchscript/torchscript_export.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/import.h>

#include <map>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/network/weights/checkpoint.h"

namespace op3d {
namespace {

class FamilyTest : public testing::TestWithParam<std::string> {};

// Plain LibTorch loads the archive and gives the same scores as the network; our own reader finds
// the same weights in it.
TEST_P(FamilyTest, LibTorchScoresEqually) {
  NetworkOptions options;
  options.name = GetParam();
  options.classes = 5;
  const bool s3d = GetParam().rfind("s3d", 0) == 0;
  if (!s3d && GetParam() != "dg_p3d_miniature") options.width = 16;
  ASSERT_OK_AND_ASSIGN(const auto network, Network::Make(options, 3));
  at::NoGradGuard no_grad;
  // Change the running statistics from their initial values.
  ASSERT_THAT(network->Forward(at::randn({2, 3, 16, 32, 32})), IsOk());
  for (const auto& [name, tensor] : network->Parameters()) {
    if (tensor.dim() == 1) tensor.add_(at::randn(tensor.sizes()) * 0.1);
  }
  network->SetTraining(false);
  const std::string path = TestFolder(GetParam()) + "/network.pt";
  ASSERT_THAT(ExportTorchScript(*network, path), IsOk());

  const at::Tensor clips = at::randn({2, 3, 17, 32, 40});
  ASSERT_OK_AND_ASSIGN(const std::vector<at::Tensor> heads, network->Forward(clips));
  at::Tensor score = heads[0];
  for (size_t i = 1; i < heads.size(); ++i) score = score + heads[i];
  score = score / static_cast<double>(heads.size());
  torch::jit::Module loaded = torch::jit::load(path);
  const at::Tensor given = loaded.forward({clips}).toTensor();
  const double scale = score.abs().max().item<double>();
  EXPECT_LT((given - score).abs().max().item<double>(), 1e-4 * scale);

  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::Read(path));
  EXPECT_EQ(checkpoint.format(), CheckpointFormat::kTorchScript);
  ASSERT_OK_AND_ASSIGN(const NamedTensors read, ToTensors(checkpoint.Weights()));
  std::map<std::string, at::Tensor> own;
  for (const auto& [name, tensor] : network->StateDict()) own[name] = tensor;
  EXPECT_GT(read.size(), 20);
  for (const auto& [name, tensor] : read) {
    ASSERT_EQ(own.count(name), 1) << name;
    EXPECT_TRUE(at::equal(tensor, own[name])) << name;
  }
  ASSERT_OK_AND_ASSIGN(const auto again, Network::Make(options, 4));
  EXPECT_THAT(again->LoadWeights(path), IsOk());
}

INSTANTIATE_TEST_SUITE_P(Cases, FamilyTest,
                         testing::Values("c2d_resnet18", "dg_p3d_miniature", "dg_p3d_resnet103",
                                         "dg_p3d_resnet18", "i3d_resnet50", "lgd_p3d_resnet50",
                                         "p3d_resnet18", "p3db_resnet18", "r2p1d_resnet50",
                                         "s3dg"));

TEST(TorchScriptExportTest, AFolderThatIsNotThereIsAnError) {
  const auto network = Network::Make({"dg_p3d_miniature", 5, 0}, 1).value();
  EXPECT_FALSE(ExportTorchScript(*network, "/nowhere/network.pt").ok());
}

}  // namespace
}  // namespace op3d
