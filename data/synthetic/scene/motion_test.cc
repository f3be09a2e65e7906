#include "data/synthetic/scene/motion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace op3d::data {
namespace {

constexpr VideoShape kShape;
// The wobble moves an actor by up to 3 pixels to each side.
constexpr double kWobble = 6.0;

Trajectory Draw(const std::vector<Motion>& motions, int index) {
  RandomStream stream(5, "motion", {index});
  return Trajectory::Draw(motions, kShape, &stream);
}

TEST(TrajectoryTest, StartsInTheMiddle) {
  for (int i = 0; i < 50; ++i) {
    const Pose pose = Draw({Motion::kUp}, i).At(0);
    EXPECT_GE(pose.x, 0.3 * kShape.width - 3.0);
    EXPECT_LE(pose.x, 0.7 * kShape.width + 3.0);
    EXPECT_GE(pose.y, 0.3 * kShape.height - 3.0);
    EXPECT_LE(pose.y, 0.7 * kShape.height + 3.0);
    EXPECT_DOUBLE_EQ(pose.scale, 1.0);
  }
}

TEST(TrajectoryTest, GoesWhereTheMotionSays) {
  for (int i = 0; i < 50; ++i) {
    for (const auto& [motion, right, down] :
         std::vector<std::tuple<Motion, int, int>>{{Motion::kUp, 0, -1},
                                                   {Motion::kDown, 0, 1},
                                                   {Motion::kLeft, -1, 0},
                                                   {Motion::kRight, 1, 0}}) {
      const Trajectory path = Draw({motion}, i);
      const double x = path.At(95).x - path.At(0).x;
      const double y = path.At(95).y - path.At(0).y;
      const double along = right * x + down * y;
      EXPECT_GE(along, 0.8 * 95 - kWobble);
      EXPECT_LE(along, 1.6 * 95 + kWobble);
      EXPECT_LE(std::abs(right != 0 ? y : x), kWobble);
    }
  }
}

TEST(TrajectoryTest, TwoMotionsFollowEachOther) {
  for (int i = 0; i < 50; ++i) {
    const Trajectory path = Draw({Motion::kUp, Motion::kDown}, i);
    const int change = path.start(1);
    EXPECT_GE(change, 33);
    EXPECT_LE(change, 63);
    EXPECT_LE(path.At(change).y - path.At(0).y, -0.8 * change + kWobble);
    EXPECT_GE(path.At(95).y - path.At(change).y, 0.8 * (95 - change) - kWobble);
  }
}

// The mean distance of turning points of the motion to and fro, in frames.
double MeanPeriod(const Trajectory& path) {
  int turns = 0;
  for (int frame = 1; frame < 95; ++frame) {
    const double before = path.At(frame).x - path.At(frame - 1).x;
    const double after = path.At(frame + 1).x - path.At(frame).x;
    turns += before * after < 0.0;
  }
  return 2.0 * 95 / turns;
}

TEST(TrajectoryTest, ThePeriodTellsFastFromSlow) {
  for (int i = 0; i < 50; ++i) {
    const double fast = MeanPeriod(Draw({Motion::kFast}, i));
    EXPECT_GE(fast, 5.0);
    EXPECT_LE(fast, 9.5);
    const double slow = MeanPeriod(Draw({Motion::kSlow}, i));
    EXPECT_GE(slow, 11.0);
    EXPECT_LE(slow, 23.0);
  }
}

TEST(TrajectoryTest, GrowsAndShrinks) {
  for (int i = 0; i < 20; ++i) {
    for (const Motion motion : {Motion::kGrow, Motion::kShrink}) {
      const Trajectory path = Draw({motion}, i);
      int up = 0;
      for (int frame = 0; frame < 95; ++frame) {
        EXPECT_GE(path.At(frame).scale, 0.55 - 1e-9);
        EXPECT_LE(path.At(frame).scale, 1.45 + 1e-9);
        up += path.At(frame + 1).scale > path.At(frame).scale;
      }
      // There are few jumps back.
      EXPECT_EQ(up > 47, motion == Motion::kGrow);
      EXPECT_GE(std::min(up, 95 - up), 3);
      EXPECT_LE(std::min(up, 95 - up), 5);
    }
  }
}

}  // namespace
}  // namespace op3d::data
