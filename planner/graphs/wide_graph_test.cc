#include "planner/graphs/wide_graph.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "op3d/base/training_failure.h"
#include "planner/graphs/transition_graph.h"
#include "planner/search/search.h"
#include "planner/search/search_progress.h"
#include "planner/testing/scripted_runner.h"

namespace op3d::planner {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

WideGraphSettings Settings(absl::string_view more = "") {
  WideGraphSettings settings;
  EXPECT_THAT(ParseTextproto(absl::StrCat(R"pb(
                               clips { name: "cs16" segments: 1 frames_per_segment: 16 stride: 1
                                       learning_rate: 0.04 batch_size: 16 accumulation: 1 }
                               clips { name: "cs64" segments: 1 frames_per_segment: 64 stride: 1
                                       learning_rate: 0.04 batch_size: 16 accumulation: 1 }
                               clips { name: "us4x4" segments: 4 frames_per_segment: 4 stride: 1
                                       learning_rate: 0.04 batch_size: 16 accumulation: 1 }
                               rates: [1, 0.25]
                               frames: 3200
                               stages { edges: 5 weight: 1 }
                               stages { edges: 3 states: 2 weight: 2 }
                               stages { edges: 2 states: 2 weight: 3 }
                             )pb", more), "settings", &settings), IsOk());
  return settings;
}

TEST(WideGraphTest, HasEveryClipRateAndStage) {
  ASSERT_OK_AND_ASSIGN(const TransitionGraph graph, MakeWideGraph(Settings()));
  EXPECT_THAT(ValidateGraph(graph), IsOk());
  EXPECT_THAT(graph.states(), SizeIs(3 * 2 * 3));
  EXPECT_THAT(graph.finals(), SizeIs(3 * 2));
  // From S0 to each; then each stays, and cs16 also grows to cs64, at each rate.
  EXPECT_THAT(graph.transitions(), SizeIs(6 + 2 * (6 + 2)));
  std::set<std::string> edges;
  for (const Transition& edge : graph.transitions()) edges.insert(EdgeName(edge));
  EXPECT_EQ(edges.count("cs16_0.04.1-cs64_0.04.2"), 1);
  EXPECT_EQ(edges.count("cs16_0.01.2-cs64_0.01.end"), 1);
  EXPECT_EQ(edges.count("cs64_0.04.1-cs16_0.04.2"), 0);
  EXPECT_EQ(edges.count("us4x4_0.04.1-cs64_0.04.2"), 0);
}

// A round uses a state's edges in the order in which they are listed.
TEST(WideGraphTest, AStageThatGrowsListsTheLargerClipFirst) {
  WideGraphSettings settings = Settings();
  *settings.add_stages() = settings.stages(2);
  settings.mutable_stages(2)->set_grow(true);
  ASSERT_OK_AND_ASSIGN(const TransitionGraph graph, MakeWideGraph(settings));
  std::map<std::string, int> place;
  for (int i = 0; i < graph.transitions_size(); ++i) place[EdgeName(graph.transitions(i))] = i;
  EXPECT_LT(place.at("cs16_0.04.1-cs16_0.04.2"), place.at("cs16_0.04.1-cs64_0.04.2"));
  EXPECT_LT(place.at("cs16_0.04.2-cs64_0.04.3"), place.at("cs16_0.04.2-cs16_0.04.3"));
  EXPECT_LT(place.at("cs16_0.04.3-cs16_0.04.end"), place.at("cs16_0.04.3-cs64_0.04.end"));
}

TEST(WideGraphTest, GivesEdgesOfAStageEqualFrames) {
  ASSERT_OK_AND_ASSIGN(const TransitionGraph graph, MakeWideGraph(Settings()));
  // 3,200 frames over 5 x 1 + 3 x 2 + 2 x 3 = 17 parts.
  const std::map<int, double> want = {{1, 3200. / 17}, {2, 6400. / 17}, {3, 9600. / 17}};
  std::map<std::string, const StateSettings*> states;
  for (const StateSettings& state : graph.states()) states[state.name()] = &state;
  for (const Transition& edge : graph.transitions()) {
    const StateSettings& state = *states[edge.to()];
    EXPECT_NEAR(edge.epochs() * FramesPerClip(state), want.at(edge.round()),
                FramesPerClip(state) / 2.0)
        << EdgeName(edge);
    EXPECT_EQ(state.schedule().has_one_minus_sqrt(), edge.round() == 3) << state.name();
  }
}

TEST(WideGraphTest, SeveralLengthsOfAnnealingShareATrunk) {
  WideGraphSettings settings = Settings();
  WideGraphSettings::Stage* last = settings.mutable_stages(settings.stages_size() - 1);
  last->set_edges(1);
  last->set_states(1);
  last->clear_weight();
  for (const double share : {0.25, 0.5}) settings.add_annealing(share);
  // Trunks of weights 1 + 2; the last round has 0.75 + 1.5 of that at two lengths.
  settings.clear_stages();
  settings.add_stages()->set_edges(4);
  settings.add_stages()->set_edges(2);
  settings.mutable_stages(0)->set_weight(1);
  settings.mutable_stages(1)->set_weight(2);
  *settings.add_stages() = *last;
  settings.mutable_stages(2)->set_edges(1);
  settings.set_frames(64 * (4 + 4 + 0.75 + 1.5));
  ASSERT_OK_AND_ASSIGN(const TransitionGraph graph, MakeWideGraph(settings));
  EXPECT_EQ(graph.rounds(2).edges(), 2);
  EXPECT_DOUBLE_EQ(FramesOfStage(settings, 0), 64);
  EXPECT_DOUBLE_EQ(FramesOfStage(settings, 2), 96);
  EXPECT_DOUBLE_EQ(FramesOfRound(settings, 2), 64 * 2.25);
  double all = 0;
  for (int k = 0; k < 3; ++k) all += FramesOfRound(settings, k);
  EXPECT_DOUBLE_EQ(all, settings.frames());
  std::map<std::string, int> epochs;
  for (const Transition& edge : graph.transitions()) {
    if (edge.from() == "cs16_0.04.2") epochs[edge.to()] = edge.epochs();
  }
  // 48 and 96 frames; the next larger clip has 64.
  EXPECT_EQ(epochs["cs16_0.04.end0.25"], 3);
  EXPECT_EQ(epochs["cs16_0.04.end0.5"], 6);
  EXPECT_EQ(epochs["cs64_0.04.end0.25"], 1);
  EXPECT_THAT(epochs, SizeIs(4));
  for (const char* name : {"cs16_0.04.end0.25", "cs16_0.04.end0.5"}) {
    EXPECT_THAT(graph.finals(), testing::Contains(name));
  }

  settings.set_annealing(1, 0.2);
  EXPECT_THAT(MakeWideGraph(settings),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("annealing lists 0.2")));
  settings.set_annealing(1, 1.5);
  EXPECT_THAT(MakeWideGraph(settings),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("annealing lists 1.5")));
  settings.set_annealing(1, 1);
  settings.mutable_stages(2)->set_weight(6);
  EXPECT_THAT(MakeWideGraph(settings),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("lengths of the last stage")));
}

