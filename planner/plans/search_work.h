// Estimates the cost of a search before it is started.
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
  // The fewest epochs with which the rule can end, and the bound: [min, max].
  int min_epochs = 0;
  int max_epochs = 0;
  // T after the mean knee of the released plans (kReleasedKneeFromInitial, kReleasedKnee), within
  // [min, max].  They were searched with the published rule; other rules end earlier.
  int expected_epochs = 0;
  // Frames of one clip.  An epoch trains on frames_per_clip x (clips of the list) frames.
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
  // The number of measurements at epoch 0.
  int measurements = 0;
  // The largest number of edges whose weights are on the disk at once, if edges are trained one
  // after another and none is skipped; without the edge in training.
  int weights_at_once = 0;
};

// The mean number of epochs of the nine released plans (plans/) in the first and in later states.
inline constexpr int kReleasedKneeFromInitial = 56;
inline constexpr int kReleasedKnee = 23;

// InvalidArgument as in IndexGraph() and ValidateStoppingRule().  Thread-safe.
absl::StatusOr<SearchWork> EstimateWork(const TransitionGraph& graph, const StoppingRule& rule);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_PLANS_SEARCH_WORK_H_
