// A whole search with a training command of the user's: all pools, resumable, with its plan as a
// file: `plan search` and `plan resume`.
//
//   <folder>/search.textproto           the request (SearchRequest)
//   <folder>/journal/<pool>/            a pool's journal, and its edges' weights
//   <folder>/plan.textproto             the best plan, when the search is done
#ifndef OP3D_PLANNER_RUNNER_CHILD_SEARCH_H_
#define OP3D_PLANNER_RUNNER_CHILD_SEARCH_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "planner/graphs/plan.pb.h"
#include "planner/runner/child_runner.h"

namespace op3d::planner {

// Options that may change when a search is resumed.
struct ChildSearchOptions {
  // An absolute path, because the command gets paths inside it.
  std::string folder;
  // Children at once, at least 1.
  int jobs = 1;
  // Keeps the folders of edges even when nothing can start from them any more.
  bool keep_all_weights = false;
  // Its `command` and `folder` are the request's.
  ChildRunnerOptions child;
};

// InvalidArgument, naming graph and edge, for a request without a command, without graphs or with
// two graphs of one pool, or as in ValidateGraph() and ValidateStoppingRule().
absl::Status ValidateSearchRequest(const SearchRequest& request);

// The plan with the highest value; among equal ones the first pool's.
struct FoundPlan {
  Plan plan;
  // The folder of the edge with the plan's weights; "" = the initial weights, because all states
  // were skipped.  Somebody may have removed it since.
  std::string weights;
};

// Starts or resumes the search; with several jobs, several pools at once.  A pool in which
// no final state is reached is left out with a warning, unless there is no other.  Errors of
// ValidateSearchRequest(), Search() and ChildRunner; FailedPrecondition if the folder holds
// another request, naming the difference, or searches without a request.
absl::StatusOr<FoundPlan> SearchWithChildren(const SearchRequest& request,
                                             const ChildSearchOptions& options);

// The request in a folder.  NotFound, saying what to do, if there is none.
absl::StatusOr<SearchRequest> ReadSearchRequest(const std::string& folder);

// The options of child number `job`: {job} replaced, everything else from the request and `child`.
ChildRunnerOptions ChildOptions(const SearchRequest& request, const ChildRunnerOptions& child,
                                int job);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_RUNNER_CHILD_SEARCH_H_
