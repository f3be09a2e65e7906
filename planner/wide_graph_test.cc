#include "planner/wide_graph.h"

#include <map>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "op3d/base/status_matchers.h"
#include "op3d/base/textproto.h"
#include "planner/scripted_runner.h"
#include "planner/search.h"
#include "planner/search_progress.h"
#include "planner/transition_graph.h"

namespace op3d {
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
  // From S0 to each; then each goes on, and cs16 to cs64 beside, at each rate.
  EXPECT_THAT(graph.transitions(), SizeIs(6 + 2 * (6 + 2)));
  std::set<std::string> edges;
  for (const Transition& edge : graph.transitions()) edges.insert(EdgeName(edge));
  EXPECT_EQ(edges.count("cs16_0.04.1-cs64_0.04.2"), 1);
  EXPECT_EQ(edges.count("cs16_0.01.2-cs64_0.01.end"), 1);
  EXPECT_EQ(edges.count("cs64_0.04.1-cs16_0.04.2"), 0);
  EXPECT_EQ(edges.count("us4x4_0.04.1-cs64_0.04.2"), 0);
}

TEST(WideGraphTest, GivesEdgesOfAStageEqualFrames) {
  ASSERT_OK_AND_ASSIGN(const TransitionGraph graph, MakeWideGraph(Settings()));
  // 3,200 frames over 5 x 1 + 3 x 2 + 2 x 3 = 17 parts.
  const std::map<int, double> want = {{1, 3200. / 17}, {2, 6400. / 17}, {3, 9600. / 17}};
  std::map<std::string, const State*> states;
  for (const State& state : graph.states()) states[state.name()] = &state;
  for (const Transition& edge : graph.transitions()) {
    const State& state = *states[edge.to()];
    EXPECT_NEAR(edge.epochs() * FramesPerClip(state), want.at(edge.round()),
                FramesPerClip(state) / 2.0)
        << EdgeName(edge);
    EXPECT_EQ(state.schedule().has_one_minus_sqrt(), edge.round() == 3) << state.name();
  }
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
  settings.mutable_clips(1)->set_name("cs16");
  EXPECT_THAT(MakeWideGraph(settings).status(), error("two clips are called cs16"));
}

// ---------------------------------------------------------------- a search over it

// us4x4 at the high rate is best, cs16 next; what lowers the rate gains.
double Script(const EdgeTask& task, int epoch) {
  const std::string& name = task.state->name();
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
  // Round 1: the first five listed.  Round 2: the two best states, in turn: each goes on, then the
  // second one grows (us4x4 has no longer clip).  Round 3: the two best of those.
  EXPECT_THAT(by_round[1], testing::ElementsAre("cs16_0.04.1", "cs64_0.04.1", "us4x4_0.04.1",
                                                "cs16_0.01.1", "cs64_0.01.1"));
  EXPECT_THAT(by_round[2],
              testing::ElementsAre("cs16_0.04.2", "cs64_0.04.2", "us4x4_0.04.2"));
  EXPECT_THAT(by_round[3], testing::ElementsAre("cs16_0.04.end", "us4x4_0.04.end"));
  EXPECT_EQ(outcome.plan().path(3), "us4x4_0.04.end");
  EXPECT_THAT(outcome.plan().steps(), SizeIs(3));
  EXPECT_TRUE(outcome.plan().steps(2).state().schedule().has_one_minus_sqrt());
  // Taken up again, nothing is left to do.
  int again = 0;
  EXPECT_EQ(RunSearch(graph, "wide_1", 1, &again).SerializeAsString(), outcome.SerializeAsString());
  EXPECT_EQ(again, 0);
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
}  // namespace op3d
