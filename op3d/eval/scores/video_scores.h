// The result of a test: every video's scores for every view, with the names that are needed to
// join, fuse and evaluate them later without the videos.
//
//   OP3D_ASSIGN_OR_RETURN(std::string bytes, SerializeTestScores(scores));
//   OP3D_ASSIGN_OR_RETURN(TestScores again, ParseTestScores(bytes, "scores.safetensors"));
//   MeanOfLogits(again.views());
#ifndef OP3D_EVAL_SCORES_VIDEO_SCORES_H_
#define OP3D_EVAL_SCORES_VIDEO_SCORES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "op3d/eval/scores/metrics.h"

namespace op3d {

struct TestScores {
  // `heads` is 0 only if there are no videos.
  int64_t heads = 0, videos = 0, clips = 0, crops = 0, classes = 0;
  // Logits, the mean of the heads: [videos, clips * crops, classes].
  std::vector<float> scores;
  // Logits, the mean of the views: [heads, videos, classes].
  std::vector<float> head_scores;
  // [videos].
  std::vector<int64_t> labels;
  // [videos], as in the list; empty in older files without names.
  std::vector<std::string> names;
  // [classes], or empty.
  std::vector<std::string> class_names;
  // Rows of the list; those that are not in the copy; those that do not decode.  listed is 0 if
  // unknown.
  int64_t listed = 0, missing = 0, broken = 0;
  // The first videos that do not decode, "name: reason".
  std::vector<std::string> broken_examples;
  // The settings of the test, one "name: value" per line; empty if unknown.
  std::string settings;

  // For the metrics; valid while this lives.
  Views<float> views() const { return {1, videos, clips, crops, classes, scores}; }
};

// As safetensors: `scores`, `heads` and `labels`, the rest in the metadata; equal scores give equal
// bytes.
absl::StatusOr<std::string> SerializeTestScores(const TestScores& scores);

// DataLoss for a truncated file, InvalidArgument for one that contains no scores or whose sizes
// contradict each other; both begin with `source`.  `row`: which row of a file with several
// (MergeRows()); if it is "" and there are several, or no row has this name, InvalidArgument lists
// them.
absl::StatusOr<TestScores> ParseTestScores(std::string bytes, absl::string_view source,
                                           absl::string_view row = "");

// Scores as a user names them: a file, or a run's folder, which means its scores.safetensors; with
// ":ROW" at the end, one row of a run.
//
//   ReadTestScores("results/runs/ucf101:planned_model")
//   ReadTestScores("rgb.safetensors")
//
// NotFound if it does not exist; the errors of ParseTestScores().
absl::StatusOr<TestScores> ReadTestScores(const std::string& word);

// The scores of a run's rows in one file: tensors `<row>.scores`, `<row>.heads`, `<row>.labels`;
// metadata once if all rows have the same, otherwise as `<row>.<key>`.  `rows` are names and the
// results of SerializeTestScores().
absl::StatusOr<std::string> MergeRows(absl::Span<const std::pair<std::string, std::string>> rows);

// The videos of all parts, in the order of the parts; class names and settings of the first,
// `broken` summed.  InvalidArgument if the parts differ in views, classes or heads.
absl::StatusOr<TestScores> JoinTestScores(absl::Span<const TestScores> parts);

}  // namespace op3d

#endif  // OP3D_EVAL_SCORES_VIDEO_SCORES_H_
