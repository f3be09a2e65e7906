#include "op3d/train/run/run_settings.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/testing/status_matchers.h"
#include "planner/plans/plan_io.h"

namespace op3d {
namespace {

using testing::AllOf;
using testing::HasSubstr;

absl::StatusOr<PlannedSteps> FindSteps(const std::string& name) {
  OP3D_ASSIGN_OR_RETURN(const Plan plan, planner::FindPlan(name));
  return StepsOf(plan);
}

RunSettingsRequest Request(const std::string& settings,
                           const std::vector<std::string>& assignments = {}) {
  RunSettingsRequest request;
  request.settings = settings;
  request.assignments = assignments;
  request.find_plan = FindSteps;
  return request;
}

// A file of the user's with that text.
std::string File(const std::string& text) {
  const std::string path = JoinPath(TestFolder("mine"), "mine.textproto");
  EXPECT_THAT(WriteFileAtomically(path, text), IsOk());
  return path;
}

std::string Message(const RunSettingsRequest& request) {
  return std::string(ResolveRunSettings(request).status().message());
}

// The recipes agree with the facts of each dataset in data/datasets.
TEST(RunSettingsTest, EveryRecipeResolvesAndAgreesWithItsDataset) {
  ASSERT_OK_AND_ASSIGN(const std::string folder, RunfilePath("op3d/train/recipes"));
  ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(folder));
  int recipes = 0;
  for (const std::string& file : names) {
    if (!absl::EndsWith(file, ".textproto")) continue;
    const std::string name(absl::StripSuffix(file, ".textproto"));
    if (name == "published") continue;  // what they all start from
    ASSERT_OK_AND_ASSIGN(const TrainingRunSettings settings, ResolveRunSettings(Request(name)));
    ++recipes;
    EXPECT_EQ(settings.name(), name);
    EXPECT_TRUE(absl::StartsWith(name, settings.dataset_name())) << name;
    const DatasetSettings::Protocol& protocol = settings.dataset().protocol();
    EXPECT_EQ(settings.sgd().loss_weight(), protocol.loss_weight()) << name;
    EXPECT_EQ(settings.network().dropout(), protocol.dropout()) << name;
    EXPECT_EQ(settings.transform().horizontal_flip(), protocol.horizontal_flip()) << name;
    for (const RunStep& step : settings.steps()) {
      EXPECT_EQ(step.state().batch_size() * step.state().accumulation(), 256) << name;
      EXPECT_EQ(step.schedule().has_cosine(), absl::EndsWith(name, "hand_tuned")) << name;
    }
    EXPECT_FALSE(settings.source().empty()) << name;
    EXPECT_EQ(settings.base(), "") << name;
    EXPECT_EQ(settings.plan(), "") << name;
    EXPECT_FALSE(settings.use_protocol()) << name;
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

TEST(RunSettingsTest, TheNamedDatasetIsChangedInParts) {
  RunSettingsRequest request = Request("ucf101_hand_tuned", {"dataset.stream=FLOW"});
  ASSERT_OK_AND_ASSIGN(TrainingRunSettings settings, ResolveRunSettings(request));
  EXPECT_EQ(settings.dataset().stream(), DatasetSettings::FLOW);
  EXPECT_EQ(settings.dataset().classes(), 101);
  request = Request("ucf101_hand_tuned", {"dataset_name=hmdb51", "dataset.split=2"});
  ASSERT_OK_AND_ASSIGN(settings, ResolveRunSettings(request));
  EXPECT_EQ(settings.dataset().classes(), 51);
  EXPECT_EQ(settings.dataset().split(), 2);
}

TEST(RunSettingsTest, FlagsChooseStreamAndSplit) {
  RunSettingsRequest request = Request("ucf101_hand_tuned");
  request.stream = "flow";
  request.split = 3;
  ASSERT_OK_AND_ASSIGN(const TrainingRunSettings settings, ResolveRunSettings(request));
  EXPECT_EQ(settings.dataset().stream(), DatasetSettings::FLOW);
  EXPECT_EQ(settings.dataset().split(), 3);
  request.split = 4;
  EXPECT_THAT(Message(request), HasSubstr("ucf101 has the splits 1 to 3"));
  request.split.reset();
  request.stream = "colour";
  EXPECT_THAT(Message(request), HasSubstr("none of: PICTURES, FLOW"));
}

TEST(RunSettingsTest, APlanReplacesTheSteps) {
  RunSettingsRequest request = Request("ucf101_hand_tuned", {"steps[S7].epochs=9"});
  for (const char* name : {"S1", "S7"}) {
    request.steps.emplace_back();
    StateSettings& state = *request.steps.back().mutable_state();
    state.set_name(name);
    state.set_segments(1);
    state.set_frames_per_segment(16);
    state.set_stride(1);
    state.set_learning_rate(0.01);
    state.set_batch_size(8);
    state.set_accumulation(32);
    request.steps.back().set_epochs(5);
  }
  ASSERT_OK_AND_ASSIGN(const TrainingRunSettings settings, ResolveRunSettings(request));
  ASSERT_EQ(settings.steps_size(), 2);
  EXPECT_EQ(settings.steps(0).epochs(), 5);
  EXPECT_EQ(settings.steps(1).epochs(), 9);
  EXPECT_EQ(settings.dataset().classes(), 101);
  request.steps[1].set_epochs(0);
  request.assignments.clear();
  EXPECT_THAT(Message(request), HasSubstr("steps[1].epochs is 0"));
}

TEST(RunSettingsTest, AFileIsDifferencesFromItsBase) {
  ASSERT_OK_AND_ASSIGN(const TrainingRunSettings settings,
                       ResolveRunSettings(Request(
                           File("base: 'published' name: 'mine' dataset_name: 'hmdb51' "
                                "plan: 'ucf101_kinetics400' transform { horizontal_flip: false } "
                                "sgd { clip_norm: 0 }"))));
  EXPECT_EQ(settings.network().name(), "dg_p3d_resnet50");
  EXPECT_EQ(settings.network().dropout(), 0.9);          // of HMDB51's protocol
  EXPECT_FALSE(settings.transform().horizontal_flip());  // the file comes after it
  EXPECT_EQ(settings.sgd().clip_norm(), 0);
  EXPECT_EQ(settings.sgd().momentum(), 0.9);
  ASSERT_EQ(settings.steps_size(), 4);
  EXPECT_EQ(settings.steps(0).state().name(), "S2");
  EXPECT_EQ(settings.steps(0).epochs(), 63);
  EXPECT_THAT(settings.source(), HasSubstr("op-ucf101-dg-p3d-resnet50-kinetics"));
  // Without use_protocol none of its values are used.
  ASSERT_OK_AND_ASSIGN(
      TrainingRunSettings alone,
      ResolveRunSettings(
          Request(File("base: 'ucf101_hand_tuned' use_protocol: false network { dropout: 0 }"))));
  EXPECT_EQ(alone.network().dropout(), 0);
  EXPECT_EQ(alone.sgd().loss_weight(), 0);
}

TEST(RunSettingsTest, BasesAndPlansThatDoNotFitAreNamed) {
  EXPECT_THAT(Message(Request(File("base: 'publised'"))),
              AllOf(HasSubstr("mine.textproto: base: there is no base 'publised'; there are "),
                    HasSubstr("published, ")));
  EXPECT_THAT(Message(Request(File("base: 'mine.textproto'"))), HasSubstr("a circle"));
  EXPECT_THAT(Message(Request("published")), HasSubstr("dataset_name is missing"));
  EXPECT_THAT(Message(Request(File("base: 'published' dataset_name: 'ucf101'"))),
              HasSubstr("steps is empty"));
  EXPECT_THAT(Message(Request(File("base: 'ucf101_hand_tuned' plan: 'kinetics400'"))),
              AllOf(HasSubstr("there are both steps and a plan (kinetics400)"),
                    HasSubstr("take a base without steps")));
  EXPECT_THAT(Message(Request(File("base: 'kinetics400_planned' plan: 'kinetics'"))),
              HasSubstr("settings: plan: there is no plan 'kinetics': "));
  EXPECT_THAT(Message(Request("kinetics400_planned", {"plan=ucf101_imagenet"})),
              AllOf(HasSubstr("--set=plan=ucf101_imagenet has no effect"), HasSubstr("--plan")));
  EXPECT_THAT(Message(Request("kinetics400_planned", {"base=ucf101_hand_tuned"})),
              HasSubstr("has no effect"));
}

TEST(RunSettingsTest, WhatHasNoEffectIsRefused) {
  const auto refused = [](const std::vector<std::string>& assignments, const char* reason,
                          bool serve = false) {
    RunSettingsRequest request = Request("ucf101_hand_tuned", assignments);
    request.serve = serve;
    EXPECT_THAT(ResolveRunSettings(request).status(),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr(absl::StrCat("--set=", assignments.back(),
                                                      " has no effect in this run: ")),
                               HasSubstr(reason))));
  };
  const auto taken = [](const std::vector<std::string>& assignments) {
    EXPECT_THAT(ResolveRunSettings(Request("ucf101_hand_tuned", assignments)), IsOk());
  };
  refused({"measure.videos=NONE", "measure.held_out_share=0.2"}, "nothing is measured");
  refused({"measure.videos=NONE", "transform.search_crop=200"}, "nothing is measured");
  refused({"measure.videos=EVALUATION", "measure.held_out_share=0.2"}, "measure.videos to HELD_OUT");
  taken({"measure.videos=HELD_OUT", "measure.held_out_share=0.2"});
  // In any order: only the final settings count.
  taken({"measure.held_out_share=0.2", "measure.videos=HELD_OUT"});
  refused({"training.adamw={beta1: 0.9 beta2: 0.999 epsilon: 1e-8}", "sgd.momentum=0.5"},
          "training.adamw is the optimiser");
  refused({"transform.rand_augment_draws=2", "transform.hue=0.05"}, "in place of jitter");
  refused({"transform.rand_augment_magnitude=9"}, "there is no RandAugment");
  taken({"transform.rand_augment_draws=2", "transform.rand_augment_magnitude=9"});
  refused({"training.mixing.probability=0.5"}, "no clips are mixed");
  taken({"training.mixing.mixup_alpha=0.4", "training.mixing.probability=0.5"});
  refused({"steps[0].state.schedule.linear.warmup_epochs=2"}, "own schedule");
  refused({"steps[0].epochs=2"}, "the planner chooses", /*serve=*/true);
  // Setting a value that is already set does no harm.
  taken({"measure.videos=NONE", "measure.held_out_share=0"});
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
  RunSettingsRequest serve = Request("ucf101_hand_tuned");
  serve.serve = true;
  ASSERT_OK_AND_ASSIGN(TrainingRunSettings served, ResolveRunSettings(serve));
  served.clear_steps();
  EXPECT_THAT(ValidateRunSettings(served, /*serve=*/true), IsOk());
  serve.assignments.push_back("measure.videos=NONE");
  EXPECT_THAT(Message(serve), HasSubstr("measure.videos must be"));
}

}  // namespace
}  // namespace op3d
