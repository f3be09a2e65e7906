// What a search by a training command would do and take, before it is begun: `plan search
// --dry_run`.
//
//   OP3D_ASSIGN_OR_RETURN(SearchCost cost, EstimateSearch(request, options, /*videos=*/9537));
//   Print(FormatCost(cost));
#ifndef OP3D_PLANNER_RUNNER_SEARCH_COST_H_
#define OP3D_PLANNER_RUNNER_SEARCH_COST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "planner/graphs/plan.pb.h"
#include "planner/plans/search_work.h"
#include "planner/runner/child_runner.h"
#include "planner/runner/child_search.h"

namespace op3d::planner {

struct SearchCost {
  struct Pool {
    TransitionGraph graph;
    SearchWork work;
    // By work.edges; absent where the command does not say.
    std::vector<std::optional<EdgeCost>> edges;
  };
  std::vector<Pool> pools;
  int jobs = 1;
  // Clips of an epoch, where the command does not say.
  int64_t videos = 1;
  // Seconds of one job, and from begin to end with all jobs: edges in the order of training, each
  // begun as soon as a job is free and its source is decided.
  double expected_seconds = 0, worst_seconds = 0;
  double expected_wall_seconds = 0, worst_wall_seconds = 0;
  // Of the search's folder at its largest; of the children together.
  int64_t disk_bytes = 0, memory_bytes = 0;
  // Why the command does not say what an edge takes; "" where it does.
  std::string unknown;
};

// Asks the command of the request "estimate" (child_runner.h) once for every clip and batch size;
// without a command, or where it does not know the request, only epochs, clips and frames are
// counted.  Writes nothing.
//
// InvalidArgument as ValidateGraph() and ValidateStoppingRule(); Cancelled on a signal.
absl::StatusOr<SearchCost> EstimateSearch(const SearchRequest& request,
                                          const ChildSearchOptions& options, int64_t videos);

// A table an edge a line, and the sums.
std::string FormatCost(const SearchCost& cost);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_RUNNER_SEARCH_COST_H_
