// The cost of a step: one training step and one scoring step, measured on noise.
//
//   StepProbe probe;
//   probe.network = settings.network();
//   probe.frames = 64;
//   OP3D_ASSIGN_OR_RETURN(StepCost cost, MeasureStep(probe));
//   double epoch_seconds = cost.train_seconds * clips;
#ifndef OP3D_TRAIN_COST_STEP_PROBE_H_
#define OP3D_TRAIN_COST_STEP_PROBE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "op3d/train/settings/train.pb.h"

namespace op3d {

struct StepProbe {
  NetworkSettings network;
  SgdSettings sgd;
  TrainingSettings training;
  int64_t classes = 0;
  // Frames per clip, and the side of its square pictures in pixels.
  int frames = 16;
  int side = 224;
  std::string device = "cpu";
  // False: scoring only.
  bool train = true;
};

struct StepCost {
  // Seconds of one thread per clip.  0 if not measured.
  double train_seconds = 0;
  double score_seconds = 0;
  // Bytes of the network's parameters and buffers.
  int64_t weight_bytes = 0;
};

// Runs a batch of clips with about three million values (at least one clip) forward, backward
// and through the optimiser.  Short steps run twice and the faster one counts.  Errors of Network
// and SetArithmetic.
absl::StatusOr<StepCost> MeasureStep(const StepProbe& probe);

}  // namespace op3d

#endif  // OP3D_TRAIN_COST_STEP_PROBE_H_
