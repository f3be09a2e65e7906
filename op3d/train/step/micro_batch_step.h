// Forward and backward of a micro-batch on a GPU; recorded as one CUDA graph if the settings allow it.
//
//   MicroBatchStep step(options, /*loss_factor=*/0.5, /*recorded=*/true, network);
//   OP3D_ASSIGN_OR_RETURN(at::Tensor first, step.Run({epoch, 0}, batch));
//   OP3D_ASSIGN_OR_RETURN(at::Tensor second, step.Run({epoch, 1}, batch));   // adds its gradients
//   Use(network->Parameters());        // the optimiser's step, which clears the gradients
//
// A recording works on memory of its own: Run() copies the clips to where it reads them, and the
// parameters' gradients are always the same tensors, which Run() puts back after an optimiser's step. The
// host's part of a forward pass, dropout masks, comes before it (Network::SeedDropout).
//
// On the CPU the same is done without a recording, with the bits of a plain step.
#ifndef OP3D_TRAIN_STEP_MICRO_BATCH_STEP_H_
#define OP3D_TRAIN_STEP_MICRO_BATCH_STEP_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/gpu/step_graph.h"
#include "op3d/network/network.h"
#include "op3d/train/step/training_loss.h"

namespace op3d {

// Not thread-safe.
class MicroBatchStep {
 public:
  // Gradients are those of loss_factor * loss.  `network` must outlive it, and its tensors must stay where
  // they are.
  MicroBatchStep(const MicroBatchLossOptions& options, double loss_factor, bool recorded,
                 Network* network);

  // From here on the gradients are `factor` times as large (loss_scale.h).  Call it first before
  // the first Run(), so that a recording has it; later between two steps.
  void SetLossScale(double factor);

  // Adds the micro-batch's gradients to the parameters'; returns its loss, without a graph, on the device,
  // where the next Run() may overwrite it.  On a GPU it does not wait.  `batch` is on the network's device
  // and is no longer needed once the computation is done.  A recording is for one shape: another one ends it and runs plainly.  Errors as
  // MicroBatchLoss().
  absl::StatusOr<at::Tensor> Run(const MicroBatchPlace& place, const MicroBatch& batch);

  // Runs replay a recording; never on the CPU.
  bool recorded() const { return graph_ != nullptr && graph_->recorded(); }
  // Why no step could be recorded, so that all are plain ones; empty if nothing failed.
  const std::string& failure() const { return failure_; }

 private:
  absl::Status Compute(const MicroBatch& batch);
  absl::Status RunRecorded(const MicroBatch& batch);
  void KeepGradients();

  const MicroBatchLossOptions options_;
  const double loss_factor_;
  Network* const network_;
  // May be recorded.
  bool recorded_;
  std::string failure_;
  // Recordings that a micro-batch of another size ended.
  int drops_ = 0;
  // Of the last run.
  at::Tensor loss_;
  absl::Status status_;
  // A number on the device, which a recording reads; undefined without SetLossScale().
  at::Tensor loss_scale_;
  // The recording's memory.
  MicroBatch fixed_;
  std::vector<at::Tensor> gradients_;
  std::unique_ptr<gpu::StepGraph> graph_;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_STEP_MICRO_BATCH_STEP_H_
