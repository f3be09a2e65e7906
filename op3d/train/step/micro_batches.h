// The micro-batches of an epoch: taken from the loader, mixed, and on the network's device.
//
//   MicroBatches batches(training, options, network->device(), /*ahead=*/true, loader.get());
//   OP3D_ASSIGN_OR_RETURN(const int size, batches.Next({epoch, 0}));   // waits for the loader
//   const MicroBatch batch = batches.Take();
//   Use(batch);                                    // starts the computation
//   batches.Ahead({epoch, 1}, &waited);            // copied to a GPU while it computes
//
// Without `ahead`, for the CPU, nothing is copied: the tensors share the loader's memory.
#ifndef OP3D_TRAIN_STEP_MICRO_BATCHES_H_
#define OP3D_TRAIN_STEP_MICRO_BATCHES_H_

#include <deque>
#include <optional>

#include "absl/status/statusor.h"
#include "data/loader/batch.h"
#include "data/loader/loader.h"
#include "op3d/gpu/clip_copier.h"
#include "op3d/train/settings/train.pb.h"
#include "op3d/train/step/training_loss.h"

namespace op3d {

// Not thread-safe.
class MicroBatches {
 public:
  // `loader` must outlive it.
  MicroBatches(const TrainingSettings& settings, const MicroBatchLossOptions& options,
               at::Device device, bool ahead, data::ClipLoader* loader);

  // The number of clips in the next micro-batch, whose place is `place`; 0 if all of its videos were
  // skipped.  Errors of the loader, also if Ahead() met them; Internal if the loader has no further one.
  absl::StatusOr<int> Next(const MicroBatchPlace& place);

  // The micro-batch of the last Next(), which had clips; once.  It is valid until the Next() after the
  // next one with `ahead`, otherwise until the next one.
  MicroBatch Take();

  // With `ahead`: prepares the one after it and starts its copy; call it when the computation on the last
  // Take() was started.  Adds to `waited` the seconds in which the device may have been idle: all of them, or
  // none if the device still computes at the end.
  void Ahead(const MicroBatchPlace& place, double* waited);

  // What the loader has counted up to the last Next().
  data::ClipLoader::Counters counters() const;

 private:
  absl::StatusOr<int> Fetch(const MicroBatchPlace& place);

  const TrainingSettings settings_;
  const MicroBatchLossOptions options_;
  const at::Device device_;
  const bool ahead_;
  data::ClipLoader* const loader_;
  data::Batch batch_;
  MicroBatchPlace place_;
  gpu::ClipCopier clips_, labels_;
  // Clips that came as bytes, instead of clips_.
  std::deque<at::Tensor> normalised_;
  // The result of Ahead(), and the counters before it.
  std::optional<absl::StatusOr<int>> fetched_;
  data::ClipLoader::Counters before_;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_STEP_MICRO_BATCHES_H_
