// The optimiser's step as three kernels (kernels/optimizer_kernels.h): norm, clipping factor, and
// one pass that updates parameters, buffers and averages.
//
//   FusedStep step(tensors, SgdRule{0.9f, 1e-4f, true}, /*clip_norm=*/40, /*average_decay=*/0);
//   step.Run(gradients, {/*rate=*/0.1f, /*first_step=*/1, 1, 1});      // asynchronous on a GPU
//   double norm = step.Norm();                                        // waits; may be infinite
//
// Nothing is changed if the norm is not finite.  Tensors are float, contiguous and on one device; they stay
// where they are, so that a recorded CUDA graph can be replayed.  Not thread-safe.
#ifndef OP3D_GPU_FUSED_STEP_H_
#define OP3D_GPU_FUSED_STEP_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <variant>
#include <vector>

#include "op3d/gpu/kernels/optimizer_kernels.h"

namespace op3d::gpu {

// One parameter.
struct FusedTensors {
  at::Tensor weights;
  // SGD: the momentum; AdamW: the first moment.
  at::Tensor first;
  // AdamW: the second moment.
  at::Tensor second;
  // May be undefined.
  at::Tensor average;
  double rate_factor = 1;
};

class FusedStep {
 public:
  // Throws c10::Error for tensors of another type, layout or device than the first one's.
  FusedStep(std::vector<FusedTensors> tensors, std::variant<SgdRule, AdamWRule> rule,
            double clip_norm, double average_decay);

  // One gradient for each tensor.  The addresses are copied to the device if they differ from the last
  // call's.
  void Run(const std::vector<at::Tensor>& gradients, const StepValues& values);

  // The last step's norm before clipping, without the gradients' scale.
  double Norm() const;

 private:
  void MakeChunks(const std::vector<at::Tensor>& gradients);

  std::vector<FusedTensors> tensors_;
  std::variant<SgdRule, AdamWRule> rule_;
  double clip_norm_;
  float average_share_;
  std::vector<const void*> addresses_;
  int64_t chunk_count_ = 0;
  // On the device: ParameterChunk[], double[], ClipState.
  at::Tensor chunks_, partial_, state_;
};

}  // namespace op3d::gpu

#endif  // OP3D_GPU_FUSED_STEP_H_
