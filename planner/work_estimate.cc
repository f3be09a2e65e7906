#include "planner/work_estimate.h"

#include <algorithm>

#include "op3d/base/status_macros.h"
#include "planner/stopping_rule.h"
#include "planner/transition_graph.h"

namespace op3d {

namespace {

// The edge's weights may still be started from, or be a final state's best.  `done`: by edge.
bool HoldsWeights(const GraphIndex& index, const std::vector<bool>& done, int edge) {
  const int node = index.edges[edge].to;
  const std::vector<int>& ways = index.incoming[node];
  // Of all ways in one wins; which one makes no difference for the count.
  const bool decided = std::all_of(ways.begin(), ways.end(), [&](int way) {
    return done[way] || !index.reachable[index.edges[way].from];
  });
  if (decided && edge != ways.front()) return false;
  if (std::find(index.finals.begin(), index.finals.end(), node) != index.finals.end()) return true;
  for (const int other : index.training_order) {
    if (index.edges[other].from == node && !done[other]) return true;
  }
  return false;
}

int WeightsAtOnce(const GraphIndex& index) {
  std::vector<bool> done(index.edges.size(), false);
  std::vector<int> held;
  size_t most = 0;
  for (const int edge : index.training_order) {
    done[edge] = true;
    held.push_back(edge);
    most = std::max(most, held.size());
    held.erase(std::remove_if(held.begin(), held.end(),
                              [&](int other) { return !HoldsWeights(index, done, other); }),
               held.end());
  }
  return static_cast<int>(most);
}

}  // namespace

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

}  // namespace op3d
