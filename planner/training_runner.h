// The planner's StateRunner that trains in this process, with op3d/train, on decoded video.
//
//   TrainingRunner runner(job, &held_out);
//   OP3D_ASSIGN_OR_RETURN(SearchOutcome outcome, Search(graph, rule, &runner, options));
//
// What it leaves in an edge's folder: while the edge is trained, checkpoints (everything a restart
// needs, with the epoch's measure) and epoch_NNN.safetensors (weights of the newest epochs); when
// the edge is finished, weights.safetensors alone.  Weights that are wanted and were not kept are
// trained again, from the checkpoint before them: training is exact, so they come out equal.
#ifndef OP3D_PLANNER_TRAINING_RUNNER_H_
#define OP3D_PLANNER_TRAINING_RUNNER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/eval/scorer.h"
#include "op3d/train/state_trainer.h"
#include "planner/plan.pb.h"
#include "planner/search.h"

namespace op3d {

// Not thread-safe: one a search.  Several run at once on one FrameStore.
class TrainingRunner : public StateRunner {
 public:
  // `job.purpose` names the search ("search.cs"); each edge's streams are named below it.
  // `measured` are the videos the search measures on; both lists must outlive the runner.  The
  // weights of the newest `kept_epochs` epochs stay on the disk, and a checkpoint every so many; 0
  // = the weights of all epochs.  A stopping rule's attempt_epochs + 1 nearly always suffice.
  TrainingRunner(const TrainingJob& job, const std::vector<Video>* measured, int kept_epochs = 0);

  absl::StatusOr<CurvePoint> Measure(const EdgeTask& task) override;
  absl::StatusOr<CurvePoint> TrainEpoch(const EdgeTask& task, int epoch) override;
  absl::Status Finish(const EdgeTask& task, int epoch) override;

  // Time of this process so far.
  const ActivitySeconds& seconds() const { return seconds_; }

 private:
  absl::Status MakeLive(const EdgeTask& task);
  // Trains the edge up to `epoch` without measuring and writes its weights.
  absl::Status TrainAgain(const EdgeTask& task, int epoch);
  absl::StatusOr<CurvePoint> Score(const EdgeTask& task, Network* network, int epoch);

  const TrainingJob job_;
  const std::vector<Video>* const measured_;
  const int kept_epochs_;
  // The edge being trained.
  std::string live_folder_;
  std::unique_ptr<StateTrainer> live_;
  ActivitySeconds seconds_;
};

}  // namespace op3d

#endif  // OP3D_PLANNER_TRAINING_RUNNER_H_
