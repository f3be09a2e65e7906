// Matches the scores of several tests: the same videos in the same order, so that they can be
// added, for two streams or several networks.
//
//   OP3D_ASSIGN_OR_RETURN(MatchedScores matched, MatchVideos({rgb, flow}, /*common_only=*/false));
//   // matched.streams[0].names == matched.streams[1].names
#ifndef OP3D_EVAL_SCORES_FUSION_H_
#define OP3D_EVAL_SCORES_FUSION_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "op3d/eval/scores/video_scores.h"

namespace op3d {

struct MatchedScores {
  // In the order of the first stream.
  std::vector<TestScores> streams;
  // Videos that some stream lacks.
  int64_t left_out = 0;
};

// Videos are matched by name; if the names only differ in their video endings ("drinking/1.mp4" and
// its flow "drinking/1"), without the endings.  Labels of a test list come from a stream that has
// them.  Streams without names must have the same labels in the same order.  A video
// that some stream lacks is left out with `common_only`, otherwise FailedPrecondition names the
// first.  Classes are matched by name too: a stream with another order of classes is reordered to
// the first's; a stream without class names is assumed to have the first's order.  InvalidArgument:
// streams with other classes, a name twice, a video with two labels; FailedPrecondition: no common
// video.
absl::StatusOr<MatchedScores> MatchVideos(std::vector<TestScores> streams, bool common_only);

}  // namespace op3d

#endif  // OP3D_EVAL_SCORES_FUSION_H_
