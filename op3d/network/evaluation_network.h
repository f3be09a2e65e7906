// A network as it is evaluated: fixed weights, every BatchNorm that can be is part of its
// convolution, the last sums of blocks are one pass over memory.
//
//   OP3D_ASSIGN_OR_RETURN(auto scorer, EvaluationNetwork::Make(*network));
//   at::NoGradGuard no_grad;
//   OP3D_ASSIGN_OR_RETURN(std::vector<at::Tensor> heads, scorer->Forward(clips));
//
// With s = weight / sqrt(running_var + epsilon) a layer's norm(convolution(x)) is the convolution
// with kernels s w and the bias (bias - s running_mean).  The sums are other ones than a Network's:
// logits are equal within 1e-4 of their scale in float32, within 1e-12 in float64.
#ifndef OP3D_NETWORK_EVALUATION_NETWORK_H_
#define OP3D_NETWORK_EVALUATION_NETWORK_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "op3d/network/network.h"

namespace op3d {

// Any number of threads may use one at once.
class EvaluationNetwork {
 public:
  // A copy of what `network` computes in evaluation now, with its type, precision and device;
  // later changes of `network` do not show, and `network` stays as it is.  ResourceExhausted
  // without memory.
  static absl::StatusOr<std::unique_ptr<EvaluationNetwork>> Make(const Network& network);
  ~EvaluationNetwork();

  const NetworkOptions& options() const;
  at::Device device() const;
  // Of clips and logits: kDouble for fp64, else kFloat.
  at::ScalarType type() const;

  // As Network::Forward in evaluation, with its errors; records no gradients.  An observer sees the
  // features after folded norms alone.
  absl::StatusOr<std::vector<at::Tensor>> Forward(const at::Tensor& clips,
                                                  const FeatureObserver& observer = nullptr) const;

 private:
  struct State;
  explicit EvaluationNetwork(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace op3d

#endif  // OP3D_NETWORK_EVALUATION_NETWORK_H_
