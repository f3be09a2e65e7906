// The list of a network's parameters and buffers: names, shapes and order as in checkpoints.
// Torch-free.
#ifndef OP3D_NETWORK_DEFINITION_STATE_ENTRIES_H_
#define OP3D_NETWORK_DEFINITION_STATE_ENTRIES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "op3d/network/definition/definition.h"

namespace op3d {

enum class EntryKind {
  kConvolutionWeight,
  kLinearWeight,
  kZeroLinearWeight,  // a linear weight that is 0 from scratch
  kLinearBias,
  kNormWeight,
  kNormBias,
  kRunningMean,
  kRunningVariance,
  kBatchCounter,  // num_batches_tracked
};

struct StateEntry {
  std::string name;
  std::vector<int64_t> shape;  // empty: one number
  EntryKind kind = EntryKind::kConvolutionWeight;
  // Number of inputs to one output: the range of a linear layer's initial values.
  int64_t fan_in = 0;
  // Frozen mode fixes the statistics of this layer.
  bool freezes = false;
  // Standard deviation of a convolution's initial values; 0 = Kaiming's.
  double initial_deviation = 0;
  // The entry for which this is a second name; empty for a tensor of its own.  In S3D's trunk
  // everything has two names.
  std::string same_tensor_as = "";
};

// Whether it is trained; false for running statistics and counters.
bool IsParameter(EntryKind kind);

std::vector<StateEntry> StateEntries(const NetworkDefinition& network);

// "[64, 3, 1, 7, 7]".
std::string ShapeText(absl::Span<const int64_t> shape);

// The number of elements of the shape.
int64_t ElementCount(const StateEntry& entry);
// A tensor with two names counts once.
int64_t CountParameters(const std::vector<StateEntry>& entries);

}  // namespace op3d

#endif  // OP3D_NETWORK_DEFINITION_STATE_ENTRIES_H_
