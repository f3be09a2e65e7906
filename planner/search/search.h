// The search for a plan: trains every edge of a transition graph once and finds the best path.
//
//   SearchOptions options;
//   options.folder = "run/journal/cs";
//   // runner: a StateRunner, which trains; ChildRunner and TrainingRunner are two of them.
//   OP3D_ASSIGN_OR_RETURN(SearchOutcome outcome, Search(graph, rule, &runner, options));
//   Print(outcome.plan());
//
// Edges are trained in topological order; with several runners, edges that do not depend on each
// other are trained at once.  Each starts from the weights kept in its source state and is trained
// epoch by epoch until the stopping rule ends it; dynamic programming chooses each state's best
// edge.  An edge whose training fails does not lead into its state, and the search continues
// without it.  If it is killed at any moment and started again with the same arguments, it resumes
// and ends with the same outcome, whatever the number of runners.
#ifndef OP3D_PLANNER_SEARCH_SEARCH_H_
#define OP3D_PLANNER_SEARCH_SEARCH_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "op3d/train/edge.pb.h"
#include "planner/graphs/plan.pb.h"

namespace op3d::planner {

// The interface that trains and measures.  It is called from one thread at a time, and for one
// edge until that is finished or has failed.
//
// An error marked as a training failure (op3d/base/training_failure.h) fails only the edge.  Any
// other error, such as a full disk, ends the search, which can be resumed, perhaps with
// another of several runners for the same edge.
class StateRunner {
 public:
  virtual ~StateRunner() = default;

  // Point 0: the score of the source's weights in this state before training.  Not called if
  // `from_initial`, where it is 0.
  virtual absl::StatusOr<CurvePoint> Measure(const EdgeTask& task) = 0;

  // Trains epoch `epoch` (from 1, in order) and measures.  After a restart the first call is for
  // the first epoch that is not in the journal.  Before it returns, the runner stores under
  // task.folder() everything it needs to resume; called again for an earlier epoch, it returns an
  // equal point.
  virtual absl::StatusOr<CurvePoint> TrainEpoch(const EdgeTask& task, int epoch) = 0;

  // Keeps the weights of `epoch` as the edge's result and removes the others; 0 = the source's
  // weights are used, all of this edge's are removed.  May be called again with the same epoch.
  // The search itself removes task.folder() when no edge can start from it and no final state's
  // best weights are in it.
  virtual absl::Status Finish(const EdgeTask& task, int epoch) = 0;

  // The edge has failed: stop all work on it before returning.  The search then removes
  // task.folder().  The runner must not remove files, because a search that is killed now asks for
  // the failed epoch again.
  virtual absl::Status Abandon(const EdgeTask&) { return absl::OkStatus(); }

  // The performance of guessing for the last measured point; 0 = unknown.  For k classes
  // with equally many videos, (1 + min(3, k) + min(5, k)) / 3k.
  virtual double Chance() const { return 0; }
};

// For logs and progress bars.  Pointers are valid during the call.
struct SearchEvent {
  enum Kind {
    kStarted,       // first of all; the counts are what the journal held
    kEdgeStarted,   // or taken up again
    kEpochDone,     // in the journal
    kEdgeFinished,  // or failed
  };
  Kind kind = kStarted;
  // For all kinds except kStarted.
  const EdgeTask* task = nullptr;
  // Only for kEpochDone.
  const CurvePoint* point = nullptr;
  // Only for kEdgeFinished.
  const EdgeOutcome* outcome = nullptr;
  // For kEdgeFinished of a failed edge: one sentence for each state that no edge reaches any more.
  std::vector<std::string> unreached;

  // Counts of the whole search, including earlier processes.
  int edges_finished = 0;
  int edges_total = 0;
  int epochs_trained = 0;
  // The number of epochs if every open edge is trained up to its bound.
  int epochs_at_worst = 0;
  // The number of processes that have worked on it, including this one.
  int processes = 0;
  // Wall-clock time of this process for knee estimates.
  double fit_seconds = 0;
};

struct SearchOptions {
  // Folder of the journal (journal.jsonl) and the edges' folders; created if it does not exist.
  // One search per folder.
  std::string folder;
  // What decides how the runner trains, "name: value" each.  A folder can only be resumed with
  // equal ones.
  std::vector<std::string> settings;
  // Keeps the folders of edges even when nothing can start from them any more.
  bool keep_all_weights = false;
  // Called from one thread at a time.
  std::function<void(const SearchEvent&)> observer;
};

// InvalidArgument for a graph or rule as in IndexGraph() and ValidateStoppingRule().
// FailedPrecondition for a folder of a search with other arguments, naming the difference.
// Unavailable if another process works in the folder.  DataLoss for a damaged journal.
// Cancelled after SIGINT or SIGTERM (op3d/base/thread/interrupt.h), between two epochs.
// Internal if a runner returns a point of another epoch.
// Aborted, marked as a training failure, if edges failed and no final state can be reached; the
// remaining edges are then not trained.  The runner's own errors, with edge and epoch before the
// message.
//
// An edge fails, and ends as FAILED, if its runner says so, if a performance is negative or not
// a finite number, or if it has collapsed (DescribeCollapse() of stopping_rule.h).  Its folder
// is removed, and a resumed search does not train it again.
//
// Searches in different folders may run at once in different threads.
absl::StatusOr<SearchOutcome> Search(const TransitionGraph& graph, const StoppingRule& rule,
                                     StateRunner* runner, const SearchOptions& options);

// The same with one thread for each of `runners` (at least one).  The first error stops the others
// after their current epoch.
absl::StatusOr<SearchOutcome> Search(const TransitionGraph& graph, const StoppingRule& rule,
                                     absl::Span<StateRunner* const> runners,
                                     const SearchOptions& options);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_SEARCH_SEARCH_H_
