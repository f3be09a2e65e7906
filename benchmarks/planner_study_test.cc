#include "benchmarks/planner_study.h"

#include <gmock/gmock.h>

#include "benchmarks/search_strategies.h"
#include "op3d/base/status_matchers.h"
#include "planner/pool.h"
#include "planner/stopping_rule.h"

namespace op3d {
namespace {

TEST(PlannerStudyTest, IsTheSameForAnyNumberOfThreads) {
  StudyOptions options;
  options.worlds = 2;
  ASSERT_OK_AND_ASSIGN(const PlannerStudy one, StudyPlanner(options));
  options.threads = 2;
  ASSERT_OK_AND_ASSIGN(const PlannerStudy two, StudyPlanner(options));
  EXPECT_EQ(FormatStudy(one), FormatStudy(two));
  EXPECT_EQ(one.rows[0].epochs_share, 1);
  EXPECT_EQ(one.rows[0].difference, 0);
  EXPECT_NE(DrawStudy(one).ToFile().find("random search"), std::string::npos);
  options.worlds = 1;
  EXPECT_THAT(StudyPlanner(options),
              StatusIs(absl::StatusCode::kInvalidArgument, ::testing::HasSubstr("got 1")));
}

TEST(PlannerStudyTest, WithoutNoiseThePlannerIsNearlyPerfect) {
  const TransitionGraph graph = MakePool(PoolOptions());
  ASSERT_OK_AND_ASSIGN(const GraphIndex index, IndexGraph(graph));
  SimulatedOptions exact;
  exact.noise = 0;
  exact.path_effect = 0;
  StoppingRule rule = PublishedRule(10);
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    const SimulatedTraining world(graph, index, seed, exact);
    const BestWay best = FindBestWay(world);
    ASSERT_OK_AND_ASSIGN(const Found found, PlanSearch(world, rule, 1));
    EXPECT_LE(found.value, best.value + 1e-12);  // nothing is better than all ways tried
    EXPECT_NEAR(found.value, best.value, 2e-3);
  }
}

TEST(PlannerStudyTest, OtherStrategiesKeepToTheBudget) {
  const TransitionGraph graph = MakePool(PoolOptions());
  ASSERT_OK_AND_ASSIGN(const GraphIndex index, IndexGraph(graph));
  const SimulatedTraining world(graph, index, 5, SimulatedOptions());
  const double best = FindBestWay(world).value;
  constexpr int64_t kBudget = 10000, kOneEpoch = 64;
  for (const auto& search : {RandomSearch, SuccessiveHalving, PopulationBasedTraining}) {
    const Found found = search(world, kBudget, 3);
    EXPECT_GE(found.frames, kBudget);
    EXPECT_LT(found.frames, kBudget + kOneEpoch);
    EXPECT_GT(found.value, 0.3);
    EXPECT_LT(found.value, best + 0.01);
    EXPECT_FALSE(found.trained.empty());
  }
}

}  // namespace
}  // namespace op3d
