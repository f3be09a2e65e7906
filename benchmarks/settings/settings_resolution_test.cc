#include "benchmarks/settings/settings_resolution.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "data/datasets/dataset_settings.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "planner/graphs/transition_graph.h"

namespace op3d::benchmarks {
namespace {

using testing::AllOf;
using testing::HasSubstr;

SettingsRequest Request() {
  SettingsRequest request;
  request.benchmark = "kinetics400";
  return request;
}

TEST(SettingsResolutionTest, ShippedSettingsAreValid) {
  SettingsRequest request = Request();
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings miniature, ResolveSettings(request));
  EXPECT_EQ(miniature.scale(), BenchmarkSettings::MINIATURE);
  request.miniature = false;
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings full, ResolveSettings(request));
  EXPECT_EQ(full.scale(), BenchmarkSettings::FULL);
  ASSERT_EQ(full.search().pools_size(), 2);  // read from planner/graphs
  EXPECT_EQ(full.search().pools(1).pool(), "us");
  EXPECT_EQ(full.search().pools(0).states_size(), 9);
  EXPECT_EQ(full.dataset().classes(), 400);  // read from data/datasets
}

const std::vector<std::string>& Datasets() {
  static const auto* names = new std::vector<std::string>{"activitynet",
                                                          "hmdb51",
                                                          "kinetics400",
                                                          "kinetics600",
                                                          "something_something_v1",
                                                          "something_something_v2",
                                                          "ucf101"};
  return *names;
}

// The values of the full scale from the published protocol (data/datasets) and its tables.
TEST(SettingsResolutionTest, FullScaleFollowsTheProtocol) {
  struct Table {
    double rate;
    int epochs, warmup, stride64;
  };
  const std::map<std::string, Table> tables = {{"kinetics400", {0.04, 128, 1, 2}},
                                               {"kinetics600", {0.04, 128, 1, 2}},
                                               {"something_something_v1", {0.04, 64, 5, 1}},
                                               {"something_something_v2", {0.04, 64, 5, 1}},
                                               {"ucf101", {0.01, 64, 1, 1}},
                                               {"hmdb51", {0.01, 64, 1, 1}},
                                               {"activitynet", {0.01, 128, 1, 2}}};
  for (const std::string& name : Datasets()) {
    SCOPED_TRACE(name);
    SettingsRequest request = Request();
    request.benchmark = name;
    request.miniature = false;
    ASSERT_OK_AND_ASSIGN(const BenchmarkSettings full, ResolveSettings(request));
    const DatasetSettings::Protocol& protocol = full.dataset().protocol();
    const Table& table = tables.at(name);
    EXPECT_EQ(full.benchmark(), name);
    EXPECT_EQ(full.scale(), BenchmarkSettings::FULL);
    EXPECT_EQ(full.network().name(), "dg_p3d_resnet50");
    EXPECT_EQ(full.network().dropout(), protocol.dropout());
    EXPECT_EQ(full.sgd().loss_weight(), protocol.loss_weight());
    EXPECT_EQ(full.transform().horizontal_flip(), protocol.horizontal_flip());
    ASSERT_EQ(full.recipes_size(), 2);
    EXPECT_TRUE(full.recipes(0).planned());
    EXPECT_EQ(full.recipes(0).test_clips(), protocol.test_clips());
    EXPECT_EQ(full.recipes(0).test_segments(), protocol.test_segments());
    const RecipeSettings::HandTuned& hand_tuned = full.recipes(1).hand_tuned();
    EXPECT_EQ(hand_tuned.epochs(), table.epochs);
    EXPECT_EQ(hand_tuned.cosine().warmup_epochs(), table.warmup);
    EXPECT_EQ(hand_tuned.cosine().final_learning_rate(), 1e-6);
    EXPECT_EQ(hand_tuned.state().learning_rate(), table.rate);
    EXPECT_EQ(full.recipes(1).test_clips(), std::max(20, protocol.test_clips()));
    ASSERT_EQ(full.search().pools_size(), 2);
    for (const TransitionGraph& pool : full.search().pools()) {
      for (const StateSettings& state : pool.states()) {
        const bool longest = planner::FramesPerClip(state) == 64;
        EXPECT_EQ(state.batch_size() * state.accumulation(), 256);
        const bool consecutive = state.segments() == 1;
        EXPECT_EQ(state.stride(), consecutive && longest ? table.stride64 : 1);
      }
      EXPECT_EQ(pool.states(0).learning_rate(), table.rate);
    }
  }
}

