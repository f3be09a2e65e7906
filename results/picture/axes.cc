#include "results/picture/axes.h"

#include <cmath>

namespace op3d::results {

double TickStep(double range, int count) {
  const double rough = range / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (rough <= factor * power * (1 + 1e-9)) return factor * power;
  }
  return 10 * power;
}

std::vector<double> Ticks(double low, double high, int count) {
  std::vector<double> ticks;
  const double step = TickStep(high - low, count);
  // Whole numbers of steps, so that 0 is exactly 0.
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i) {
    ticks.push_back(i * step + 0.0);  // no negative zero
  }
  return ticks;
}

}  // namespace op3d::results
