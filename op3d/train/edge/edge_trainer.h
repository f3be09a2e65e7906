// Trains the edges of a search: each trains one state from given weights, measured after every
// epoch.
//
//   EdgeTrainer trainer(job, &held_out);
//   OP3D_ASSIGN_OR_RETURN(CurvePoint start, trainer.Measure(edge));
//   for (int epoch = 1; epoch <= 20; ++epoch) {
//     OP3D_ASSIGN_OR_RETURN(CurvePoint measure, trainer.TrainEpoch(edge, epoch));
//   }
//   OP3D_RETURN_IF_ERROR(trainer.Finish(edge, best_epoch));
//
// The files in an edge's folder: while the edge is trained, checkpoints (everything a restart
// needs, with the epoch's measure) and epoch_NNN.safetensors (weights of the newest epochs); when
// the edge is finished, weights.safetensors, and merged.safetensors if the job's score merges
// epochs (ScoreSettings.merged_epochs): the weights measured last.  If weights are needed that were
// not kept, they are trained again from the checkpoint before them: training is exact, so they are
// equal.
#ifndef OP3D_TRAIN_EDGE_EDGE_TRAINER_H_
#define OP3D_TRAIN_EDGE_EDGE_TRAINER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/train/edge.pb.h"
#include "op3d/train/measure.h"
#include "op3d/train/state_trainer.h"

namespace op3d {

// Not thread-safe.  Several trainers may use one FrameStore at once.  The processes of a group must
// call the same functions in the same order.
class EdgeTrainer {
 public:
  // `job.purpose` names the search ("search.cs").  `measured` are the videos to measure on; they
  // and the job's must outlive the trainer.  The weights of the newest `kept_epochs` epochs stay on
  // the disk, and a checkpoint after every `kept_epochs` epochs; 0 = the weights of all epochs.
  EdgeTrainer(const TrainingJob& job, const std::vector<data::Video>* measured,
              int kept_epochs = 0);

  // Measures the weights from which the edge starts, in its state.  Starts the edge again if it
  // has been trained before.
  absl::StatusOr<CurvePoint> Measure(const EdgeTask& task);

  // Trains `epoch` (from 1) and all earlier epochs that are not on the disk, and measures.  Called
  // again it returns the same.
  absl::StatusOr<CurvePoint> TrainEpoch(const EdgeTask& task, int epoch);

  // Keeps the weights of `epoch` and removes everything else; 0 = removes all.
  absl::Status Finish(const EdgeTask& task, int epoch);

  // Closes an edge that failed: nothing is written to its folder any more.
  void Abandon(const EdgeTask& task);

  // The performance of guessing if all classes have equally many videos; 0 = number of classes
  // unknown.
  double Chance() const;

  // Waits until the last edge is completely on the disk.
  absl::Status Flush();

  // Time of this process so far.
  const ActivitySeconds& seconds() const { return seconds_; }

 private:
  absl::Status MakeLive(const EdgeTask& task);
  // Trains the edge up to `epoch` without measuring and writes its weights.
  absl::Status TrainAgain(const EdgeTask& task, int epoch);
  // Whether the weights must be trained again; with several processes the first decides.
  absl::StatusOr<bool> TakeKept(const EdgeTask& task, int epoch);
  absl::StatusOr<CurvePoint> MeasureLive(const EdgeTask& task);
  // The network to measure after the current epoch: the merged one, or null for the trained one.
  absl::StatusOr<std::unique_ptr<Network>> MergeLive(const EdgeTask& task);
  bool first() const { return job_.group == nullptr || job_.group->rank() == 0; }

  const TrainingJob job_;
  const std::vector<data::Video>* const measured_;
  const int kept_epochs_;
  // The edge that is being trained.
  std::string live_folder_;
  std::unique_ptr<StateTrainer> live_;
  ActivitySeconds seconds_;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_EDGE_EDGE_TRAINER_H_
