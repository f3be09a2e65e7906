#include "planner/pool.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "op3d/base/bazel.h"
#include "op3d/base/status_matchers.h"
#include "op3d/base/textproto.h"
#include "planner/golden_cases.h"
#include "planner/transition_graph.h"

namespace op3d {
namespace {

PoolOptions Options(Sampling sampling, bool extended) {
  PoolOptions options;
  options.sampling = sampling;
  options.extended = extended;
  return options;
}

TEST(PoolTest, IsWhatTheShippedGraphsSay) {
  for (const Sampling sampling : {Sampling::kConsecutive, Sampling::kUniform}) {
    for (const bool extended : {false, true}) {
      const TransitionGraph graph = MakePool(Options(sampling, extended));
      const std::string file = std::string("planner/graphs/") + (extended ? "extended_" : "base_") +
                               graph.pool() + ".textproto";
      SCOPED_TRACE(file);
      ASSERT_OK_AND_ASSIGN(const std::string path, RunfilePath(file));
      TransitionGraph shipped;
      ASSERT_THAT(ReadTextproto(path, &shipped), IsOk());
      EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(graph, shipped))
          << PrintTextproto(graph);
      EXPECT_THAT(ValidateGraph(graph), IsOk());
      // Listed in an order in which it can be trained.
      ASSERT_OK_AND_ASSIGN(const GraphIndex index, IndexGraph(graph));
      for (int i = 0; i < graph.transitions_size(); ++i) EXPECT_EQ(index.training_order[i], i);
    }
  }
}

TEST(PoolTest, TheGraphsOfOtherDatasetsDifferInRatesAndStride) {
  struct Shipped {
    const char* name;
    Sampling sampling;
    std::array<double, 3> rates;
    int longest_stride;
  };
  for (const Shipped& expected :
       {Shipped{"base_cs_something_something", Sampling::kConsecutive, kLargeDatasetRates, 1},
        Shipped{"base_cs_ucf101", Sampling::kConsecutive, kSmallDatasetRates, 1},
        Shipped{"base_cs_activitynet", Sampling::kConsecutive, kSmallDatasetRates, 2},
        Shipped{"base_us_ucf101", Sampling::kUniform, kSmallDatasetRates, 1}}) {
    SCOPED_TRACE(expected.name);
    PoolOptions options = Options(expected.sampling, false);
    options.rates = expected.rates;
    options.longest_stride = expected.longest_stride;
    const TransitionGraph graph = MakePool(options);
    ASSERT_OK_AND_ASSIGN(const std::string path, RunfilePath(std::string("planner/graphs/") +
                                                             expected.name + ".textproto"));
    TransitionGraph shipped;
    ASSERT_THAT(ReadTextproto(path, &shipped), IsOk());
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(graph, shipped))
        << PrintTextproto(graph);
  }
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
    for (const State& state : graph.states()) {
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
}  // namespace op3d
