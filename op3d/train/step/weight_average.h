// An exponential moving average of a network's weights and running statistics.
//
//   OP3D_ASSIGN_OR_RETURN(auto average, WeightAverage::Make(network.get(), /*decay=*/0.999));
//   optimizer->Step(rate);
//   average->Update();                       // average = decay average + (1 - decay) weights
//   Use(average->network());
//
// Averages weights over about the last 1 / (1 - decay) steps, which scores like a lower learning
// rate (Polyak and Juditsky 1992).  Batch counters are copied.
#ifndef OP3D_TRAIN_STEP_WEIGHT_AVERAGE_H_
#define OP3D_TRAIN_STEP_WEIGHT_AVERAGE_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/network/network.h"

namespace op3d {

// Not thread-safe.
class WeightAverage {
 public:
  // Starts with the current weights of `network`, on its device and in its precision.  `network`
  // must outlive it, and its device and type must not change.  InvalidArgument for a decay outside
  // [0, 1).
  static absl::StatusOr<std::unique_ptr<WeightAverage>> Make(Network* network, double decay);

  absl::Status Update();

  // From here on Update() leaves the parameters to somebody else: to an optimiser with a fused step
  // (FusedOptions).
  void LeaveOutParameters();

  // The network with the averaged weights.  Its StateDict() is what a restart needs.
  Network& network() { return *average_; }

 private:
  WeightAverage(double decay, std::unique_ptr<Network> average);

  const double decay_;
  std::unique_ptr<Network> average_;
  // Pairs of tensors of the two networks: those that are averaged, and those that are copied.
  std::vector<at::Tensor> averages_, weights_, copies_, originals_;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_STEP_WEIGHT_AVERAGE_H_
