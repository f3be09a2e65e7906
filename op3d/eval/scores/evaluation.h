// From the scores of one or several tests to all output: figures with intervals, one row per class
// and per video, confusion.
//
//   OP3D_ASSIGN_OR_RETURN(Evaluation evaluation, Evaluate({rgb, flow}, options));
//   std::cout << EvaluationText(evaluation);
//   WriteFileAtomically("classes.csv", ClassCsv(evaluation));
#ifndef OP3D_EVAL_SCORES_EVALUATION_H_
#define OP3D_EVAL_SCORES_EVALUATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "op3d/eval/scores/confidence.h"
#include "op3d/eval/scores/metrics.h"
#include "op3d/eval/scores/video_scores.h"

namespace op3d {

struct EvaluationOptions {
  // Take the mean over views of the softmax of the logits, instead of the logits.
  bool probabilities = false;
  // One per stream; empty: 1 each.
  std::vector<double> weights;
  // If streams lack videos of each other, use the common ones (MatchVideos).
  bool common_only = false;
  // samples 0: no intervals.
  BootstrapOptions bootstrap;
};

struct Evaluation {
  EvaluationOptions options;
  // The first stream; if there are several, only the videos that all streams have.
  TestScores test;
  size_t streams = 1;
  // Videos that some stream lacks.
  int64_t left_out = 0;
  VideoScores scores;
  // The class of the highest score, [videos].
  std::vector<int64_t> predicted;
  // "warning: ...", suspicious results (silent_failure.h); "warnings" in the JSON.
  std::vector<std::string> warnings;
  // The videos have labels.  Without them there are predictions, and none of the fields below.
  bool labelled = true;
  Metrics metrics;
  std::optional<MetricIntervals> intervals;
  // For a single stream: each head alone, if there are several, and the released merger's
  // statistic, if there are several clips.
  std::vector<double> head_top1;
  std::optional<TopKClipsStatistic> top_k_clips;
};

// Errors of MatchVideos, the metrics and BootstrapIntervals; InvalidArgument also for scores
// without videos, for videos with and without labels, and if the numbers of weights and streams
// differ; Internal for scores that are NaN or infinite, with their number.
absl::StatusOr<Evaluation> Evaluate(std::vector<TestScores> streams,
                                    const EvaluationOptions& options);

// A few lines for people.  Without labels one line per video: its name, the most likely class and
// its score.
std::string EvaluationText(const Evaluation& evaluation);
// One JSON object and a line end; shares in [0, 1], "intervals" as pairs.  Without labels no
// figures, but "predictions" [{name, top [{label, name, score}]}], at most five per video.
std::string EvaluationJson(const Evaluation& evaluation);

// CSV with a header, for labelled videos.  One row per class:
// "label,name,videos,correct,accuracy,most_taken_for,taken"; the last two are the wrong class that
// most of its videos were given, and their number.
std::string ClassCsv(const Evaluation& evaluation);
// One row per video: "name,label,class,predicted,predicted_class,rank,score,predicted_score"; rank
// 1 is right; without labels the columns of the video's own class are empty.
std::string VideoCsv(const Evaluation& evaluation);
// For labelled videos: one row per true class, one column per predicted one, counts of videos.
std::string ConfusionCsv(const Evaluation& evaluation);

}  // namespace op3d

#endif  // OP3D_EVAL_SCORES_EVALUATION_H_
