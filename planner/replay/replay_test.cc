#include "planner/replay/replay.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"
#include "planner/graphs/pool.h"
#include "planner/knee/stopping_rule.h"
#include "planner/replay/edge_scores_json.h"
#include "planner/testing/golden_cases.h"

namespace op3d::planner {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

EdgeOutcome Found(const char* from, const char* to, int epochs, double score) {
  EdgeOutcome outcome;
  outcome.set_from(from);
  outcome.set_to(to);
  outcome.set_epochs(epochs);
  outcome.set_score(score);
  return outcome;
}

// S0 -> S1 (16 frames) -> S2 (32 frames) and S0 -> S2.
TransitionGraph Triangle() {
  TransitionGraph graph = MakePool(PoolOptions());
  graph.mutable_states()->DeleteSubrange(2, graph.states_size() - 2);
  graph.mutable_transitions()->DeleteSubrange(3, graph.transitions_size() - 3);
  graph.clear_finals();
  graph.add_finals("S2");
  return graph;
}

std::vector<EdgeOutcome> TrainedTriangle() {
  return {Found("S0", "S1", 5, 0.5), Found("S0", "S2", 9, 0.55), Found("S1", "S2", 4, 0.6)};
}

TEST(ReplayTest, GivesTheReleasedPlansBackFromTheirEdges) {
  const json golden = ReadGolden("plan_replay.json");
  int replays = 0;
  for (const json& run : golden["runs"]) {
    for (const bool extended : {false, true}) {
      const json& part = run[extended ? "extended" : "base"];
      if (!part.contains("search")) continue;
      SCOPED_TRACE(testing::Message() << run["run"] << (extended ? ", extended" : ", base"));
      // The file's rows: from, to, knee, a, b, c, d, e.
      json edges = json::array();
      for (const json& row : part["search"]["edges"]) {
        edges.push_back(
            {{"from", row[0]},
             {"to", row[1]},
             {"curve",
              {{"a", row[3]}, {"b", row[4]}, {"c", row[5]}, {"d", row[6]}, {"e", row[7]}}}});
      }
      PoolOptions pool;
      pool.sampling = run["pool"] == "cs" ? Sampling::kConsecutive : Sampling::kUniform;
      pool.extended = extended;
      ASSERT_OK_AND_ASSIGN(const auto trained,
                           ParseEdgeScores(json{{"edges", edges}}.dump(), "edges.json"));
      ASSERT_OK_AND_ASSIGN(const Replay replay, PlanAgain(MakePool(pool), trained, {}));
      EXPECT_NEAR(replay.plan.value(), part["search"]["value"].get<double>(), 1e-6);
      EXPECT_THAT(replay.untrained, IsEmpty());
      const json& plan = part["search"]["plan"];
      ASSERT_EQ(replay.plan.steps_size(), plan.size());
      for (int i = 0; i < replay.plan.steps_size(); ++i) {
        EXPECT_EQ(replay.plan.steps(i).state().name(),
                  "S" + std::to_string(plan[i]["state"].get<int>()));
        EXPECT_EQ(replay.plan.steps(i).epochs(), plan[i]["epochs"].get<int>());
      }
      ++replays;
    }
  }
  EXPECT_EQ(replays, 13);
}

TEST(ReplayTest, SaysWhichEdgesWereNeverTrained) {
  std::vector<EdgeOutcome> trained = TrainedTriangle();
  trained.pop_back();
  ASSERT_OK_AND_ASSIGN(const Replay replay, PlanAgain(Triangle(), trained, {}));
  EXPECT_THAT(replay.untrained, ElementsAre("S1-S2"));
  EXPECT_THAT(replay.plan.path(), ElementsAre("S0", "S2"));
  trained.pop_back();
  EXPECT_THAT(
      PlanAgain(Triangle(), trained, {}),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("never trained: S0-S2, S1-S2")));
  // An edge whose source is not reached has no value.
  EXPECT_THAT(PlanAgain(Triangle(), {Found("S1", "S2", 4, 0.6)}, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("S0-S1, S0-S2")));
}

