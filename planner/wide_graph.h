// The wide graph: short clips and long ones, cs and us, several rates, in one graph with rounds.
//
//   WideGraphSettings settings;  // clips, rates, frames, stages: as graphs/wide.textproto
//   OP3D_ASSIGN_OR_RETURN(TransitionGraph graph, MakeWideGraph(settings));
//
// With R stages, node (c, r, k) is clip c at rate r after round k, called "us8x4_0.04.2":
//   S0 -> (c, r, 1)                     every clip and every rate at once: straight to any length
//   (c, r, k - 1) -> (c, r, k)          goes on
//   (c, r, k - 1) -> (d, r, k)          d: the next longer clip of the same kind (cs or us)
//   (c, r, R - 1) -> (c, r, end)        the rate falls to 0 as 1 - sqrt, in the same clip
//   (c, r, R - 1) -> (d, r, end)        the same, in the next longer clip
// Every state `end` is final.  An edge of round k has the same number of frames for every clip, so
// that the values of a round are compared at equal cost; its number of epochs is what comes closest,
// at least 1.  What the edges of a search train adds up to `frames`, up to that rounding.
#ifndef OP3D_PLANNER_WIDE_GRAPH_H_
#define OP3D_PLANNER_WIDE_GRAPH_H_

#include <vector>

#include "absl/status/statusor.h"
#include "planner/plan.pb.h"

namespace op3d {

// InvalidArgument, naming field, value and limit, for no clip or rate, a rate or `frames` that is not
// above 0, fewer than two stages, a stage without edges or weight, two clips of one name, and
// `frames` below what one epoch of every stage's cheapest edges takes.  Thread-safe.
absl::StatusOr<TransitionGraph> MakeWideGraph(const WideGraphSettings& settings);

// Frames a video that an edge of stage `k` has (from 0), before rounding to epochs.
double FramesOfStage(const WideGraphSettings& settings, int k);

}  // namespace op3d

#endif  // OP3D_PLANNER_WIDE_GRAPH_H_
