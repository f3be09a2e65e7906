// Compares two files of weights.  Torch-free.
#ifndef OP3D_NETWORK_WEIGHTS_WEIGHTS_COMPARISON_H_
#define OP3D_NETWORK_WEIGHTS_WEIGHTS_COMPARISON_H_

#include <string>
#include <vector>

#include "op3d/base/safetensors.h"

namespace op3d {

struct TensorDifference {
  std::string name;
  // "only in the first", "[2, 3] and [3, 2]", "largest difference 0.5 at element 7" ...
  std::string text;
};

struct WeightsComparison {
  // The number of names that occur in either file.
  int compared = 0;
  // In order of the names.
  std::vector<TensorDifference> differences;
};

// Tensors with the same name are equal if types and shapes are equal and no two numbers differ by
// more than `tolerance` (NaN equals NaN); with tolerance 0, if all bytes are equal.
WeightsComparison CompareWeights(const std::vector<TensorView>& a, const std::vector<TensorView>& b,
                                 double tolerance);

}  // namespace op3d

#endif  // OP3D_NETWORK_WEIGHTS_WEIGHTS_COMPARISON_H_
