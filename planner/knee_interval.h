// How far a knee may be trusted: a bootstrap interval.
#ifndef OP3D_PLANNER_KNEE_INTERVAL_H_
#define OP3D_PLANNER_KNEE_INTERVAL_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "planner/knee_estimator.h"

namespace op3d {

// Both ends belong to it.
struct KneeInterval {
  int low = 0;
  int high = 0;
};

// The middle `confidence` (in (0, 1), 0.95 = the 2.5 % and 97.5 % quantiles) of the knees of
// `resamples` >= 2 curves: the fit of `knee` plus its residuals drawn with replacement.  The draws
// depend on `seed` alone.  A millisecond a resample.  InvalidArgument as EstimateKnee(), or for
// arguments out of those ranges.  Thread-safe.
absl::StatusOr<KneeInterval> BootstrapKnee(absl::Span<const double> performance, const Knee& knee,
                                           double confidence, int resamples, uint64_t seed);

}  // namespace op3d

#endif  // OP3D_PLANNER_KNEE_INTERVAL_H_
