// The factor by which a training in fp16 multiplies its loss.  Torch-free.
//
//   LossScale scale;
//   Backward(loss * scale.factor);
//   OP3D_RETURN_IF_ERROR(scale.Update(/*finite=*/true));   // for each step of the optimiser
//
// float16 has no numbers below 6e-8, so that small gradients would be lost, and none above 65504.
// The factor is as high as the gradients allow: it starts at 65536, is halved by a step whose
// gradients are not finite, and doubled after 2000 steps in a row with finite ones (Micikevicius et
// al. 2018).  It is always a power of two: dividing by it changes no digit.
#ifndef OP3D_TRAIN_STEP_LOSS_SCALE_H_
#define OP3D_TRAIN_STEP_LOSS_SCALE_H_

#include <cstdint>

#include "absl/status/status.h"

namespace op3d {

struct LossScale {
  // A power of two from 1 to 2^24.
  double factor = 65536;
  // Steps in a row with finite gradients since `factor` changed last; below 2000.
  int64_t good_steps = 0;

  // After a step.  If its gradients were not finite the step must be skipped: nothing may be
  // updated from them.  Internal if they were not finite with a factor of 1: a training that needs
  // a lower one has diverged.
  absl::Status Update(bool finite);

  // Both numbers are in their ranges.
  bool valid() const;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_STEP_LOSS_SCALE_H_
