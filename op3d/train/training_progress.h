// How far the training of a state has come, with its meters, as text with every bit for a
// checkpoint.  Torch-free.
//
//   TrainingProgress progress;
//   OP3D_RETURN_IF_ERROR(progress.AddStepLoss(/*loss=*/5.9, /*limit=*/120));
//   const std::map<std::string, std::string> metadata = progress.ToMetadata();
//   OP3D_ASSIGN_OR_RETURN(TrainingProgress again, TrainingProgress::FromMetadata(metadata));
#ifndef OP3D_TRAIN_TRAINING_PROGRESS_H_
#define OP3D_TRAIN_TRAINING_PROGRESS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/train/step/loss_scale.h"

namespace op3d {

struct TrainingProgress {
  // Complete epochs, and the mean loss of each.
  int epochs = 0;
  std::vector<double> losses;

  // For the current epoch.  Micro-batches count over all processes.
  int64_t micro_batches = 0;
  double loss_sum = 0;  // over clips
  int64_t clips = 0;
  // Videos left out, and the first of them, "name: reason".
  int64_t skipped = 0;
  std::vector<std::string> examples;

  // For the current step; only a process that trains alone is stopped inside a step.
  double step_loss_sum = 0;
  int64_t step_clips = 0;

  // Only with fp16: the factor of the loss, and the epoch's steps that were skipped because of it.
  std::optional<LossScale> loss_scale;
  int64_t skipped_steps = 0;

  // The running mean of the steps' losses over about twenty steps, and the number of steps.
  double running_loss = 0;
  int64_t running_steps = 0;

  // The notes of the last Save().
  std::map<std::string, std::string> notes;

  // Ends the current epoch.  `clips` must be above 0.
  void EndEpoch();

  // Adds a step's loss to the running mean.  Internal if it is not finite or the mean is above
  // `limit`; the message continues the words "epoch 3: ".
  absl::Status AddStepLoss(double loss, double limit);

  std::map<std::string, std::string> ToMetadata() const;
  // DataLoss if an entry is missing or does not parse.  `loss_scale` may be missing.
  static absl::StatusOr<TrainingProgress> FromMetadata(
      const std::map<std::string, std::string>& metadata);
};

// The limit of AddStepLoss: `factor` (TrainingSettings.divergence_factor; 0 = 10) times the loss
// of guessing, which is the logarithm of the number of classes for each of at most two heads.
// InvalidArgument for a negative factor.
absl::StatusOr<double> DivergenceLimit(double factor, int64_t classes);

}  // namespace op3d

#endif  // OP3D_TRAIN_TRAINING_PROGRESS_H_
