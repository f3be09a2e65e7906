// The wide graph: short and long clips, cs and us, several rates, in one graph with rounds.
//
//   WideGraphSettings settings;  // clips, rates, frames, stages: as planner/graphs/wide.textproto
//   OP3D_ASSIGN_OR_RETURN(TransitionGraph graph, MakeWideGraph(settings));
//
// With R stages, node (c, r, k) is clip c at rate r after round k, called "us8x4_0.04.2":
//   S0 -> (c, r, 1)                     every clip and every rate at once, so any clip length is
//                                       reached directly
//   (c, r, k - 1) -> (c, r, k)          stays
//   (c, r, k - 1) -> (d, r, k)          d: the next larger clip of the same kind (cs or us): more
//                                       frames or a larger crop, and less of neither; listed after
//                                       the edge that stays, before it if the stage says `grow`
//   (c, r, R - 1) -> (c, r, end)        the rate falls to 0 as 1 - sqrt, with the same clip
//   (c, r, R - 1) -> (d, r, end)        the same, with the next larger clip
// Every state `end` is final.  With `annealing` there is one for every length, "cs16_0.04.end0.5":
// several lengths share one trunk.  All edges of round k have the same number of frames, whatever
// their clip, so that the values of a round are compared at equal cost; the number of epochs is the
// nearest one, at least 1.  The edges of a search together train `frames`, except for this
// rounding.
#ifndef OP3D_PLANNER_GRAPHS_WIDE_GRAPH_H_
#define OP3D_PLANNER_GRAPHS_WIDE_GRAPH_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "planner/graphs/plan.pb.h"

namespace op3d::planner {

// The pool of every wide graph.
inline constexpr char kWidePool[] = "wide";

// InvalidArgument, naming field, value and limit, for no clip or rate, a rate or `frames` that is
// not above 0, fewer than two stages, a stage without edges or weight, shares of `annealing`
// outside (0, 1] or not increasing, a crop without `full_crop` or above it, two clips with one
// name, and `frames` below one epoch of every stage's cheapest edges.  Thread-safe.
absl::StatusOr<TransitionGraph> MakeWideGraph(const WideGraphSettings& settings);

// The number of epochs of clips of `clip_frames` frames that is nearest to `frames` frames per video;
// in [1, 10^6].
int EpochsOf(double frames, double clip_frames);

// Frames per video of an edge of stage `k` (from 0), before rounding to epochs; of the longest edge
// if the last stage has several lengths.
double FramesOfStage(const WideGraphSettings& settings, int k);
// The number of edges that round `k` (from 0) trains, and their total frames per video.
int EdgesOfRound(const WideGraphSettings& settings, int k);
double FramesOfRound(const WideGraphSettings& settings, int k);

// Frames per video of the path with which the search ends.
double FramesOfPath(const WideGraphSettings& settings);

// The budget of a search by the planned method.
struct Budget {
  enum Unit {
    // Frames per video: epochs x frames of a clip.
    kFrames,
    // Wall-clock time on this machine.
    kSeconds,
    // Multiples of the frames of the path that the settings' own budget leads to.
    kPlans
  };
  Unit unit = kFrames;
  double amount = 0;
};

// "4608", "90s", "20min", "3h", "3x".  InvalidArgument for anything else and for 0.
absl::StatusOr<Budget> ParseBudget(const std::string& text);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_GRAPHS_WIDE_GRAPH_H_