TEST(ReplayTest, StatesAreTheSameByWhatTheyAre) {
  // Other names and another batch and accumulation; the states are the recorded ones.
  TransitionGraph graph = Triangle();
  for (StateSettings& state : *graph.mutable_states()) {
    state.set_name("other_" + state.name());
    state.set_accumulation(state.batch_size() * state.accumulation());
    state.set_batch_size(1);
  }
  for (Transition& edge : *graph.mutable_transitions()) {
    if (edge.from() != "S0") edge.set_from("other_" + edge.from());
    edge.set_to("other_" + edge.to());
  }
  graph.set_finals(0, "other_S2");
  const MatchedEdges renamed = MatchEdges(Triangle(), TrainedTriangle(), graph);
  EXPECT_THAT(renamed.unrecorded, IsEmpty());
  ASSERT_OK_AND_ASSIGN(const Replay replay, PlanAgain(graph, renamed.edges, {}));
  EXPECT_THAT(replay.plan.path(), ElementsAre("S0", "other_S1", "other_S2"));

  // The recorded name, but another rate, clip or schedule: never trained, and reported as such.
  for (const auto& change : std::vector<std::function<void(StateSettings*)>>{
           [](StateSettings* state) { state->set_learning_rate(0.004); },
           [](StateSettings* state) { state->set_stride(2); },
           [](StateSettings* state) { state->set_batch_size(2 * state->batch_size()); }}) {
    graph = Triangle();
    change(graph.mutable_states(0));
    const MatchedEdges matched = MatchEdges(Triangle(), TrainedTriangle(), graph);
    EXPECT_THAT(matched.unrecorded,
                ElementsAre(AllOf(HasSubstr("S1 (16 frames a clip"), HasSubstr("there -> here"))));
    ASSERT_OK_AND_ASSIGN(const Replay fewer, PlanAgain(graph, matched.edges, {}));
    EXPECT_THAT(fewer.untrained, ElementsAre("S0-S1", "S1-S2"));
    EXPECT_THAT(fewer.plan.path(), ElementsAre("S0", "S2"));
  }
  graph = Triangle();
  graph.mutable_states(0)->mutable_schedule()->mutable_linear();
  EXPECT_THAT(MatchEdges(Triangle(), TrainedTriangle(), graph).unrecorded,
              ElementsAre(HasSubstr("schedule")));

  // Two equal states: their names distinguish them, and one record is not used for both.
  graph = Triangle();
  *graph.mutable_states(1) = graph.states(0);
  graph.mutable_states(1)->set_name("S2");
  EXPECT_THAT(MatchEdges(Triangle(), TrainedTriangle(), graph).unrecorded,
              ElementsAre(HasSubstr("S2 (16 frames a clip")));
  EXPECT_THAT(MatchEdges(graph, TrainedTriangle(), graph).edges, SizeIs(3));

  // An edge with another length was not trained.
  graph = Triangle();
  graph.mutable_transitions(2)->set_epochs(7);
  EXPECT_THAT(MatchEdges(Triangle(), TrainedTriangle(), graph).edges, SizeIs(2));
}

TEST(ReplayTest, PlansOverFewerStates) {
  ReplayOptions options;
  options.states = {"S2"};
  ASSERT_OK_AND_ASSIGN(const Replay replay, PlanAgain(Triangle(), TrainedTriangle(), options));
  EXPECT_THAT(replay.plan.path(), ElementsAre("S0", "S2"));
  EXPECT_EQ(replay.plan.value(), 0.55);
  options.states = {"S2", "S77"};
  EXPECT_THAT(PlanAgain(Triangle(), TrainedTriangle(), options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no state \"S77\"")));
}

TEST(ReplayTest, TheFrontHoldsWhatNothingBeats) {
  ASSERT_OK_AND_ASSIGN(const Replay replay, PlanAgain(Triangle(), TrainedTriangle(), {}));
  ASSERT_EQ(replay.front.size(), 2);
  EXPECT_EQ(replay.front[0].frames, 5 * 16);
  EXPECT_EQ(replay.front[0].value, 0.5);
  EXPECT_EQ(replay.front[1].frames, 5 * 16 + 4 * 32);
  EXPECT_EQ(replay.front[1].value, 0.6);
  ASSERT_OK_AND_ASSIGN(const PricedState cheap, BestWithin(replay, CostUnit::kFrames, 207));
  EXPECT_EQ(cheap.frames, 80);
  EXPECT_THAT(PlanTo(replay, cheap.state).path(), ElementsAre("S0", "S1"));
  ASSERT_OK_AND_ASSIGN(const PricedState best, BestWithin(replay, CostUnit::kFrames, 208));
  EXPECT_EQ(best.frames, 208);
  EXPECT_THAT(BestWithin(replay, CostUnit::kFrames, 79),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("the cheapest costs 80")));
}

