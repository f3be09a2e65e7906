// Batch normalisation of feature maps (Ioffe and Szegedy 2015), with its ReLU.
#ifndef OP3D_NETWORK_LAYERS_BATCH_NORM_H_
#define OP3D_NETWORK_LAYERS_BATCH_NORM_H_

#include <ATen/core/Tensor.h>

#include "op3d/network/definition/definition.h"
#include "op3d/network/layers/feature_map.h"
#include "op3d/network/layers/row_sums.h"

namespace op3d {

class BatchNorm {
 public:
  // Its tensors are `name`.weight, .bias, .running_mean, .running_var, .num_batches_tracked.  With
  // only .bias it is folded (folded_norms.h): it adds the bias to the input in place.
  BatchNorm(const BatchNormDefinition& definition, const TensorTable& tensors);

  // Normalises the columns.  In training it uses the batch's mean and variance, which update the
  // running ones with momentum 0.1; in evaluation, or if frozen, the running ones.  Training needs
  // more than one row.  A recomputing pass does not update the running ones.
  FeatureMap Apply(const FeatureMap& input, Activation activation, const ForwardMode& mode) const;

  bool folded() const { return !weight_.defined(); }
  const at::Tensor& bias() const { return bias_; }

 private:
  BatchNormDefinition definition_;
  at::Tensor weight_, bias_, running_mean_, running_variance_, counter_;
};

}  // namespace op3d

#endif  // OP3D_NETWORK_LAYERS_BATCH_NORM_H_
