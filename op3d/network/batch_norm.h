// Batch normalisation of feature maps (Ioffe and Szegedy 2015), with its ReLU.
#ifndef OP3D_NETWORK_BATCH_NORM_H_
#define OP3D_NETWORK_BATCH_NORM_H_

#include <ATen/core/Tensor.h>

#include "op3d/network/definition.h"
#include "op3d/network/feature_map.h"

namespace op3d {

// What follows the normalisation.
enum class Activation { kNone, kRelu };

class BatchNorm {
 public:
  // Its tensors are `name`.weight, .bias, .running_mean, .running_var, .num_batches_tracked.
  BatchNorm(const BatchNormDefinition& definition, const TensorTable& tensors);

  // Normalises the columns.  In training by the batch's mean and variance, which move the running
  // ones by a tenth; in evaluation, or when frozen, by the running ones.  Training needs more than
  // one row.
  FeatureMap Apply(const FeatureMap& input, Activation activation, const ForwardMode& mode) const;

 private:
  BatchNormDefinition definition_;
  at::Tensor weight_, bias_, running_mean_, running_variance_, counter_;
};

}  // namespace op3d

#endif  // OP3D_NETWORK_BATCH_NORM_H_
