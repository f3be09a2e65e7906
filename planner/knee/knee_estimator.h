// The knee of a performance curve: the epoch at which the best-fitting PerformanceCurve is highest.
//
//   OP3D_ASSIGN_OR_RETURN(Knee knee, EstimateKnee({0.1, 0.5, 0.6, 0.64, 0.65, 0.64}));
//   // knee.epoch == 4, knee.value close to 0.65
//
// The fit is the global minimum of the sum of squares (VariableProjection), polished with Ceres in
// all five unknowns at once.  Below a millisecond for a hundred points.
#ifndef OP3D_PLANNER_KNEE_KNEE_ESTIMATOR_H_
#define OP3D_PLANNER_KNEE_KNEE_ESTIMATOR_H_

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "planner/graphs/plan.pb.h"
#include "planner/knee/performance_curve.h"

namespace op3d::planner {

struct Knee {
  PerformanceCurve curve;
  // Sum of squared residuals.
  double residual = 0;
  // The first integer epoch in [0, 1000) at which the curve is highest.
  int epoch = 0;
  // The curve's value there.
  double value = 0;
};

// `performance[k]` was measured after epoch k; epoch 0 is before training.  Any scale.
// With fewer `terms` the others stay 0 (and the fit is not polished).  Without `polish` the curve
// is accurate to the square root of the rounding error, in half the time.
//
// InvalidArgument for fewer than two points, or for a NaN or an infinity, naming its epoch.
// Otherwise always defined: if several fits are equally good within rounding, the simplest one
// is used, so that equal points give that constant and knee 0.  (Equal negative points
// are outside e >= 0 and give the best possible fit.)  Fewer than six points are fitted exactly or
// nearly so; the caller must decide whether that means anything (StoppingRule: attempt_epochs).
//
// The same bits for the same points on one machine.  Thread-safe.
absl::StatusOr<Knee> EstimateKnee(absl::Span<const double> performance,
                                  const CurveTerms& terms = CurveTerms(), bool polish = true);

// In the form of the record.
KneeEstimate ToProto(const Knee& knee);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_KNEE_KNEE_ESTIMATOR_H_
