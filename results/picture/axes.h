// From data to pixels: scales and their ticks, the same in all pictures with axes.
//
//   const Scale x = {0, 20, 46, 250};    // data 0 to 20, pixels 46 to 250
//   x(10);                               // 148
//   for (const double tick : Ticks(x.low, x.high, 5)) Use(tick);
#ifndef OP3D_RESULTS_PICTURE_AXES_H_
#define OP3D_RESULTS_PICTURE_AXES_H_

#include <vector>

namespace op3d::results {

// A linear scale.  `high` must differ from `low`.
struct Scale {
  double low, high;
  double first, last;
  double operator()(double value) const {
    return first + (value - low) / (high - low) * (last - first);
  }
};

// 1, 2 or 5 times a power of ten: at most `count` steps over `range`, which is above 0.
double TickStep(double range, int count);

// The multiples of TickStep(high - low, count) in [low, high].
std::vector<double> Ticks(double low, double high, int count);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_PICTURE_AXES_H_
