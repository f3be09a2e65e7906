#include "planner/work_estimate.h"

#include <algorithm>

#include "op3d/base/status_macros.h"
#include "planner/stopping_rule.h"
#include "planner/transition_graph.h"

namespace op3d {

absl::StatusOr<WorkEstimate> EstimateWork(const TransitionGraph& graph, const StoppingRule& rule) {
  OP3D_ASSIGN_OR_RETURN(const GraphIndex index, IndexGraph(graph));
  OP3D_RETURN_IF_ERROR(ValidateStoppingRule(rule));
  WorkEstimate estimate;
  for (int edge : index.training_order) {
    const GraphIndex::Edge& ends = index.edges[edge];
    EdgeWork work;
    work.edge = edge;
    work.max_epochs = ends.from == 0 ? rule.max_epochs_from_initial() : rule.max_epochs();
    work.min_epochs = std::min(rule.attempt_epochs(), work.max_epochs);
    work.frames_per_clip = FramesPerClip(graph.states(ends.to - 1));
    estimate.min_epochs += work.min_epochs;
    estimate.max_epochs += work.max_epochs;
    estimate.min_frames += int64_t{work.min_epochs} * work.frames_per_clip;
    estimate.max_frames += int64_t{work.max_epochs} * work.frames_per_clip;
    estimate.measurements += ends.from == 0 ? 0 : 1;
    estimate.edges.push_back(work);
  }
  return estimate;
}

}  // namespace op3d
