// Writes a network as a TorchScript archive, for other programs.
//
//   OP3D_RETURN_IF_ERROR(ExportTorchScript(*network, "network.pt"));
//
// Read it with torch.jit.load("network.pt") in Python, torch::jit::load("network.pt") in C++.
#ifndef OP3D_NETWORK_TORCHSCRIPT_TORCHSCRIPT_EXPORT_H_
#define OP3D_NETWORK_TORCHSCRIPT_TORCHSCRIPT_EXPORT_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "op3d/network/network.h"

namespace op3d {

// Written atomically, with `extra_files` (name, contents), which torch.jit.load returns through
// its _extra_files.  `forward` maps clips [N, 3, T, H, W] to the score [N, classes] of
// evaluation; `heads` returns each head's logits.  The archive's state dict has the network's own
// names.
absl::Status ExportTorchScript(const Network& network, const std::string& path,
                               const std::map<std::string, std::string>& extra_files = {});

}  // namespace op3d

#endif  // OP3D_NETWORK_TORCHSCRIPT_TORCHSCRIPT_EXPORT_H_
