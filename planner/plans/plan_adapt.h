// A plan for another budget or another dataset, made from one that was searched.
//
//   PlanAdaptation adaptation;
//   adaptation.epochs = 60;
//   adaptation.videos = 9537;                       // of UCF101
//   OP3D_ASSIGN_OR_RETURN(const AdaptedPlan adapted, AdaptPlan(plan, adaptation));
//
// A heuristic: nothing is trained or measured.  Each state keeps its share of the epochs.  A step of
// the optimiser may get fewer clips, and the learning rate then falls in proportion to them.
// Clips, BatchNorm and path stay.
#ifndef OP3D_PLANNER_PLANS_PLAN_ADAPT_H_
#define OP3D_PLANNER_PLANS_PLAN_ADAPT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "planner/graphs/plan.pb.h"

namespace op3d::planner {

struct PlanAdaptation {
  // The epochs of all steps together; 0 = as they are.
  int epochs = 0;
  // Clips per step of the optimiser (batch_size * accumulation), the same in all states; 0 = the
  // plan's own.
  int clips_per_step = 0;
  // The number of training videos of the dataset; 0 = not known.  An epoch gets at least
  // kLeastStepsPerEpoch steps: where the plan's batches are too large for that, they become smaller.
  int videos = 0;
};

constexpr int kLeastStepsPerEpoch = 10;

struct AdaptedPlan {
  // Its value is 0, because it was not measured; `source` says what it was made from.
  Plan plan;
  // One sentence for each change.
  std::vector<std::string> notes;
};

// The shares of epochs are rounded so that their sum is exact, with at least one epoch for each
// step.  The epochs inside a state's schedule and its final learning rate change with the state's.
// InvalidArgument: as in ValidatePlan(), fewer epochs than steps, a number below 0, or nothing to
// change.  Thread-safe.
absl::StatusOr<AdaptedPlan> AdaptPlan(const Plan& plan, const PlanAdaptation& adaptation);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_PLANS_PLAN_ADAPT_H_
