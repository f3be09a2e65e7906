// Estimates what a search by a training command would do and cost: `plan search
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
    // By work.edges; not set if the command does not support estimates.
    std::vector<std::optional<EdgeCost>> edges;
  };
  std::vector<Pool> pools;
  int jobs = 1;
  // Clips of an epoch, if the command does not say.
  int64_t videos = 1;
  // Total seconds with one job, and seconds from start to end with all jobs: edges in the order of
  // training, each started as soon as a job is free and its source is decided.
  double expected_seconds = 0, worst_seconds = 0;
  double expected_wall_seconds = 0, worst_wall_seconds = 0;
  // The largest size of the search's folder; the memory of all children together.
  int64_t disk_bytes = 0, memory_bytes = 0;
  // Why the command does not estimate edges; "" if it does.
  std::string unknown;
};

// Sends the command the request "estimate" (child_runner.h) once for every clip and batch size;
// without a command, or if it does not support the request, only epochs, clips and frames are
// counted.  Writes nothing.
//
// InvalidArgument as in ValidateGraph() and ValidateStoppingRule(); Cancelled on a signal.
absl::StatusOr<SearchCost> EstimateSearch(const SearchRequest& request,
                                          const ChildSearchOptions& options, int64_t videos);

// A table with one line per edge, and the sums.
std::string FormatCost(const SearchCost& cost);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_RUNNER_SEARCH_COST_H_
