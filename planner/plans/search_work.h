// What a search will cost, before it is started.
#ifndef OP3D_PLANNER_PLANS_SEARCH_WORK_H_
#define OP3D_PLANNER_PLANS_SEARCH_WORK_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "planner/graphs/plan.pb.h"

namespace op3d::planner {

struct EdgeWork {
  // Index in graph.transitions.
  int edge = 0;
  // The fewest epochs the rule can end with, and the bound: [min, max].
  int min_epochs = 0;
  int max_epochs = 0;
  // T after the knee of the released plans (kReleasedKneeFromInitial, kReleasedKnee), within
  // [min, max]; they were searched with the published rule, others end earlier.
  int expected_epochs = 0;
  // Of one clip.  An epoch trains on frames_per_clip x (clips a list) frames.
  int frames_per_clip = 0;
};

struct SearchWork {
  // In the order of training.
  std::vector<EdgeWork> edges;
  int min_epochs = 0;
  int expected_epochs = 0;
  int max_epochs = 0;
  // Sum of epochs x frames_per_clip: multiply by the clips of an epoch for the frames trained on.
  int64_t min_frames = 0;
  int64_t expected_frames = 0;
  int64_t max_frames = 0;
  // Epoch-0 measurements.
  int measurements = 0;
  // Edges whose weights lie on the disk at once, at most, where edges are trained one after another
  // and none is skipped; the one in training apart.
  int weights_at_once = 0;
};

// Epochs the nine released plans (plans/) train on average in their first state and in a later one.
inline constexpr int kReleasedKneeFromInitial = 56;
inline constexpr int kReleasedKnee = 23;

// InvalidArgument as IndexGraph() and ValidateStoppingRule().  Thread-safe.
absl::StatusOr<SearchWork> EstimateWork(const TransitionGraph& graph, const StoppingRule& rule);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_PLANS_SEARCH_WORK_H_
