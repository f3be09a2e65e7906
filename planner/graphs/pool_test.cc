#include "planner/graphs/pool.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "op3d/base/status_macros.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "planner/graphs/transition_graph.h"
#include "planner/plans/plan_io.h"
#include "planner/testing/golden_cases.h"

namespace op3d::planner {
namespace {

PoolOptions Options(Sampling sampling, bool extended) {
  PoolOptions options;
  options.sampling = sampling;
  options.extended = extended;
  return options;
}

TEST(PoolTest, IsWhatTheShippedGraphsSay) {
  struct Shipped {
    const char* name;
    Sampling sampling;
    bool extended;
    std::array<double, 3> rates;
    int longest_stride;
  };
  for (const Shipped& expected :
       {Shipped{"base_cs", Sampling::kConsecutive, false, kLargeDatasetRates, 2},
        Shipped{"base_us", Sampling::kUniform, false, kLargeDatasetRates, 2},
        Shipped{"extended_cs", Sampling::kConsecutive, true, kLargeDatasetRates, 2},
        Shipped{"extended_us", Sampling::kUniform, true, kLargeDatasetRates, 2},
        Shipped{"base_cs_something_something", Sampling::kConsecutive, false, kLargeDatasetRates,
                1},
        Shipped{"base_cs_ucf101", Sampling::kConsecutive, false, kSmallDatasetRates, 1},
        Shipped{"base_cs_activitynet", Sampling::kConsecutive, false, kSmallDatasetRates, 2},
        Shipped{"base_us_ucf101", Sampling::kUniform, false, kSmallDatasetRates, 1}}) {
    SCOPED_TRACE(expected.name);
    PoolOptions options = Options(expected.sampling, expected.extended);
    options.rates = expected.rates;
    options.longest_stride = expected.longest_stride;
    const TransitionGraph graph = MakePool(options);
    ASSERT_OK_AND_ASSIGN(const TransitionGraph shipped, FindGraph(expected.name));
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(graph, shipped))
        << PrintTextproto(graph);
    // The listed order is an order in which it can be trained.
    ASSERT_OK_AND_ASSIGN(const GraphIndex index, IndexGraph(graph));
    for (int i = 0; i < graph.transitions_size(); ++i) EXPECT_EQ(index.training_order[i], i);
  }
}

absl::StatusOr<TransitionGraph> Published(const std::string& text) {
  TransitionGraph graph;
  EXPECT_THAT(ParseTextproto("published { " + text + " }", "text", &graph), IsOk());
  OP3D_RETURN_IF_ERROR(MakePublished(&graph));
  return graph;
}

TEST(PoolTest, IsMadeFromItsFewNumbers) {
  ASSERT_OK_AND_ASSIGN(const TransitionGraph graph,
                       Published("sampling: UNIFORM rates: [0.04, 0.03, 0.02] lower_rates: [0.25, "
                                 "0.06] batch_sizes: [16, 8, 8] clips_per_step: 16"));
  EXPECT_FALSE(graph.has_published());
  EXPECT_EQ(graph.pool(), "us");
  const StateSettings& longest = graph.states(8);
  EXPECT_EQ(longest.name(), "S18");
  EXPECT_EQ(longest.segments(), 16);
  EXPECT_EQ(longest.learning_rate(), 0.0012);
  EXPECT_EQ(longest.batch_size(), 8);
  EXPECT_EQ(longest.accumulation(), 2);
  EXPECT_EQ(graph.states(4).learning_rate(), 0.03 * 0.25);
  EXPECT_THAT(ValidateGraph(graph), IsOk());
  // A graph without `published` is not changed.
  TransitionGraph again = graph;
  ASSERT_THAT(MakePublished(&again), IsOk());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(graph, again));
}

TEST(PoolTest, NumbersThatMakeNoGraphAreNamed) {
  const std::string good = "sampling: CONSECUTIVE rates: [1, 1, 1] ";
  ASSERT_THAT(Published(good), IsOk());
  for (const auto& [text, error] : std::vector<std::pair<std::string, std::string>>{
           {"rates: [1, 1, 1]", "published.sampling is missing"},
           {"sampling: UNIFORM", "published.rates is missing"},
           {"sampling: UNIFORM rates: [1, 1]", "published.rates has 2 values; it must have 3"},
           {"sampling: UNIFORM rates: [1, 0, 1]", "published.rates is 0; it must be above 0"},
           {good + "lower_rates: 0.1", "published.lower_rates has 1 values; it must have 2"},
           {good + "lower_rates: [0.1, 1]", "published.lower_rates is 1; it must be in (0, 1)"},
           {good + "longest_stride: -1", "published.longest_stride is -1"},
           {good + "batch_sizes: [16, 0, 4]", "published.batch_sizes is 0"},
           {good + "clips_per_step: 24", "published.clips_per_step is 24; it must be a multiple"},
           {good + "clips_per_step: -16", "published.clips_per_step is -16"}}) {
    EXPECT_THAT(Published(text),
                StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr(error)));
  }
  TransitionGraph both;
  ASSERT_THAT(ParseTextproto("published { " + good + "} finals: 'S9'", "text", &both), IsOk());
  EXPECT_THAT(MakePublished(&both), StatusIs(absl::StatusCode::kInvalidArgument,
                                             testing::HasSubstr("leave one of them out")));
}

TEST(PoolTest, HasTheGoldenEdges) {
  const nlohmann::json golden = ReadGolden("plan_replay.json");
  for (const bool extended : {false, true}) {
    const auto& edges = golden[extended ? "extended_edges" : "base_edges"];
    const TransitionGraph cs = MakePool(Options(Sampling::kConsecutive, extended));
    const TransitionGraph us = MakePool(Options(Sampling::kUniform, extended));
    ASSERT_EQ(edges.size(), extended ? 18 : 14);
    ASSERT_EQ(cs.transitions_size(), edges.size());
    for (size_t i = 0; i < edges.size(); ++i) {
      const int from = edges[i][0], to = edges[i][1];
      EXPECT_EQ(cs.transitions(i).from(), "S" + std::to_string(from));
      EXPECT_EQ(cs.transitions(i).to(), "S" + std::to_string(to));
      EXPECT_EQ(us.transitions(i).from(), "S" + std::to_string(from == 0 ? 0 : from + 9));
      EXPECT_EQ(us.transitions(i).to(), "S" + std::to_string(to + 9));
    }
  }
}

TEST(PoolTest, KeepsClipsAnUpdateAt256) {
  for (const int processes : {1, 2, 4, 8, 16}) {
    PoolOptions options;
    options.processes = processes;
    const TransitionGraph graph = MakePool(options);
    for (const StateSettings& state : graph.states()) {
      EXPECT_EQ(state.batch_size() * state.accumulation() * processes, 256);
      EXPECT_EQ(state.batch_size() * FramesPerClip(state), 256);  // the same memory everywhere
      EXPECT_EQ(state.frozen_batch_norm(), FramesPerClip(state) == 64);
    }
  }
}

TEST(PoolTest, TakesTheDatasetsRatesAndStride) {
  PoolOptions options;
  options.rates = kSmallDatasetRates;
  options.longest_stride = 1;
  const TransitionGraph graph = MakePool(options);
  EXPECT_DOUBLE_EQ(graph.states(0).learning_rate(), 0.01);
  EXPECT_DOUBLE_EQ(graph.states(8).learning_rate(), 1e-5);
  EXPECT_EQ(graph.states(8).stride(), 1);
}

}  // namespace
}  // namespace op3d::planner
