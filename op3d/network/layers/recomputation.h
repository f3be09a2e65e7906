// Activation checkpointing (Chen et al. 2016): a part of a network keeps only its inputs and
// is computed again in the backward pass.
#ifndef OP3D_NETWORK_LAYERS_RECOMPUTATION_H_
#define OP3D_NETWORK_LAYERS_RECOMPUTATION_H_

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "op3d/network/layers/feature_map.h"

namespace op3d {

// The trained tensors of the layers whose names begin with `prefix`.
std::vector<at::Tensor> ParametersUnder(const TensorTable& tensors, const std::string& prefix);

// Returns compute(inputs, false), with gradients for `inputs` and `parameters`; `compute` may
// depend on nothing else.  In the backward pass it is called again, with true and with gradients
// enabled; it must then return the same values.
std::vector<at::Tensor> Recomputed(
    const std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>&, bool again)>&
        compute,
    const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& parameters);

}  // namespace op3d

#endif  // OP3D_NETWORK_LAYERS_RECOMPUTATION_H_
