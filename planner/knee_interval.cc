#include "planner/knee_interval.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/status_macros.h"

namespace op3d {

absl::StatusOr<KneeInterval> BootstrapKnee(absl::Span<const double> performance, const Knee& knee,
                                           double confidence, int resamples, uint64_t seed) {
  if (!(confidence > 0 && confidence < 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the confidence is ", confidence, ", but must lie between 0 and 1"));
  }
  if (resamples < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("an interval needs at least 2 resamples, got ", resamples));
  }
  const size_t points = performance.size();
  std::vector<double> fitted(points), residuals(points), curve(points);
  for (size_t k = 0; k < points; ++k) {
    fitted[k] = Evaluate(knee.curve, static_cast<double>(k));
    residuals[k] = performance[k] - fitted[k];
  }
  std::vector<int> knees(resamples);
  for (int i = 0; i < resamples; ++i) {
    RandomStream stream(seed, "planner.bootstrap", {i});
    for (size_t k = 0; k < points; ++k) {
      curve[k] = fitted[k] + residuals[stream.UniformInt(static_cast<int64_t>(points))];
    }
    OP3D_ASSIGN_OR_RETURN(const Knee resampled, EstimateKnee(curve));
    knees[i] = resampled.epoch;
  }
  std::sort(knees.begin(), knees.end());
  // As many knees are cut off at either end.
  const int cut = static_cast<int>(std::floor((1 - confidence) / 2 * resamples));
  return KneeInterval{knees[cut], knees[resamples - 1 - cut]};
}

}  // namespace op3d
