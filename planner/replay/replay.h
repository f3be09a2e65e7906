// Plans again over edges that are trained already: with another graph, another T, fewer states.
// Trains nothing.
//
//   OP3D_ASSIGN_OR_RETURN(Replay replay, PlanAgain(graph, outcomes, options));
//   Print(replay.plan);
//
// An edge's recorded score holds for the weights it was started from.  Where another way into its
// source wins now, it would start from others: the score is then a stand-in, and only training that
// edge again would tell.
#ifndef OP3D_PLANNER_REPLAY_REPLAY_H_
#define OP3D_PLANNER_REPLAY_REPLAY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "planner/graphs/plan.pb.h"
#include "planner/graphs/transition_graph.h"
#include "planner/search/dynamic_programming.h"

namespace op3d::planner {

enum class CostUnit {
  // Epochs x frames of a clip.  Times the clips of an epoch: the frames trained on.
  kFrames,
  // Measured wall-clock of training and measuring.
  kSeconds,
};

struct ReplayOptions {
  // For edges whose curve is recorded.  attempt_epochs 0 = the recorded epochs and scores stay, and
  // measured points without a result get the published rule with T = 10.  Its bounds are not looked
  // at: the recorded curve's end is the bound.
  StoppingRule rule;
  // The states that may be used, beside the initial one; empty = all.
  std::vector<std::string> states;
  // What the front weighs against the value.
  CostUnit cost = CostUnit::kFrames;
};

// The best way into a state, as a plan that ends there.
struct PricedState {
  std::string state;
  double value = 0;
  // Over the steps of the plan.
  int64_t frames = 0;
  // 0 where no seconds were recorded.
  double seconds = 0;
};

struct Replay {
  // What was planned over: without the states that may not be used.
  TransitionGraph graph;
  GraphIndex index;
  EdgeScores scores;

  Plan plan;
  // Edges of `graph` that were never trained.
  std::vector<std::string> untrained;
  // Edges of `graph` whose training failed: no way into their states.
  std::vector<std::string> failed;
  // With a rule: edges whose recorded curve ends before the rule would.  Their score is that of
  // the epochs there are.
  std::vector<std::string> unfinished;
  // Every state's best way in, final or not, but those that another one beats in both value and
  // cost; cheapest first, the highest value last.
  std::vector<PricedState> front;
};

// What a search that was recorded with one graph knows of another one.
struct MatchedEdges {
  // The recorded edges that the other graph has too, with the names that it gives to their states.
  std::vector<EdgeOutcome> edges;
  // A sentence for every state of the other graph that was never trained in.
  std::vector<std::string> unrecorded;
};

// States are the same when they train the same: clip, learning rate (to 1e-9 of it) and schedule,
// clips an update (batch_size x accumulation) and all else but the name, which only decides among
// equal ones.  An edge of a given length is the recorded one only where that has this length.
// Thread-safe.
MatchedEdges MatchEdges(const TransitionGraph& recorded, const std::vector<EdgeOutcome>& trained,
                        const TransitionGraph& graph);

// `trained` names the states of `graph` (MatchEdges() sees to it).
// FailedPrecondition when no final state is reached over trained edges, naming the edges that are
// missing, or when seconds are asked for that were not recorded.  InvalidArgument for a graph as
// IndexGraph(), an unknown state in `options`, or a curve as DecideStop().  Thread-safe.
absl::StatusOr<Replay> PlanAgain(const TransitionGraph& graph,
                                 const std::vector<EdgeOutcome>& trained,
                                 const ReplayOptions& options);

// The plan that ends in `state`, one of the front's.
Plan PlanTo(const Replay& replay, const std::string& state);

// The front's state of the highest value that costs at most `budget`, in the unit of `cost`, by
// which the front must have been made.  NotFound, naming the cheapest, when there is none.
absl::StatusOr<PricedState> BestWithin(const Replay& replay, CostUnit cost, double budget);

// Of `resamples` searches whose every curve has its residuals drawn again (RandomStream(seed)), how
// many end with the path of `replay`: [0, 1].  Edges without a measured curve stay as they are.
absl::StatusOr<double> PlanStability(const TransitionGraph& graph,
                                     const std::vector<EdgeOutcome>& trained,
                                     const ReplayOptions& options, const Replay& replay,
                                     int resamples, uint64_t seed);

// How far two searches over the same graph agree: one in small and one at full size, or two seeds.
struct SearchAgreement {
  // Spearman's rank correlation of the scores of edges that both measured, equal scores by their mean
  // rank; [-1, 1], and 0 for fewer than two edges or where one of them gives every edge one score.
  struct Ranks {
    int edges = 0;
    double correlation = 0;
  };
  // All of them, and those out of the initial state, which were trained equally long.
  Ranks all, first;
  // The final state that the first one would choose, and what the second one gives to it, if it was
  // trained there too; beside it the second one's best value.
  std::string chosen;
  std::optional<double> value_of_chosen;
  double best_value = 0;
};

// Edges are compared by the names of their states.  FailedPrecondition where one of them has no plan
// yet.  Thread-safe.
absl::StatusOr<SearchAgreement> CompareSearches(const SearchOutcome& first,
                                                const SearchOutcome& second);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_REPLAY_REPLAY_H_