TEST(WideGraphTest, ASmallerCropCountsByItsAreaAndGrows) {
  WideGraphSettings settings = Settings();
  settings.clear_clips();
  StateSettings* small = settings.add_clips();
  small->set_name("small");
  small->set_segments(1);
  small->set_frames_per_segment(16);
  small->set_stride(1);
  small->set_learning_rate(0.04);
  small->set_batch_size(32);
  small->set_accumulation(1);
  small->set_crop(56);
  StateSettings* whole = settings.add_clips();
  *whole = *small;
  whole->set_name("whole");
  whole->clear_crop();
  settings.set_full_crop(112);
  settings.set_frames(17 * 192);  // 192 in the first round: 48 and 12 epochs
  ASSERT_OK_AND_ASSIGN(const TransitionGraph graph, MakeWideGraph(settings));
  std::map<std::string, int> epochs;
  for (const Transition& edge : graph.transitions()) epochs[EdgeName(edge)] = edge.epochs();
  EXPECT_EQ(epochs["S0-small_0.04.1"], 4 * epochs["S0-whole_0.04.1"]);
  EXPECT_EQ(epochs.count("small_0.04.1-whole_0.04.2"), 1);
  EXPECT_EQ(epochs.count("whole_0.04.1-small_0.04.2"), 0);
  settings.set_full_crop(40);
  EXPECT_THAT(MakeWideGraph(settings),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("full_crop is 40")));
}

