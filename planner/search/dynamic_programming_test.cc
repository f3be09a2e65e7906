#include "planner/search/dynamic_programming.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"
#include "planner/testing/golden_cases.h"

namespace op3d::planner {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Nodes 0 .. nodes - 1; edges in an order in which they can be trained.
GraphIndex MakeIndex(int nodes, const std::vector<GraphIndex::Edge>& edges,
                     const std::vector<int>& finals) {
  GraphIndex graph;
  graph.nodes = nodes;
  graph.edges = edges;
  graph.finals = finals;
  graph.incoming.resize(nodes);
  graph.reachable.assign(nodes, false);
  graph.reachable[0] = true;
  for (size_t i = 0; i < edges.size(); ++i) {
    graph.incoming[edges[i].to].push_back(static_cast<int>(i));
    if (!graph.reachable[edges[i].from]) continue;
    graph.reachable[edges[i].to] = true;
    graph.training_order.push_back(static_cast<int>(i));
  }
  return graph;
}

// The path that led to the weights of `node`: back along the winners.
std::vector<int> PathTo(const GraphIndex& graph, const EdgeScores& scores, int node) {
  std::vector<int> path = {node};
  while (node != 0) {
    node = graph.edges[WinningEdge(graph, scores, node)].from;
    path.push_back(node);
  }
  std::reverse(path.begin(), path.end());
  return path;
}

// Trains as a search does: `outcome` is the result of an edge after the path to its source.
template <typename Outcome>
EdgeScores Train(const GraphIndex& graph, const Outcome& outcome) {
  EdgeScores scores(graph.edges.size());
  for (int edge : graph.training_order) {
    std::vector<int> path = PathTo(graph, scores, graph.edges[edge].from);
    path.push_back(graph.edges[edge].to);
    scores[edge] = outcome(path);
  }
  return scores;
}

TEST(DynamicProgrammingTest, PlansTheGoldenCases) {
  const json golden = ReadGolden("planning_cases.json");
  ASSERT_EQ(golden["cases"].size(), 27);
  for (const json& one : golden["cases"]) {
    SCOPED_TRACE(one["name"].get<std::string>());
    ASSERT_EQ(one["start"].get<int>(), 0);
    std::vector<GraphIndex::Edge> edges;
    for (const json& edge : one["edges"]) {
      edges.push_back({edge[0].get<int>(), edge[1].get<int>()});
    }
    const int nodes = 1 + one["states"].back().get<int>();
    const GraphIndex graph = MakeIndex(nodes, edges, one["finals"].get<std::vector<int>>());
    std::map<std::vector<int>, EdgeScore> outcomes;
    for (const json& outcome : one["outcomes"]) {
      outcomes[outcome["path"].get<std::vector<int>>()] = {outcome["epochs"].get<int>(),
                                                           outcome["score"].get<double>()};
    }
    const EdgeScores scores = Train(graph, [&outcomes](const std::vector<int>& path) {
      EXPECT_TRUE(outcomes.count(path)) << "an outcome that is not to be looked up";
      return outcomes[path];
    });
    const json& expect = one["expect"];
    EXPECT_EQ(graph.training_order.size(), expect["edges_trained"].get<size_t>());
    for (const json& node : expect["unreachable_states"]) EXPECT_FALSE(graph.reachable[node]);

    const auto path = FindBestPath(graph, scores);
    if (expect["plan"].is_null()) {
      EXPECT_THAT(path, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no plan")));
      continue;
    }
    ASSERT_THAT(path, IsOk());
    EXPECT_EQ(path->nodes, expect["best_path"].get<std::vector<int>>());
    EXPECT_EQ(path->value, expect["value"].get<double>());
    json plan = json::array();
    for (size_t i = 0; i < path->edges.size(); ++i) {
      const int epochs = scores[path->edges[i]]->epochs;
      if (epochs > 0) plan.push_back({{"state", path->nodes[i + 1]}, {"epochs", epochs}});
    }
    EXPECT_EQ(plan, expect["plan"]);
    int epochs = 0;
    for (int edge : graph.training_order) epochs += scores[edge]->epochs;
    EXPECT_EQ(epochs, expect["sum_of_knee_epochs"].get<int>());
    for (const auto& state : expect["state_scores"].items()) {
      const int winner = WinningEdge(graph, scores, std::stoi(state.key()));
      EXPECT_EQ(scores[winner]->score, state.value().get<double>()) << state.key();
    }
  }
}

// The recurrence as it is defined, without memory: trains all edges before `node` again every time.
struct Way {
  bool found = false;
  double score = 0;
  std::vector<int> path;
};

template <typename Outcome>
Way BestWay(const GraphIndex& graph, int node, const Outcome& outcome) {
  Way best;
  if (node == 0) return {true, 0, {0}};
  for (const GraphIndex::Edge& edge : graph.edges) {
    if (edge.to != node) continue;
    Way way = BestWay(graph, edge.from, outcome);
    if (!way.found) continue;
    way.path.push_back(node);
    way.score = outcome(way.path).score;
    if (!best.found || way.score > best.score) best = way;
  }
  return best;
}

TEST(DynamicProgrammingTest, IsTheRecurrenceOnRandomGraphs) {
  int ties = 0, unplanned = 0;
  for (int round = 0; round < 4000; ++round) {
    RandomStream stream(1, "graph", {round});
    const int nodes = 2 + static_cast<int>(stream.UniformInt(6));
    std::vector<GraphIndex::Edge> edges;
    for (int to = 1; to < nodes; ++to) {
      for (int64_t from : stream.Permutation(to)) {
        if (stream.Bernoulli(0.6)) edges.push_back({static_cast<int>(from), to});
      }
    }
    std::vector<int> finals = {nodes - 1};
    if (nodes > 2 && stream.Bernoulli(0.3)) finals.insert(finals.begin(), nodes - 2);
    const GraphIndex graph = MakeIndex(nodes, edges, finals);
    // Outcomes depend on the whole path; there are few different scores, so that there are ties.
    const auto outcome = [round](const std::vector<int>& path) {
      uint64_t name = 0;
      for (int node : path) name = name * 31 + static_cast<uint64_t>(node) + 1;
      RandomStream draw(static_cast<uint64_t>(round), "outcome", {static_cast<int64_t>(name)});
      return EdgeScore{static_cast<int>(draw.UniformInt(4)),
                       static_cast<double>(draw.UniformInt(8)) / 8};
    };
    const EdgeScores scores = Train(graph, outcome);
    Way best;
    for (int node : finals) {
      const Way way = BestWay(graph, node, outcome);
      if (way.found && best.found && way.score == best.score) ++ties;
      if (way.found && (!best.found || way.score > best.score)) best = way;
    }
    const auto path = FindBestPath(graph, scores);
    ASSERT_EQ(path.ok(), best.found);
    if (!best.found) {
      ++unplanned;
      continue;
    }
    ASSERT_EQ(path->nodes, best.path) << "round " << round;
    ASSERT_EQ(path->value, best.score);
    for (size_t i = 0; i < path->edges.size(); ++i) {
      EXPECT_EQ(graph.edges[path->edges[i]].from, path->nodes[i]);
      EXPECT_EQ(graph.edges[path->edges[i]].to, path->nodes[i + 1]);
    }
  }
  EXPECT_GT(ties, 50);
  EXPECT_GT(unplanned, 50);
}

TEST(DynamicProgrammingTest, WeightsOfSkippedStatesAreTheirSources) {
  const GraphIndex graph = MakeIndex(5, {{0, 1}, {1, 2}, {2, 3}, {3, 4}}, {4});
  const EdgeScores scores = {EdgeScore{5, 0.5}, EdgeScore{0, 0.5}, EdgeScore{0, 0.6},
                             EdgeScore{2, 0.7}};
  EXPECT_EQ(KeptEdge(graph, scores, 0), kNoEdge);
  EXPECT_EQ(KeptEdge(graph, scores, 1), 0);
  EXPECT_EQ(KeptEdge(graph, scores, 2), 0);
  EXPECT_EQ(KeptEdge(graph, scores, 3), 0);
  EXPECT_EQ(KeptEdge(graph, scores, 4), 3);
  const EdgeScores nothing = {EdgeScore{0, 0.1}, EdgeScore{0, 0.1}, std::nullopt, std::nullopt};
  EXPECT_EQ(KeptEdge(graph, nothing, 2), kNoEdge);
  EXPECT_EQ(WinningEdge(graph, nothing, 3), kNoEdge);
}

TEST(DynamicProgrammingTest, TiesGoToTheFirstListed) {
  const GraphIndex graph = MakeIndex(4, {{0, 1}, {0, 2}, {2, 3}, {1, 3}}, {3});
  const EdgeScores scores(4, EdgeScore{1, 0.5});
  ASSERT_OK_AND_ASSIGN(const BestPath path, FindBestPath(graph, scores));
  EXPECT_THAT(path.nodes, ElementsAre(0, 2, 3));
  EXPECT_THAT(path.edges, ElementsAre(1, 2));
}

TEST(DynamicProgrammingTest, RefusesScoresThatAreNone) {
  const GraphIndex graph = MakeIndex(3, {{0, 1}, {1, 2}}, {2});
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(FindBestPath(graph, EdgeScores(1)),
              StatusIs(kInvalid, HasSubstr("1 scores for a graph of 2 edges")));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(FindBestPath(graph, EdgeScores{EdgeScore{1, nan}, EdgeScore{1, 0.5}}),
              StatusIs(kInvalid, HasSubstr("edge 0 is nan")));
  EXPECT_THAT(FindBestPath(graph, EdgeScores{EdgeScore{-1, 0.1}, EdgeScore{1, 0.5}}),
              StatusIs(kInvalid, HasSubstr("kept -1 epochs")));
  EXPECT_THAT(FindBestPath(graph, EdgeScores{std::nullopt, EdgeScore{1, 0.5}}),
              StatusIs(kInvalid, HasSubstr("no scored edge leads to")));
}

}  // namespace
}  // namespace op3d::planner
