// Plans again over edges that are already trained: with another graph, another T, fewer states.
// Trains nothing.
//
//   OP3D_ASSIGN_OR_RETURN(Replay replay, PlanAgain(graph, outcomes, options));
//   Print(replay.plan);
//
// An edge's recorded score is for the weights from which it was started.  If another edge into its
// source is the best now, it would start from others: the score is then an approximation, and only
// training that edge again would give the true one.
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
  // Epochs x frames of a clip.  Multiplied by the clips of an epoch: the frames trained on.
  kFrames,
  // Measured wall-clock time of training and measuring.
  kSeconds,
};

struct ReplayOptions {
  // For edges whose curve is recorded.  attempt_epochs 0 = the recorded epochs and scores stay, and
  // measured points without a result get the published rule with T = 10.  Its bounds are ignored:
  // the end of the recorded curve is the bound.
  StoppingRule rule;
  // The states that may be used, in addition to the initial one; empty = all.
  std::vector<std::string> states;
  // The cost on the front.
  CostUnit cost = CostUnit::kFrames;
};

// The best path into a state, as a plan that ends there.
struct PricedState {
  std::string state;
  double value = 0;
  // Sum over the steps of the plan.
  int64_t frames = 0;
  // 0 if no seconds were recorded.
  double seconds = 0;
};

struct Replay {
  // The graph that was used, without excluded states.
  TransitionGraph graph;
  GraphIndex index;
  EdgeScores scores;

  Plan plan;
  // Edges of `graph` that were never trained.
  std::vector<std::string> untrained;
  // Edges of `graph` whose training failed: they do not lead into their states.
  std::vector<std::string> failed;
  // With a rule: edges whose recorded curve ends before the rule would stop.  Their score is that
  // of the existing epochs.
  std::vector<std::string> unfinished;
  // Every state's best path, final or not, except those that another one beats in both value and
  // cost; cheapest first, the highest value last.
  std::vector<PricedState> front;
};

// What a recorded search with one graph says about another graph.
struct MatchedEdges {
  // The recorded edges that the other graph has too, with its names for their states.
  std::vector<EdgeOutcome> edges;
  // One sentence for every state of the other graph that was never trained.
  std::vector<std::string> unrecorded;
};

// States are the same if they train the same: clip, learning rate (to 1e-9 of it), schedule,
// clips per update (batch_size x accumulation) and everything else except the name, which only
// decides among equal ones.  An edge with a fixed length matches only a recorded one of this
// length.  Thread-safe.
MatchedEdges MatchEdges(const TransitionGraph& recorded, const std::vector<EdgeOutcome>& trained,
                        const TransitionGraph& graph);

// `trained` uses the names of states of `graph` (see MatchEdges()).
// FailedPrecondition if no final state is reached over trained edges, naming the missing
// edges, or if the cost is seconds and none were recorded.  InvalidArgument for a graph as in
// IndexGraph(), an unknown state in `options`, or a curve as in DecideStop().  Thread-safe.
absl::StatusOr<Replay> PlanAgain(const TransitionGraph& graph,
                                 const std::vector<EdgeOutcome>& trained,
                                 const ReplayOptions& options);

// The plan that ends in `state`, which must be on the front.
Plan PlanTo(const Replay& replay, const std::string& state);

// The state of the front with the highest value that costs at most `budget`, in the unit of `cost`,
// which must be that of the front.  NotFound, naming the cheapest, if there is none.
absl::StatusOr<PricedState> BestWithin(const Replay& replay, CostUnit cost, double budget);

// The share, in [0, 1], of `resamples` searches that end with the path of `replay` when the
// residuals of every curve are drawn again (RandomStream(seed)).  Edges without a measured curve
// stay as they are.
absl::StatusOr<double> PlanStability(const TransitionGraph& graph,
                                     const std::vector<EdgeOutcome>& trained,
                                     const ReplayOptions& options, const Replay& replay,
                                     int resamples, uint64_t seed);

// How far two searches over the same graph agree: a proxy and one at full size, or two seeds.
struct SearchAgreement {
  // Spearman's rank correlation of the scores of edges that both measured, with mean ranks for
  // equal scores; [-1, 1], and 0 for fewer than two edges or if one search gives all edges the same
  // score.
  struct Ranks {
    int edges = 0;
    double correlation = 0;
  };
  // All such edges, and those from the initial state, which were trained equally long.
  Ranks all, first;
  // The final state that the first search would choose, and the second search's value for it, if it
  // was trained there too; and the second search's best value.
  std::string chosen;
  std::optional<double> value_of_chosen;
  double best_value = 0;
};

// Edges are compared by the names of their states.  FailedPrecondition if one of them has no plan
// yet.  Thread-safe.
absl::StatusOr<SearchAgreement> CompareSearches(const SearchOutcome& first,
                                                const SearchOutcome& second);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_REPLAY_REPLAY_H_
