// A network's tensors by their names in checkpoints.
//
//   const std::map<std::string, at::Tensor> given = StateDictByName(tensors);
//   OP3D_RETURN_IF_ERROR(CheckStateDict(StateEntries(definition), given));
#ifndef OP3D_NETWORK_STATE_DICT_H_
#define OP3D_NETWORK_STATE_DICT_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "op3d/network/definition/state_entries.h"
#include "op3d/torch/tensor_file.h"

namespace op3d {

// Removes the prefix "module.", which data-parallel training adds, if all names have it.
std::map<std::string, at::Tensor> StateDictByName(const NamedTensors& tensors);

// InvalidArgument, naming the first few of each kind: `given` lacks an entry, has one with another
// shape, or has an unexpected one.  Batch counters may be missing, and so may one of two names
// of a tensor.
absl::Status CheckStateDict(const std::vector<StateEntry>& entries,
                            const std::map<std::string, at::Tensor>& given);

}  // namespace op3d

#endif  // OP3D_NETWORK_STATE_DICT_H_
