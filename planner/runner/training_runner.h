// A StateRunner that trains in this process, with op3d/train, on decoded video.
//
//   TrainingRunner runner(job, &held_out);
//   OP3D_ASSIGN_OR_RETURN(SearchOutcome outcome, Search(graph, rule, &runner, options));
//
// EdgeTrainer (op3d/train/edge/edge_trainer.h) decides what is in an edge's folder.
#ifndef OP3D_PLANNER_RUNNER_TRAINING_RUNNER_H_
#define OP3D_PLANNER_RUNNER_TRAINING_RUNNER_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/train/edge.pb.h"
#include "op3d/train/edge/edge_trainer.h"
#include "planner/search/search.h"

namespace op3d::planner {

// Not thread-safe: use one per search.  Several may use one FrameStore at once.
class TrainingRunner : public StateRunner {
 public:
  // As EdgeTrainer.  A stopping rule's attempt_epochs + 1 is nearly always enough for
  // `kept_epochs`.
  TrainingRunner(const TrainingJob& job, const std::vector<data::Video>* measured,
                 int kept_epochs = 0)
      : trainer_(job, measured, kept_epochs) {}

  absl::StatusOr<CurvePoint> Measure(const EdgeTask& task) override;
  absl::StatusOr<CurvePoint> TrainEpoch(const EdgeTask& task, int epoch) override;
  absl::Status Finish(const EdgeTask& task, int epoch) override;
  absl::Status Abandon(const EdgeTask& task) override;
  double Chance() const override { return trainer_.Chance(); }

  // Time of this process so far.
  const ActivitySeconds& seconds() const { return trainer_.seconds(); }

 private:
  EdgeTrainer trainer_;
};

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_RUNNER_TRAINING_RUNNER_H_
