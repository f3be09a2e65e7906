#include "planner/plans/search_work.h"

#include <algorithm>

#include "op3d/base/status_macros.h"
#include "planner/graphs/transition_graph.h"
#include "planner/knee/stopping_rule.h"

namespace op3d::planner {

namespace {

// Every state keeps the weights of its best edge until nothing can start from them any more;
// those of an edge that has just ended are kept too until the comparison.
int WeightsAtOnce(const GraphIndex& index) {
  std::vector<int> open_ways_out(index.nodes, 0);
  for (const int edge : index.training_order) ++open_ways_out[index.edges[edge].from];
  for (const int node : index.finals) ++open_ways_out[node];  // kept for ever
  std::vector<bool> entered(index.nodes, false);
  int most = 0;
  for (const int edge : index.training_order) {
    int held = 0;
    for (int node = 0; node < index.nodes; ++node) held += entered[node] && open_ways_out[node] > 0;
    most = std::max(most, held + 1);
    entered[index.edges[edge].to] = true;
    --open_ways_out[index.edges[edge].from];
  }
  return most;
}

}  // namespace

absl::StatusOr<SearchWork> EstimateWork(const TransitionGraph& graph, const StoppingRule& rule) {
  OP3D_ASSIGN_OR_RETURN(const GraphIndex index, IndexGraph(graph));
  OP3D_RETURN_IF_ERROR(ValidateStoppingRule(rule));
  SearchWork estimate;
  for (int edge : index.training_order) {
    const GraphIndex::Edge& ends = index.edges[edge];
    EdgeWork work;
    work.edge = edge;
    work.max_epochs = ends.from == 0 ? rule.max_epochs_from_initial() : rule.max_epochs();
    work.min_epochs = std::min(rule.attempt_epochs(), work.max_epochs);
    const int knee = ends.from == 0 ? kReleasedKneeFromInitial : kReleasedKnee;
    // T may be as large as an int.
    work.expected_epochs =
        static_cast<int>(std::min<int64_t>(int64_t{knee} + rule.attempt_epochs(), work.max_epochs));
    work.frames_per_clip = FramesPerClip(graph.states(ends.to - 1));
    estimate.min_epochs += work.min_epochs;
    estimate.expected_epochs += work.expected_epochs;
    estimate.max_epochs += work.max_epochs;
    estimate.min_frames += int64_t{work.min_epochs} * work.frames_per_clip;
    estimate.expected_frames += int64_t{work.expected_epochs} * work.frames_per_clip;
    estimate.max_frames += int64_t{work.max_epochs} * work.frames_per_clip;
    estimate.measurements += ends.from == 0 ? 0 : 1;
    estimate.edges.push_back(work);
  }
  estimate.weights_at_once = WeightsAtOnce(index);
  return estimate;
}

}  // namespace op3d::planner
