// S3D and S3D-G (Xie et al. 2018): inception blocks whose 3x3x3 convolutions are pairs in series.
// Torch-free.
#ifndef OP3D_NETWORK_DEFINITION_S3D_DEFINITION_H_
#define OP3D_NETWORK_DEFINITION_S3D_DEFINITION_H_

#include <cstdint>

#include "op3d/network/definition/definition.h"

namespace op3d {

// `gating`: S3D-G.  Strides are the paper's own; a clip needs one frame and 17 x 17 pixels.
NetworkDefinition DefineS3d(bool gating, int64_t classes);

}  // namespace op3d

#endif  // OP3D_NETWORK_DEFINITION_S3D_DEFINITION_H_
