// The training loss: the sum of the heads' cross entropies, each a mean over the clips.
//
//   at::Tensor loss = TrainingLoss(*network->Forward(clips), labels);
//
// The same for a micro-batch from the loader, with mixing, smoothing and dropout:
//
//   OP3D_ASSIGN_OR_RETURN(at::Tensor mixed,
//                         MicroBatchLoss(settings, options, {epoch, micro_batch}, &batch, network));
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
};

// The position of a micro-batch: both from 0.
struct MicroBatchPlace {
  int64_t epoch = 0;
  int64_t index = 0;
};

// The loss of a forward pass in training, with its graph.  Depends only on the arguments and
// the network's weights.  Changes the batch's clips if they are mixed, which needs floats; views
// that are bytes are normalised on the network's device, to the same clips.  The batch must stay
// unchanged until the backward pass is done.  Errors of Network::Forward; LibTorch's own are
// exceptions.
absl::StatusOr<at::Tensor> MicroBatchLoss(const TrainingSettings& settings,
                                          const MicroBatchLossOptions& options,
                                          const MicroBatchPlace& place, data::Batch* batch,
                                          Network* network);

}  // namespace op3d

#endif  // OP3D_TRAIN_STEP_TRAINING_LOSS_H_
