// The wide graph: short clips and long ones, cs and us, several rates, in one graph with rounds.
//
//   WideGraphSettings settings;  // clips, rates, frames, stages: as planner/graphs/wide.textproto
//   OP3D_ASSIGN_OR_RETURN(TransitionGraph graph, MakeWideGraph(settings));
//
// With R stages, node (c, r, k) is clip c at rate r after round k, called "us8x4_0.04.2":
//   S0 -> (c, r, 1)                     every clip and every rate at once: straight to any length
//   (c, r, k - 1) -> (c, r, k)          goes on
//   (c, r, k - 1) -> (d, r, k)          d: the next larger clip of the same kind (cs or us): more
//                                       frames or a larger crop, and less of neither; listed after
//                                       the one that goes on, before it where the stage says `grow`
//   (c, r, R - 1) -> (c, r, end)        the rate falls to 0 as 1 - sqrt, in the same clip
//   (c, r, R - 1) -> (d, r, end)        the same, in the next larger clip
// Every state `end` is final.  With `annealing` there is one for every length, "cs16_0.04.end0.5":
// several lengths share one trunk.  An edge of round k has the same number of frames for every clip, so
// that the values of a round are compared at equal cost; its number of epochs is what comes closest,
// at least 1.  What the edges of a search train adds up to `frames`, up to that rounding.
#ifndef OP3D_PLANNER_GRAPHS_WIDE_GRAPH_H_
#define OP3D_PLANNER_GRAPHS_WIDE_GRAPH_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "planner/graphs/plan.pb.h"

namespace op3d::planner {

// InvalidArgument, naming field, value and limit, for no clip or rate, a rate or `frames` that is not
// above 0, fewer than two stages, a stage without edges or weight, shares of `annealing` outside
// (0, 1] or not rising, a crop without `full_crop` or above it, two clips of one name, and `frames`
// below what one epoch of every stage's cheapest edges takes.  Thread-safe.
absl::StatusOr<TransitionGraph> MakeWideGraph(const WideGraphSettings& settings);

// Frames a video that an edge of stage `k` has (from 0), the longest one of the last stage where
// there are several lengths; before rounding to epochs.
double FramesOfStage(const WideGraphSettings& settings, int k);
// The number of edges that round `k` (from 0) trains, and the frames a video of all of them.
int EdgesOfRound(const WideGraphSettings& settings, int k);
double FramesOfRound(const WideGraphSettings& settings, int k);

// Frames a video of the path that its search ends with.
double FramesOfPath(const WideGraphSettings& settings);

// What a search by the planned method may train.
struct Budget {
  enum Unit {
    // Frames a video: epochs x frames a clip.
    kFrames,
    // Wall-clock on this machine.
    kSeconds,
    // Of the path that the settings' own budget leads to.
    kPlans
  };
  Unit unit = kFrames;
  double amount = 0;
};

// "4608", "90s", "20min", "3h", "3x".  InvalidArgument for anything else and for 0.
absl::StatusOr<Budget> ParseBudget(const std::string& text);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_GRAPHS_WIDE_GRAPH_H_
