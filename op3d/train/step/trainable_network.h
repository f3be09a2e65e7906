// A network with everything that training changes: its weights, its optimiser's state, the weights'
// average and the gradients of the current step; as named tensors, for a checkpoint.
//
//   OP3D_ASSIGN_OR_RETURN(auto network, TrainableNetwork::Make(options));
//   loss.backward();
//   OP3D_ASSIGN_OR_RETURN(double norm, network->Step(/*learning_rate=*/0.04));
//   NamedTensors tensors = network->Tensors();             // "weights.conv1.weight" ...
//   OP3D_RETURN_IF_ERROR(again->Restore(tensors));         // continues with the same bits
#ifndef OP3D_TRAIN_STEP_TRAINABLE_NETWORK_H_
#define OP3D_TRAIN_STEP_TRAINABLE_NETWORK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/network/network.h"
#include "op3d/torch/tensor_file.h"
#include "op3d/train/settings/train.pb.h"

namespace op3d {

class Optimizer;
class WeightAverage;

struct TrainableNetworkOptions {
  NetworkOptions network;
  // Without them the values are unspecified: call Restore() next.
  bool with_initial_values = true;
  // The seed of the initial values.
  uint64_t seed = 0;
  // A safetensors file to start from instead; may be empty.
  std::string initial_weights;
  std::string device = "cpu";
  bool frozen_batch_norm = false;
  SgdSettings sgd;
  TrainingSettings training;
  // Decides whether activations are checkpointed.
  int clip_frames = 0;
  // The optimiser's step and the average as on a GPU, also on the CPU: for tests.
  bool fused_step = false;
};

// Not thread-safe.
class TrainableNetwork {
 public:
  // Errors of Network, SetArithmetic and Optimizer.
  static absl::StatusOr<std::unique_ptr<TrainableNetwork>> Make(
      const TrainableNetworkOptions& options);
  ~TrainableNetwork();

  // The network that is trained.
  Network& network() { return *network_; }
  // The network to measure and to start the next state from: with averaged weights, or the trained
  // one.
  Network& result();

  // A step of the optimiser and of the average.  Returns the gradient's norm; Internal, and skipped
  // steps, as in Optimizer::Step.
  absl::StatusOr<double> Step(double learning_rate,
                              std::optional<double> gradient_scale = std::nullopt);

  // Shares memory with the network.  Contains gradients only within a step.
  NamedTensors Tensors() const;
  // Restores the result of Tensors(), in any order.  InvalidArgument if it belongs to another
  // network or optimiser.
  absl::Status Restore(const NamedTensors& tensors);

  // Running statistics of the network and of the average; they share memory.
  std::vector<at::Tensor> Buffers() const;

  // Bytes of all tensors between two steps.
  int64_t Bytes() const;

 private:
  explicit TrainableNetwork(const TrainableNetworkOptions& options);

  const TrainableNetworkOptions options_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<WeightAverage> average_;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_STEP_TRAINABLE_NETWORK_H_
