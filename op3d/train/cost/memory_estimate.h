// How much memory a training will take, estimated from one step on a small clip.
//
//   OP3D_ASSIGN_OR_RETURN(MemoryEstimate memory, EstimateMemory(probe));
//   memory.Total();                                            // bytes
//
// Activations grow with frames x height x width, so a clip of 16 frames of 64 x 64 (or the clip
// itself if smaller) is enough to predict those of a large one; it takes well below a second.
#ifndef OP3D_TRAIN_COST_MEMORY_ESTIMATE_H_
#define OP3D_TRAIN_COST_MEMORY_ESTIMATE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "op3d/train/settings/train.pb.h"

namespace op3d {

struct MemoryProbe {
  NetworkSettings network;
  TrainingSettings training;
  int64_t classes = 0;
  // Frames per clip, side of its pictures, clips per micro-batch.
  int frames = 16;
  int side = 224;
  int batch_size = 1;
};

// In bytes, for one process.
struct MemoryEstimate {
  // Weights, gradients, optimiser, average; a checkpoint contains all but the gradients.
  int64_t weights = 0, gradients = 0, optimizer = 0, average = 0;
  // The peak of what the forward pass keeps for the backward pass, and the clips themselves.
  int64_t activations = 0;

  int64_t Checkpoint() const { return weights + optimizer + average; }
  int64_t Total() const { return Checkpoint() + gradients + activations; }
};

// Errors of Network and SetArithmetic.
absl::StatusOr<MemoryEstimate> EstimateMemory(const MemoryProbe& probe);

}  // namespace op3d

#endif  // OP3D_TRAIN_COST_MEMORY_ESTIMATE_H_
