// A network's evaluation as TorchScript source, in plain PyTorch operators.  Torch-free.
//
//   def heads(self, x: Tensor) -> List[Tensor]:     logits of each head
//   def forward(self, x: Tensor) -> Tensor:         the score: their mean, [N, classes]
#ifndef OP3D_NETWORK_TORCHSCRIPT_TORCHSCRIPT_SOURCE_H_
#define OP3D_NETWORK_TORCHSCRIPT_TORCHSCRIPT_SOURCE_H_

#include <string>

#include "op3d/network/definition/definition.h"

namespace op3d {

// Both functions.  Weights are attributes of `self` with the names of the state dict, one module
// per dot; if a tensor has two names, the first.
std::string TorchScriptSource(const NetworkDefinition& network);

}  // namespace op3d

#endif  // OP3D_NETWORK_TORCHSCRIPT_TORCHSCRIPT_SOURCE_H_
