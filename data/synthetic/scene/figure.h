// A coloured shape with a soft edge, painted on a torus: what leaves on one side
// enters on the other.
//
//   Figure figure = {Look::kRing, /*radius=*/8.0, /*angle=*/0.2, {1, 1, 0.8}};
//   figure.Paint({/*x=*/20, /*y=*/10, /*scale=*/1}, &canvas);
#ifndef OP3D_DATA_SYNTHETIC_SCENE_FIGURE_H_
#define OP3D_DATA_SYNTHETIC_SCENE_FIGURE_H_

#include "data/synthetic/scene/canvas.h"
#include "data/synthetic/scene/motion.h"

namespace op3d::data {

enum class Look { kDisc, kSquare, kRing, kCross, kTriangle, kChecker };

// The torus is wider and higher than the frame by this, in pixels.
inline constexpr double kTorusMargin = 6.0;

// Distance of (x, y) from the edge of the shape with `radius` around the origin, in pixels;
// negative inside.  Corners are farther out than `radius`: a square's side is 1.7 radii.
double SignedDistance(Look look, double radius, double x, double y);

struct Figure {
  Look look = Look::kDisc;
  double radius = 8.0;
  // Radians.
  double angle = 0.0;
  Colour colour = {};

  // The centre of pixel (x, y) is at (x, y).
  void Paint(const Pose& pose, Canvas* canvas) const;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_SCENE_FIGURE_H_
