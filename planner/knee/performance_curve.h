// The family of curves that a performance is fitted with,
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

// The terms that a fit may use; e is always there.
struct CurveTerms {
  bool decay = true;   // a, b
  bool linear = true;  // c
  bool square = true;  // d
};

// f(x).  x >= 0; b may be infinite (a step after x = 0).
double Evaluate(const PerformanceCurve& curve, double x);

// Epochs that are looked at for the highest one: [0, kHorizon).
inline constexpr int kHorizon = 1000;

// The first integer epoch in [0, kHorizon) where f is highest.
int HighestEpoch(const PerformanceCurve& curve);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_KNEE_PERFORMANCE_CURVE_H_
