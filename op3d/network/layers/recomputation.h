// Activation checkpointing (Chen et al. 2016): a part of a network keeps nothing but its inputs and
// is computed once more on the way back.
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

// compute(inputs, false), with the gradients of `inputs` and `parameters`, which are all that
// `compute` may depend on.  On the way back it is called again, with true, under gradients; it must
// then give the same values.
std::vector<at::Tensor> Recomputed(
    const std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>&, bool again)>&
        compute,
    const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& parameters);

}  // namespace op3d

#endif  // OP3D_NETWORK_LAYERS_RECOMPUTATION_H_
