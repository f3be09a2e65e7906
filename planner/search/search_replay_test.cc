// Searches over scripted curves must find the released plans.
#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "planner/graphs/pool.h"
#include "planner/knee/performance_curve.h"
#include "planner/search/search.h"
#include "planner/testing/golden_cases.h"
#include "planner/testing/scripted_runner.h"

namespace op3d::planner {
namespace {

using nlohmann::json;

struct ScriptedEdge {
  int knee = 0;
  PerformanceCurve curve;
};

std::map<std::string, ScriptedEdge> ReadEdges(const json& search) {
  std::map<std::string, ScriptedEdge> edges;
  for (const json& edge : search["edges"]) {  // from, to, knee, a, b, c, d, e
    Transition transition;
    transition.set_from("S" + std::to_string(edge[0].get<int>()));
    transition.set_to("S" + std::to_string(edge[1].get<int>()));
    edges[EdgeName(transition)] = {edge[2], {edge[3], edge[4], edge[5], edge[6], edge[7]}};
  }
  return edges;
}

void Replay(const json& run, bool extended) {
  const json& search = run[extended ? "extended" : "base"]["search"];
  const std::map<std::string, ScriptedEdge> edges = ReadEdges(search);
  PoolOptions pool;
  pool.sampling = run["pool"] == "cs" ? Sampling::kConsecutive : Sampling::kUniform;
  pool.extended = extended;
  StoppingRule rule;
  rule.set_attempt_epochs(10);
  rule.set_max_epochs_from_initial(100000);  // the released search has no bound
  rule.set_max_epochs(100000);
  ScriptedRunner runner([&edges](const EdgeTask& task, int epoch) {
    return Evaluate(edges.at(task.name()).curve, epoch);
  });
  SearchOptions options;
  options.folder = TestFolder(run["run"].get<std::string>() + (extended ? "x" : "b"));
  ASSERT_OK_AND_ASSIGN(const SearchOutcome outcome, Search(MakePool(pool), rule, &runner, options));

  EXPECT_EQ(runner.trained, search["epochs_trained"].get<int>());
  ASSERT_EQ(outcome.edges_size(), edges.size());
  for (const EdgeOutcome& edge : outcome.edges()) {
    EXPECT_EQ(edge.epochs(), edges.at(edge.from() + "-" + edge.to()).knee);
    EXPECT_EQ(edge.ending(), EdgeOutcome::KNEE_PASSED);
  }
  const Plan& plan = outcome.plan();
  EXPECT_NEAR(plan.value(), search["value"].get<double>(), 1e-6);
  ASSERT_EQ(plan.path_size(), search["path"].size());
  for (int i = 0; i < plan.path_size(); ++i) {
    EXPECT_EQ(plan.path(i), "S" + std::to_string(search["path"][i].get<int>()));
  }
  ASSERT_EQ(plan.steps_size(), search["plan"].size());
  for (int i = 0; i < plan.steps_size(); ++i) {
    const json& step = search["plan"][i];
    EXPECT_EQ(plan.steps(i).state().name(), "S" + std::to_string(step["state"].get<int>()));
    EXPECT_EQ(plan.steps(i).epochs(), step["epochs"].get<int>());
  }
}

TEST(SearchReplayTest, GivesTheReleasedPlansBack) {
  const json golden = ReadGolden("plan_replay.json");
  int searches = 0;
  for (const json& run : golden["runs"]) {
    for (const bool extended : {false, true}) {
      if (!run[extended ? "extended" : "base"].contains("search")) continue;
      SCOPED_TRACE(testing::Message() << run["run"] << (extended ? ", extended" : ", base"));
      Replay(run, extended);
      ++searches;
    }
  }
  EXPECT_EQ(searches, 13);
}

}  // namespace
}  // namespace op3d::planner
