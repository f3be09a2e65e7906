#include "planner/search/search_progress.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/training_failure.h"
#include "planner/graphs/pool.h"

namespace op3d::planner {
namespace {

using ::testing::HasSubstr;

constexpr auto kDataLoss = absl::StatusCode::kDataLoss;

StoppingRule Rule() {
  StoppingRule rule;
  rule.set_attempt_epochs(2);
  rule.set_max_epochs_from_initial(5);
  rule.set_max_epochs(3);
  return rule;
}

JournalEntry Point(const std::string& edge, int epoch, double performance) {
  JournalEntry entry;
  entry.mutable_point()->set_edge(edge);
  entry.mutable_point()->mutable_point()->set_epoch(epoch);
  entry.mutable_point()->mutable_point()->set_performance(performance);
  return entry;
}

JournalEntry Finished(const std::string& from, const std::string& to, int epochs, double score) {
  JournalEntry entry;
  entry.mutable_finished()->set_from(from);
  entry.mutable_finished()->set_to(to);
  entry.mutable_finished()->set_epochs(epochs);
  entry.mutable_finished()->set_score(score);
  return entry;
}

JournalEntry Failed(const std::string& from, const std::string& to) {
  JournalEntry entry = Finished(from, to, 0, 0);
  entry.mutable_finished()->set_ending(EdgeOutcome::FAILED);
  entry.mutable_finished()->set_failure("the loss is nan");
  return entry;
}

TEST(SearchProgressTest, FollowsASearch) {
  ASSERT_OK_AND_ASSIGN(SearchProgress progress,
                       SearchProgress::Make(MakePool(PoolOptions()), Rule()));
  EXPECT_EQ(progress.edges_total(), 14);
  EXPECT_EQ(progress.epochs_at_worst(), 2 * 5 + 12 * 3);
  double frames = 0;
  for (size_t edge = 0; edge < progress.index().edges.size(); ++edge) {
    const auto [from, to] = progress.index().edges[edge];
    frames += (from == 0 ? 5 : 3) * FramesPerClip(progress.graph().states(to - 1));
  }
  EXPECT_EQ(progress.frames_to_go(), frames);
  EXPECT_EQ(progress.next_edge(), 0);
  EXPECT_EQ(progress.max_epochs(0), 5);
  EXPECT_EQ(progress.max_epochs(2), 3);
  JournalEntry opened;
  opened.mutable_opened()->set_process(1);
  EXPECT_THAT(progress.Apply(opened), IsOk());
  EXPECT_EQ(progress.processes(), 1);
  // Falls at once, so epoch 0 is kept.
  for (int epoch = 0; epoch <= 2; ++epoch) {
    EXPECT_THAT(progress.Apply(Point("S0-S1", epoch, 0.5 - 0.1 * epoch)), IsOk());
  }
  EXPECT_EQ(progress.epochs_trained(), 2);
  ASSERT_OK_AND_ASSIGN(const StoppingDecision decision, progress.Decide(0));
  EXPECT_TRUE(decision.stop);
  EXPECT_EQ(decision.epochs, 0);
  EXPECT_THAT(progress.Apply(Finished("S0", "S1", 0, 0.5)), IsOk());
  EXPECT_EQ(progress.edges_finished(), 1);
  EXPECT_EQ(progress.next_edge(), 1);
  EXPECT_EQ(progress.epochs_at_worst(), 2 + 5 + 12 * 3);  // three epochs were saved
  EXPECT_EQ(progress.outcomes()[0]->curve_size(), 3);
  EXPECT_EQ(progress.scores()[0]->score, 0.5);
  EXPECT_THAT(progress.Outcome(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("1 of 14 edges")));
}

// S1 -> S2 is skipped, so S2 uses the weights of S0 -> S1; S0 -> S2 is beaten.
TEST(SearchProgressTest, NeedsWeightsAsLongAsAnEdgeCanStartFromThem) {
  TransitionGraph graph = MakePool(PoolOptions());
  graph.mutable_states()->DeleteSubrange(3, graph.states_size() - 3);  // S1, S2, S3
  graph.clear_transitions();
  for (const auto& [from, to] : std::vector<std::pair<const char*, const char*>>{
           {"S0", "S1"}, {"S0", "S2"}, {"S1", "S2"}, {"S2", "S3"}}) {
    Transition* edge = graph.add_transitions();
    edge->set_from(from);
    edge->set_to(to);
  }
  graph.clear_finals();
  graph.add_finals("S3");
  ASSERT_OK_AND_ASSIGN(SearchProgress progress, SearchProgress::Make(graph, Rule()));
  const auto train = [&](const std::string& from, const std::string& to, int epochs, double score) {
    ASSERT_THAT(progress.Apply(Point(from + "-" + to, 0, 0)), IsOk());
    ASSERT_THAT(progress.Apply(Point(from + "-" + to, 1, score)), IsOk());
    ASSERT_THAT(progress.Apply(Finished(from, to, epochs, score)), IsOk());
  };
  const auto needed = [&] {
    std::vector<bool> edges;
    for (int edge = 0; edge < 4; ++edge) edges.push_back(progress.NeedsWeights(edge));
    return edges;
  };
  using testing::ElementsAre;
  EXPECT_THAT(needed(), ElementsAre(true, true, true, true));
  train("S0", "S1", 1, 0.5);
  train("S0", "S2", 1, 0.4);
  EXPECT_THAT(needed(), ElementsAre(true, true, true, true));
  train("S1", "S2", 0, 0.6);
  EXPECT_THAT(needed(), ElementsAre(true, false, false, true));
  train("S2", "S3", 1, 0.7);
  EXPECT_THAT(needed(), ElementsAre(false, false, false, true));
}

// As described in the header, state by state.
bool NeedsWeightsBySearchingAll(const SearchProgress& progress, int edge) {
  if (!progress.outcomes()[edge]) return true;
  const GraphIndex& index = progress.index();
  const auto& finals = index.finals;
  for (int node = 1; node < index.nodes; ++node) {
    if (KeptEdge(index, progress.scores(), node) != edge) continue;
    if (std::count(finals.begin(), finals.end(), node) > 0) return true;
    for (const int other : index.training_order) {
      if (index.edges[other].from == node && !progress.outcomes()[other]) return true;
    }
  }
  return false;
}

// Every edge of `graph` finishes in every order that the graph allows, with every choice of
// skipped, kept and failed ones and random scores: at every moment exactly the needed weights are
// kept.
void FinishInEveryOrder(const SearchProgress& before, std::vector<bool> there, RandomStream* stream,
                        int* ends) {
  const TransitionGraph& graph = before.graph();
  bool done = true;
  for (int edge = 0; edge < graph.transitions_size(); ++edge) {
    if (!before.Ready(edge)) continue;
    done = false;
    for (const int kind : {0, 1, 2}) {  // skipped, kept, failed
      SearchProgress progress = before;
      const Transition& ends_of = graph.transitions(edge);
      const std::string name = EdgeName(ends_of);
      ASSERT_THAT(progress.Apply(Point(name, 0, 0)), IsOk());
      ASSERT_THAT(progress.Apply(Point(name, 1, 0.5)), IsOk());
      ASSERT_THAT(progress.Apply(
                      kind == 2 ? Failed(ends_of.from(), ends_of.to())
                                : Finished(ends_of.from(), ends_of.to(), kind, stream->Uniform())),
                  IsOk());
      std::vector<bool> now = there;
      now[edge] = true;
      for (const int gone : progress.TakeUnneeded()) now[gone] = false;
      for (int other = 0; other < graph.transitions_size(); ++other) {
        const bool finished = progress.outcomes()[other].has_value();
        ASSERT_EQ(now[other], finished && NeedsWeightsBySearchingAll(progress, other))
            << EdgeName(graph.transitions(other)) << " after " << name;
      }
      FinishInEveryOrder(progress, std::move(now), stream, ends);
    }
  }
  if (done) ++*ends;
}

TransitionGraph SmallGraph(const std::vector<std::pair<const char*, const char*>>& edges,
                           int states) {
  TransitionGraph graph = MakePool(PoolOptions());
  graph.mutable_states()->DeleteSubrange(states, graph.states_size() - states);
  graph.clear_transitions();
  for (const auto& [from, to] : edges) {
    Transition* edge = graph.add_transitions();
    edge->set_from(from);
    edge->set_to(to);
  }
  graph.clear_finals();
  graph.add_finals(graph.states(states - 1).name());
  return graph;
}

TEST(SearchProgressTest, WhatIsKeptIsWhatIsNeededInAnyOrderOfFinishing) {
  const TransitionGraph graphs[] = {
      SmallGraph({{"S0", "S1"}, {"S0", "S2"}, {"S1", "S2"}}, 2),
      SmallGraph({{"S0", "S1"}, {"S1", "S2"}, {"S0", "S2"}, {"S2", "S3"}, {"S1", "S3"}}, 3),
      SmallGraph({{"S0", "S1"}, {"S0", "S2"}, {"S1", "S3"}, {"S2", "S3"}, {"S3", "S4"}}, 4)};
  RandomStream stream(1, "orders", {});
  for (const TransitionGraph& graph : graphs) {
    ASSERT_OK_AND_ASSIGN(const SearchProgress progress, SearchProgress::Make(graph, Rule()));
    int ends = 0;
    FinishInEveryOrder(progress, std::vector<bool>(graph.transitions_size()), &stream, &ends);
    EXPECT_GT(ends, 50);
  }
}

TEST(SearchProgressTest, AFailedEdgeIsNoWayIntoItsState) {
  ASSERT_OK_AND_ASSIGN(
      SearchProgress progress,
      SearchProgress::Make(
          SmallGraph({{"S0", "S1"}, {"S1", "S2"}, {"S2", "S3"}, {"S1", "S4"}, {"S0", "S4"}}, 4),
          Rule()));
  // It fails before anything was measured.  After S1 only what another edge reaches is trained.
  ASSERT_THAT(progress.Apply(Failed("S0", "S1")), IsOk());
  EXPECT_EQ(progress.edges_finished(), 4);
  EXPECT_EQ(progress.unreached().size(), 3);
  EXPECT_FALSE(progress.hopeless());
  EXPECT_EQ(progress.next_edge(), 4);
  EXPECT_EQ(progress.DescribeUnreached(1),
            "S1 is reached by no edge: S0-S1 failed; S1-S2, S1-S4 are not trained");
  EXPECT_EQ(progress.DescribeUnreached(2),
            "S2 is reached by no edge: S1-S2 was not trained; S2-S3 is not trained");
  EXPECT_THAT(progress.Apply(Point("S1-S2", 0, 0)), StatusIs(kDataLoss, HasSubstr("S1-S2")));
  ASSERT_THAT(progress.Apply(Point("S0-S4", 0, 0)), IsOk());
  ASSERT_THAT(progress.Apply(Point("S0-S4", 1, 0.5)), IsOk());
  ASSERT_THAT(progress.Apply(Finished("S0", "S4", 1, 0.5)), IsOk());
  ASSERT_OK_AND_ASSIGN(const SearchOutcome outcome, progress.Outcome());
  ASSERT_EQ(outcome.edges_size(), 5);
  EXPECT_EQ(outcome.edges(0).ending(), EdgeOutcome::FAILED);
  EXPECT_EQ(outcome.edges(0).failure(), "the loss is nan");
  EXPECT_EQ(outcome.edges(1).ending(), EdgeOutcome::UNREACHED);
  EXPECT_EQ(outcome.edges(1).failure(), "not trained: no edge reaches S1");
  EXPECT_EQ(outcome.nodes_size(), 1);
  EXPECT_THAT(outcome.unreached(), testing::SizeIs(3));
  EXPECT_THAT(outcome.plan().path(), testing::ElementsAre("S0", "S4"));
}

TEST(SearchProgressTest, WithoutAWayIntoAFinalStateThereIsNoPlan) {
  ASSERT_OK_AND_ASSIGN(
      SearchProgress progress,
      SearchProgress::Make(SmallGraph({{"S0", "S1"}, {"S1", "S3"}, {"S0", "S2"}}, 3), Rule()));
  EXPECT_FALSE(progress.hopeless());
  ASSERT_THAT(progress.Apply(Failed("S0", "S1")), IsOk());
  EXPECT_TRUE(progress.hopeless());
  EXPECT_EQ(progress.next_edge(), kNoEdge);  // S0-S2 leads nowhere
  EXPECT_THAT(progress.Outcome(),
              StatusIs(absl::StatusCode::kAborted,
                       HasSubstr("no final state (S3) is reached, so there is no plan: S0-S1: the "
                                 "loss is nan. Search with")));
  EXPECT_TRUE(TrainingFailureOf(progress.Outcome().status()));
}

TEST(SearchProgressTest, NoBoundIsNoOverflow) {
  StoppingRule rule = Rule();
  rule.set_max_epochs_from_initial(std::numeric_limits<int>::max());
  rule.set_max_epochs(std::numeric_limits<int>::max());
  ASSERT_OK_AND_ASSIGN(
      const SearchProgress progress,
      SearchProgress::Make(SmallGraph({{"S0", "S1"}, {"S1", "S2"}, {"S2", "S3"}}, 3), rule));
  EXPECT_EQ(progress.epochs_at_worst(), std::numeric_limits<int>::max());
  EXPECT_GT(progress.frames_to_go(), 3e9);
}

TEST(SearchProgressTest, NeedsTheSameWeightsAsALookAtAllStates) {
  RandomStream stream(1, "graphs", {});
  for (int round = 0; round < 200; ++round) {
    TransitionGraph graph = MakePool(PoolOptions());
    graph.clear_transitions();
    std::vector<std::string> names = {graph.initial()};
    for (const StateSettings& state : graph.states()) names.push_back(state.name());
    for (size_t to = 1; to < names.size(); ++to) {
      for (size_t from = 0; from < to; ++from) {
        if (from + 1 != to && stream.Uniform() < 0.6) continue;
        Transition* edge = graph.add_transitions();
        edge->set_from(names[from]);
        edge->set_to(names[to]);
      }
    }
    ASSERT_OK_AND_ASSIGN(SearchProgress progress, SearchProgress::Make(graph, Rule()));
    const auto check = [&] {
      for (int edge = 0; edge < graph.transitions_size(); ++edge) {
        ASSERT_EQ(progress.NeedsWeights(edge), NeedsWeightsBySearchingAll(progress, edge)) << edge;
      }
    };
    for (int edge = progress.next_edge(); edge != kNoEdge; edge = progress.next_edge()) {
      const Transition& transition = graph.transitions(edge);
      const std::string name = EdgeName(transition);
      ASSERT_THAT(progress.Apply(Point(name, 0, 0)), IsOk());
      ASSERT_THAT(progress.Apply(Point(name, 1, 0.5)), IsOk());
      const int epochs = stream.Uniform() < 0.5 ? 0 : 1;
      ASSERT_THAT(progress.Apply(Finished(transition.from(), transition.to(), epochs,
                                          static_cast<double>(stream.UniformInt(4)))),
                  IsOk());
      check();
    }
    EXPECT_EQ(progress.edges_finished(), progress.edges_total());
  }
}

// In the base graph S0-S2 is listed before S1-S2, but S1 is farther from the start.
TEST(SearchProgressTest, WaysThatRaceAreTrainedOneAfterAnother) {
  StoppingRule rule = Rule();
  rule.set_race(true);
  ASSERT_OK_AND_ASSIGN(SearchProgress progress,
                       SearchProgress::Make(MakePool(PoolOptions()), rule));
  std::vector<std::string> order;
  for (int edge = progress.next_edge(); edge != kNoEdge; edge = progress.next_edge()) {
    const Transition& ends = progress.graph().transitions(edge);
    order.push_back(EdgeName(ends));
    ASSERT_THAT(progress.Apply(Point(EdgeName(ends), 0, 0)), IsOk());
    ASSERT_THAT(progress.Apply(Point(EdgeName(ends), 1, 0.5)), IsOk());
    ASSERT_THAT(progress.Apply(Finished(ends.from(), ends.to(), 1, 0.5)), IsOk());
  }
  ASSERT_EQ(order.size(), 14);
  const auto at = [&](const char* edge) {
    return std::find(order.begin(), order.end(), edge) - order.begin();
  };
  EXPECT_LT(at("S1-S2"), at("S0-S2"));
  EXPECT_LT(at("S7-S9"), at("S8-S9"));
  EXPECT_THAT(progress.Outcome(), IsOk());
}

TEST(SearchProgressTest, RefusesWhatCannotHaveHappened) {
  ASSERT_OK_AND_ASSIGN(SearchProgress progress,
                       SearchProgress::Make(MakePool(PoolOptions()), Rule()));
  EXPECT_THAT(progress.Apply(JournalEntry()), StatusIs(kDataLoss, HasSubstr("kind")));
  EXPECT_THAT(progress.Apply(Point("S1-S2", 0, 0)),
              StatusIs(kDataLoss, HasSubstr("a point of S1-S2, which is finished, unknown, or")));
  EXPECT_THAT(progress.Apply(Point("S0-S7", 0, 0)), StatusIs(kDataLoss, HasSubstr("S0-S7")));
  EXPECT_THAT(progress.Apply(Point("S0-S1", 1, 0)),
              StatusIs(kDataLoss, HasSubstr("epoch 1 of S0-S1, where epoch 0 is due")));
  EXPECT_THAT(progress.Apply(Point("S0-S1", 0, std::numeric_limits<double>::quiet_NaN())),
              StatusIs(kDataLoss, HasSubstr("is nan")));
  EXPECT_THAT(progress.Apply(Finished("S0", "S1", 0, 0)),
              StatusIs(kDataLoss, HasSubstr("S0-S1 keeps epoch 0 of -1")));
  EXPECT_THAT(progress.Apply(Point("S0-S1", 0, 0)), IsOk());
  EXPECT_THAT(progress.Apply(Point("S0-S1", 1, 0.1)), IsOk());
  EXPECT_THAT(progress.Apply(Finished("S1", "S2", 0, 0)),
              StatusIs(kDataLoss, HasSubstr("S1-S2 is finished out of turn")));
  EXPECT_THAT(progress.Apply(Finished("S0", "S1", 2, 0)),
              StatusIs(kDataLoss, HasSubstr("keeps epoch 2 of 1")));
  JournalEntry failed = Failed("S0", "S1");
  failed.mutable_finished()->clear_failure();
  EXPECT_THAT(progress.Apply(failed), StatusIs(kDataLoss, HasSubstr("without a reason")));
}

TEST(SearchProgressTest, RefusesABadGraphOrRule) {
  EXPECT_THAT(SearchProgress::Make(TransitionGraph(), Rule()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("initial state")));
  EXPECT_THAT(SearchProgress::Make(MakePool(PoolOptions()), StoppingRule()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("attempt_epochs")));
}

}  // namespace
}  // namespace op3d::planner
