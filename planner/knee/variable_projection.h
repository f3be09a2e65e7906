// Global least squares of a PerformanceCurve.
//
// For a fixed b, f is linear in a, c, d and e.  With bounds on three signs that problem is solved
// exactly by trying which of a, d, e are zero (8 cases), so that only b is searched: over b = 0, a
// logarithmic grid and b -> infinity, then around each of the best local minima.  There is no
// start value, so the result cannot depend on one.  (Variable projection: Golub and Pereyra 1973.)
//
// Cost: about 100 solutions for fixed b, each linear in the number of points.
#ifndef OP3D_PLANNER_KNEE_VARIABLE_PROJECTION_H_
#define OP3D_PLANNER_KNEE_VARIABLE_PROJECTION_H_

#include <array>
#include <vector>

#include "absl/types/span.h"
#include "planner/knee/performance_curve.h"

namespace op3d::planner {

// A solution, and its sum of squared residuals.
struct CurveFit {
  PerformanceCurve curve;
  double residual = 0;
};

// The problem for one b at a time.  Thread-safe after construction.
class VariableProjection {
 public:
  // `performance[k]` was measured after epoch k; at least one point, all finite and of the order
  // of 1: |y| <= 1e100 keeps all squares finite.
  explicit VariableProjection(absl::Span<const double> performance,
                              const CurveTerms& terms = CurveTerms());

  // The best fit with this b, in [0, inf].  If a = 0 is best, b has no effect and is returned as 0.
  // Below 0.001 / (epochs) the exponential cannot be distinguished from a parabola: treated as 0.
  CurveFit Solve(double b) const;

  // The best fit of all.
  CurveFit Minimize() const;

 private:
  // The polynomial part with some of d, e fixed to zero: an orthonormal basis of its columns.
  struct Polynomial {
    // The columns: x, x^2, 1 (negated as in f); `rank` of them, without dependent ones.
    std::array<int, 3> columns = {};
    int rank = 0;
    std::array<std::vector<double>, 3> basis;
    std::array<std::array<double, 3>, 3> triangle = {};
    // basis^T y, and y minus its projection.
    std::array<double, 3> projection = {};
    std::vector<double> remainder;
  };

  Polynomial MakePolynomial(bool with_d, bool with_e) const;
  // The best fit without a; the same for every b.
  CurveFit SolveWithoutDecay() const;
  // With the decay's column exp(-b x).  False if a, d or e would be negative; they are still set,
  // unless the columns are dependent.
  bool SolveWithDecay(const Polynomial& polynomial, const std::vector<double>& decay, double b,
                      CurveFit* fit) const;
  // Converts coefficients over x / span to those over x; false if d or e is negative.
  bool ToCurve(const Polynomial& polynomial, const std::array<double, 3>& projection,
               PerformanceCurve* curve) const;
  // Brent's search (1973: parabolas, golden sections if they do not help) for log b in
  // [low, high].
  CurveFit Refine(double low, double high) const;

  const CurveTerms terms_;
  std::vector<double> y_;
  // Epochs are divided by it, so that all columns are of the order of 1.
  double span_;
  // {c d e}, {c d}, {c e}, {c}: usually the first; the others are edges of the feasible set.
  std::array<Polynomial, 4> polynomials_;
  CurveFit without_decay_;
  // The unconstrained solution satisfies the bounds.
  bool plain_is_free_ = false;
};

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_KNEE_VARIABLE_PROJECTION_H_