// A miniature is read like its dataset: the same format, lists and folders.
TEST(SettingsResolutionTest, MiniaturesAreReadLikeTheirDatasets) {
  for (const std::string& name : Datasets()) {
    SCOPED_TRACE(name);
    SettingsRequest request = Request();
    request.benchmark = name;
    ASSERT_OK_AND_ASSIGN(const BenchmarkSettings miniature, ResolveSettings(request));
    ASSERT_OK_AND_ASSIGN(const DatasetSettings dataset, data::FindDataset(name));
    EXPECT_EQ(miniature.benchmark(), name);
    EXPECT_EQ(miniature.scale(), BenchmarkSettings::MINIATURE);
    EXPECT_EQ(miniature.dataset().name(), name);
    EXPECT_EQ(miniature.dataset().format(), dataset.format());
    EXPECT_EQ(miniature.dataset().train().list(), dataset.train().list());
    EXPECT_EQ(miniature.dataset().train().media(), dataset.train().media());
    EXPECT_EQ(miniature.dataset().train().part(), dataset.train().part());
    EXPECT_EQ(miniature.dataset().evaluation().list(), dataset.evaluation().list());
    EXPECT_EQ(miniature.dataset().evaluation().media(), dataset.evaluation().media());
    EXPECT_EQ(miniature.dataset().evaluation().part(), dataset.evaluation().part());
    if (!dataset.label_map().empty()) {
      EXPECT_EQ(miniature.dataset().label_map(), dataset.label_map());
    }
    EXPECT_EQ(miniature.transform().horizontal_flip(), dataset.protocol().horizontal_flip());
    // The planned method tests its last state's own clip, the published one the protocol's.
    EXPECT_EQ(miniature.recipes(0).test_segments(), 0);
    request.method = "published";
    ASSERT_OK_AND_ASSIGN(const BenchmarkSettings published, ResolveSettings(request));
    EXPECT_EQ(published.recipes(0).test_segments(), dataset.protocol().test_segments());
    EXPECT_TRUE(miniature.dataset().official_train().empty());
  }
}

// As for one's own data, whose settings are derived after the first step.
TEST(SettingsResolutionTest, TheFirstStepLeavesTheSearchToTheSecond) {
  SettingsRequest request = Request();
  request.budget = "3x";
  request.rivals = "all";
  BenchmarkSettings asked;
  EXPECT_THAT(OverrideSettings(request, &asked), IsOk());
  EXPECT_FALSE(asked.search().has_wide());
  EXPECT_FALSE(asked.has_rivals());
}

TEST(SettingsResolutionTest, TestSegmentsMayBeNamed) {
  SettingsRequest request = Request();
  request.benchmark = "ucf101";
  request.assignments = {"recipes[planned].test_segments=16"};
  ASSERT_OK_AND_ASSIGN(BenchmarkSettings settings, ResolveSettings(request));
  EXPECT_EQ(settings.recipes(0).test_segments(), 16);
  request.method = "published";
  request.assignments = {"recipes[planned].test_segments=0"};
  ASSERT_OK_AND_ASSIGN(settings, ResolveSettings(request));
  EXPECT_EQ(settings.recipes(0).test_segments(), 0);
}

TEST(SettingsResolutionTest, ReleasedPlansHaveNames) {
  SettingsRequest request = Request();
  request.benchmark = "hmdb51";
  request.miniature = false;
  request.plan_file = "hmdb51_kinetics400";
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings settings, ResolveSettings(request));
  EXPECT_EQ(settings.plan().pool(), "us");
  EXPECT_EQ(settings.plan().steps_size(), 5);
}

TEST(SettingsResolutionTest, SplitsAreOfDatasetsThatHaveThem) {
  SettingsRequest request = Request();
  request.split = 2;
  EXPECT_THAT(ResolveSettings(request).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("only one split")));
  request.benchmark = "ucf101";
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings settings, ResolveSettings(request));
  EXPECT_EQ(settings.dataset().split(), 2);
  request.split = 4;
  EXPECT_THAT(ResolveSettings(request).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1 to 3")));
}