// Parabolas with their maximum at `knee`.
EdgeOutcome Measured(const char* from, const char* to, int knee, double top, double noise) {
  EdgeOutcome outcome;
  outcome.set_from(from);
  outcome.set_to(to);
  RandomStream stream(1, from, {knee});
  for (int epoch = 0; epoch <= knee + 10; ++epoch) {
    CurvePoint* point = outcome.add_curve();
    point->set_epoch(epoch);
    point->set_performance(top - 1e-3 * std::pow(epoch - knee, 2) + noise * stream.Gaussian());
  }
  return outcome;
}

TEST(ReplayTest, WeighsSecondsWhereTheyWereRecorded) {
  std::vector<EdgeOutcome> trained = {Measured("S0", "S1", 6, 0.5, 0),
                                      Measured("S0", "S2", 7, 0.55, 0),
                                      Measured("S1", "S2", 8, 0.6, 0)};
  ReplayOptions options;
  options.cost = CostUnit::kSeconds;
  EXPECT_THAT(PlanAgain(Triangle(), trained, options),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no seconds")));
  for (EdgeOutcome& outcome : trained) {
    for (CurvePoint& point : *outcome.mutable_curve()) {
      if (point.epoch() > 0) point.set_train_seconds(outcome.to() == "S1" ? 5 : 1);
    }
  }
  ASSERT_OK_AND_ASSIGN(const Replay replay, PlanAgain(Triangle(), trained, options));
  ASSERT_EQ(replay.front.size(), 2);
  EXPECT_NEAR(replay.front[0].seconds, 6 * 5, 1e-9);
  EXPECT_NEAR(replay.front[1].seconds, 6 * 5 + 8 * 1, 1e-9);
  EXPECT_THAT(BestWithin(replay, CostUnit::kSeconds, 29),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("the cheapest costs 30")));
}

TEST(ReplayTest, AnotherWindowStopsElsewhereOrSaysThatItCannot) {
  const std::vector<EdgeOutcome> trained = {Measured("S0", "S1", 6, 0.5, 0),
                                            Measured("S0", "S2", 7, 0.55, 0),
                                            Measured("S1", "S2", 8, 0.6, 0)};
  ReplayOptions options;
  options.rule = PublishedRule(5);
  ASSERT_OK_AND_ASSIGN(const Replay replay, PlanAgain(Triangle(), trained, options));
  EXPECT_THAT(replay.unfinished, IsEmpty());
  ASSERT_EQ(replay.plan.steps_size(), 2);
  EXPECT_EQ(replay.plan.steps(0).epochs(), 6);
  EXPECT_EQ(replay.plan.steps(1).epochs(), 8);
  options.rule = PublishedRule(12);  // more than was trained after the knee
  ASSERT_OK_AND_ASSIGN(const Replay longer, PlanAgain(Triangle(), trained, options));
  EXPECT_THAT(longer.unfinished, ElementsAre("S0-S1", "S0-S2", "S1-S2"));
}

TEST(ReplayTest, StabilityFallsWithTheNoise) {
  const auto stability = [](double noise) {
    const std::vector<EdgeOutcome> trained = {Measured("S0", "S1", 6, 0.5, noise),
                                              Measured("S0", "S2", 7, 0.598, noise),
                                              Measured("S1", "S2", 8, 0.6, noise)};
    const auto replay = PlanAgain(Triangle(), trained, {});
    EXPECT_THAT(replay, IsOk());
    return PlanStability(Triangle(), trained, {}, *replay, 60, 1).value_or(-1);
  };
  EXPECT_EQ(stability(0), 1);
  EXPECT_LT(stability(0.02), 1);
  EXPECT_GT(stability(0.02), 0.2);
}

