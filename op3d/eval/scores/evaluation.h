// From the scores of one or several tests to everything that is said about them: figures with
// intervals, a row a class and a video, who is taken for whom.
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
  // The mean over views is taken of the softmax of the logits, not of the logits.
  bool probabilities = false;
  // One a stream; empty: 1 each.
  std::vector<double> weights;
  // Streams that lack videos of each other: the common ones count (MatchVideos).
  bool common_only = false;
  // samples 0: no intervals.
  BootstrapOptions bootstrap;
};

struct Evaluation {
  EvaluationOptions options;
  // The first stream; with several, its videos that all streams have.
  TestScores test;
  size_t streams = 1;
  // Videos that some stream lacks.
  int64_t left_out = 0;
  VideoScores scores;
  // The class of the highest score, [videos].
  std::vector<int64_t> predicted;
  // "warning: ...", what is suspicious (silent_failure.h); the JSON has them as "warnings".
  std::vector<std::string> warnings;
  // The videos have labels.  Without them there are predictions, and nothing below.
  bool labelled = true;
  Metrics metrics;
  std::optional<MetricIntervals> intervals;
  // Of a single stream: each head alone, where there are several, and the released merger's
  // statistic, where there are several clips.
  std::vector<double> head_top1;
  std::optional<TopKClipsStatistic> top_k_clips;
};

// Errors of MatchVideos, the metrics and BootstrapIntervals; InvalidArgument also for scores
// without videos, for videos with and without labels, and for another number of weights than
// streams; Internal for scores that are NaN or infinite, saying how many.
absl::StatusOr<Evaluation> Evaluate(std::vector<TestScores> streams,
                                    const EvaluationOptions& options);

// A few lines for people; without labels then a line a video: its name, the likeliest class and
// that one's score.
std::string EvaluationText(const Evaluation& evaluation);
// One JSON object and a line end; shares in [0, 1], "intervals" as pairs.  Without labels no
// figures, but "predictions" [{name, top [{label, name, score}]}], five at most of each video.
std::string EvaluationJson(const Evaluation& evaluation);

// CSV with a header, of labelled videos.  A row a class:
// "label,name,videos,correct,accuracy,most_taken_for,taken"; the last two name the wrong class that
// most of its videos were given, and how many.
std::string ClassCsv(const Evaluation& evaluation);
// A row a video: "name,label,class,predicted,predicted_class,rank,score,predicted_score"; rank 1
// is right; without labels the columns of the video's own class are empty.
std::string VideoCsv(const Evaluation& evaluation);
// Of labelled videos, a row a true class, a column a predicted one, counts of videos.
std::string ConfusionCsv(const Evaluation& evaluation);

}  // namespace op3d

#endif  // OP3D_EVAL_SCORES_EVALUATION_H_
