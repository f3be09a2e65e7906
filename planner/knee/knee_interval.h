// How far a knee may be trusted, and what further epochs may still bring: a bootstrap.
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
  // The draws depend on it alone.
  uint64_t seed = 1;
  // Those the knee was estimated with.
  CurveTerms terms;
  // Epochs that `gain` looks ahead; at least 0.
  int ahead = 10;
  // The last epoch that `highest` looks at, where it is not trained already.
  int last = kHorizon - 1;
};

struct KneeInterval {
  // The middle `confidence` of the resampled knees; both ends belong to it.
  int low = 0;
  int high = 0;
  // With `confidence` (one-sided), the next `ahead` epochs raise the curve's highest value by no
  // more than this.  0 = the knee is passed.
  double gain = 0;
  // With `confidence` (one-sided), the curve stays at or below this.
  double highest = 0;
};

// The knees of curves that are the fit of `knee` plus its residuals, drawn with replacement and
// widened by sqrt(n / (n - unknowns)), since a fit of n points comes closer to them than the truth
// does.  Refitted on a DecayGrid: a few microseconds a resample.
//
// InvalidArgument for options out of their ranges, or a curve as EstimateKnee().  Thread-safe.
absl::StatusOr<KneeInterval> BootstrapKnee(absl::Span<const double> performance, const Knee& knee,
                                           const KneeBootstrapOptions& options);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_KNEE_KNEE_INTERVAL_H_
