// The cost of a step: one training step and one scoring step, measured on noise.
//
//   StepProbe probe;
//   probe.network = settings.network();
//   StepCosts costs(probe);
//   OP3D_ASSIGN_OR_RETURN(StepCost cost, costs.Of({64, 224, /*train=*/true}));
//   double epoch_seconds = cost.train_seconds * clips;
//
// A network's time per multiply-add hardly depends on the clip's size, so a large clip is not run
// itself: one of at most 16 frames of 112 x 112 is, and the time is scaled by the number of
// multiply-adds.  docs/measurements.md, "Dry run", has the error of that.
#ifndef OP3D_TRAIN_COST_STEP_PROBE_H_
#define OP3D_TRAIN_COST_STEP_PROBE_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "absl/status/statusor.h"
#include "op3d/train/settings/train.pb.h"

namespace op3d {

struct StepProbe {
  NetworkSettings network;
  SgdSettings sgd;
  TrainingSettings training;
  int64_t classes = 0;
  std::string device = "cpu";
};

// A clip: its frames, and the side of its square pictures in pixels.
struct ProbedClip {
  int frames = 16;
  int side = 224;
  // False: scoring only.
  bool train = true;
};

struct StepCost {
  // Seconds of one thread per clip.  0 if not measured.
  double train_seconds = 0;
  double score_seconds = 0;
  // Bytes of the network's parameters and buffers.
  int64_t weight_bytes = 0;
  // Of the clip through the network, forward.
  double multiply_adds = 0;
};

// Clips per second that an H200 would train at 40 % of its bf16 product (docs/reproducing.md), a
// calculation: three passes of two operations per multiply-add.  0: not known, also for networks so
// small that they do not fill it (more than 20,000 clips per second).
inline double ClipsOfAnH200(const StepCost& cost) {
  const double clips = cost.multiply_adds > 0 ? 3.2e14 / (6 * cost.multiply_adds) : 0;
  return clips > 20'000 ? 0 : clips;
}

// The clip that is run in place of `clip`: the clip itself if it is small.
ProbedClip ShrunkenClip(const ProbedClip& clip);

// Costs of clips of one network.  Not thread-safe.
class StepCosts {
 public:
  explicit StepCosts(StepProbe probe) : probe_(std::move(probe)) {}

  // Runs a batch of the shrunken clip with about 700,000 values (at least one clip; on a GPU up to
  // 32 clips, for one leaves most of it idle) forward, backward and through the optimiser, unless
  // that was done before; prints a line on stderr.  Short steps run twice and the faster one
  // counts.  InvalidArgument if a side or the number of frames is below 1; Cancelled after a
  // signal; errors of Network and SetArithmetic.
  absl::StatusOr<StepCost> Of(const ProbedClip& clip);

 private:
  StepProbe probe_;
  // By frames, side and whether a long clip's activations are recomputed.
  std::map<std::tuple<int, int, bool>, StepCost> measured_;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_COST_STEP_PROBE_H_
