// A network for evaluation: fixed weights, BatchNorms folded into their convolutions where
// possible, and the last sum of each block in one pass over memory.
//
//   OP3D_ASSIGN_OR_RETURN(auto scorer, EvaluationNetwork::Make(*network));
//   at::NoGradGuard no_grad;
//   OP3D_ASSIGN_OR_RETURN(std::vector<at::Tensor> heads, scorer->Forward(clips));
//
// With s = weight / sqrt(running_var + epsilon), a layer's norm(convolution(x)) is the convolution
// with kernels s w and the bias (bias - s running_mean).  The order of sums differs from a Network:
// logits are equal within 1e-4 of their scale in float32, within 1e-12 in float64.
//
// On a CPU with native arithmetic (op3d/torch/arithmetic.h), fp32 and bf16 also use the library's
// convolution with bias, sum and ReLU in one call, and other algorithms for convolutions.  With
// portable arithmetic they do not: its logits stay equal in every bit to those of recorded runs.
#ifndef OP3D_NETWORK_EVALUATION_NETWORK_H_
#define OP3D_NETWORK_EVALUATION_NETWORK_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "op3d/network/network.h"

namespace op3d {

// Thread-safe.
class EvaluationNetwork {
 public:
  // A copy of what `network` computes in evaluation mode, with its type, precision and device.
  // Later changes of `network` have no effect on it, and `network` is not changed.
  // ResourceExhausted without memory.
  static absl::StatusOr<std::unique_ptr<EvaluationNetwork>> Make(const Network& network);
  ~EvaluationNetwork();

  const NetworkOptions& options() const;
  at::Device device() const;
  // The type of clips and logits: kDouble for fp64, otherwise kFloat.
  at::ScalarType type() const;

  // As Network::Forward in evaluation, with its errors; records no gradients.  An observer only
  // sees the features after folded norms.
  absl::StatusOr<std::vector<at::Tensor>> Forward(const at::Tensor& clips,
                                                  const FeatureObserver& observer = nullptr) const;

 private:
  struct State;
  explicit EvaluationNetwork(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace op3d

#endif  // OP3D_NETWORK_EVALUATION_NETWORK_H_
