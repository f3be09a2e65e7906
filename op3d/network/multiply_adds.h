// How much arithmetic a clip costs, counted on shapes alone.  Torch-free.
#ifndef OP3D_NETWORK_MULTIPLY_ADDS_H_
#define OP3D_NETWORK_MULTIPLY_ADDS_H_

#include <cstdint>

#include "op3d/network/definition.h"

namespace op3d {

// Multiply-adds of the convolutions and fully connected layers, without biases, for one clip of
// `size` frames x height x width; each at least as large as the network asks for.
int64_t CountMultiplyAdds(const NetworkDefinition& network, const Size3& size);

}  // namespace op3d

#endif  // OP3D_NETWORK_MULTIPLY_ADDS_H_
