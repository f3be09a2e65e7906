#include "planner/knee/performance_curve.h"

#include <cmath>

namespace op3d::planner {

double Evaluate(const PerformanceCurve& curve, double x) {
  // At x = 0 an infinite b would give infinity x 0.
  const double decay = x == 0 ? 1 : std::exp(-curve.b * x);
  return -curve.a * decay - curve.c * x - curve.d * x * x + curve.e;
}

int HighestEpoch(const PerformanceCurve& curve) {
  int best = 0;
  double highest = Evaluate(curve, 0);
  for (int epoch = 1; epoch < kHorizon; ++epoch) {
    const double value = Evaluate(curve, epoch);
    if (value > highest) {
      best = epoch;
      highest = value;
    }
  }
  return best;
}

}  // namespace op3d::planner
