#include "planner/runner/training_runner.h"

namespace op3d::planner {

absl::StatusOr<CurvePoint> TrainingRunner::Measure(const EdgeTask& task) {
  return trainer_.Measure(task);
}

absl::StatusOr<CurvePoint> TrainingRunner::TrainEpoch(const EdgeTask& task, int epoch) {
  return trainer_.TrainEpoch(task, epoch);
}

absl::Status TrainingRunner::Finish(const EdgeTask& task, int epoch) {
  return trainer_.Finish(task, epoch);
}

absl::Status TrainingRunner::Abandon(const EdgeTask& task) {
  trainer_.Abandon(task);
  return absl::OkStatus();
}

}  // namespace op3d::planner
