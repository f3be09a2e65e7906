// Plans again over edges that are trained already: with another graph, another T, fewer states.
// Trains nothing.
//
//   OP3D_ASSIGN_OR_RETURN(Replay replay, PlanAgain(graph, outcomes, options));
//   Print(replay.plan);
//
// An edge's recorded score holds for the weights it was started from.  Where another way into its
// source wins now, it would start from others: the score is then a stand-in, and only training that
// edge anew would tell.
#ifndef OP3D_PLANNER_REPLAY_H_
#define OP3D_PLANNER_REPLAY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "planner/plan.pb.h"

namespace op3d {

struct ReplayOptions {
  // T for edges whose curve is recorded; 0 = the recorded epochs and scores stay, and
  // measured points without a result get the published T = 10.
  int window = 0;
  // The states that may be used, beside the initial one; empty = all.
  std::vector<std::string> states;
};

// A state's best way in as a plan that ends there, and what training along it costs.
struct PricedPlan {
  Plan plan;
  // Sum of epochs x frames of a clip, over the plan's steps.
  int64_t frames = 0;
};

struct Replay {
  Plan plan;
  // Edges of the graph between states that may be used that were never trained.
  std::vector<std::string> untrained;
  // With a window: edges whose recorded curve ends before the rule would.  Their score is that of
  // the epochs there are.
  std::vector<std::string> unfinished;
  // Every state's best way in, final or not, but those that another one beats in both value and
  // cost; cheapest first, the highest value last.  All of them were trained just so.
  std::vector<PricedPlan> front;
};

// FailedPrecondition when no final state is reached over trained edges, naming the edges that are
// missing.  InvalidArgument for a graph as IndexGraph(), an unknown state in `options`, or a curve
// as DecideStop().  Thread-safe.
absl::StatusOr<Replay> PlanAgain(const TransitionGraph& graph,
                                 const std::vector<EdgeOutcome>& trained,
                                 const ReplayOptions& options);

// The front's plan of the highest value that costs at most `frames`.  NotFound, naming the
// cheapest, when there is none.
absl::StatusOr<PricedPlan> BestWithin(const Replay& replay, int64_t frames);

// Of `resamples` searches whose every curve has its residuals drawn anew (RandomStream(seed)), how
// many end with the path of `replay`: [0, 1].  Edges without a measured curve stay as they are.
absl::StatusOr<double> PlanStability(const TransitionGraph& graph,
                                     const std::vector<EdgeOutcome>& trained,
                                     const ReplayOptions& options, const Replay& replay,
                                     int resamples, uint64_t seed);

}  // namespace op3d

#endif  // OP3D_PLANNER_REPLAY_H_
