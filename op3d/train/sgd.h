// Stochastic gradient descent with momentum, as the published recipes use it: Nesterov, weight
// decay on every parameter, the gradient clipped by its global norm, all in one fused update.
//
//   Sgd sgd(network->Parameters(), settings);
//   loss.backward();
//   OP3D_ASSIGN_OR_RETURN(double norm, sgd.Step(/*learning_rate=*/0.04));   // gradients are gone
//   again
//
// With g the gradient clipped to the norm c (factor min(1, c / (norm + 1e-6))) and d = g + wd w:
// the first step sets v = d, later v = momentum v + d; w -= lr (d + momentum v)   (Nesterov).
#ifndef OP3D_TRAIN_SGD_H_
#define OP3D_TRAIN_SGD_H_

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/train/train.pb.h"

namespace op3d {

// Not thread-safe.  Holds the parameters, which it changes in place.
class Sgd {
 public:
  Sgd(std::vector<std::pair<std::string, at::Tensor>> parameters, const SgdSettings& settings);

  // One update from the gradients summed so far; returns their global norm before clipping and
  // drops them.  Internal when the norm is not finite: the parameters then stay as they were.
  absl::StatusOr<double> Step(double learning_rate);

  // The momentum buffers by parameter name; empty before the first step.
  std::vector<std::pair<std::string, at::Tensor>> Momentum() const;

  // Takes buffers that Momentum() gave.  InvalidArgument when one is missing or has another shape.
  absl::Status SetMomentum(const std::vector<std::pair<std::string, at::Tensor>>& momentum);

 private:
  absl::Status Update(double learning_rate, double* gradient_norm);

  std::vector<std::string> names_;
  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> momentum_;
  SgdSettings settings_;
  bool first_step_ = true;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_SGD_H_