TEST(WideGraphTest, WhatCannotBeIsASentence) {
  const auto error = [](const char* words) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words));
  };
  EXPECT_THAT(MakeWideGraph({}).status(), error("no clips"));
  EXPECT_THAT(MakeWideGraph(Settings("rates: 0")).status(), error("must be above 0"));
  WideGraphSettings settings = Settings();
  settings.set_frames(100);
  EXPECT_THAT(MakeWideGraph(settings).status(), error("raise the budget"));
  settings = Settings();
  settings.mutable_stages()->DeleteSubrange(1, 2);
  EXPECT_THAT(MakeWideGraph(settings).status(), error("1 stages"));
  settings = Settings();
  settings.mutable_stages(1)->set_edges(0);
  EXPECT_THAT(MakeWideGraph(settings).status(), error("stages[1] has 0 edges"));
  settings = Settings();
  settings.mutable_stages(0)->set_grow(true);
  EXPECT_THAT(MakeWideGraph(settings).status(), error("stages[0] has grow"));
  settings = Settings();
  settings.mutable_clips(1)->set_name("cs16");
  EXPECT_THAT(MakeWideGraph(settings).status(), error("two clips are called cs16"));
}

// ---------------------------------------------------------------- a search over it

// us4x4 at the high rate is best, cs16 is second; lowering the rate improves the score.
double Script(const EdgeTask& task, int epoch) {
  const std::string& name = task.state().name();
  double value = absl::StartsWith(name, "us4x4") ? 0.6 : absl::StartsWith(name, "cs16") ? 0.5 : 0.3;
  if (absl::StrContains(name, "0.01")) value -= 0.25;
  if (absl::EndsWith(name, "end")) value += 0.2;
  return value + 0.001 * epoch;
}

SearchOutcome RunSearch(const TransitionGraph& graph, const std::string& folder, int runners,
                  int* trained) {
  std::vector<ScriptedRunner> scripted(runners, ScriptedRunner(Script));
  std::vector<StateRunner*> pointers;
  for (ScriptedRunner& runner : scripted) pointers.push_back(&runner);
  StoppingRule rule;
  rule.set_attempt_epochs(4);
  rule.set_max_epochs(10);
  rule.set_max_epochs_from_initial(10);
  SearchOptions options;
  options.folder = testing::TempDir() + "/" + folder;
  const absl::StatusOr<SearchOutcome> outcome = Search(graph, rule, pointers, options);
  EXPECT_THAT(outcome.status(), IsOk());
  *trained = 0;
  for (const ScriptedRunner& runner : scripted) *trained += runner.trained;
  return outcome.ok() ? *outcome : SearchOutcome();
}

TEST(BudgetTest, IsFramesTimeOrMultiplesOfThePlan) {
  const auto parsed = [](const std::string& text) {
    const absl::StatusOr<Budget> budget = ParseBudget(text);
    EXPECT_THAT(budget.status(), IsOk()) << text;
    return budget.ok() ? std::make_pair(budget->unit, budget->amount)
                       : std::make_pair(Budget::kFrames, -1.0);
  };
  EXPECT_EQ(parsed("4608"), std::make_pair(Budget::kFrames, 4608.0));
  EXPECT_EQ(parsed("90s"), std::make_pair(Budget::kSeconds, 90.0));
  EXPECT_EQ(parsed("20min"), std::make_pair(Budget::kSeconds, 1200.0));
  EXPECT_EQ(parsed("1.5h"), std::make_pair(Budget::kSeconds, 5400.0));
  EXPECT_EQ(parsed("2.5x"), std::make_pair(Budget::kPlans, 2.5));
  for (const char* text : {"", "x", "0", "-3x", "3y", "4608 frames", "nan", "inf", "infx", "1e400"}) {
    EXPECT_THAT(ParseBudget(text), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr(absl::StrCat("--budget=", text))));
  }
  // 17 parts, of which a path has 1 + 2 + 3.
  EXPECT_DOUBLE_EQ(FramesOfPath(Settings()), 3200 * 6. / 17);
}

