// How far a search has come: built up line by line from its journal, while searching and after.
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
  // InvalidArgument as IndexGraph() and ValidateStoppingRule().
  static absl::StatusOr<SearchProgress> Make(const TransitionGraph& graph,
                                             const StoppingRule& rule);

  // A search that has ended, from what Outcome() gave: a run's record holds that.  Which edges a
  // round chose is taken from the edges that are there.  InvalidArgument as Make(); DataLoss for
  // edges that cannot have been trained so.
  static absl::StatusOr<SearchProgress> Follow(const SearchOutcome& outcome);

  // Takes what has happened.  When an edge fails that was the last way into a state, the edges out
  // of that state are UNREACHED from then on, and so on along the graph.
  //
  // DataLoss when it cannot have happened now: a point of an edge that is finished or not ready, an
  // epoch out of turn, a performance that is not finite, an edge finished that keeps an epoch it
  // has not trained or failed without a reason.
  absl::Status Apply(const JournalEntry& entry);

  const TransitionGraph& graph() const { return graph_; }
  const StoppingRule& rule() const { return rule_; }
  const GraphIndex& index() const { return index_; }

  // The first edge in the order of training that is ready; kNoEdge when all are finished or none
  // can lead to a plan any more.
  int next_edge() const;
  // In a graph with rounds: the edge will not be trained, because its round took others.
  bool dropped(int edge) const { return dropped_[edge]; }
  // Rounds whose edges have been chosen, of how many; 0 of 0 in a graph without.
  int round() const { return round_; }
  int rounds() const { return graph_.rounds_size(); }
  // No edge into a final state is left: there will be no plan, whatever is still trained.
  bool hopeless() const;
  // Is the edge open, and is all that its starting weights depend on finished?  With a rule that
  // races, also all other ways into its state that come before it.
  bool Ready(int edge) const;
  // Points so far; point k is epoch k.
  const std::vector<CurvePoint>& curve(int edge) const { return curves_[edge]; }
  // The rule's answer to the curve so far, which holds point 0.
  absl::StatusOr<StoppingDecision> Decide(int edge) const;
  // Why the edge's training has collapsed so far (DescribeCollapse()); "" = it has not.
  std::string Collapse(int edge) const;
  // The bound on an edge's epochs.
  int max_epochs(int edge) const;

  // By edge; absent = not finished, FAILED or UNREACHED.
  const EdgeScores& scores() const { return scores_; }
  // By edge; absent = not finished.
  const std::vector<std::optional<EdgeOutcome>>& outcomes() const { return outcomes_; }
  // States that an edge's failure left without any way in, in the order in which that happened.
  const std::vector<int>& unreached() const { return unreached_; }
  // "S3 is reached by no edge: S1-S3 failed, S2-S3 was not trained; S3-S4 is not trained".
  std::string DescribeUnreached(int node) const;

  // FAILED and UNREACHED ones too.
  int edges_finished() const { return edges_finished_; }
  // In a graph with rounds: those chosen, and the most that later rounds may choose.
  int edges_total() const;
  // Epochs trained so far, and what it comes to if every edge still open goes to its bound.  In a
  // graph with rounds, edges that are not chosen yet count with the mean length of their round's.
  int epochs_trained() const { return epochs_trained_; }
  int epochs_at_worst() const;
  // Frames a video (epochs x frames of a clip) that are left then.
  double frames_to_go() const;
  // Processes that took the search up so far.
  int processes() const { return processes_; }

  // Can an edge that is still to be trained start from the weights of `edge`, or is the best way
  // into a final state kept there?  True while the edge is open; false where it keeps none.
  bool NeedsWeights(int edge) const;
  // The finished edges whose weights are not needed any more, each of them once.
  std::vector<int> TakeUnneeded();

  // FailedPrecondition while edges are open.  Aborted, with the mark of a training that failed
  // (op3d/base/training_failure.h) and the failed edges, when no final state is reached.
  absl::StatusOr<SearchOutcome> Outcome() const;
  // The finished edges and what they decide: without a plan until a final state has a value, and
  // the plan is only the last word when Outcome() is there.
  SearchOutcome OutcomeSoFar() const;

 private:
  // What is left at worst, in the unit of `cost_of_epoch(edge)`.
  template <typename CostOfEpoch>
  double ToGo(const CostOfEpoch& cost_of_epoch) const;
  SearchProgress() = default;
  absl::Status ApplyPoint(const JournalPoint& point);
  absl::Status ApplyFinished(EdgeOutcome outcome);
  // Chooses the edges of the next rounds as far as that can be said now.
  void ChooseRounds();
  void ChooseEdges(int round);
  // No edge of the rounds so far is open.
  bool RoundDone() const;
  // Notes that the edge is finished, and which states and edges are not reached because of that.
  void Settle(int edge, EdgeOutcome outcome);
  // All edges into the node are finished, and none has a score.
  bool Unreached(int node) const;
  // The edge of that name if it may have news now, else kNoEdge.
  int FindReady(const std::string& name) const;

  TransitionGraph graph_;
  StoppingRule rule_;
  GraphIndex index_;
  absl::flat_hash_map<std::string, int> edges_by_name_;
  // By edge, with a rule that races: the way into its state that comes before it, or kNoEdge.
  std::vector<int> way_before_;
  // By node: edges out of it that are to be trained, and how many of them still are.
  std::vector<std::vector<int>> ways_out_;
  std::vector<int> open_ways_out_;
  // By edge, in a graph with rounds: to be trained; not to be trained; neither = not decided yet.
  std::vector<bool> chosen_, dropped_;
  int round_ = 0;
  // All edges before this place in the order of training are finished.
  size_t first_open_ = 0;
  std::vector<std::vector<CurvePoint>> curves_;
  // By edge: what guessing scores, 0 = not known.
  std::vector<double> chances_;
  EdgeScores scores_;
  std::vector<std::optional<EdgeOutcome>> outcomes_;
  std::vector<int> unreached_;
  // Finished edges whose weights may be there: what TakeUnneeded() has not given yet.
  std::vector<int> keeping_;
  int edges_finished_ = 0;
  int epochs_trained_ = 0;
  int processes_ = 0;
};

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_SEARCH_SEARCH_PROGRESS_H_
