// From the scores of views to figures: how often the right class is first, among three, among five.
//
//   const Views<float> views = {heads, videos, clips, crops, classes, logits};
//   OP3D_ASSIGN_OR_RETURN(VideoScores scores, MeanOfLogits(views));
//   OP3D_ASSIGN_OR_RETURN(Metrics metrics, ComputeMetrics(scores, labels));
//   metrics.top1;                                                        // a share in [0, 1]
//
// Sums are taken in double precision in a fixed order, so a result depends on the scores alone.
// All functions are pure and thread-safe.  InvalidArgument is the only error: a size that does not
// fit, a label outside [0, classes), a score that is not finite (its video and class are named).
#ifndef OP3D_EVAL_SCORES_METRICS_H_
#define OP3D_EVAL_SCORES_METRICS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace op3d {

// Raw logits of every head, video and view, [heads, videos, clips, crops, classes], row-major.
// Does not own them.  T is float or double.  One head alone is a subspan with heads = 1.
template <typename T>
struct Views {
  int64_t heads = 1;
  int64_t videos = 0;
  int64_t clips = 1;
  int64_t crops = 1;
  int64_t classes = 0;
  absl::Span<const T> logits;
};

// One row a video, [videos, classes].  Higher is better.
struct VideoScores {
  int64_t videos = 0;
  int64_t classes = 0;
  std::vector<double> values;
};

// Every function below first takes the mean over the heads.

// The protocol's score: the mean over crops, then over clips, of the logits.
template <typename T>
absl::StatusOr<VideoScores> MeanOfLogits(const Views<T>& views);

// The mean over views of the softmax of the logits.
template <typename T>
absl::StatusOr<VideoScores> MeanOfSoftmax(const Views<T>& views);

// The first clip's first crop alone: what the search measures.
template <typename T>
absl::StatusOr<VideoScores> OneView(const Views<T>& views);

// The mean over crops; then, class by class, the mean of the `k` highest clips, k in [1, clips].
template <typename T>
absl::StatusOr<VideoScores> TopKClips(const Views<T>& views, int64_t k);

// Two-stream: the streams' scores times their weights, added entry by entry.  RGB plus flow is
// WeightedSum({rgb, flow}, {1, 1}).
absl::StatusOr<VideoScores> WeightedSum(absl::Span<const VideoScores> streams,
                                        absl::Span<const double> weights);

struct ClassMetrics {
  int64_t videos = 0;
  // Videos whose own class came first.
  int64_t correct = 0;
};

struct Metrics {
  int64_t videos = 0;
  // Shares in [0, 1].  A video counts for top-k when fewer than k classes are ahead of its own; of
  // equal scores the lower class number is ahead.
  double top1 = 0;
  double top3 = 0;
  double top5 = 0;
  // Mean of correct / videos over the classes that have videos.
  double mean_class_accuracy = 0;
  // Of scores that are logits: the mean over the videos of the probability (softmax) of the own
  // class, in [0, 1], and of its logarithm, at least -64.  Each video's is rounded to 2^-26, so that
  // sums are exact and parts of a list add up to the same bits as the whole.
  double probability = 0;
  double log_likelihood = 0;
  // The class in front, a video each.
  std::vector<int64_t> predicted;
  // How many classes are ahead of its own, a video each.
  std::vector<int64_t> ranks;
  // One a class.
  std::vector<ClassMetrics> classes;
  // [classes, classes], row-major: confusion[own * classes + predicted] videos.
  std::vector<int64_t> confusion;

  // The search's measure of performance.
  double mean_of_top_1_3_5() const { return (top1 + top3 + top5) / 3; }
};

// One label a video, at least one video.
absl::StatusOr<Metrics> ComputeMetrics(const VideoScores& scores, absl::Span<const int64_t> labels);

// The statistic of the released merger.  Its k is CHOSEN ON THE EVALUATION LABELS, so it flatters:
// show it under its own name, beside the plain mean, never in its place.
struct TopKClipsStatistic {
  // Entry k - 1 is the top-1 with the k highest clips; one a clip.
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
