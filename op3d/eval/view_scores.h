// The logits of a test, every head, video and view, and the file they travel in.
//
//   OP3D_ASSIGN_OR_RETURN(std::string bytes, SerializeScores(scores));
//   OP3D_RETURN_IF_ERROR(WriteFileAtomically("scores.safetensors", bytes));
#ifndef OP3D_EVAL_VIEW_SCORES_H_
#define OP3D_EVAL_VIEW_SCORES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "op3d/eval/metrics.h"

namespace op3d {

struct ViewScores {
  int64_t heads = 0, videos = 0, clips = 0, crops = 0, classes = 0;
  // [heads, videos, clips, crops, classes].
  std::vector<float> logits;
  // [videos].
  std::vector<int64_t> labels;
  // Videos that were to be scored and did not decode (not among `videos`), and the first of them.
  int64_t skipped = 0;
  std::vector<std::string> examples;

  // For the metrics; valid while this lives.
  Views<float> views() const { return {heads, videos, clips, crops, classes, logits}; }
  // One head alone, in [0, heads).
  Views<float> head(int64_t head) const;
};

// As safetensors, for fusion and for scoring again without the video: `scores`
// [videos, clips * crops, classes], the mean of the heads; `heads` [heads, videos, classes], the
// mean of the views; `labels` [videos].  Means are taken in double precision.
absl::StatusOr<std::string> SerializeScores(const ViewScores& scores);

}  // namespace op3d

#endif  // OP3D_EVAL_VIEW_SCORES_H_
