#include "planner/plans/search_work.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "planner/graphs/pool.h"
#include "planner/plans/plan_io.h"

namespace op3d::planner {
namespace {

using ::testing::HasSubstr;

TEST(SearchWorkTest, CountsTheBasePool) {
  StoppingRule rule;
  rule.set_attempt_epochs(4);
  rule.set_max_epochs_from_initial(20);
  rule.set_max_epochs(8);
  ASSERT_OK_AND_ASSIGN(const SearchWork work, EstimateWork(MakePool(PoolOptions()), rule));
  ASSERT_EQ(work.edges.size(), 14);
  EXPECT_EQ(work.edges[0].max_epochs, 20);
  EXPECT_EQ(work.edges[0].frames_per_clip, 16);
  EXPECT_EQ(work.edges[13].max_epochs, 8);
  EXPECT_EQ(work.edges[13].frames_per_clip, 64);
  EXPECT_EQ(work.max_epochs, 2 * 20 + 12 * 8);
  EXPECT_EQ(work.min_epochs, 14 * 4);
  EXPECT_EQ(work.measurements, 12);
  // Edges into 16 frames: S1 (from S0), S3, S6; 32: S2 (S0, S1), S5 (x2), S8 (x2); 64: five.
  EXPECT_EQ(work.max_frames, 20 * 16 + 2 * 8 * 16 + 20 * 32 + 5 * 8 * 32 + 5 * 8 * 64);
  EXPECT_EQ(work.min_frames, 4 * (3 * 16 + 6 * 32 + 5 * 64));
}

TEST(SearchWorkTest, ExpectsTheKneesOfTheReleasedPlans) {
  ASSERT_OK_AND_ASSIGN(const std::string folder, RunfilePath("planner/plans"));
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> names, ListFolder(folder));
  double first = 0, later = 0;
  int plans = 0, steps = 0;
  for (const std::string& name : names) {
    if (name.find(".textproto") == std::string::npos) continue;
    ASSERT_OK_AND_ASSIGN(const Plan plan, ReadPlan(JoinPath(folder, name)));
    ++plans;
    first += plan.steps(0).epochs();
    for (int i = 1; i < plan.steps_size(); ++i, ++steps) later += plan.steps(i).epochs();
  }
  ASSERT_EQ(plans, 9);
  EXPECT_NEAR(first / plans, kReleasedKneeFromInitial, 0.5);
  EXPECT_NEAR(later / steps, kReleasedKnee, 0.5);

  StoppingRule rule;
  rule.set_attempt_epochs(10);
  rule.set_max_epochs_from_initial(200);
  rule.set_max_epochs(100);
  ASSERT_OK_AND_ASSIGN(const SearchWork work, EstimateWork(MakePool(PoolOptions()), rule));
  EXPECT_EQ(work.expected_epochs, 2 * 66 + 12 * 33);
  EXPECT_EQ(work.expected_frames, 66 * (16 + 32) + 33 * (2 * 16 + 5 * 32 + 5 * 64));
  // If the bound is reached earlier, it is the expected end of the edge.
  rule.set_max_epochs(20);
  ASSERT_OK_AND_ASSIGN(const SearchWork bounded, EstimateWork(MakePool(PoolOptions()), rule));
  EXPECT_EQ(bounded.expected_epochs, 2 * 66 + 12 * 20);
}

TEST(SearchWorkTest, CountsTheWeightsThatAreHeldAtOnce) {
  // A chain keeps the weights to start from and those just trained.
  TransitionGraph chain = MakePool(PoolOptions());
  chain.clear_transitions();
  std::string before = chain.initial();
  for (const StateSettings& state : chain.states()) {
    Transition& transition = *chain.add_transitions();
    transition.set_from(before);
    transition.set_to(state.name());
    before = state.name();
  }
  chain.clear_finals();
  chain.add_finals(before);
  StoppingRule rule;
  rule.set_attempt_epochs(4);
  rule.set_max_epochs_from_initial(20);
  rule.set_max_epochs(8);
  ASSERT_OK_AND_ASSIGN(const SearchWork work, EstimateWork(chain, rule));
  EXPECT_EQ(work.weights_at_once, 2);
  // A star: all edges start at the initial state and all states are final, so nothing can be
  // removed.
  for (Transition& transition : *chain.mutable_transitions()) transition.set_from(chain.initial());
  chain.clear_finals();
  for (const StateSettings& state : chain.states()) chain.add_finals(state.name());
  ASSERT_OK_AND_ASSIGN(const SearchWork star, EstimateWork(chain, rule));
  EXPECT_EQ(star.weights_at_once, 9);
}

TEST(SearchWorkTest, RefusesABadRule) {
  EXPECT_THAT(EstimateWork(MakePool(PoolOptions()), StoppingRule()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("attempt_epochs is 0")));
}

}  // namespace
}  // namespace op3d::planner