TEST(SettingsResolutionTest, FileThenFlagsOverride) {
  SettingsRequest request = Request();
  request.settings_file = JoinPath(TestFolder("settings"), "mine.textproto");
  ASSERT_THAT(WriteFileAtomically(request.settings_file,
                                  "search { rule { max_epochs: 3 } } seed: 5 "
                                  "recipes { name: 'only' planned: true test_clips: 1 }"),
              IsOk());
  request.method = "published";
  request.assignments = {"search.rule.max_epochs_from_initial=4", "network.dropout=0.1"};
  request.seed = 6;
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings settings, ResolveSettings(request));
  EXPECT_EQ(settings.search().rule().max_epochs(), 3);
  EXPECT_EQ(settings.search().rule().max_epochs_from_initial(), 4);
  EXPECT_EQ(settings.search().rule().attempt_epochs(), 4);  // the shipped one stays
  EXPECT_EQ(settings.network().dropout(), 0.1);
  EXPECT_EQ(settings.seed(), 6);
  EXPECT_EQ(settings.recipes_size(), 1);  // a list is replaced, not grown
}

// A file of the user's with that text, for --settings.
std::string File(const std::string& text) {
  const std::string path = JoinPath(TestFolder("mine"), "mine.textproto");
  EXPECT_THAT(WriteFileAtomically(path, text), IsOk());
  return path;
}

TEST(SettingsResolutionTest, AFileReplacesByZerosToo) {
  SettingsRequest request = Request();
  request.settings_file = File(
      "transform { horizontal_flip: false grey_probability: 0 } network { dropout: 0 } rivals {}");
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings settings, ResolveSettings(request));
  EXPECT_FALSE(settings.transform().horizontal_flip());
  EXPECT_EQ(settings.transform().grey_probability(), 0);
  EXPECT_EQ(settings.network().dropout(), 0);
  EXPECT_EQ(settings.network().name(), "dg_p3d_miniature");
  EXPECT_EQ(settings.rivals().clips_size(), 3);
}

TEST(SettingsResolutionTest, AFileComesAfterItsBase) {
  SettingsRequest request = Request();
  request.settings_file = File("base: 'ucf101_miniature' search { rule { max_epochs: 5 } }");
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings settings, ResolveSettings(request));
  EXPECT_EQ(settings.search().rule().max_epochs(), 5);
  EXPECT_EQ(settings.search().rule().max_epochs_from_initial(), 30);  // of the base
  EXPECT_EQ(settings.base(), "");
  request.settings_file = File("base: 'minature'");
  EXPECT_THAT(ResolveSettings(request).status(),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("mine.textproto: base: there is no base 'minature'; there are ")));
  request.settings_file = File("base: 'mine.textproto'");
  EXPECT_THAT(ResolveSettings(request).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a circle")));
  request.settings_file.clear();
  request.assignments = {"base=ucf101_miniature"};
  EXPECT_THAT(ResolveSettings(request).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has no effect")));
}

TEST(SettingsResolutionTest, GraphsOfAFileAreSearched) {
  SettingsRequest request = Request();
  request.method = "both";
  request.settings_file = File("search { graphs: 'extended_cs' }");
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings named, ResolveSettings(request));
  ASSERT_EQ(named.search().pools_size(), 1);
  EXPECT_EQ(named.search().pools(0).transitions_size(), 18);
  const std::string pools =
      "search { pools { published { sampling: UNIFORM rates: [0.3, 0.2, 0.1] } } }";
  request.settings_file = File(pools);
  request.assignments = {"search.pools[us].states[S13].batch_size=8"};
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings made, ResolveSettings(request));
  ASSERT_EQ(made.search().pools_size(), 1);
  EXPECT_EQ(made.search().pools(0).states(3).learning_rate(), 0.1);
  EXPECT_EQ(made.search().pools(0).states(3).batch_size(), 8);
  // With settings that have their own pools, as for a user's own data.
  request.assignments.clear();
  request.settings_file = File("search { graphs: 'base_cs' }");
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings over, ResolveSettings(made, request));
  ASSERT_EQ(over.search().pools_size(), 1);
  EXPECT_EQ(over.search().pools(0).pool(), "cs");
  request.settings_file = File("search { pools { published { sampling: UNIFORM } } }");
  EXPECT_THAT(ResolveSettings(request).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("search.pools: published.rates is missing")));
}

