#include "data/synthetic/scene/figure.h"

#include <algorithm>
#include <cmath>

namespace op3d::data {
namespace {

constexpr double kHalfSide = 0.85;  // of a square, in radii: about the area of the disc

double Box(double half_width, double half_height, double x, double y) {
  return std::max(std::abs(x) - half_width, std::abs(y) - half_height);
}

// The shortest distance, with sign, from `to` to `from` on a circle of the given length.
double Around(double from, double to, double length) { return std::remainder(from - to, length); }

// The other colour of a checker.
Colour Darkened(const Colour& colour) {
  return {0.2f * colour[0], 0.2f * colour[1], 0.2f * colour[2]};
}

}  // namespace

double SignedDistance(Look look, double radius, double x, double y) {
  const double side = kHalfSide * radius;
  switch (look) {
    case Look::kDisc:
      return std::hypot(x, y) - radius;
    case Look::kRing:
      return std::abs(std::hypot(x, y) - 0.72 * radius) - 0.28 * radius;
    case Look::kSquare:
    case Look::kChecker:
      return Box(side, side, x, y);
    case Look::kCross:
      return std::min(Box(radius, 0.32 * radius, x, y), Box(0.32 * radius, radius, x, y));
    case Look::kTriangle: {
      // Three half-planes at distance radius / 2 from the middle; the tip points up.
      const double slanted = 0.8660254037844386 * std::abs(x) - 0.5 * y;
      return std::max(slanted, y) - 0.5 * radius;
    }
  }
  return 0.0;
}

void Figure::Paint(const Pose& pose, Canvas* canvas) const {
  const double size = radius * pose.scale;
  const double sine = std::sin(angle);
  const double cosine = std::cos(angle);
  const double reach = 1.3 * size + 1.0;  // beyond a square's corner and the soft edge
  const Colour dark = Darkened(colour);
  for (int y = 0; y < canvas->height; ++y) {
    const double dy = Around(y, pose.y, canvas->height + kTorusMargin);
    if (std::abs(dy) > reach) continue;
    for (int x = 0; x < canvas->width; ++x) {
      const double dx = Around(x, pose.x, canvas->width + kTorusMargin);
      if (std::abs(dx) > reach) continue;
      const double u = cosine * dx + sine * dy;
      const double v = cosine * dy - sine * dx;
      const double cover = std::clamp(0.5 - SignedDistance(look, size, u, v), 0.0, 1.0);
      if (cover <= 0.0) continue;
      const Colour& own = look == Look::kChecker && (u < 0.0) != (v < 0.0) ? dark : colour;
      Colour& pixel = canvas->at(x, y);
      for (int c = 0; c < 3; ++c) pixel[c] += static_cast<float>(cover) * (own[c] - pixel[c]);
    }
  }
}

}  // namespace op3d::data
