#include "op3d/network/torchscript/torchscript_export.h"

#include <torch/csrc/jit/api/module.h>

#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/network/definition/state_entries.h"
#include "op3d/network/torchscript/torchscript_source.h"
#include "op3d/torch/torch_status.h"

namespace op3d {
namespace {

// Nested modules, one for each dot of the names.
struct Node {
  std::map<std::string, Node> children;
  std::vector<std::pair<std::string, at::Tensor>> parameters, buffers;
};

void Insert(const std::string& name, const at::Tensor& tensor, bool parameter, Node* root) {
  const std::vector<std::string> parts = absl::StrSplit(name, '.');
  Node* node = root;
  for (size_t i = 0; i + 1 < parts.size(); ++i) node = &node->children[parts[i]];
  (parameter ? node->parameters : node->buffers).emplace_back(parts.back(), tensor);
}

torch::jit::Module ToModule(const Node& node, const std::string& type_name) {
  torch::jit::Module module(type_name);
  for (const auto& [name, tensor] : node.parameters) {
    module.register_parameter(name, tensor, /*is_buffer=*/false);
  }
  for (const auto& [name, tensor] : node.buffers) module.register_buffer(name, tensor);
  for (const auto& [name, child] : node.children) {
    module.register_module(name, ToModule(child, type_name + "_" + name));
  }
  return module;
}

}  // namespace

absl::Status ExportTorchScript(const Network& network, const std::string& path,
                               const std::map<std::string, std::string>& extra_files) {
  OP3D_ASSIGN_OR_RETURN(const NetworkDefinition definition, Define(network.options()));
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, tensor] : network.StateDict()) tensors[name] = tensor;
  std::string bytes;
  OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
    Node root;
    for (const StateEntry& entry : StateEntries(definition)) {
      const auto found = tensors.find(entry.name);
      if (found == tensors.end() || !entry.same_tensor_as.empty()) continue;
      Insert(entry.name, found->second.detach().to(at::kCPU), IsParameter(entry.kind), &root);
    }
    torch::jit::Module module = ToModule(root, "Network");
    module.define(TorchScriptSource(definition));
    module.eval();
    std::ostringstream stream;
    module.save(stream, torch::jit::ExtraFilesMap(extra_files.begin(), extra_files.end()));
    bytes = stream.str();
    return absl::OkStatus();
  }));
  return WriteFileAtomically(path, bytes);
}

}  // namespace op3d