TEST(SettingsResolutionTest, WhatHasNoEffectIsRefused) {
  const auto resolve = [](const std::string& method, const std::vector<std::string>& assignments,
                          const std::string& plan = "", const std::string& rivals = "") {
    SettingsRequest request = Request();
    request.method = method;
    request.assignments = assignments;
    request.plan_file = plan;
    request.rivals = rivals;
    return ResolveSettings(request).status();
  };
  const auto refused = [](const std::string& assignment, const char* reason) {
    return StatusIs(
        absl::StatusCode::kInvalidArgument,
        testing::AllOf(HasSubstr("--set=" + assignment + " has no effect in this run: "),
                       HasSubstr(reason)));
  };
  const std::string rule = "search.rule.max_epochs=3", frames = "search.wide.frames=5000",
                    share = "search.held_out_share=0.3", rates = "rivals.rates=[1, 0.5]";
  EXPECT_THAT(resolve("planned", {rule}), refused(rule, "belong to the published method"));
  EXPECT_THAT(resolve("published", {rule}), IsOk());
  EXPECT_THAT(resolve("both", {rule, frames}), IsOk());
  EXPECT_THAT(resolve("published", {frames}), refused(frames, "--method=planned"));
  EXPECT_THAT(resolve("published", {rates}), refused(rates, "planned method's"));
  EXPECT_THAT(resolve("planned", {rates, frames, share}), IsOk());
  EXPECT_THAT(resolve("planned", {rates}, "", "none"), refused(rates, "no fixed schedule"));
  EXPECT_THAT(resolve("planned", {"rivals.clips=[]"}), IsOk());
  EXPECT_THAT(resolve("planned", {"rivals.rates=[]"}), IsOk());
  EXPECT_THAT(resolve("planned", {"rivals.clips=[]", rates}), refused(rates, "no fixed schedule"));
  for (const std::string& assignment : {rule, frames, rates, std::string("search.train_again=true"),
                                        std::string("transform.search_crop=28")}) {
    EXPECT_THAT(resolve("", {assignment}, "kinetics400"),
                refused(assignment, "leave --plan out"));
  }
  // The miniature's recipes train on the search's training videos.
  EXPECT_THAT(resolve("", {share}, "kinetics400"), IsOk());
  EXPECT_THAT(resolve("", {share, "recipe_videos=ALL_TRAIN"}, "kinetics400"),
              refused(share, "nothing is held out"));
  EXPECT_THAT(resolve("planned", {"search.search_split=PUBLISHED", share}),
              refused(share, "measures on the evaluation list"));
  const std::string clips = "recipes[planned].test_clips=5";
  EXPECT_THAT(resolve("planned", {clips}), refused(clips, "search.train_again=true"));
  EXPECT_THAT(resolve("planned", {clips, "search.train_again=true"}), IsOk());
  EXPECT_THAT(resolve("published", {clips}), IsOk());
  const std::string momentum = "sgd.momentum=0.5";
  EXPECT_THAT(
      resolve("", {"training.adamw={beta1: 0.9 beta2: 0.999 epsilon: 1e-8}", momentum}),
      refused(momentum, "training.adamw"));
  SettingsRequest budget = Request(), method = Request();
  budget.plan_file = method.plan_file = "kinetics400";
  budget.budget = "5000";
  method.method = "planned";
  for (const auto& [request, flag] :
       {std::make_pair(budget, "--budget"), std::make_pair(method, "--method")}) {
    EXPECT_THAT(ResolveSettings(request).status(),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         testing::StartsWith(std::string(flag) + " has no effect")));
  }
}

TEST(SettingsResolutionTest, GraphsNamedOnTheCommandLineAreSearched) {
  SettingsRequest request = Request();
  request.method = "both";
  request.assignments = {"search.graphs=base_us", "search.wide_graph=wide", "search.wide.frames=9000"};
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings settings, ResolveSettings(request));
  // The miniature has its own pools and its own wide graph.
  ASSERT_EQ(settings.search().pools_size(), 1);
  EXPECT_EQ(settings.search().pools(0).pool(), "us");
  EXPECT_EQ(settings.search().pools(0).states(0).accumulation(), 16);
  EXPECT_EQ(settings.search().wide().frames(), 9000);
  SettingsRequest full = Request();
  full.miniature = false;
  full.method = "planned";
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings wide, ResolveSettings(full));
  EXPECT_EQ(settings.search().wide().clips_size(), wide.search().wide().clips_size());
  EXPECT_EQ(settings.search().wide().clips(0).batch_size(), wide.search().wide().clips(0).batch_size());
}

