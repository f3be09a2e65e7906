// The uncertainty of a figure: percentile intervals by bootstrap over videos.
//
//   OP3D_ASSIGN_OR_RETURN(MetricIntervals sure, BootstrapIntervals(metrics, labels, {}));
//   Use(sure.top1.low, sure.top1.high);                                   // shares in [0, 1]
//
// Videos are drawn with replacement, as many as there are, `samples` times; the interval is between
// the quantiles (1 - level) / 2 and (1 + level) / 2 of the samples' figures, with linear
// interpolation.  It is about other videos of the same kind, not about other trainings.
// Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3.
#ifndef OP3D_EVAL_SCORES_CONFIDENCE_H_
#define OP3D_EVAL_SCORES_CONFIDENCE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "op3d/eval/scores/metrics.h"

namespace op3d {

struct BootstrapOptions {
  // At least 1.
  int samples = 1000;
  // In (0, 1).
  double level = 0.95;
  // Sample i draws from RandomStream(seed, "evaluate.bootstrap", {i}).
  uint64_t seed = 0;
};

// Shares in [0, 1].
struct Interval {
  double low = 0, high = 0;
};

struct MetricIntervals {
  Interval top1, top3, top5;
  // For each sample, the mean over the classes of which it has videos.
  Interval mean_class_accuracy;
};

// `metrics` is the result of ComputeMetrics for `labels`.  InvalidArgument for options outside
// their range and for labels that do not belong to the metrics.
absl::StatusOr<MetricIntervals> BootstrapIntervals(const Metrics& metrics,
                                                   absl::Span<const int64_t> labels,
                                                   const BootstrapOptions& options);

}  // namespace op3d

#endif  // OP3D_EVAL_SCORES_CONFIDENCE_H_