TEST(EdgeScoresJsonTest, EveryFaultIsASentence) {
  const std::pair<const char*, const char*> faults[] = {
      {"{torn", "neither a JSON list"},
      {"[]", "neither a JSON list"},
      {"[3]", "edge 1: it is no object"},
      {R"([{"from": 0, "epochs": 3, "score": 1}])", "\"to\" is missing"},
      {R"([{"from": 0, "to": 1.5, "epochs": 3, "score": 1}])", "\"to\" is not a state"},
      {R"([{"from": 0, "to": 1, "epochs": -3, "score": 1}])", "the epochs are -3"},
      {R"([{"from": 0, "to": 1, "epochs": 3}])", "\"value\" is missing"},
      {R"([{"from": 0, "to": 1, "performance": [0.1, -0.5]}])", "epoch 1 is -0.5"},
      {R"([{"from": 0, "to": 1, "performance": [0.1, null]}])", "epoch 1 is null"},
      {R"([{"from": 0, "to": 1, "performance": [0.1]}])", "at least one more"},
      {R"([{"from": 0, "to": 1, "curve": {"a": 1}}])", "\"b\" is missing"},
      {R"([{"from": 0, "to": 1, "epochs": 3, "score": 1},
           {"from": "S0", "to": "S1", "epochs": 3, "score": 1}])",
       "edge 2: S0-S1 is listed twice"},
  };
  for (const auto& [text, words] : faults) {
    EXPECT_THAT(ParseEdgeScores(text, "e.json"),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words)))
        << text;
  }
}

SearchOutcome OutcomeOf(const std::vector<EdgeOutcome>& edges, const char* chosen, double value) {
  SearchOutcome outcome;
  outcome.mutable_graph()->set_pool("cs");
  outcome.mutable_graph()->set_initial("S0");
  for (const EdgeOutcome& edge : edges) *outcome.add_edges() = edge;
  outcome.mutable_plan()->add_path("S0");
  outcome.mutable_plan()->add_path(chosen);
  outcome.mutable_plan()->set_value(value);
  return outcome;
}

TEST(ReplayTest, TwoSearchesAgreeByTheRanksOfTheirEdges) {
  const SearchOutcome first =
      OutcomeOf({Found("S0", "A", 1, 0.1), Found("S0", "B", 1, 0.2), Found("S0", "C", 1, 0.3),
                 Found("A", "D", 1, 0.4), Found("B", "E", 1, 0.9)},
                "D", 0.4);
  // Ranks 1 2 3 4 against 2 1 3 4: 1 - 6 x 2 / (4 x 15).  B-E was not trained.
  SearchOutcome second =
      OutcomeOf({Found("S0", "A", 1, 0.5), Found("S0", "B", 1, 0.4), Found("S0", "C", 1, 0.6),
                 Found("A", "D", 1, 0.7), Found("C", "F", 1, 0.75)},
                "F", 0.75);
  ASSERT_OK_AND_ASSIGN(const SearchAgreement agreement, CompareSearches(first, second));
  EXPECT_EQ(agreement.all.edges, 4);
  EXPECT_NEAR(agreement.all.correlation, 0.8, 1e-12);
  EXPECT_EQ(agreement.first.edges, 3);
  EXPECT_NEAR(agreement.first.correlation, 0.5, 1e-12);
  EXPECT_EQ(agreement.chosen, "D");
  EXPECT_EQ(agreement.value_of_chosen.value_or(0), 0.7);
  EXPECT_EQ(agreement.best_value, 0.75);
  ASSERT_OK_AND_ASSIGN(const SearchAgreement same, CompareSearches(first, first));
  EXPECT_NEAR(same.all.correlation, 1, 1e-12);
  // Equal scores share a rank: 1.5 1.5 3 against 1 2 3.
  second = OutcomeOf(
      {Found("S0", "A", 1, 0.5), Found("S0", "B", 1, 0.5), Found("S0", "C", 1, 0.6)}, "C", 0.6);
  ASSERT_OK_AND_ASSIGN(const SearchAgreement ties, CompareSearches(second, first));
  EXPECT_NEAR(ties.all.correlation, std::sqrt(0.75), 1e-12);
  // A failed edge has no score.
  second.mutable_edges(2)->set_ending(EdgeOutcome::FAILED);
  ASSERT_OK_AND_ASSIGN(const SearchAgreement failed, CompareSearches(first, second));
  EXPECT_EQ(failed.all.edges, 2);
  EXPECT_EQ(failed.all.correlation, 0);
  EXPECT_FALSE(failed.value_of_chosen.has_value());
  second.clear_plan();
  EXPECT_THAT(CompareSearches(first, second).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("has no plan yet")));
}

}  // namespace
}  // namespace op3d::planner
