#include "planner/runner/search_cost.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "planner/graphs/pool.h"

namespace op3d::planner {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Answers every estimate with the same numbers, and counts the requests in a file.
std::string Answering(const std::string& counter) {
  return absl::StrCat(
      "sh -c 'while read -r line; do echo x >> ", counter,
      "; epoch=${line#*epoch\\\":}; epoch=${epoch%%,*}; "
      "echo \"{\\\"epoch\\\": $epoch, \\\"clips\\\": 100, \\\"train_seconds\\\": 9, "
      "\\\"measure_seconds\\\": 1, \\\"memory_bytes\\\": 5000, \\\"training_bytes\\\": 700, "
      "\\\"kept_bytes\\\": 10}\"; done'");
}

SearchRequest Request(const std::string& runner) {
  SearchRequest request;
  *request.add_graphs() = MakePool(PoolOptions());
  request.mutable_rule()->set_attempt_epochs(4);
  request.mutable_rule()->set_max_epochs_from_initial(20);
  request.mutable_rule()->set_max_epochs(8);
  request.set_runner(runner);
  request.set_runner_folder(".");
  return request;
}

TEST(SearchCostTest, AddsUpWhatTheRunnerSays) {
  const std::string folder = TestFolder("asked");
  const std::string counter = JoinPath(folder, "requests");
  const SearchRequest request = Request(Answering(counter));
  ChildSearchOptions options;
  options.folder = JoinPath(folder, "search");
  ASSERT_OK_AND_ASSIGN(const SearchCost one, EstimateSearch(request, options, 7));
  EXPECT_EQ(one.unknown, "");
  // 2 edges of 20 epochs, 12 of 8 and a measurement before them; an epoch takes 10 s.
  EXPECT_DOUBLE_EQ(one.worst_seconds, 2 * 200 + 12 * 81);
  EXPECT_DOUBLE_EQ(one.worst_wall_seconds, one.worst_seconds);
  EXPECT_DOUBLE_EQ(one.expected_seconds, one.worst_seconds);  // the bounds come first
  EXPECT_EQ(one.disk_bytes, 700 + 10 * one.pools[0].work.weights_at_once);
  EXPECT_EQ(one.memory_bytes, 5000);
  EXPECT_FALSE(FolderExists(options.folder));
  // Three lengths of clip, and different settings for the first edges.
  ASSERT_OK_AND_ASSIGN(const std::string requests, ReadFile(counter));
  EXPECT_EQ(requests, "x\nx\nx\nx\nx\n");

  options.jobs = 2;
  options.keep_all_weights = true;
  ASSERT_OK_AND_ASSIGN(const SearchCost two, EstimateSearch(request, options, 7));
  EXPECT_DOUBLE_EQ(two.worst_seconds, one.worst_seconds);
  EXPECT_GE(two.worst_wall_seconds, one.worst_seconds / 2);
  EXPECT_LT(two.worst_wall_seconds, one.worst_seconds);
  EXPECT_EQ(two.disk_bytes, 2 * 700 + 14 * 10);
  EXPECT_EQ(two.memory_bytes, 2 * 5000);
  EXPECT_THAT(FormatCost(two), AllOf(HasSubstr("epochs: 56 at least, 136 expected, 136 at worst"),
                                     HasSubstr("clips: 13600 expected"), HasSubstr("with 2 jobs")));
}

TEST(SearchCostTest, AChainTakesAsLongWithManyJobsAsWithOne) {
  SearchRequest request = Request(Answering("/dev/null"));
  TransitionGraph& graph = *request.mutable_graphs(0);
  graph.mutable_states()->DeleteSubrange(2, graph.states_size() - 2);
  graph.clear_transitions();
  for (int i = 0; i < 2; ++i) {
    Transition& transition = *graph.add_transitions();
    transition.set_from(i == 0 ? graph.initial() : graph.states(0).name());
    transition.set_to(graph.states(i).name());
  }
  graph.clear_finals();
  graph.add_finals(graph.states(1).name());
  ChildSearchOptions options;
  options.jobs = 8;
  ASSERT_OK_AND_ASSIGN(const SearchCost cost, EstimateSearch(request, options, 1));
  EXPECT_DOUBLE_EQ(cost.worst_wall_seconds, 200 + 81);
}

TEST(SearchCostTest, CountsWithoutWhatTheRunnerDoesNotSay) {
  const ChildSearchOptions options;
  for (const char* runner :
       {"", "sh -c 'exit 3'",
        "sh -c 'while read -r l; do echo \"{\\\"error\\\": \\\"what?\\\"}\"; done'",
        "sh -c 'while read -r l; do echo \"{\\\"epoch\\\": 20}\"; done'"}) {
    ASSERT_OK_AND_ASSIGN(const SearchCost cost, EstimateSearch(Request(runner), options, 7));
    EXPECT_NE(cost.unknown, "") << runner;
    EXPECT_THAT(FormatCost(cost), AllOf(HasSubstr(absl::StrCat("clips: ", 136 * 7, " expected")),
                                        HasSubstr("time, disk and memory are not known: ")));
  }
}

TEST(SearchCostTest, TheExampleSaysWhatItTakes) {
  const std::string example = absl::StrCat("python3 ", *RunfilePath("planner/example/train.py"));
  ASSERT_OK_AND_ASSIGN(const SearchCost cost,
                       EstimateSearch(Request(example), ChildSearchOptions(), 7));
  EXPECT_EQ(cost.unknown, "");
  EXPECT_GT(cost.expected_seconds, 0);
  EXPECT_EQ(cost.pools[0].edges[0]->clips(), 60);
}

TEST(SearchCostTest, RefusesABadGraph) {
  SearchRequest request = Request("");
  request.mutable_graphs(0)->clear_finals();
  EXPECT_THAT(EstimateSearch(request, ChildSearchOptions(), 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no final state")));
}

}  // namespace
}  // namespace op3d::planner
