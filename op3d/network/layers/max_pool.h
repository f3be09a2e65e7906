// Max pooling of feature maps.
#ifndef OP3D_NETWORK_LAYERS_MAX_POOL_H_
#define OP3D_NETWORK_LAYERS_MAX_POOL_H_

#include "op3d/network/definition/definition.h"
#include "op3d/network/layers/feature_map.h"

namespace op3d {

// The maximum of each window, first over height and width, then over time: the same values as in
// one step, and of equal elements the same one gets the gradient.
FeatureMap MaxPool(const PoolDefinition& pool, const FeatureMap& input);

}  // namespace op3d

#endif  // OP3D_NETWORK_LAYERS_MAX_POOL_H_
