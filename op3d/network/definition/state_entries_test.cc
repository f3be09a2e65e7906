#include "op3d/network/definition/state_entries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/network/definition/multiply_adds.h"
#include "op3d/network/testing/golden_filling.h"

namespace op3d {
namespace {

NetworkDefinition Define(const std::string& name, int64_t classes) {
  return DefineNetwork(FindArchitecture(name).value(), classes);
}

nlohmann::json ReadJson(const std::string& name) {
  const std::string path = RunfilePath("op3d/network/testdata/" + name).value();
  return nlohmann::json::parse(ReadFile(path).value(), nullptr, false);
}

uint32_t FillingChecksum(const StateEntry& entry) {
  if (entry.kind == EntryKind::kBatchCounter) return Crc32(std::string(8, '\0'));
  const std::vector<float> values = GoldenFilling(entry.name, entry.shape);
  return Crc32({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
}

class GoldenListTest : public testing::TestWithParam<std::string> {};

TEST_P(GoldenListTest, NamesShapesAndOrderAreThoseOfTheReference) {
  const nlohmann::json listing = ReadJson(GetParam() + "/state_dict.json");
  const nlohmann::json facts = ReadJson(GetParam() + "/case.json");
  const std::vector<StateEntry> entries = StateEntries(Define(GetParam(), facts["classes"]));
  ASSERT_EQ(entries.size(), listing["entries"].size());
  for (size_t i = 0; i < entries.size(); ++i) {
    const nlohmann::json& row = listing["entries"][i];
    EXPECT_EQ(entries[i].same_tensor_as, row.value("same_tensor_as", ""));
    ASSERT_EQ(entries[i].name, row["name"].get<std::string>());
    ASSERT_EQ(entries[i].shape, row["shape"].get<std::vector<int64_t>>()) << entries[i].name;
    EXPECT_EQ(IsParameter(entries[i].kind), row["kind"] == "parameter") << entries[i].name;
    if (!entries[i].same_tensor_as.empty()) continue;
    EXPECT_EQ(FillingChecksum(entries[i]), row["crc32_filled"].get<uint32_t>()) << entries[i].name;
  }
  EXPECT_EQ(CountParameters(entries), facts["parameters"].get<int64_t>());
  EXPECT_EQ(TotalCost(CountStages(Define(GetParam(), facts["classes"]), {16, 64, 64})).parameters,
            facts["parameters"].get<int64_t>());
}

TEST_P(GoldenListTest, CountsTheReferencesMultiplyAdds) {
  const nlohmann::json facts = ReadJson(GetParam() + "/case.json");
  const NetworkDefinition network = Define(GetParam(), facts["classes"]);
  EXPECT_EQ(CountMultiplyAdds(network, {16, 224, 224}), facts["multiply_adds"]["16x224x224"]);
  EXPECT_EQ(CountMultiplyAdds(network, {64, 256, 256}), facts["multiply_adds"]["64x256x256"]);
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenListTest,
                         testing::Values("c2d_resnet50", "dg_p3d_resnet103", "dg_p3d_resnet18",
                                         "dg_p3d_resnet50", "i3d_resnet50", "lgd_p3d_resnet50",
                                         "p3d_resnet18", "p3d_resnet50", "r2p1d_resnet50", "s3dg"));

TEST(StateEntriesTest, TheSizesOfThePaper) {
  EXPECT_NEAR(CountParameters(StateEntries(Define("dg_p3d_resnet101", 400))), 74.96e6, 5e3);
  EXPECT_NEAR(CountMultiplyAdds(Define("dg_p3d_resnet101", 400), {16, 224, 224}), 41.1e9, 5e7);
  EXPECT_NEAR(CountMultiplyAdds(Define("dg_p3d_resnet101", 400), {64, 256, 256}), 214.7e9, 5e7);
  EXPECT_NEAR(CountParameters(StateEntries(Define("p3d_resnet50", 400))), 28.13e6, 5e3);
  EXPECT_NEAR(CountMultiplyAdds(Define("p3d_resnet50", 400), {16, 224, 224}), 20.2e9, 5e7);
  EXPECT_NEAR(CountMultiplyAdds(Define("p3d_resnet50", 400), {64, 256, 256}), 105.7e9, 5e7);
}

TEST(StateEntriesTest, CountsStageByStage) {
  const std::vector<StageCost> stages = CountStages(Define("dg_p3d_resnet50", 400), {16, 224, 224});
  std::vector<std::string> names;
  for (const StageCost& stage : stages) names.push_back(stage.name);
  EXPECT_THAT(names, testing::ElementsAre("stem", "layer1", "layer2", "layer3", "layer4",
                                          "layer4_dual", "fc", "fc_dual"));
  // 64 x 3 x 4 x 7 x 7 weights at 4 x 112 x 112 positions, and a norm.
  EXPECT_EQ(stages[0].parameters, 37632 + 128);
  EXPECT_EQ(stages[0].multiply_adds, int64_t{37632} * 4 * 112 * 112);
  EXPECT_EQ(stages[0].output, (Size3{4, 56, 56}));
  EXPECT_EQ(stages[4].output, (Size3{4, 7, 7}));
  EXPECT_EQ(stages[5].output, (Size3{1, 14, 14}));
  EXPECT_EQ(stages[5].channels, 2048);
  EXPECT_EQ(stages[7].multiply_adds, 2048 * 400);
}

TEST(StateEntriesTest, TheMiniatureIsSmall) {
  const NetworkDefinition miniature = Define("dg_p3d_miniature", 9);
  EXPECT_NEAR(CountParameters(StateEntries(miniature)), 0.28e6, 5e3);
  const int64_t cost = CountMultiplyAdds(miniature, {16, 32, 32});
  EXPECT_NEAR(cost, 7.2e6, 5e4);
  EXPECT_NEAR(CountMultiplyAdds(miniature, {64, 32, 32}), 4 * cost, 0.01 * cost);
  EXPECT_EQ(miniature.least_frames, 16);
}

TEST(StateEntriesTest, GroupsAndWidthsOfTheVariants) {
  const auto shape = [](const std::string& network, const std::string& entry) {
    for (const StateEntry& candidate : StateEntries(Define(network, 400))) {
      if (candidate.name == entry) return candidate.shape;
    }
    return std::vector<int64_t>();
  };
  using testing::ElementsAre;
  EXPECT_THAT(shape("dg_p3d_resnext50_32x4d", "layer1.0.conv2.weight"),
              ElementsAre(128, 4, 1, 3, 3));
  EXPECT_THAT(shape("dg_p3d_resnext101_32x8d", "layer1.0.conv2_t.weight"),
              ElementsAre(256, 8, 3, 1, 1));
  EXPECT_THAT(shape("dg_p3d_resnext103_64x4d", "layer4.0.conv2_t.weight"),
              ElementsAre(2048, 32, 3, 1, 1));
  EXPECT_THAT(shape("dg_p3d_wide_resnet50_2", "layer4_dual.2.conv3.weight"),
              ElementsAre(2048, 1024, 1, 1, 1));
  EXPECT_THAT(shape("dg_p3d_resnet152", "layer3.35.fc1.weight"), ElementsAre(64, 1024));
  EXPECT_THAT(shape("dg_p3d_resnet34", "layer2.0.conv1_t.weight"), ElementsAre(128, 128, 3, 1, 1));
  EXPECT_THAT(shape("dg_p3d_miniature", "layer1.0.fc1.weight"), ElementsAre(4, 32));
}

TEST(StateEntriesTest, WiringsAlternateOverTheStages) {
  const NetworkDefinition network = Define("dg_p3d_resnet50", 400);
  std::string trunk;
  for (const StageDefinition& stage : network.trunk) {
    for (const BlockDefinition& block : stage.blocks) {
      trunk += "ABC"[static_cast<int>(block.wiring)];
    }
  }
  EXPECT_EQ(trunk, "ABCABCABCABCA");
  // The blocks of both heads continue at index 13.
  for (const HeadDefinition& head : network.heads) {
    EXPECT_EQ(head.stage.blocks[0].wiring, Wiring::kParallel);
  }
}

TEST(StateEntriesTest, EveryNetworkHasUniqueNames) {
  for (const std::string& name : ArchitectureNames()) {
    std::set<std::string> names;
    for (const StateEntry& entry : StateEntries(Define(name, 10))) {
      ASSERT_TRUE(names.insert(entry.name).second) << name << " " << entry.name;
    }
  }
  EXPECT_THAT(FindArchitecture("resnet50"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::AllOf(testing::HasSubstr("no network 'resnet50'"),
                                      testing::HasSubstr("as in dg_p3d_resnet50"))));
}

}  // namespace
}  // namespace op3d
