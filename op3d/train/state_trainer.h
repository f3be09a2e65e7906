// Trains one state of a plan, epoch by epoch, with exact resume, alone or as one of several
// processes.
//
//   OP3D_ASSIGN_OR_RETURN(auto trainer, StateTrainer::Start(job, state, folder));
//   while (trainer->epochs() < 20) {
//     OP3D_ASSIGN_OR_RETURN(EpochStats stats, trainer->TrainEpoch());
//     OP3D_RETURN_IF_ERROR(trainer->Save({}));
//   }
//   OP3D_RETURN_IF_ERROR(trainer->Flush());
//
// If started again on the same folder, it resumes after the newest complete checkpoint, also in the
// middle of an epoch, and ends with the same bits.
#ifndef OP3D_TRAIN_STATE_TRAINER_H_
#define OP3D_TRAIN_STATE_TRAINER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "data/loader/loader.h"
#include "op3d/base/activity_seconds.h"
#include "op3d/distributed/process_group.h"
#include "op3d/network/network.h"
#include "op3d/train/checkpoint/checkpoint_folder.h"
#include "op3d/train/settings/state_task.h"
#include "op3d/train/training_job.h"
#include "op3d/train/training_progress.h"

namespace op3d {

class GradientBuckets;
class TrainableNetwork;
struct MicroBatchLossOptions;
struct MicroBatchPlace;

struct EpochStats {
  // Mean over the epoch's clips of the sum of the heads' cross entropies.
  double loss = 0;
  int64_t clips = 0;
  // Videos left out under on_bad_video SKIP or replaced under SUBSTITUTE, and the first of them,
  // "name: reason".
  int64_t skipped = 0;
  std::vector<std::string> examples;
  // The time of this process.
  ActivitySeconds seconds;
};

// `metadata` and the card of weights that `job` trained with clips of shape `clip` down to `loss`,
// 0 = unknown (op3d/train/checkpoint/model_card.h).
std::map<std::string, std::string> WeightsMetadata(
    const TrainingJob& job, const data::ClipShape& clip, double loss,
    std::map<std::string, std::string> metadata = {});

// Not thread-safe; several trainers may use one FrameStore at once.
class StateTrainer {
 public:
  // Resumes from the newest checkpoint in `folder`; without one it starts from the job's initial
  // weights with a new optimiser.  InvalidArgument for a batch larger than the list, a number of
  // processes that cannot share a step evenly, weights of another network, settings out of range;
  // FailedPrecondition for a checkpoint of another state or a missing device; DataLoss
  // if every checkpoint is damaged.
  static absl::StatusOr<std::unique_ptr<StateTrainer>> Start(const TrainingJob& job,
                                                             const StateTask& state,
                                                             const std::string& folder);

  // Finishes pending writes.
  ~StateTrainer();

  // Epochs trained so far.
  int epochs() const { return progress_.epochs; }
  // Steps of the optimiser in an epoch, and those done of the next epoch.
  int64_t steps_per_epoch() const { return steps_per_epoch_; }
  int64_t steps_into_epoch() const { return progress_.micro_batches / state_.accumulation; }
  // Nothing has been trained yet, not even a part of an epoch.
  bool fresh() const { return progress_.epochs == 0 && progress_.micro_batches == 0; }

  // The network to measure and to start the next state from: with TrainingSettings.average_decay
  // the averaged weights, otherwise the trained ones.  After a whole epoch with batch_norm_clips,
  // unless the state freezes BatchNorm, it is a copy whose BatchNorm statistics were computed
  // again.
  Network& network();
  // The notes of the last Save(); empty after a start from the beginning.
  const std::map<std::string, std::string>& notes() const { return progress_.notes; }
  // Losses of all epochs so far.
  const std::vector<double>& losses() const { return progress_.losses; }

  // Trains the next epoch, or the rest of it.  Internal if the training diverges, with the path of
  // the last good weights in the message.  Cancelled on SIGINT or SIGTERM, between two
  // micro-batches (with several processes: steps), after saving.
  absl::StatusOr<EpochStats> TrainEpoch();

