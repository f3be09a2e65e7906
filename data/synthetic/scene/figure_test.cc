#include "data/synthetic/scene/figure.h"

#include <gtest/gtest.h>

#include <cmath>

namespace op3d::data {
namespace {

// The part of a 64x48 plane that a white figure covers, in pixels.
double Area(const Canvas& canvas) {
  double area = 0.0;
  for (const Colour& colour : canvas.pixels) area += colour[0];
  return area;
}

Canvas Paint(Look look, double radius, const Pose& pose, double angle = 0.0) {
  Canvas canvas(64, 48);
  const Figure figure = {look, radius, angle, {1.0f, 1.0f, 1.0f}};
  figure.Paint(pose, &canvas);
  return canvas;
}

TEST(FigureTest, AreasAreTheShapes) {
  const double pi = std::acos(-1.0);
  const Pose middle = {32.0, 24.0, 1.0};
  EXPECT_NEAR(Area(Paint(Look::kDisc, 9, middle)), pi * 81, 3);
  EXPECT_NEAR(Area(Paint(Look::kRing, 9, middle)), pi * 81 * (1 - 0.44 * 0.44), 5);
  EXPECT_NEAR(Area(Paint(Look::kSquare, 9, middle)), 4 * 81 * 0.85 * 0.85, 4);
  EXPECT_NEAR(Area(Paint(Look::kCross, 9, middle)), 81 * 4 * (2 * 0.32 - 0.32 * 0.32), 6);
  // An equilateral triangle in a circle of radius 9.
  EXPECT_NEAR(Area(Paint(Look::kTriangle, 9, middle)), 3 * std::sqrt(3.0) / 4 * 81, 6);
  // Half of the checker is dark.
  EXPECT_NEAR(Area(Paint(Look::kChecker, 9, middle)), 4 * 81 * 0.85 * 0.85 * 0.6, 8);
}

TEST(FigureTest, TurningAndScalingKeepTheShape) {
  const Pose middle = {32.0, 24.0, 1.0};
  EXPECT_NEAR(Area(Paint(Look::kSquare, 9, middle, 0.3)), Area(Paint(Look::kSquare, 9, middle)), 4);
  EXPECT_NEAR(Area(Paint(Look::kDisc, 5, {32, 24, 2})), Area(Paint(Look::kDisc, 10, middle)), 1e-3);
}

TEST(FigureTest, EdgesAreSoft) {
  Canvas canvas = Paint(Look::kDisc, 8.0, {32.0, 24.0, 1.0});
  EXPECT_FLOAT_EQ(canvas.at(39, 24)[0], 1.0f);  // 1 pixel inside
  EXPECT_FLOAT_EQ(canvas.at(40, 24)[0], 0.5f);  // on the edge
  EXPECT_FLOAT_EQ(canvas.at(41, 24)[0], 0.0f);  // 1 pixel outside
}

TEST(FigureTest, LeavesAndEntersAgain) {
  const double area = Area(Paint(Look::kDisc, 8, {32, 24, 1}));
  // After one turn around the torus it is at the same position.
  EXPECT_NEAR(Area(Paint(Look::kDisc, 8, {32 + 70, 24 - 54, 1})), area, 1e-3);
  // Half of it is above, and it appears at the lower edge as far as the margin allows.
  Canvas canvas = Paint(Look::kDisc, 8, {32, 0, 1});
  EXPECT_FLOAT_EQ(canvas.at(32, 0)[0], 1.0f);
  EXPECT_FLOAT_EQ(canvas.at(32, 47)[0], 1.0f);  // 7 below the centre at 54
  EXPECT_FLOAT_EQ(canvas.at(32, 20)[0], 0.0f);
}

}  // namespace
}  // namespace op3d::data
