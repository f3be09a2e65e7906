// A network with all that training changes: its weights, its optimiser's state, their average, and
// the gradients of a step under way; as named tensors, for a checkpoint.
//
//   OP3D_ASSIGN_OR_RETURN(auto network, TrainableNetwork::Make(options));
//   loss.backward();
//   OP3D_ASSIGN_OR_RETURN(double norm, network->Step(/*learning_rate=*/0.04));
//   NamedTensors tensors = network->Tensors();             // "weights.conv1.weight" ...
//   OP3D_RETURN_IF_ERROR(again->Restore(tensors));         // goes on with the same bits
#ifndef OP3D_TRAIN_STEP_TRAINABLE_NETWORK_H_
#define OP3D_TRAIN_STEP_TRAINABLE_NETWORK_H_

#include <cstdint>
#include <memory>
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
  // Without them the values are not specified: Restore() must follow.
  bool with_initial_values = true;
  // Of the initial values.
  uint64_t seed = 0;
  // safetensors to start from instead; may be empty.
  std::string initial_weights;
  std::string device = "cpu";
  bool frozen_batch_norm = false;
  SgdSettings sgd;
  TrainingSettings training;
  // Decides whether activations are checkpointed.
  int clip_frames = 0;
};

// Not thread-safe.
class TrainableNetwork {
 public:
  // Errors as Network's, SetArithmetic's and Optimizer's.
  static absl::StatusOr<std::unique_ptr<TrainableNetwork>> Make(
      const TrainableNetworkOptions& options);
  ~TrainableNetwork();

  // What is trained.
  Network& network() { return *network_; }
  // What is measured and handed on: the averaged weights, or else those that are trained.
  Network& result();

  // The optimiser's step and the average's.  Returns the gradient's norm; Internal as
  // Optimizer::Step.
  absl::StatusOr<double> Step(double learning_rate);

  // Shares memory with the network.  Gradients only within a step.
  NamedTensors Tensors() const;
  // Takes what Tensors() gave, in any order.  InvalidArgument when it is another network's or
  // optimiser's.
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
