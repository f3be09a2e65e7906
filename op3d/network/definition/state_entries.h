// The list of a network's parameters and buffers: names, shapes and order as checkpoints have them.
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
  // Inputs to one output: the range of a linear layer's initial values.
  int64_t fan_in = 0;
  // A layer whose statistics the frozen mode fixes.
  bool freezes = false;
  // A convolution's deviation from scratch; 0 = Kaiming's.
  double initial_deviation = 0;
  // The entry that this one is a second name of; empty for a tensor of its own.  S3D's trunk has
  // two names for everything.
  std::string same_tensor_as = "";
};

// Trained, as opposed to running statistics and counters.
bool IsParameter(EntryKind kind);

std::vector<StateEntry> StateEntries(const NetworkDefinition& network);

// "[64, 3, 1, 7, 7]".
std::string ShapeText(absl::Span<const int64_t> shape);

// Numbers in the shape.
int64_t ElementCount(const StateEntry& entry);
// A tensor with two names counts once.
int64_t CountParameters(const std::vector<StateEntry>& entries);

}  // namespace op3d

#endif  // OP3D_NETWORK_DEFINITION_STATE_ENTRIES_H_