  // Writes everything a restart needs, and `notes`, atomically and in the background: on return it
  // may not be on the disk yet.  Returns an error of an earlier write.  With several processes the
  // first writes.
  absl::Status Save(const std::map<std::string, std::string>& notes);

  // Writes network()'s weights as safetensors, in the background, after the earlier writes;
  // with `metadata` and the card (WeightsMetadata).
  absl::Status SaveWeights(const std::string& path,
                           const std::map<std::string, std::string>& metadata);

  // Waits until everything is on the disk.
  absl::Status Flush();

  // Goes back to the newest checkpoint of at most `epochs` epochs, or to the start if there is
  // none.
  absl::Status Rollback(int epochs);

  // Bytes of one checkpoint.
  int64_t CheckpointBytes() const;

 private:
  StateTrainer(const TrainingJob& job, const StateTask& state, const std::string& folder);
  absl::Status Prepare();
  // Makes the network and everything that belongs to it; without initial values only if a
  // checkpoint's follow.
  absl::Status MakeState(bool with_initial_values);
  absl::Status Resume();
  // Resumes from the first rank's `newest`; without one, starts from the beginning.
  absl::Status GoOnFrom(std::optional<Safetensors> newest);
  absl::Status Restore(const Safetensors& file);
  std::string Fingerprint() const;
  bool first() const { return job_.group == nullptr || job_.group->rank() == 0; }

  // Computes network() after a whole epoch.
  absl::Status MakePrecise();
  absl::StatusOr<std::unique_ptr<data::ClipLoader>> MakeLoader() const;
  MicroBatchLossOptions LossOptions() const;
  // The place of this process' next micro-batch when `done` of the epoch are trained.
  MicroBatchPlace PlaceOf(int64_t done) const;
  absl::Status TrainSteps(EpochStats* stats);
  // What lasts an epoch: micro-batches and, on a GPU, the recorded step.
  struct EpochParts;
  absl::Status TrainMicroBatches(EpochParts* parts, EpochStats* stats);
  absl::Status TrainMicroBatch(int size, EpochParts* parts, EpochStats* stats);
  absl::Status TrainOnGpu(int size, EpochParts* parts, EpochStats* stats);
  // Only with fp16: gives a training without a loss scale its first one; the factor of the loss.
  void StartLossScale();
  std::optional<double> loss_scale() const;
  absl::Status CountLoss(double loss, int size);
  absl::Status Step(Stopwatch* watch, EpochStats* stats);
  absl::Status EndEpoch(const data::ClipLoader::Counters& counters, EpochStats* stats);
  // Adds what the loader has counted since this process started or resumed the epoch.
  void CountSkipped(const data::ClipLoader::Counters& counters);
  absl::Status SaveInEpoch(const data::ClipLoader::Counters& counters);
  absl::Status StopInEpoch(const absl::Status& reason, const data::ClipLoader::Counters& counters);
  absl::Status Diverged(const absl::Status& reason, int64_t step) const;
  absl::Status SyncBuffers();

  const TrainingJob job_;
  const StateTask state_;
  const std::string folder_;
  int64_t steps_per_epoch_ = 0;
  // Micro-batches of a step that belong to this process.
  int own_accumulation_ = 1;
  double loss_limit_ = 0;
  std::optional<Schedule> schedule_;
  CheckpointFolder checkpoints_;
  std::unique_ptr<TrainableNetwork> trained_;
  // With batch_norm_clips; null within an epoch.
  std::unique_ptr<Network> precise_;
  std::unique_ptr<GradientBuckets> buckets_;
  TrainingProgress progress_;
  // Micro-batches of the current step that this process has done.
  int own_done_ = 0;
  // A recording failed, and the user knows.
  bool recording_failed_ = false;
  // The processes have agreed to stop, or to save, after this step.
  bool stop_ = false, save_ = false;
  ActivitySeconds before_step_;
  // What the checkpoint had already counted as skipped in this epoch.
  int64_t skipped_before_ = 0;
  std::vector<std::string> examples_before_;
  absl::Time saved_;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_STATE_TRAINER_H_
