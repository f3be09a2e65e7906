#include "op3d/network/weights/weights_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <map>

#include "absl/strings/match.h"
#include "op3d/base/bazel.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/network/definition/state_entries.h"

namespace op3d {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

NetworkDefinition Miniature(int64_t classes) {
  return DefineNetwork(FindArchitecture("dg_p3d_miniature").value(), classes);
}

// A safetensors file with the definition's entries, each under the names that `names` returns,
// and `value` in each element.
template <typename NamesOf>
Checkpoint FileOf(const NetworkDefinition& network, NamesOf names, float value = 0) {
  std::deque<std::string> data;
  std::vector<TensorView> views;
  for (const StateEntry& entry : StateEntries(network)) {
    const bool counter = entry.kind == EntryKind::kBatchCounter;
    const DType dtype = counter ? DType::kI64 : DType::kF32;
    const std::string number(reinterpret_cast<const char*>(&value), sizeof(value));
    std::string numbers;
    for (int64_t i = 0; i < ElementCount(entry); ++i) {
      numbers += counter ? std::string(8, '\0') : number;
    }
    data.push_back(std::move(numbers));
    for (const std::string& name : names(entry.name)) {
      views.push_back({name, dtype, entry.shape, data.back()});
    }
  }
  return Checkpoint::Parse(SerializeSafetensors(views, {}).value(), "test").value();
}

// A safetensors file with the definition's entries for which `keep` is true; names with
// `prefix`.
template <typename Keep>
Checkpoint File(const NetworkDefinition& network, const std::string& prefix, Keep keep) {
  return FileOf(network, [&](const std::string& name) {
    return keep(name) ? std::vector<std::string>{prefix + name} : std::vector<std::string>();
  });
}

bool All(const std::string&) { return true; }

TEST(WeightsImportTest, ItsOwnWeightsAreMappedWhole) {
  for (const char* prefix :
       {"", "module.", "_orig_mod.", "backbone.", "state_dict/model.", "network.", "net.",
        "model/module.", "state_dict/model.module._orig_mod.", "state_dict_ema/", "model_state/",
        "checkpoint/my_wrapper.inner.", "ema_state_dict/module.backbone."}) {
    SCOPED_TRACE(prefix);
    const Checkpoint file = File(Miniature(5), prefix, All);
    ASSERT_OK_AND_ASSIGN(const ImportedWeights weights, ImportWeights(Miniature(5), file));
    EXPECT_EQ(weights.report.mapped.size(), StateEntries(Miniature(5)).size());
    EXPECT_THAT(weights.report.missing, IsEmpty());
    EXPECT_THAT(weights.report.ignored, IsEmpty());
    ASSERT_OK_AND_ASSIGN(const NetworkWeights found, WeightsOf(Miniature(1), file));
    EXPECT_EQ(found.prefix, prefix);
    EXPECT_EQ(CountClasses(found.tensors), 5);
  }
}

using Names = std::vector<std::string>;

// The names and shapes of torchvision/models/video/resnet.py, as far as they matter.
TEST(WeightsImportTest, TorchvisionsVideoNetworksAreRefusedByName) {
  using Shape = std::vector<int64_t>;
  const Shape spatial = {45, 3, 1, 7, 7}, whole = {64, 3, 3, 7, 7};
  const std::map<std::string, std::map<std::string, Shape>> files = {
      {"r2plus1d_18",
       {{"stem.0.weight", spatial},
        {"stem.3.weight", {64, 45, 3, 1, 1}},
        {"layer1.0.conv1.0.0.weight", {144, 64, 1, 3, 3}},
        {"layer1.0.conv1.0.3.weight", {64, 144, 3, 1, 1}},
        {"layer2.0.conv1.0.0.weight", {230, 64, 1, 3, 3}}}},
      {"r3d_18",
       {{"stem.0.weight", whole},
        {"layer1.0.conv1.0.weight", {64, 64, 3, 3, 3}},
        {"layer2.0.conv1.0.weight", {128, 64, 3, 3, 3}}}},
      {"mc3_18",
       {{"stem.0.weight", whole},
        {"layer1.0.conv1.0.weight", {64, 64, 3, 3, 3}},
        {"layer2.0.conv1.0.weight", {128, 64, 1, 3, 3}}}},
  };
  for (const auto& [name, shapes] : files) {
    for (const char* prefix : {"", "module.", "state_dict/"}) {
      std::deque<std::string> data;
      std::vector<TensorView> views;
      std::map<std::string, Shape> all = shapes;
      all["layer2.0.downsample.0.weight"] = {128, 64, 1, 1, 1};
      all["fc.weight"] = {400, 512};
      for (const auto& [tensor, shape] : all) {
        size_t size = 4;
        for (const int64_t axis : shape) size *= static_cast<size_t>(axis);
        data.emplace_back(size, '\0');
        views.push_back({prefix + tensor, DType::kF32, shape, data.back()});
      }
      const Checkpoint file =
          Checkpoint::Parse(SerializeSafetensors(views, {}).value(), "test").value();
      for (const char* network : {"r2p1d_resnet18", "i3d_resnet18", "dg_p3d_resnet50"}) {
        const NetworkDefinition definition =
            DefineNetwork(FindArchitecture(network).value(), 400);
        const auto refused = StatusIs(
            kInvalid, HasSubstr("torchvision's " + name + ", which op3d does not have"));
        EXPECT_THAT(ImportWeights(definition, file), refused) << prefix << network;
        EXPECT_THAT(WeightsOf(definition, file), refused);
      }
    }
  }
}

bool IsClassifier(const std::string& name) { return name[0] == 'f' && name[1] == 'c'; }

TEST(WeightsImportTest, ClassifiersMayStandUnderAnotherPrefix) {
  const Checkpoint file = FileOf(Miniature(5), [](const std::string& name) {
    return Names{(IsClassifier(name) ? "state_dict/cls_head." : "state_dict/backbone.") + name};
  });
  ASSERT_OK_AND_ASSIGN(const ImportedWeights weights, ImportWeights(Miniature(5), file));
  EXPECT_THAT(weights.report.missing, IsEmpty());
  EXPECT_THAT(weights.report.ignored, IsEmpty());
  // MMAction2's own name, for a network with one classifier.
  const NetworkDefinition p3d = DefineNetwork(FindArchitecture("p3d_resnet18").value(), 5);
  const Checkpoint head = FileOf(p3d, [](const std::string& name) {
    return Names{IsClassifier(name) ? "cls_head.fc_cls" + name.substr(2) : "backbone." + name};
  });
  ASSERT_OK_AND_ASSIGN(const ImportedWeights mapped, ImportWeights(p3d, head));
  EXPECT_THAT(mapped.report.missing, IsEmpty());
}

TEST(WeightsImportTest, WhatStandsBesideTheNetworkIsLeft) {
  const Checkpoint file = FileOf(Miniature(5), [](const std::string& name) {
    Names names = {"state_dict/model." + name, "optimizer/state/" + name + "/exp_avg",
                   "state_dict_ema/model." + name};
    if (name == "fc.bias") names.push_back("state_dict/loss.class_weights");
    return names;
  });
  ASSERT_OK_AND_ASSIGN(const ImportedWeights weights, ImportWeights(Miniature(5), file));
  EXPECT_THAT(weights.report.missing, IsEmpty());
  EXPECT_THAT(weights.report.ignored, ElementsAre("state_dict/loss.class_weights"));
  EXPECT_EQ(WeightsOf(Miniature(5), file)->prefix, "state_dict/model.");
}

TEST(WeightsImportTest, TwoNetworksInAFileAreNotGuessedBetween) {
  const Checkpoint file = FileOf(Miniature(5), [](const std::string& name) {
    return Names{"teacher." + name, "student." + name};
  });
  EXPECT_THAT(
      ImportWeights(Miniature(5), file).status(),
      StatusIs(kInvalid, testing::AllOf(HasSubstr("weights 2 times"), HasSubstr("under 'student.'"),
                                        HasSubstr("under 'teacher.'"))));
}

TEST(WeightsImportTest, ValuesThatAreNotFiniteAreNamedAndCounted) {
  const Checkpoint file = FileOf(
      Miniature(5), [](const std::string& name) { return Names{"module." + name}; }, NAN);
  EXPECT_THAT(ImportWeights(Miniature(5), file).status(),
              StatusIs(kInvalid, testing::AllOf(HasSubstr("conv1.weight (4704 NaN of 4704 values)"),
                                                HasSubstr("take an earlier checkpoint"))));
  const std::string half("\x00\x7c\x01\x7e\x00\x3c", 6), brain("\x80\xff\x80\x3f", 4);
  EXPECT_THAT(CheckFinite({{"h", DType::kF16, {3}, half}, {"b", DType::kBF16, {2}, brain}}),
              StatusIs(kInvalid, testing::AllOf(HasSubstr("h (1 NaN and 1 infinite of 3 values)"),
                                                HasSubstr("b (1 infinite of 2 values)"))));
  const double largest = 1.7976931348623157e308;
  EXPECT_THAT(
      CheckFinite(
          {{"d", DType::kF64, {1}, {reinterpret_cast<const char*>(&largest), sizeof(largest)}},
           {"i", DType::kI64, {1}, absl::string_view("\xff\xff\xff\xff\xff\xff\xff\xff")}}),
      IsOk());
}

TEST(WeightsImportTest, AModelSavedWholeSaysWhatToDo) {
  const std::string path = RunfilePath("op3d/network/weights/testdata/whole_model_zip.pth").value();
  ASSERT_OK_AND_ASSIGN(const Checkpoint file, Checkpoint::Read(path));
  EXPECT_THAT(ImportWeights(Miniature(5), file).status(),
              StatusIs(kInvalid, testing::AllOf(HasSubstr("were ignored: my_project.model.Net"),
                                                HasSubstr("torch.save(model.state_dict()"))));
}

TEST(WeightsImportTest, ClassifiersForOtherClassesAreLeft) {
  const Checkpoint file = File(Miniature(7), "", All);
  ASSERT_OK_AND_ASSIGN(const ImportedWeights weights, ImportWeights(Miniature(5), file));
  EXPECT_THAT(weights.report.missing,
              ElementsAre("fc.weight", "fc.bias", "fc_dual.weight", "fc_dual.bias"));
  EXPECT_EQ(weights.report.ignored.size(), 4);
  EXPECT_THAT(CheckStart(Miniature(5), weights.report), IsOk());
}

TEST(WeightsImportTest, ALackingConvolutionIsNoStart) {
  const Checkpoint file = File(Miniature(5), "", [](const std::string& name) {
    return name != "layer2.0.conv2.weight" && !absl::EndsWith(name, "num_batches_tracked");
  });
  ASSERT_OK_AND_ASSIGN(const ImportedWeights weights, ImportWeights(Miniature(5), file));
  EXPECT_THAT(CheckStart(Miniature(5), weights.report),
              StatusIs(kInvalid, HasSubstr("the file lacks layer2.0.conv2.weight;")));
}

TEST(WeightsImportTest, AnotherNetworkIsRefusedWithBothShapes) {
  Architecture wider = FindArchitecture("dg_p3d_miniature").value();
  wider.width = 16;
  const Checkpoint file = File(DefineNetwork(wider, 5), "", All);
  EXPECT_THAT(ImportWeights(Miniature(5), file).status(),
              StatusIs(kInvalid, testing::AllOf(HasSubstr("conv1.weight is [16, 3, 4, 7, 7]"),
                                                HasSubstr("the network has [8, 3, 4, 7, 7]"))));
  const NetworkDefinition s3d = DefineNetwork(FindArchitecture("s3d").value(), 5);
  const Checkpoint trunk = File(s3d, "", [](const std::string& name) { return name[0] != 'f'; });
  EXPECT_THAT(ImportWeights(Miniature(5), trunk).status(),
              StatusIs(kInvalid, HasSubstr("none of the file's")));
}

TEST(WeightsImportTest, EitherOfTwoNamesIsEnough) {
  const NetworkDefinition s3d = DefineNetwork(FindArchitecture("s3d").value(), 5);
  const Checkpoint file =
      File(s3d, "", [](const std::string& name) { return name[0] == 'b' || name[0] == 'f'; });
  ASSERT_OK_AND_ASSIGN(const ImportedWeights weights, ImportWeights(s3d, file));
  EXPECT_THAT(weights.report.missing, IsEmpty());
}

}  // namespace
}  // namespace op3d
