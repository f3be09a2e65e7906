// From the scores of views to figures: how often the right class is among the first 1, 3 or 5.
//
//   const Views<float> views = {heads, videos, clips, crops, classes, logits};
//   OP3D_ASSIGN_OR_RETURN(VideoScores scores, MeanOfLogits(views));
//   OP3D_ASSIGN_OR_RETURN(Metrics metrics, ComputeMetrics(scores, labels));
//   metrics.top1;                                                        // a share in [0, 1]
//
// Sums are in double precision in a fixed order, so a result depends only on the scores.
// All functions are pure and thread-safe.  InvalidArgument is the only error: a size that does not
// fit, a label outside [0, classes), a score that is not finite (with its video and class).
#ifndef OP3D_EVAL_SCORES_METRICS_H_
#define OP3D_EVAL_SCORES_METRICS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace op3d {

// Raw logits of every head, video and view, [heads, videos, clips, crops, classes], row-major.
// Does not own them.  T is float or double.  A single head is a subspan with heads = 1.
template <typename T>
struct Views {
  int64_t heads = 1;
  int64_t videos = 0;
  int64_t clips = 1;
  int64_t crops = 1;
  int64_t classes = 0;
  absl::Span<const T> logits;
};

// One row per video, [videos, classes].  Higher is better.
struct VideoScores {
  int64_t videos = 0;
  int64_t classes = 0;
  std::vector<double> values;
};

// All functions below first take the mean over the heads.

// The protocol's score: the mean over crops, then over clips, of the logits.
template <typename T>
absl::StatusOr<VideoScores> MeanOfLogits(const Views<T>& views);

// The mean over views of the softmax of the logits.
template <typename T>
absl::StatusOr<VideoScores> MeanOfSoftmax(const Views<T>& views);

// Only the first clip's first crop: what the search measures.
template <typename T>
absl::StatusOr<VideoScores> OneView(const Views<T>& views);

// The mean over crops; then, for each class, the mean of its `k` highest clips, k in [1, clips].
template <typename T>
absl::StatusOr<VideoScores> TopKClips(const Views<T>& views, int64_t k);

// Two-stream: the weighted sum of the streams' scores, entry by entry.  RGB plus flow is
// WeightedSum({rgb, flow}, {1, 1}).
absl::StatusOr<VideoScores> WeightedSum(absl::Span<const VideoScores> streams,
                                        absl::Span<const double> weights);

struct ClassMetrics {
  int64_t videos = 0;
  // Videos whose own class had the highest score.
  int64_t correct = 0;
};

struct Metrics {
  int64_t videos = 0;
  // Shares in [0, 1].  A video counts for top-k if fewer than k classes are ahead of its own; among
  // equal scores the lower class number is ahead.
  double top1 = 0;
  double top3 = 0;
  double top5 = 0;
  // Mean of correct / videos over the classes that have videos.
  double mean_class_accuracy = 0;
  // For scores that are logits: the mean over the videos of the probability (softmax) of the own
  // class, in [0, 1], and of its logarithm, at least -64.  Each video's value is rounded to 2^-26,
  // so that sums are exact and the parts of a list give the same bits as the whole.
  double probability = 0;
  double log_likelihood = 0;
  // The class with the highest score, one per video.
  std::vector<int64_t> predicted;
  // The number of classes ahead of its own, one per video.
  std::vector<int64_t> ranks;
  // One per class.
  std::vector<ClassMetrics> classes;
  // [classes, classes], row-major: confusion[own * classes + predicted] videos.
  std::vector<int64_t> confusion;

  // The search's measure of performance.
  double mean_of_top_1_3_5() const { return (top1 + top3 + top5) / 3; }
};

// One label per video, at least one video.
absl::StatusOr<Metrics> ComputeMetrics(const VideoScores& scores, absl::Span<const int64_t> labels);

// The statistic of the released merger.  Its k is CHOSEN ON THE EVALUATION LABELS, so it is too
// good: show it under its own name, next to the plain mean, never instead of it.
struct TopKClipsStatistic {
  // Entry k - 1 is the top-1 with the k highest clips; as many as there are clips.
  std::vector<double> top1_by_k;
  // The smallest k with the highest top-1.
  int64_t best_k = 0;
  Metrics best;
};
template <typename T>
absl::StatusOr<TopKClipsStatistic> BestTopKClips(const Views<T>& views,
                                                 absl::Span<const int64_t> labels);

}  // namespace op3d

#endif  // OP3D_EVAL_SCORES_METRICS_H_
