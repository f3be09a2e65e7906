// BatchNorm folded into the convolutions before it.
#ifndef OP3D_NETWORK_LAYERS_FOLDED_NORMS_H_
#define OP3D_NETWORK_LAYERS_FOLDED_NORMS_H_

#include "op3d/network/definition/definition.h"
#include "op3d/network/layers/feature_map.h"

namespace op3d {

// The table of the network in evaluation form: convolutions have scaled weights, and of the norm
// after them only `name`.bias is left, with the mean in it; everything else is the same tensor as
// in `tensors`.  One norm cannot be folded: the first one of basic blocks in wiring B whose second
// temporal convolution uses the value before it.  Computed in float64, returned in the type of
// `tensors`.
TensorTable FoldNorms(const NetworkDefinition& definition, const TensorTable& tensors);

}  // namespace op3d

#endif  // OP3D_NETWORK_LAYERS_FOLDED_NORMS_H_
