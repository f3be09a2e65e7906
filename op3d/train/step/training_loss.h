// The training loss: the sum of the heads' cross entropies, each a mean over the clips.
//
//   at::Tensor loss = TrainingLoss(*network->Forward(clips), labels);
//
// The same for a micro-batch from the loader, with mixing, smoothing and dropout:
//
//   const MicroBatch mixed = MixMicroBatch(settings, options, {epoch, micro_batch},
//                                          network->device(), &batch);
//   OP3D_ASSIGN_OR_RETURN(at::Tensor of_mixed,
//                         MicroBatchLoss(options, {epoch, micro_batch}, mixed, network));
#ifndef OP3D_TRAIN_STEP_TRAINING_LOSS_H_
#define OP3D_TRAIN_STEP_TRAINING_LOSS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/loader/batch.h"
#include "op3d/network/network.h"
#include "op3d/train/settings/train.pb.h"

namespace op3d {

// `labels` are the clips' classes [N], or a distribution over them for each clip [N, classes].
at::Tensor TrainingLoss(const std::vector<at::Tensor>& heads, const at::Tensor& labels);

struct MicroBatchLossOptions {
  int64_t classes = 0;
  // Name the random streams of mixing and dropout.
  uint64_t seed = 0;
  std::string purpose;
  // Where some micro-batches are mixed, the labels of all are distributions: they have one type.
  bool equal_labels = false;
};

// The position of a micro-batch: both from 0.
struct MicroBatchPlace {
  int64_t epoch = 0;
  int64_t index = 0;
};

// [N, 3, T, H, W] floats, and their labels as TrainingLoss() takes them.
struct MicroBatch {
  at::Tensor clips, labels;
};

// Mixes the batch's clips in place if the settings say so, which needs floats.  The result is on the
// CPU and shares the batch's memory, which must stay unchanged until the backward pass is done; only
// views that are bytes are copied to `device` and normalised there, to the same clips.
MicroBatch MixMicroBatch(const TrainingSettings& settings, const MicroBatchLossOptions& options,
                         const MicroBatchPlace& place, at::Device device, data::Batch* batch);

// The seed of a micro-batch's dropout, for Network::SeedDropout().
uint64_t DropoutSeed(const MicroBatchLossOptions& options, const MicroBatchPlace& place);

// The loss of a forward pass in training, with its graph; `batch` is on the network's device.  Depends
// only on the arguments and the network's weights.  Errors of Network::Forward; LibTorch's own are
// exceptions.
absl::StatusOr<at::Tensor> MicroBatchLoss(const MicroBatchLossOptions& options,
                                          const MicroBatchPlace& place, const MicroBatch& batch,
                                          Network* network);

}  // namespace op3d

#endif  // OP3D_TRAIN_STEP_TRAINING_LOSS_H_
