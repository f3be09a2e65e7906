#include "planner/graphs/transition_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"
#include "planner/testing/golden_cases.h"

namespace op3d::planner {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// States S1 .. S<states> and the edges between numbers, 0 = the initial state.
TransitionGraph MakeGraph(int states, const std::vector<std::pair<int, int>>& edges,
                          const std::vector<int>& finals) {
  TransitionGraph graph;
  graph.set_initial("S0");
  for (int number = 1; number <= states; ++number) {
    StateSettings* state = graph.add_states();
    state->set_name(absl::StrCat("S", number));
    state->set_segments(1);
    state->set_frames_per_segment(16);
    state->set_stride(1);
    state->set_learning_rate(0.1);
    state->set_batch_size(2);
    state->set_accumulation(1);
  }
  for (const auto& edge : edges) {
    Transition* transition = graph.add_transitions();
    transition->set_from(absl::StrCat("S", edge.first));
    transition->set_to(absl::StrCat("S", edge.second));
  }
  for (int final : finals) graph.add_finals(absl::StrCat("S", final));
  return graph;
}

TEST(TransitionGraphTest, NumbersStatesAndEdges) {
  const TransitionGraph graph = MakeGraph(3, {{0, 1}, {0, 2}, {1, 3}, {2, 3}}, {3});
  EXPECT_THAT(ValidateGraph(graph), IsOk());
  ASSERT_OK_AND_ASSIGN(const GraphIndex index, IndexGraph(graph));
  EXPECT_EQ(index.nodes, 4);
  EXPECT_THAT(index.finals, ElementsAre(3));
  EXPECT_THAT(index.incoming[3], ElementsAre(2, 3));
  EXPECT_THAT(index.training_order, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(NodeName(graph, 0), "S0");
  EXPECT_EQ(NodeName(graph, 2), "S2");
  EXPECT_EQ(EdgeName(graph.transitions(2)), "S1-S3");
}

TEST(TransitionGraphTest, MovesAnEdgeOnlyBehindTheEdgesIntoItsSource) {
  const TransitionGraph graph = MakeGraph(3, {{2, 3}, {1, 2}, {0, 1}, {0, 2}}, {3});
  ASSERT_OK_AND_ASSIGN(const GraphIndex index, IndexGraph(graph));
  EXPECT_THAT(index.training_order, ElementsAre(2, 1, 3, 0));
}

TEST(TransitionGraphTest, OrderIsTopologicalForRandomGraphs) {
  for (int round = 0; round < 500; ++round) {
    RandomStream stream(1, "order", {round});
    const int states = 2 + static_cast<int>(stream.UniformInt(8));
    const std::vector<int64_t> rank = stream.Permutation(states);
    std::vector<std::pair<int, int>> edges = {{0, 1}};
    for (int i = 1; i <= states; ++i) {
      for (int j = 1; j <= states; ++j) {
        if (rank[i - 1] < rank[j - 1] && stream.Bernoulli(0.4)) edges.push_back({i, j});
      }
    }
    ASSERT_OK_AND_ASSIGN(const GraphIndex index, IndexGraph(MakeGraph(states, edges, {1})));
    std::vector<int> place(edges.size(), -1);
    for (size_t i = 0; i < index.training_order.size(); ++i) place[index.training_order[i]] = i;
    for (size_t edge = 0; edge < edges.size(); ++edge) {
      EXPECT_EQ(place[edge] >= 0, index.reachable[edges[edge].first]);
      if (place[edge] < 0) continue;
      for (int before : index.incoming[edges[edge].first]) EXPECT_LT(place[before], place[edge]);
    }
  }
}

TEST(TransitionGraphTest, PrintsTheCycle) {
  EXPECT_THAT(IndexGraph(MakeGraph(4, {{0, 1}, {1, 2}, {2, 3}, {3, 2}, {3, 4}}, {4})),
              StatusIs(kInvalid, AllOf(HasSubstr("cycle"), HasSubstr("S2 -> S3 -> S2"))));
  EXPECT_THAT(IndexGraph(MakeGraph(2, {{0, 1}, {1, 1}, {1, 2}}, {2})),
              StatusIs(kInvalid, HasSubstr("S1 -> S1")));
}

TEST(TransitionGraphTest, RefusesTheGoldenInvalidGraphs) {
  const json golden = ReadGolden("planning_cases.json");
  ASSERT_EQ(golden["invalid_graphs"].size(), 6);
  for (const json& one : golden["invalid_graphs"]) {
    SCOPED_TRACE(one["name"].get<std::string>());
    std::vector<std::pair<int, int>> edges;
    int states = 0;
    for (const json& edge : one["edges"]) {
      edges.push_back({edge[0].get<int>(), edge[1].get<int>()});
      states = std::max({states, edges.back().first, edges.back().second});
    }
    EXPECT_THAT(IndexGraph(MakeGraph(states, edges, one["finals"].get<std::vector<int>>())),
                StatusIs(kInvalid, HasSubstr("")));
  }
}

TEST(TransitionGraphTest, NamesTheEdgeOrState) {
  EXPECT_THAT(IndexGraph(MakeGraph(2, {{0, 1}, {1, 7}}, {1})),
              StatusIs(kInvalid, AllOf(HasSubstr("S1-S7"), HasSubstr("\"S7\""))));
  EXPECT_THAT(IndexGraph(MakeGraph(2, {{0, 1}, {1, 0}}, {1})),
              StatusIs(kInvalid, AllOf(HasSubstr("S1-S0"), HasSubstr("initial"))));
  EXPECT_THAT(IndexGraph(MakeGraph(2, {{0, 1}, {0, 1}}, {1})),
              StatusIs(kInvalid, AllOf(HasSubstr("S0-S1"), HasSubstr("twice"))));
  EXPECT_THAT(IndexGraph(MakeGraph(2, {{0, 1}}, {})),
              StatusIs(kInvalid, HasSubstr("no final state")));
  EXPECT_THAT(IndexGraph(MakeGraph(2, {{0, 1}}, {9})), StatusIs(kInvalid, HasSubstr("\"S9\"")));
  EXPECT_THAT(IndexGraph(MakeGraph(2, {{0, 1}}, {0})), StatusIs(kInvalid, HasSubstr("S0")));
  EXPECT_THAT(IndexGraph(MakeGraph(2, {{0, 1}}, {1, 1})), StatusIs(kInvalid, HasSubstr("twice")));
  EXPECT_THAT(IndexGraph(MakeGraph(2, {{0, 1}}, {2})),
              StatusIs(kInvalid, HasSubstr("(S2) can be reached")));
}

TEST(TransitionGraphTest, AnUnreachableStateIsOnlyRefusedInWrittenGraphs) {
  const TransitionGraph graph = MakeGraph(3, {{0, 1}, {2, 1}, {1, 3}}, {3});
  ASSERT_OK_AND_ASSIGN(const GraphIndex index, IndexGraph(graph));
  EXPECT_FALSE(index.reachable[2]);
  EXPECT_THAT(index.training_order, ElementsAre(0, 2));
  EXPECT_THAT(ValidateGraph(graph), StatusIs(kInvalid, HasSubstr("the state S2")));
}

TEST(TransitionGraphTest, RefusesUnusableNames) {
  for (const char* name : {"", "S 1", "a/b", "..", "S1-S2", "\n"}) {
    TransitionGraph graph = MakeGraph(2, {{0, 1}}, {1});
    graph.mutable_states(1)->set_name(name);
    EXPECT_THAT(IndexGraph(graph), StatusIs(kInvalid, HasSubstr("states[1]"))) << name;
  }
  TransitionGraph graph = MakeGraph(2, {{0, 1}}, {1});
  graph.mutable_states(1)->set_name("S1");
  EXPECT_THAT(IndexGraph(graph), StatusIs(kInvalid, HasSubstr("two states are called S1")));
  graph.mutable_states(1)->set_name("S0");
  EXPECT_THAT(IndexGraph(graph), StatusIs(kInvalid, HasSubstr("initial")));
  graph.clear_initial();
  EXPECT_THAT(IndexGraph(graph), StatusIs(kInvalid, HasSubstr("initial state has no name")));
}

TEST(TransitionGraphTest, RefusesNumbersOutOfRange) {
  const StateSettings good = MakeGraph(1, {{0, 1}}, {1}).states(0);
  EXPECT_THAT(ValidateState(good), IsOk());
  EXPECT_EQ(FramesPerClip(good), 16);
  const auto refused = [&good](auto change, const char* field) {
    StateSettings state = good;
    change(&state);
    EXPECT_THAT(ValidateState(state),
                StatusIs(kInvalid, AllOf(HasSubstr("state S1"), HasSubstr(field))));
  };
  refused([](StateSettings* s) { s->set_segments(0); }, "segments is 0");
  refused([](StateSettings* s) { s->set_frames_per_segment(-1); }, "frames_per_segment is -1");
  refused([](StateSettings* s) { s->set_stride(0); }, "stride is 0");
  refused([](StateSettings* s) { s->set_learning_rate(0); }, "learning_rate is 0");
  refused([](StateSettings* s) { s->set_learning_rate(std::nan("")); }, "learning_rate is nan");
  refused([](StateSettings* s) { s->set_batch_size(0); }, "batch_size is 0");
  refused([](StateSettings* s) { s->set_accumulation(0); }, "accumulation is 0");
  refused([](StateSettings* s) { s->set_segments(2147483647); }, "spans more than");
}

}  // namespace
}  // namespace op3d::planner
