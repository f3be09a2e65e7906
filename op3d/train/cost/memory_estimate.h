// How much memory a training will take, estimated from one step on a small clip.
//
//   OP3D_ASSIGN_OR_RETURN(MemoryEstimate memory, EstimateMemory(probe));
//   memory.Total();                                            // bytes
//
// Activations grow with frames x height x width, so a clip of 16 frames of 64 x 64 (less where the
// clip itself is smaller) tells what a large one keeps; it costs well below a second.
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
  // Frames of a clip, side of its pictures, clips of a micro-batch.
  int frames = 16;
  int side = 224;
  int batch_size = 1;
};

// In bytes, of one process.
struct MemoryEstimate {
  // Weights, gradients, optimiser, average: what a checkpoint holds is all but the gradients.
  int64_t weights = 0, gradients = 0, optimizer = 0, average = 0;
  // What the forward pass keeps for the backward pass, at its highest, and the clips themselves.
  int64_t activations = 0;

  int64_t Checkpoint() const { return weights + optimizer + average; }
  int64_t Total() const { return Checkpoint() + gradients + activations; }
};

// Errors as Network's and SetArithmetic's.
absl::StatusOr<MemoryEstimate> EstimateMemory(const MemoryProbe& probe);

}  // namespace op3d

#endif  // OP3D_TRAIN_COST_MEMORY_ESTIMATE_H_
