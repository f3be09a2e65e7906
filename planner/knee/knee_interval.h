// The uncertainty of a knee, and what further epochs may still gain, by bootstrap.
//
//   OP3D_ASSIGN_OR_RETURN(KneeInterval interval, BootstrapKnee(curve, knee, {}));
#ifndef OP3D_PLANNER_KNEE_KNEE_INTERVAL_H_
#define OP3D_PLANNER_KNEE_KNEE_INTERVAL_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "planner/knee/knee_estimator.h"

namespace op3d::planner {

struct KneeBootstrapOptions {
  // In (0, 1): 0.95 = between the 2.5 % and the 97.5 % quantile.
  double confidence = 0.95;
  // At least 2.
  int resamples = 200;
  // The random draws depend only on it.
  uint64_t seed = 1;
  // The terms with which the knee was estimated.
  CurveTerms terms;
  // The number of epochs that `gain` looks ahead; at least 0.
  int ahead = 10;
  // The last epoch for `highest`, unless more are already trained.
  int last = kHorizon - 1;
};

struct KneeInterval {
  // The middle `confidence` of the resampled knees, [low, high].
  int low = 0;
  int high = 0;
  // With `confidence` (one-sided), the next `ahead` epochs raise the curve's highest value by at
  // most this.  0 = the knee is passed.
  double gain = 0;
  // With `confidence` (one-sided), the curve stays at or below this.
  double highest = 0;
};

// The knees of resampled curves: the fit of `knee` plus its residuals, drawn with replacement and
// scaled by sqrt(n / (n - unknowns)), because a fit of n points is closer to them than the true
// curve is.  Refitted on a DecayGrid: a few microseconds per resample.
//
// InvalidArgument for options out of their ranges, or a curve as in EstimateKnee().  Thread-safe.
absl::StatusOr<KneeInterval> BootstrapKnee(absl::Span<const double> performance, const Knee& knee,
                                           const KneeBootstrapOptions& options);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_KNEE_KNEE_INTERVAL_H_
