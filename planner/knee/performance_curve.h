// The family of curves that is fitted to a performance,
//
//   f(x) = -a exp(-b x) - c x - d x^2 + e,   a, b, d, e >= 0, c free:
//
// it rises, saturates (a, b) and later falls again (c, d).  x are epochs.
#ifndef OP3D_PLANNER_KNEE_PERFORMANCE_CURVE_H_
#define OP3D_PLANNER_KNEE_PERFORMANCE_CURVE_H_

namespace op3d::planner {

struct PerformanceCurve {
  double a = 0, b = 0, c = 0, d = 0, e = 0;
};

// The terms that a fit may use, in addition to e.
struct CurveTerms {
  bool decay = true;   // a, b
  bool linear = true;  // c
  bool square = true;  // d
};

// f(x).  x >= 0; b may be infinite (a step after x = 0).
double Evaluate(const PerformanceCurve& curve, double x);

// The maximum is searched over the epochs [0, kHorizon).
inline constexpr int kHorizon = 1000;

// The first integer epoch in [0, kHorizon) at which f is highest.
int HighestEpoch(const PerformanceCurve& curve);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_KNEE_PERFORMANCE_CURVE_H_
