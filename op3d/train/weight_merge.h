// The mean of several checkpoints' weights, and BatchNorm statistics that fit new weights.
//
//   OP3D_ASSIGN_OR_RETURN(auto merged, MergeWeights(job, {"epoch_004.safetensors",
//                                                         "epoch_005.safetensors"}));
//   OP3D_RETURN_IF_ERROR(RecomputeBatchNorm(job, state, /*epoch=*/5, /*clips=*/256, merged.get()));
//   Use(*merged);
//
// At a constant learning rate the weights fluctuate around a minimum; their mean is closer to it,
// and scores about as a lower rate would (Izmailov et al. 2018; arXiv 2507.17634).  The mean's
// features have other statistics than those of any part, so BatchNorm's must be computed again.
#ifndef OP3D_TRAIN_WEIGHT_MERGE_H_
#define OP3D_TRAIN_WEIGHT_MERGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/network/network.h"
#include "op3d/train/settings/state_task.h"
#include "op3d/train/training_job.h"

namespace op3d {

// A network of `job` whose weights and buffers are the mean of those in `files` (safetensors of
// this network, at least one), summed in double precision in the given order.  With several
// processes the first reads and broadcasts.  InvalidArgument for no file and for weights of another
// network; errors of reading the files.
absl::StatusOr<std::unique_ptr<Network>> MergeWeights(const TrainingJob& job,
                                                      const std::vector<std::string>& files);

// Sets every BatchNorm's running mean and variance to the mean over training batches of `state`:
// `clips` of the job's training clips (0 = 256), at least one batch, drawn from the streams of
// (job.purpose + ".batch_norm", epoch).  Weights are not changed.  `network` is left in training
// mode.  Cancelled on SIGINT or SIGTERM.
absl::Status RecomputeBatchNorm(const TrainingJob& job, const StateTask& state, int64_t epoch,
                                int clips, Network* network);

}  // namespace op3d

#endif  // OP3D_TRAIN_WEIGHT_MERGE_H_