TEST(WideGraphTest, ASearchTrainsOnlyTheMostPromisingEdges) {
  ASSERT_OK_AND_ASSIGN(const TransitionGraph graph, MakeWideGraph(Settings()));
  int trained = 0;
  const SearchOutcome outcome = RunSearch(graph, "wide_1", 1, &trained);
  std::map<int, std::vector<std::string>> by_round;
  std::map<std::string, int> rounds;
  for (const Transition& edge : graph.transitions()) rounds[EdgeName(edge)] = edge.round();
  for (const EdgeOutcome& edge : outcome.edges()) {
    by_round[rounds[edge.from() + "-" + edge.to()]].push_back(edge.to());
    EXPECT_EQ(edge.ending(), EdgeOutcome::LENGTH_REACHED);
  }
  // Before its rounds are chosen, the rest is about the budget: edges of a round have equal frames.
  ASSERT_OK_AND_ASSIGN(const SearchProgress begin, SearchProgress::Make(graph, outcome.rule()));
  EXPECT_NEAR(begin.frames_to_go(), Settings().frames(), 64);
  // Round 1: the first five listed.  Round 2: the two best states in turn: each stays, then the
  // second one grows (us4x4 has no longer clip).  Round 3: the two best of those.
  EXPECT_THAT(by_round[1], testing::ElementsAre("cs16_0.04.1", "cs64_0.04.1", "us4x4_0.04.1",
                                                "cs16_0.01.1", "cs64_0.01.1"));
  EXPECT_THAT(by_round[2],
              testing::ElementsAre("cs16_0.04.2", "cs64_0.04.2", "us4x4_0.04.2"));
  EXPECT_THAT(by_round[3], testing::ElementsAre("cs16_0.04.end", "us4x4_0.04.end"));
  EXPECT_EQ(outcome.plan().path(3), "us4x4_0.04.end");
  EXPECT_THAT(outcome.plan().steps(), SizeIs(3));
  EXPECT_TRUE(outcome.plan().steps(2).state().schedule().has_one_minus_sqrt());
  // When resumed, nothing is left to do.
  int again = 0;
  EXPECT_EQ(RunSearch(graph, "wide_1", 1, &again).SerializeAsString(), outcome.SerializeAsString());
  EXPECT_EQ(again, 0);
}

// A rate that a computer prints with an exponent is no name of a state.
TEST(WideGraphTest, SmallRatesHaveNamesWithoutAnExponent) {
  WideGraphSettings settings = Settings();
  for (StateSettings& clip : *settings.mutable_clips()) clip.set_learning_rate(2.5e-4);
  ASSERT_OK_AND_ASSIGN(const TransitionGraph graph, MakeWideGraph(settings));
  EXPECT_THAT(ValidateGraph(graph), IsOk());
  EXPECT_EQ(graph.states(0).name(), "cs16_0.00025.1");
  EXPECT_EQ(graph.states(3).name(), "cs16_0.0000625.1");
}

TEST(WideGraphTest, ASearchWhoseLastEdgesFailSaysSo) {
  WideGraphSettings settings = Settings();
  settings.mutable_clips()->DeleteSubrange(1, 2);
  settings.clear_rates();
  settings.add_rates(1);
  settings.set_frames(32);
  settings.mutable_stages()->DeleteSubrange(1, 2);
  settings.mutable_stages(0)->set_edges(1);
  *settings.add_stages() = settings.stages(0);
  ASSERT_OK_AND_ASSIGN(const TransitionGraph graph, MakeWideGraph(settings));
  StoppingRule rule;
  rule.set_attempt_epochs(1);
  rule.set_max_epochs(1);
  rule.set_max_epochs_from_initial(1);
  ASSERT_OK_AND_ASSIGN(SearchProgress progress, SearchProgress::Make(graph, rule));
  const auto apply = [&](const char* text) {
    JournalEntry entry;
    ASSERT_THAT(ParseTextproto(text, "entry", &entry), IsOk());
    ASSERT_THAT(progress.Apply(entry), IsOk());
  };
  apply("point { edge: 'S0-cs16_0.04.1' point { epoch: 0 } }");
  apply("point { edge: 'S0-cs16_0.04.1' point { epoch: 1 performance: 0.5 } }");
  apply("finished { from: 'S0' to: 'cs16_0.04.1' epochs: 1 score: 0.5 ending: LENGTH_REACHED }");
  EXPECT_THAT(progress.Outcome().status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not done")));
  apply("finished { from: 'cs16_0.04.1' to: 'cs16_0.04.end' ending: FAILED failure: 'it is nan' }");
  EXPECT_THAT(progress.Outcome().status(),
              StatusIs(absl::StatusCode::kAborted,
                       HasSubstr("no final state (cs16_0.04.end) is reached, so there is no plan: "
                                 "cs16_0.04.1-cs16_0.04.end: it is nan")));
  EXPECT_TRUE(TrainingFailureOf(progress.Outcome().status()));
}

TEST(WideGraphTest, TheOutcomeDoesNotDependOnTheNumberOfRunners) {
  ASSERT_OK_AND_ASSIGN(const TransitionGraph graph, MakeWideGraph(Settings()));
  int trained = 0;
  const std::string one = RunSearch(graph, "runners_1", 1, &trained).SerializeAsString();
  for (int runners = 2; runners <= 4; ++runners) {
    EXPECT_EQ(RunSearch(graph, "runners_" + std::to_string(runners), runners, &trained)
                  .SerializeAsString(),
              one);
  }
}

}  // namespace
}  // namespace op3d::planner
