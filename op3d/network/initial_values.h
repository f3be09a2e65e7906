// The initial values of a network without weights.  Torch-free.
#ifndef OP3D_NETWORK_INITIAL_VALUES_H_
#define OP3D_NETWORK_INITIAL_VALUES_H_

#include <cstdint>

#include "absl/types/span.h"
#include "op3d/network/definition/state_entries.h"

namespace op3d {

// Fills `values`, ElementCount(entry) of them, from the stream (seed, "network.init." + name): the
// same on every machine, whatever else is in the network.  Convolutions: normal with variance
// 2 / fan-out, fan-out = out_channels x kernel (He et al. 2015).  Linear layers: uniform in
// +-1/sqrt(fan-in).  BatchNorm: weight and variance 1, the rest 0.
void FillInitialValues(const StateEntry& entry, uint64_t seed, absl::Span<float> values);

}  // namespace op3d

#endif  // OP3D_NETWORK_INITIAL_VALUES_H_
