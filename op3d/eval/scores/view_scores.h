// The logits of a test as they come from the network: every head, video and view.
//
//   OP3D_ASSIGN_OR_RETURN(std::string bytes, SerializeTestScores(Summarise(scores)));
//   OP3D_RETURN_IF_ERROR(WriteFileAtomically("scores.safetensors", bytes));
#ifndef OP3D_EVAL_SCORES_VIEW_SCORES_H_
#define OP3D_EVAL_SCORES_VIEW_SCORES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "op3d/eval/scores/metrics.h"
#include "op3d/eval/scores/video_scores.h"

namespace op3d {

struct ViewScores {
  int64_t heads = 0, videos = 0, clips = 0, crops = 0, classes = 0;
  // [heads, videos, clips, crops, classes].
  std::vector<float> logits;
  // [videos].
  std::vector<int64_t> labels;
  // [videos].
  std::vector<std::string> names;
  // Videos that do not decode (not counted in `videos`), and the first of them.
  int64_t skipped = 0;
  std::vector<std::string> examples;

  // For the metrics; valid while this lives.
  Views<float> views() const { return {heads, videos, clips, crops, classes, logits}; }
  // One head alone, in [0, heads).
  Views<float> head(int64_t head) const;
};

// The part of them that is kept, for fusion and for evaluation without the videos: means of the
// heads, and of the views, in double precision.
TestScores Summarise(const ViewScores& scores);

}  // namespace op3d

#endif  // OP3D_EVAL_SCORES_VIEW_SCORES_H_
