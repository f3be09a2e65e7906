#include "planner/training_runner.h"

#include "op3d/base/status_macros.h"
#include "planner/transition_graph.h"

namespace op3d {
namespace {

Edge ToEdge(const EdgeTask& task) {
  return {EdgeName(*task.transition), *task.state, task.transition->epochs(), task.source_folder,
          task.folder};
}

CurvePoint ToCurvePoint(const EpochMeasure& measure) {
  CurvePoint point;
  point.set_epoch(measure.epoch);
  point.set_performance(measure.performance);
  point.set_top1(measure.top1);
  point.set_top3(measure.top3);
  point.set_top5(measure.top5);
  point.set_loss(measure.loss);
  point.set_probability(measure.probability);
  point.set_unmeasured(measure.unmeasured);
  point.set_train_seconds(measure.train_seconds);
  point.set_evaluation_seconds(measure.evaluation_seconds);
  return point;
}

}  // namespace

absl::StatusOr<CurvePoint> TrainingRunner::Measure(const EdgeTask& task) {
  OP3D_ASSIGN_OR_RETURN(const EpochMeasure measure, trainer_.Measure(ToEdge(task)));
  return ToCurvePoint(measure);
}

absl::StatusOr<CurvePoint> TrainingRunner::TrainEpoch(const EdgeTask& task, int epoch) {
  OP3D_ASSIGN_OR_RETURN(const EpochMeasure measure, trainer_.TrainEpoch(ToEdge(task), epoch));
  return ToCurvePoint(measure);
}

absl::Status TrainingRunner::Finish(const EdgeTask& task, int epoch) {
  return trainer_.Finish(ToEdge(task), epoch);
}

absl::Status TrainingRunner::Abandon(const EdgeTask& task) {
  trainer_.Abandon(ToEdge(task));
  return absl::OkStatus();
}

}  // namespace op3d
