// The number of multiply-adds and parameters of a network, computed from shapes.  Torch-free.
//
//   const std::vector<StageCost> stages = CountStages(network, {16, 224, 224});
//   stages[1].name;                               // "layer1"
//   TotalCost(stages).multiply_adds;              // 23.6 billion for DG-P3D-R50
#ifndef OP3D_NETWORK_DEFINITION_MULTIPLY_ADDS_H_
#define OP3D_NETWORK_DEFINITION_MULTIPLY_ADDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "op3d/network/definition/definition.h"

namespace op3d {

// A part of a network on one clip.
struct StageCost {
  // "stem", "layer1", "layer4_dual", "block3", "fc" ...
  std::string name;
  int64_t parameters = 0;
  // Of convolutions and fully connected layers, without biases.
  int64_t multiply_adds = 0;
  // The output: frames x height x width (1 x 1 x 1 after a classifier) and channels.
  Size3 output = {};
  int64_t channels = 0;
};

// In the order of the forward pass, for one clip of `size` frames x height x width, which must be
// at least the network's minimum.
std::vector<StageCost> CountStages(const NetworkDefinition& network, const Size3& size);

// Sums of parameters and multiply-adds, named "total".
StageCost TotalCost(const std::vector<StageCost>& stages);

// TotalCost's multiply-adds.
int64_t CountMultiplyAdds(const NetworkDefinition& network, const Size3& size);

}  // namespace op3d

#endif  // OP3D_NETWORK_DEFINITION_MULTIPLY_ADDS_H_