TEST(SettingsResolutionTest, WhatMakesNoSenseIsNamed) {
  const auto with = [](const std::string& assignment) {
    SettingsRequest request = Request();
    request.method = "both";
    request.assignments = {assignment};
    return ResolveSettings(request).status();
  };
  EXPECT_THAT(with("search.rule.max_epochs=0"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at least 1")));
  EXPECT_THAT(
      with("transform.test_crop=100"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("test_crop of 100 does not fit")));
  EXPECT_THAT(with("search.held_out_share=1"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("(0, 1)")));
  SettingsRequest rule = Request();
  rule.method = "both";
  rule.assignments = {"search.rule.method=KNEE_INTERVAL", "search.rule.confidence=2"};
  EXPECT_THAT(ResolveSettings(rule).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("confidence is 2")));
  SettingsRequest no_graph = Request();
  no_graph.miniature = false;
  no_graph.assignments = {"search.graphs=['no_such_graph']"};
  EXPECT_THAT(ResolveSettings(no_graph).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no_such_graph")));
  // Names become folders and words of the children's command lines; no two rows share one.
  for (const char* name : {"my pool", "..", "a;b", ""}) {
    EXPECT_THAT(with(absl::StrCat("search.pools[0].pool='", name, "'")),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("letters, digits")));
  }
  EXPECT_THAT(with("search.pools[0].pool='wide'"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("planned method's graph")));
  EXPECT_THAT(with("rivals.rates=[1, 1]"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("there twice")));
  EXPECT_THAT(with("rivals.clips=['cs16', 'cs16']"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("there twice")));
  for (const char* name : {"long_run", "planned_model", "fixed_cs16_0.04"}) {
    EXPECT_THAT(with(absl::StrCat("recipes[hand_tuned].name='", name, "'")),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a row which every run")));
  }
  SettingsRequest empty = Request();
  empty.method = "published";
  empty.assignments = {"search.pools=[]"};
  EXPECT_THAT(ResolveSettings(empty).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("needs a graph")));
  EXPECT_THAT(with("network.dropot=1"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("dropot")));
  SettingsRequest request = Request();
  request.plan_file = "/no/plan";
  EXPECT_THAT(ResolveSettings(request).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/plan")));
  request = Request();
  request.settings_file = "/no/such.textproto";
  EXPECT_THAT(ResolveSettings(request).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such.textproto")));
}

TEST(ExplainRefusalTest, OtherLengthsSayHowToTrainLonger) {
  const std::string folder = TestFolder("refusal");
  BenchmarkSettings there;
  there.add_recipes()->mutable_hand_tuned()->set_epochs(4);
  there.mutable_search()->mutable_wide()->set_frames(100);
  there.set_seed(1);
  ASSERT_THAT(WriteTextproto(JoinPath(folder, "settings.textproto"), there), IsOk());
  const absl::Status refused = absl::FailedPreconditionError("other settings");
  BenchmarkSettings wanted = there;
  wanted.mutable_recipes(0)->mutable_hand_tuned()->set_epochs(8);
  EXPECT_THAT(ExplainRefusal(folder, wanted, refused),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("other settings. These are lengths"),
                             HasSubstr("--plan=" + folder + "/plan.textproto"))));
  wanted = there;
  wanted.mutable_search()->mutable_wide()->set_frames(200);
  EXPECT_THAT(ExplainRefusal(folder, wanted, refused).message(), HasSubstr("These are lengths"));
  wanted.set_seed(2);
  EXPECT_EQ(ExplainRefusal(folder, wanted, refused), refused);
  EXPECT_EQ(ExplainRefusal(folder, there, refused), refused);  // as when the folder is locked
  EXPECT_EQ(ExplainRefusal(folder + "/none", there, refused), refused);
  EXPECT_THAT(ExplainRefusal(folder, there, absl::OkStatus()), IsOk());
}

}  // namespace
}  // namespace op3d::benchmarks
