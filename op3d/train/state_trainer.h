// Trains one state of a plan, epoch by epoch, with exact resume.
//
//   OP3D_ASSIGN_OR_RETURN(auto trainer, StateTrainer::Start(job, state, folder));
//   while (trainer->epochs() < 20) {
//     OP3D_ASSIGN_OR_RETURN(EpochStats stats, trainer->TrainEpoch());
//     OP3D_RETURN_IF_ERROR(trainer->Save({}));
//   }
//
// Started again on the same folder, it goes on behind the last Save() and ends with the same bits.
#ifndef OP3D_TRAIN_STATE_TRAINER_H_
#define OP3D_TRAIN_STATE_TRAINER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "data/annotation/video_list.h"
#include "data/dataset.pb.h"
#include "data/loader/batch.h"
#include "data/loader/frame_store.h"
#include "op3d/base/activity_seconds.h"
#include "op3d/network/network.h"
#include "op3d/train/train.pb.h"
#include "op3d/train/train_state.h"

namespace op3d {

// What all states of a run share.  `videos` and `frames` must outlive the trainers.
struct TrainingJob {
  NetworkSettings network;
  SgdSettings sgd;
  TrainingSettings training;
  TransformSettings transform;
  LoaderSettings loader;
  int64_t classes = 0;
  const std::vector<Video>* videos = nullptr;
  FrameStore* frames = nullptr;
  // Names every random stream of the job: "search.cs.S1-S2".
  uint64_t seed = 0;
  std::string purpose;
  // safetensors to start from; empty = from scratch (initial values depend on the seed alone).
  std::string initial_weights;
  // Loader threads beside the caller's own; the result does not depend on them.
  int loader_threads = 0;
  // "cpu" or "cuda".
  std::string device = "cpu";
};

struct EpochStats {
  // Mean over the epoch's clips of the sum of both heads' cross entropies.
  double loss = 0;
  int64_t clips = 0;
  // Videos left out under on_bad_video SKIP, and the first of them, "name: reason".
  int64_t skipped = 0;
  std::vector<std::string> examples;
  ActivitySeconds seconds;
};

// Not thread-safe; several trainers run at once on one FrameStore.
class StateTrainer {
 public:
  // Goes on from `folder`/resume.safetensors when it is there, else starts from the job's initial
  // weights with a fresh optimiser.  InvalidArgument for a batch larger than the list, weights of
  // another network, a resume file of another state; FailedPrecondition for a device that is not
  // there.
  static absl::StatusOr<std::unique_ptr<StateTrainer>> Start(const TrainingJob& job,
                                                             const TrainState& state,
                                                             const std::string& folder);

  ~StateTrainer();

  // Epochs trained so far.
  int epochs() const { return epochs_; }
  Network& network() { return *network_; }
  // What the last Save() was given; empty after a fresh start.
  const std::map<std::string, std::string>& notes() const { return notes_; }
  // Losses of all epochs so far.
  const std::vector<double>& losses() const { return losses_; }

  // Trains the next epoch.  Internal when the loss is not finite; Cancelled on SIGINT or SIGTERM,
  // between two steps: that epoch is lost, the saved ones are not.
  absl::StatusOr<EpochStats> TrainEpoch();

  // Writes everything a restart needs, all or nothing, and `notes` with it.
  absl::Status Save(const std::map<std::string, std::string>& notes);

 private:
  StateTrainer(const TrainingJob& job, const TrainState& state, const std::string& folder);
  absl::Status Resume();
  absl::Status TrainSteps(EpochStats* stats);
  absl::Status TrainMicroBatch(Batch* batch, int64_t index, EpochStats* stats);
  std::string Fingerprint() const;

  const TrainingJob job_;
  const TrainState state_;
  const std::string folder_;
  int64_t steps_per_epoch_ = 0;
  absl::optional<Schedule> schedule_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<class Optimizer> optimizer_;
  std::map<std::string, std::string> notes_;
  std::vector<double> losses_;
  int epochs_ = 0;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_STATE_TRAINER_H_
