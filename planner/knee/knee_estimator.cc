#include "planner/knee/knee_estimator.h"

#include <ceres/ceres.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "planner/knee/variable_projection.h"

namespace op3d::planner {
namespace {

using Unknowns = std::array<double, 5>;  // a, b, c, d, e over x / span

// f(k) - y_k and its derivatives, with epochs divided by `span`.
class CurveResiduals : public ceres::CostFunction {
 public:
  CurveResiduals(const std::vector<double>* y, double span) : y_(*y), span_(span) {
    set_num_residuals(static_cast<int>(y->size()));
    mutable_parameter_block_sizes()->push_back(5);
  }

  bool Evaluate(double const* const* parameters, double* residuals,
                double** jacobians) const override {
    const double* p = parameters[0];
    for (size_t k = 0; k < y_.size(); ++k) {
      const double u = static_cast<double>(k) / span_;
      const double decay = std::exp(-p[1] * u);
      residuals[k] = -p[0] * decay - p[2] * u - p[3] * u * u + p[4] - y_[k];
      if (jacobians == nullptr || jacobians[0] == nullptr) continue;
      double* row = jacobians[0] + 5 * k;
      row[0] = -decay;
      row[1] = p[0] * u * decay;
      row[2] = -u;
      row[3] = -u * u;
      row[4] = 1;
    }
    return true;
  }

 private:
  const std::vector<double>& y_;
  const double span_;
};

double SumOfSquares(const PerformanceCurve& curve, absl::Span<const double> y) {
  double sum = 0;
  for (size_t k = 0; k < y.size(); ++k) {
    const double r = Evaluate(curve, static_cast<double>(k)) - y[k];
    sum += r * r;
  }
  return sum;
}

ceres::Solver::Options PolishOptions() {
  ceres::Solver::Options options;
  options.linear_solver_type = ceres::DENSE_QR;
  options.max_num_iterations = 30;
  // To the last digit, because exact curves have no residual at which to stop.
  options.function_tolerance = 1e-15;
  options.gradient_tolerance = 1e-15;
  options.parameter_tolerance = 1e-15;
  options.num_threads = 1;
  options.logging_type = ceres::SILENT;
  return options;
}

// Fits all five unknowns at once, starting from a fit that is accurate to the root of the rounding
// error.
PerformanceCurve Polish(const PerformanceCurve& start, const std::vector<double>& y) {
  const double span = std::max<double>(1, static_cast<double>(y.size()) - 1);
  Unknowns unknowns = {start.a, start.b * span, start.c * span, start.d * span * span, start.e};
  ceres::Problem problem;
  problem.AddResidualBlock(new CurveResiduals(&y, span), nullptr, unknowns.data());
  for (int bounded : {0, 1, 3, 4}) problem.SetParameterLowerBound(unknowns.data(), bounded, 0);
  ceres::Solver::Summary summary;
  ceres::Solve(PolishOptions(), &problem, &summary);
  return {unknowns[0], unknowns[1] / span, unknowns[2] / span, unknowns[3] / (span * span),
          unknowns[4]};
}

// The best fit of points of the order of 1.
PerformanceCurve FitCurve(const std::vector<double>& y, const CurveTerms& terms, bool polish) {
  if (std::count(y.begin(), y.end(), y[0]) == static_cast<int>(y.size()) && y[0] >= 0) {
    return {0, 0, 0, 0, y[0]};
  }
  const VariableProjection projection(y, terms);
  PerformanceCurve best = projection.Minimize().curve;
  // Without decay, or with a step after epoch 0, the fit is linear and already exact.
  if (best.a == 0 || std::isinf(best.b) || !terms.linear || !terms.square || !polish) return best;
  double residual = SumOfSquares(best, y);
  const PerformanceCurve polished = Polish(best, y);
  // For the polished b the other four again have an exact solution.
  for (const PerformanceCurve& curve : {polished, projection.Solve(polished.b).curve}) {
    const double candidate = SumOfSquares(curve, y);
    if (candidate < residual) {  // false for a NaN
      best = curve;
      residual = candidate;
    }
  }
  return best;
}

}  // namespace

absl::StatusOr<Knee> EstimateKnee(absl::Span<const double> performance, const CurveTerms& terms,
                                  bool polish) {
  if (performance.size() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("a knee needs the performance of at least 2 epochs, got ", performance.size(),
                     "; epoch 0 is before training"));
  }
  double scale = 0;
  for (size_t epoch = 0; epoch < performance.size(); ++epoch) {
    if (!std::isfinite(performance[epoch])) {
      return absl::InvalidArgumentError(absl::StrCat("the performance of epoch ", epoch, " is ",
                                                     performance[epoch],
                                                     "; a curve is fitted to finite numbers only"));
    }
    scale = std::max(scale, std::abs(performance[epoch]));
  }
  // Scale to the order of 1 and back, because squares of 1e200 would overflow.
  if (scale == 0) scale = 1;
  std::vector<double> y(performance.begin(), performance.end());
  for (double& value : y) value /= scale;

  Knee knee;
  knee.curve = FitCurve(y, terms, polish);
  // A step: every b with exp(-b) below the rounding error gives the same curve; use a finite one.
  if (std::isinf(knee.curve.b)) knee.curve.b = 60;
  knee.curve.a *= scale;
  knee.curve.c *= scale;
  knee.curve.d *= scale;
  knee.curve.e *= scale;
  knee.residual = SumOfSquares(knee.curve, performance);
  knee.epoch = HighestEpoch(knee.curve);
  knee.value = Evaluate(knee.curve, knee.epoch);
  return knee;
}

KneeEstimate ToProto(const Knee& knee) {
  KneeEstimate estimate;
  estimate.set_a(knee.curve.a);
  estimate.set_b(knee.curve.b);
  estimate.set_c(knee.curve.c);
  estimate.set_d(knee.curve.d);
  estimate.set_e(knee.curve.e);
  estimate.set_residual(knee.residual);
  estimate.set_knee(knee.epoch);
  estimate.set_value(knee.value);
  return estimate;
}

}  // namespace op3d::planner
