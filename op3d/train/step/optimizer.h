// The optimiser of a training: SGD with momentum as in the published recipes, or AdamW.  The
// gradient is clipped by its global norm; the update of all parameters is one fused operation.
//
//   OP3D_ASSIGN_OR_RETURN(auto optimizer, Optimizer::Make(network->Parameters(), sgd, training));
//   loss.backward();
//   OP3D_ASSIGN_OR_RETURN(double norm, optimizer->Step(/*learning_rate=*/0.04));
//   // gradients are gone again
//
// With g the gradient clipped to the norm c (factor min(1, c / (norm + 1e-6))):
//   SGD     d = g + wd w, the first step sets v = d, later v = momentum v + d,
//           w -= lr (d + momentum v) (Nesterov) or w -= lr v
//   AdamW   w *= 1 - lr wd, m and u = running means of g and g^2 with beta1 and beta2,
//           bias-corrected, w -= lr m / (sqrt(u) + epsilon)   (Loshchilov and Hutter 2019)
// The classifiers, which are the parameters directly under the root whose names begin with "fc",
// use lr times TrainingSettings.classifier_rate_factor.
//
// Parameters on a GPU are updated by op3d/gpu/fused_step.h: three kernels, the same formulas, and the
// same State() with other rounding (the norm is summed in double precision).
#ifndef OP3D_TRAIN_STEP_OPTIMIZER_H_
#define OP3D_TRAIN_STEP_OPTIMIZER_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/gpu/fused_step.h"
#include "op3d/torch/tensor_file.h"
#include "op3d/train/settings/train.pb.h"

namespace op3d {

struct FusedOptions {
  // Also for parameters on the CPU: for tests.
  bool always = false;
  // The average of each parameter, by its name; may be empty.  They are updated in the same pass:
  // average = decay average + (1 - decay) weights.
  NamedTensors averages;
  double average_decay = 0;
};

// Not thread-safe.  Shares the parameters and changes them in place; they must stay where they are.
class Optimizer {
 public:
  // InvalidArgument for a setting out of its range.
  static absl::StatusOr<std::unique_ptr<Optimizer>> Make(NamedTensors parameters,
                                                         const SgdSettings& sgd,
                                                         const TrainingSettings& training,
                                                         const FusedOptions& fused = {});
  virtual ~Optimizer() = default;

  // Step() is the fused one, which also updates FusedOptions.averages; otherwise nobody does.
  bool fused() const { return fused_ != nullptr; }

  // One update from the gradients summed so far; returns their global norm before clipping and
  // clears them.  On a GPU it waits for the update.  Internal if the norm is not finite: the parameters
  // are then not changed.
  //
  // With a `gradient_scale`, a power of two from 1 on (loss_scale.h), the gradients are this number
  // times the true ones; update and norm are those of the true ones.  A norm that is not finite is
  // then no error: the step is skipped, which clears the gradients and changes nothing else, and
  // the result is that norm.
  absl::StatusOr<double> Step(double learning_rate,
                              std::optional<double> gradient_scale = std::nullopt);

  // What a restart needs, named by kind and parameter ("momentum.conv1.weight"); empty before the
  // first step.  Shares memory with the optimiser.
  virtual NamedTensors State() const = 0;

  // Restores the result of State(), in any order.  InvalidArgument if something is missing,
  // unexpected or of another shape; the optimiser may then be partly changed.
  virtual absl::Status SetState(const NamedTensors& state) = 0;

 protected:
  // Parameters that share a learning rate.
  struct Group {
    double rate_factor = 1;
    std::vector<std::string> names;
    std::vector<at::Tensor> parameters;
  };

  Optimizer(NamedTensors parameters, const SgdSettings& sgd, const TrainingSettings& training);
  // Updates group `index`; `gradients` has one clipped gradient per parameter.
  virtual void Update(size_t index, const std::vector<at::Tensor>& gradients,
                      double learning_rate) = 0;
  virtual void AfterStep() {}

  // Of the fused step: the formula, a parameter's buffers, and what changes from step to step.
  virtual std::variant<gpu::SgdRule, gpu::AdamWRule> Rule() const = 0;
  virtual gpu::FusedTensors Buffers(size_t group, size_t parameter) const = 0;
  virtual gpu::StepValues Values(double learning_rate) const = 0;

  // Copies each tensor of `state` named "`kind`.<parameter>" into `buffers` (by group and
  // parameter).  InvalidArgument if one is missing or has another shape.
  absl::Status TakeBuffers(const NamedTensors& state, const std::string& kind,
                           std::vector<std::vector<at::Tensor>>* buffers) const;
  // Appends `buffers` under their names.
  void GiveBuffers(const std::string& kind, const std::vector<std::vector<at::Tensor>>& buffers,
                   NamedTensors* state) const;
  std::vector<std::vector<at::Tensor>> Zeros() const;

  // Not empty; with a factor of 1 all parameters are in one group.
  std::vector<Group> groups_;

 private:
  void Fuse(const FusedOptions& options);
  absl::Status StepAll(double learning_rate, std::optional<double> gradient_scale,
                       double* gradient_norm);
  // The norm of `gradients` / `scale`, which are in the order of groups_; updates everything if it
  // is finite.
  double StepFused(const std::vector<at::Tensor>& gradients, double learning_rate, double scale);

  double clip_norm_;
  // Null: the plain step.
  std::unique_ptr<gpu::FusedStep> fused_;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_STEP_OPTIMIZER_H_
