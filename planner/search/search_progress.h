// The progress of a search: computed line by line from its journal, during the search and later.
//
//   OP3D_ASSIGN_OR_RETURN(SearchProgress progress, SearchProgress::Make(graph, rule));
//   for (const JournalEntry& entry : journal.entries) OP3D_RETURN_IF_ERROR(progress.Apply(entry));
//   if (progress.next_edge() == kNoEdge) Print(*progress.Outcome());
#ifndef OP3D_PLANNER_SEARCH_SEARCH_PROGRESS_H_
#define OP3D_PLANNER_SEARCH_SEARCH_PROGRESS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "planner/graphs/plan.pb.h"
#include "planner/graphs/transition_graph.h"
#include "planner/knee/stopping_rule.h"
#include "planner/search/dynamic_programming.h"
#include "planner/search/journal.pb.h"

namespace op3d::planner {

// Edges are indexes of graph.transitions.  Not thread-safe.
class SearchProgress {
 public:
  // InvalidArgument as in IndexGraph() and ValidateStoppingRule().
  static absl::StatusOr<SearchProgress> Make(const TransitionGraph& graph,
                                             const StoppingRule& rule);

  // A finished search, from the result of Outcome(), which a run's record contains.  The edges that
  // a round chose are those in the outcome.  InvalidArgument as in Make(); DataLoss for
  // edges that cannot have been trained like this.
  static absl::StatusOr<SearchProgress> Follow(const SearchOutcome& outcome);

  // Adds an entry.  If an edge fails that was the last one into a state, the edges out
  // of that state are UNREACHED from then on, and so on along the graph.
  //
  // DataLoss if the entry is impossible now: a point of an edge that is finished or not ready, an
  // epoch out of order, a performance that is not finite, a finished edge that keeps an epoch it
  // has not trained or that failed without a reason.
  absl::Status Apply(const JournalEntry& entry);

  const TransitionGraph& graph() const { return graph_; }
  const StoppingRule& rule() const { return rule_; }
  const GraphIndex& index() const { return index_; }

  // The first ready edge in the order of training; kNoEdge when all are finished or none
  // can lead to a plan any more.
  int next_edge() const;
  // In a graph with rounds: the edge will not be trained, because its round chose others.
  bool dropped(int edge) const { return dropped_[edge]; }
  // The number of rounds whose edges have been chosen, and of all rounds; 0 in a graph without.
  int round() const { return round_; }
  int rounds() const { return graph_.rounds_size(); }
  // No edge into a final state is left: there will be no plan, whatever else is trained.
  bool hopeless() const;
  // Whether the edge is open and everything that its starting weights depend on is finished.  With
  // a rule with `race`, all earlier edges into its state must be finished too.
  bool Ready(int edge) const;
  // Points so far; point k is epoch k.
  const std::vector<CurvePoint>& curve(int edge) const { return curves_[edge]; }
  // The rule's decision for the curve so far, which must have point 0.
  absl::StatusOr<StoppingDecision> Decide(int edge) const;
  // Why the edge's training has collapsed (DescribeCollapse()); "" = it has not.
  std::string Collapse(int edge) const;
  // The bound on an edge's epochs.
  int max_epochs(int edge) const;

  // By edge; absent = not finished, FAILED or UNREACHED.
  const EdgeScores& scores() const { return scores_; }
  // By edge; absent = not finished.
  const std::vector<std::optional<EdgeOutcome>>& outcomes() const { return outcomes_; }
  // States that failed edges left without any edge into them, in the order in which that happened.
  const std::vector<int>& unreached() const { return unreached_; }
  // "S3 is reached by no edge: S1-S3 failed, S2-S3 was not trained; S3-S4 is not trained".
  std::string DescribeUnreached(int node) const;

  // Includes FAILED and UNREACHED ones.
  int edges_finished() const { return edges_finished_; }
  // In a graph with rounds: the chosen edges, plus the largest number that later rounds may choose.
  int edges_total() const;
  // The number of epochs trained so far, and the total if every open edge is trained up to its
  // bound.  In a graph with rounds, edges that are not chosen yet count with their round's mean.
  int epochs_trained() const { return epochs_trained_; }
  int epochs_at_worst() const;
  // The remaining frames per video (epochs x frames of a clip) in that case.
  double frames_to_go() const;
  // The number of processes that have started or resumed the search so far.
  int processes() const { return processes_; }

  // Whether an untrained edge can start from the weights of `edge`, or a final state's best weights
  // are kept there.  True while the edge is open; false if it keeps none.
  bool NeedsWeights(int edge) const;
  // The finished edges whose weights are no longer needed; returns each only once.
  std::vector<int> TakeUnneeded();

  // FailedPrecondition while edges are open.  Aborted, marked as a training failure
  // (op3d/base/training_failure.h) and with the failed edges, if no final state is reached.
  absl::StatusOr<SearchOutcome> Outcome() const;
  // The finished edges and what follows from them: without a plan until a final state has a value;
  // the plan may change until Outcome() succeeds.
  SearchOutcome OutcomeSoFar() const;

 private:
  // The remaining cost at most, in the unit of `cost_of_epoch(edge)`.
  template <typename CostOfEpoch>
  double ToGo(const CostOfEpoch& cost_of_epoch) const;
  SearchProgress() = default;
  absl::Status ApplyPoint(const JournalPoint& point);
  absl::Status ApplyFinished(EdgeOutcome outcome);
  // Chooses the edges of the next rounds as far as is possible now.
  void ChooseRounds();
  void ChooseEdges(int round);
  // Whether no edge of the rounds so far is open.
  bool RoundDone() const;
  // Records that the edge is finished, and which states and edges are not reached because of that.
  void Settle(int edge, EdgeOutcome outcome);
  // Whether all edges into the node are finished, and none has a score.
  bool Unreached(int node) const;
  // The edge with that name if it may have an entry now, otherwise kNoEdge.
  int FindReady(const std::string& name) const;

  TransitionGraph graph_;
  StoppingRule rule_;
  GraphIndex index_;
  absl::flat_hash_map<std::string, int> edges_by_name_;
  // By edge, with a rule with `race`: the previous edge into its state, or kNoEdge.
  std::vector<int> way_before_;
  // By node: edges out of it that are to be trained, and the number of those still open.
  std::vector<std::vector<int>> ways_out_;
  std::vector<int> open_ways_out_;
  // By edge, in a graph with rounds: to be trained; not to be trained; neither = not decided yet.
  std::vector<bool> chosen_, dropped_;
  int round_ = 0;
  // All edges before this position in the order of training are finished.
  size_t first_open_ = 0;
  std::vector<std::vector<CurvePoint>> curves_;
  // By edge: the performance of guessing, 0 = unknown.
  std::vector<double> chances_;
  EdgeScores scores_;
  std::vector<std::optional<EdgeOutcome>> outcomes_;
  std::vector<int> unreached_;
  // Finished edges whose weights may exist: those that TakeUnneeded() has not returned yet.
  std::vector<int> keeping_;
  int edges_finished_ = 0;
  int epochs_trained_ = 0;
  int processes_ = 0;
};

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_SEARCH_SEARCH_PROGRESS_H_
