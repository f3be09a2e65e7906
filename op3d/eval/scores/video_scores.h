// What a test leaves: every video's scores of every view, with the names that they need to
// be joined, fused and scored again without a video.
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
  // `heads` is 0 only where there are no videos.
  int64_t heads = 0, videos = 0, clips = 0, crops = 0, classes = 0;
  // Logits, the mean of the heads: [videos, clips * crops, classes].
  std::vector<float> scores;
  // Logits, the mean of the views: [heads, videos, classes].
  std::vector<float> head_scores;
  // [videos].
  std::vector<int64_t> labels;
  // [videos], as the list has them; empty in files that were written without.
  std::vector<std::string> names;
  // [classes], or empty.
  std::vector<std::string> class_names;
  // Rows of the list; those that are not in the copy; those that do not decode.  listed is 0 where
  // nobody said.
  int64_t listed = 0, missing = 0, broken = 0;
  // What they were made with, "name: value" a line; empty where nobody said.
  std::string settings;

  // For the metrics; valid while this lives.
  Views<float> views() const { return {1, videos, clips, crops, classes, scores}; }
};

// As safetensors: `scores`, `heads` and `labels`, the rest in the metadata; equal scores give equal
// bytes.
absl::StatusOr<std::string> SerializeTestScores(const TestScores& scores);

// DataLoss for a file that is cut off, InvalidArgument for one that holds no scores or whose sizes
// contradict each other; both begin with `source`.  `row`: of a file of several (MergeRows()) which
// one; InvalidArgument names them where it is "" and there are several, or none is called so.
absl::StatusOr<TestScores> ParseTestScores(std::string bytes, absl::string_view source,
                                           absl::string_view row = "");

// Scores as a user names them: a file, or a run's folder, whose scores.safetensors it is; with
// ":ROW" at the end one row of a run.
//
//   ReadTestScores("results/runs/ucf101:planned_model")
//   ReadTestScores("rgb.safetensors")
//
// NotFound when there is none; the errors of ParseTestScores().
absl::StatusOr<TestScores> ReadTestScores(const std::string& word);

// The scores of a run's rows in one file: tensors `<row>.scores`, `<row>.heads`, `<row>.labels`,
// the metadata once where all rows have the same, else as `<row>.<key>`.  `rows` are names and what
// SerializeTestScores() made of each.
absl::StatusOr<std::string> MergeRows(absl::Span<const std::pair<std::string, std::string>> rows);

// The videos of all parts, in the order of the parts; class names and settings of the first,
// `broken` summed.  InvalidArgument when the parts differ in views, classes or heads.
absl::StatusOr<TestScores> JoinTestScores(absl::Span<const TestScores> parts);

}  // namespace op3d

#endif  // OP3D_EVAL_SCORES_VIDEO_SCORES_H_
