#include "op3d/train/step/loss_scale.h"

#include <cmath>
#include <limits>

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

TEST(LossScaleTest, FollowsItsRule) {
  LossScale scale;
  EXPECT_EQ(scale.factor, 65536);
  const struct {
    int steps;
    bool finite;
    double factor;
    int64_t good_steps;
  } kTable[] = {
      {2, false, 16384, 0},       // each is halved at once
      {1999, true, 16384, 1999},  //
      {1, true, 32768, 0},        // 2000 in a row
      {1999, true, 32768, 1999},  //
      {1, false, 16384, 0},       // not in a row
      {1999, true, 16384, 1999},  //
      {1, true, 32768, 0},        //
      {18000, true, 1 << 24, 0},  // nine times doubled
      {4000, true, 1 << 24, 0},   // not above the limit
      {3, true, 1 << 24, 3},      //
      {24, false, 1, 0},          //
  };
  for (const auto& row : kTable) {
    for (int step = 0; step < row.steps; ++step) {
      ASSERT_THAT(scale.Update(row.finite), IsOk());
      ASSERT_TRUE(scale.valid());
    }
    EXPECT_EQ(scale.factor, row.factor);
    EXPECT_EQ(scale.good_steps, row.good_steps);
  }
  EXPECT_THAT(scale.Update(true), IsOk());
  EXPECT_THAT(scale.Update(false),
              StatusIs(absl::StatusCode::kInternal, testing::HasSubstr("not finite in fp16")));
}

TEST(LossScaleTest, KnowsItsRanges) {
  for (const double factor :
       {0.0, -2.0, 0.5, 3.0, 33554432.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_FALSE((LossScale{factor, 0}.valid())) << factor;
  }
  EXPECT_TRUE((LossScale{1, 1999}.valid()));
  EXPECT_FALSE((LossScale{1, 2000}.valid()));
  EXPECT_FALSE((LossScale{1, -1}.valid()));
}

}  // namespace
}  // namespace op3d
