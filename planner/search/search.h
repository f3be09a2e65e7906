// The search for a plan: trains every edge of a transition graph once and finds the best path.
//
//   SearchOptions options;
//   options.folder = "run/journal/cs";
//   // runner: a StateRunner, which trains; ChildRunner and TrainingRunner are two of them.
//   OP3D_ASSIGN_OR_RETURN(SearchOutcome outcome, Search(graph, rule, &runner, options));
//   Print(outcome.plan());
//
// Edges go in topological order; with several runners, edges that do not depend on each other go at
// once.  Each starts from the weights kept in its source state and is trained epoch by epoch until
// the stopping rule ends it; dynamic programming picks each state's best way in.  An edge whose
// training fails is no way into its state, and the search goes on without it.  Killed at any
// moment and started again with the same arguments, it goes on where it was and ends with the same
// outcome, whatever the number of runners.
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

// Trains and measures; implemented by who knows how.  Called from one thread at a time, and for one
// edge until that is finished or has failed.
//
// An error marked as a training's failure (op3d/base/training_failure.h) fails the edge alone.  Any
// other error, as of a full disk, ends the search, which can be taken up again, perhaps with
// another of several runners for the same edge.
class StateRunner {
 public:
  virtual ~StateRunner() = default;

  // Point 0: what the source's weights score in this state before training.  Not asked for when
  // `from_initial`, where it is 0.
  virtual absl::StatusOr<CurvePoint> Measure(const EdgeTask& task) = 0;

  // Trains epoch `epoch` (from 1, in order) and measures.  After a restart the first call is for
  // the first epoch that is not in the journal.  Before it returns, the runner keeps under
  // task.folder() whatever it needs to go on; asked again for an epoch it has done, it returns an
  // equal point.
  virtual absl::StatusOr<CurvePoint> TrainEpoch(const EdgeTask& task, int epoch) = 0;

  // Keeps the weights of `epoch` as the edge's result and drops the rest; 0 = the source's weights
  // stay, this edge's are all dropped.  May be called again with the same epoch.  The search itself
  // removes task.folder() when no edge can start from it any more and no final state's best weights
  // are in it.
  virtual absl::Status Finish(const EdgeTask& task, int epoch) = 0;

  // The edge has failed: nothing works on it when this returns.  The search then removes
  // task.folder(); the runner leaves the files alone, as a search that is killed now asks for the
  // failed epoch again.
  virtual absl::Status Abandon(const EdgeTask&) { return absl::OkStatus(); }

  // What guessing would score in the last point that was measured; 0 = not known.  Of k classes
  // with as many videos each, (1 + min(3, k) + min(5, k)) / 3k.
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
  // All kinds but kStarted.
  const EdgeTask* task = nullptr;
  // kEpochDone.
  const CurvePoint* point = nullptr;
  // kEdgeFinished.
  const EdgeOutcome* outcome = nullptr;
  // kEdgeFinished, of an edge that failed: a sentence for each state that no edge reaches any more.
  std::vector<std::string> unreached;

  // Counts of the whole search, earlier processes included.
  int edges_finished = 0;
  int edges_total = 0;
  int epochs_trained = 0;
  // If every edge that is still open goes to its bound.
  int epochs_at_worst = 0;
  // Processes that have worked on it, this one included.
  int processes = 0;
  // Wall-clock of this process spent on knee estimates.
  double fit_seconds = 0;
};

struct SearchOptions {
  // Journal (journal.jsonl) and edges' folders; made if it is not there.  One search a folder.
  std::string folder;
  // What decides how the runner trains, "name: value" each.  A folder is only taken up again with
  // equal ones.
  std::vector<std::string> settings;
  // Leaves the folders of edges that nothing can start from any more.
  bool keep_all_weights = false;
  // One call at a time.
  std::function<void(const SearchEvent&)> observer;
};

// InvalidArgument for a graph or rule as IndexGraph() and ValidateStoppingRule().
// FailedPrecondition for a folder of a search with other arguments, naming the difference.
// Unavailable when another process works in the folder.  DataLoss for a damaged journal.
// Cancelled after SIGINT or SIGTERM (op3d/base/thread/interrupt.h), between two epochs.
// Internal when a runner gives a point of another epoch.
// Aborted, with a training's mark, when edges failed and no final state can be reached; what is
// left to train is then left. The runner's own errors, with edge and epoch before the message.
//
// An edge fails, and ends as FAILED, when its runner says so, when a performance is negative or not
// a finite number, and when it has collapsed (DescribeCollapse() of stopping_rule.h).  Its folder
// is removed, and a search that is taken up again does not train it again.
//
// Searches in different folders may run at once in different threads.
absl::StatusOr<SearchOutcome> Search(const TransitionGraph& graph, const StoppingRule& rule,
                                     StateRunner* runner, const SearchOptions& options);

// The same with a thread for each of `runners` (at least one).  The first error stops the others
// after the epoch they are in.
absl::StatusOr<SearchOutcome> Search(const TransitionGraph& graph, const StoppingRule& rule,
                                     absl::Span<StateRunner* const> runners,
                                     const SearchOptions& options);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_SEARCH_SEARCH_H_
