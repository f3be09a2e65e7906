#include "planner/work_estimate.h"

#include <gtest/gtest.h>

#include "op3d/base/status_matchers.h"
#include "planner/pool.h"

namespace op3d {
namespace {

using ::testing::HasSubstr;

TEST(WorkEstimateTest, CountsTheBasePool) {
  StoppingRule rule;
  rule.set_attempt_epochs(4);
  rule.set_max_epochs_from_initial(20);
  rule.set_max_epochs(8);
  ASSERT_OK_AND_ASSIGN(const WorkEstimate work, EstimateWork(MakePool(PoolOptions()), rule));
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

TEST(WorkEstimateTest, RefusesABadRule) {
  EXPECT_THAT(EstimateWork(MakePool(PoolOptions()), StoppingRule()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("attempt_epochs is 0")));
}

}  // namespace
}  // namespace op3d
