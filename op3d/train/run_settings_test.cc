#include "op3d/train/run_settings.h"

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_matchers.h"

namespace op3d {
namespace {

using testing::HasSubstr;

RunSettingsRequest Request(const std::string& settings,
                           const std::vector<std::string>& assignments = {}) {
  RunSettingsRequest request;
  request.settings = settings;
  request.assignments = assignments;
  return request;
}

std::string Message(const RunSettingsRequest& request) {
  return std::string(ResolveRunSettings(request).status().message());
}

// What spec and data/datasets say of each dataset stands in its recipes too.
TEST(RunSettingsTest, EveryRecipeResolvesAndAgreesWithItsDataset) {
  ASSERT_OK_AND_ASSIGN(const std::string folder, RunfilePath("op3d/train/recipes"));
  ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(folder));
  int recipes = 0;
  for (const std::string& file : names) {
    if (!absl::EndsWith(file, ".textproto")) continue;
    const std::string name(absl::StripSuffix(file, ".textproto"));
    ASSERT_OK_AND_ASSIGN(const TrainingRunSettings settings, ResolveRunSettings(Request(name)));
    ++recipes;
    EXPECT_EQ(settings.name(), name);
    EXPECT_TRUE(absl::StartsWith(name, settings.dataset_name())) << name;
    const DatasetSettings::Protocol& protocol = settings.dataset().protocol();
    EXPECT_EQ(settings.sgd().loss_weight(), protocol.loss_weight()) << name;
    EXPECT_EQ(settings.network().dropout(), protocol.dropout()) << name;
    EXPECT_EQ(settings.transform().horizontal_flip(), protocol.horizontal_flip()) << name;
    for (const TrainingStep& step : settings.steps()) {
      EXPECT_EQ(step.state().batch_size() * step.state().accumulation(), 256) << name;
      EXPECT_EQ(step.schedule().has_cosine(), absl::EndsWith(name, "hand_tuned")) << name;
    }
  }
  EXPECT_EQ(recipes, 16);
}

TEST(RunSettingsTest, TheCommandLineOverrides) {
  RunSettingsRequest request =
      Request("ucf101_hand_tuned", {"sgd.weight_decay=5e-4", "training.label_smoothing=0.1"});
  request.network = "s3dg";
  request.seed = 7;
  ASSERT_OK_AND_ASSIGN(const TrainingRunSettings settings, ResolveRunSettings(request));
  EXPECT_EQ(settings.sgd().weight_decay(), 5e-4);
  EXPECT_EQ(settings.training().label_smoothing(), 0.1);
  EXPECT_EQ(settings.network().name(), "s3dg");
  EXPECT_EQ(settings.seed(), 7);
  EXPECT_EQ(settings.dataset().classes(), 101);
}

TEST(RunSettingsTest, InitialWeightsAreKnownByTheirChecksum) {
  const std::string path = JoinPath(TestFolder("weights"), "w");
  ASSERT_THAT(WriteFileAtomically(path, "123456789"), IsOk());
  RunSettingsRequest request = Request("ucf101_hand_tuned");
  request.initial_weights = path;
  ASSERT_OK_AND_ASSIGN(const TrainingRunSettings settings, ResolveRunSettings(request));
  EXPECT_EQ(settings.initial_weights(), path);
  EXPECT_EQ(settings.initial_weights_crc32(), 0xcbf43926u);
}

TEST(RunSettingsTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(Message(Request("")), HasSubstr("--settings is missing"));
  EXPECT_THAT(Message(Request("ucf102")), HasSubstr("ucf101_hand_tuned"));
  EXPECT_THAT(Message(Request("/gone.textproto")), HasSubstr("/gone.textproto"));
  EXPECT_THAT(Message(Request("ucf101_hand_tuned", {"sgd.momentun=1"})), HasSubstr("momentun"));
  EXPECT_THAT(Message(Request("ucf101_hand_tuned", {"network.dropout=1"})),
              HasSubstr("network.dropout is 1; it must be in [0, 1)"));
  EXPECT_THAT(Message(Request("ucf101_hand_tuned", {"training.label_smoothing=2"})),
              HasSubstr("label_smoothing is 2"));
  EXPECT_THAT(Message(Request("ucf101_hand_tuned", {"steps=[]"})), HasSubstr("steps is empty"));
  RunSettingsRequest serve = Request("ucf101_hand_tuned", {"steps=[]"});
  serve.serve = true;
  EXPECT_THAT(ResolveRunSettings(serve), IsOk());
  serve.assignments.push_back("measure.videos=NONE");
  EXPECT_THAT(Message(serve), HasSubstr("measure.videos must be"));
}

}  // namespace
}  // namespace op3d
