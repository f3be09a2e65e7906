#include "op3d/network/state_dict.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace op3d {
namespace {

// "a, b, c and 7 more".
std::string Some(const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  if (names.size() <= kShown) return absl::StrJoin(names, ", ");
  return absl::StrCat(absl::StrJoin(names.begin(), names.begin() + kShown, ", "), " and ",
                      names.size() - kShown, " more");
}

constexpr char kModule[] = "module.";

}  // namespace

std::map<std::string, at::Tensor> StateDictByName(const NamedTensors& tensors) {
  const bool prefixed =
      !tensors.empty() && std::all_of(tensors.begin(), tensors.end(), [](const auto& tensor) {
        return absl::StartsWith(tensor.first, kModule);
      });
  std::map<std::string, at::Tensor> by_name;
  for (const auto& [name, tensor] : tensors) {
    by_name[std::string(prefixed ? absl::StripPrefix(name, kModule) : name)] = tensor;
  }
  return by_name;
}

absl::Status CheckStateDict(const std::vector<StateEntry>& entries,
                            const std::map<std::string, at::Tensor>& given) {
  std::vector<std::string> missing, other_shape, unexpected;
  std::set<std::string> known, twice;
  for (const StateEntry& entry : entries) {
    if (!entry.same_tensor_as.empty() && given.count(entry.name) > 0) {
      twice.insert(entry.same_tensor_as);
    }
  }
  for (const StateEntry& entry : entries) {
    known.insert(entry.name);
    const auto it = given.find(entry.name);
    if (it == given.end()) {
      const bool needed = entry.kind != EntryKind::kBatchCounter && entry.same_tensor_as.empty();
      if (needed && twice.count(entry.name) == 0) missing.push_back(entry.name);
    } else if (it->second.sizes() != at::IntArrayRef(entry.shape)) {
      other_shape.push_back(absl::StrCat(entry.name, " is ", ShapeText(it->second.sizes()),
                                         " where the network has ", ShapeText(entry.shape)));
    }
  }
  for (const auto& [name, tensor] : given) {
    if (known.count(name) == 0) unexpected.push_back(name);
  }
  std::vector<std::string> faults;
  if (!other_shape.empty()) faults.push_back(absl::StrCat("shapes differ: ", Some(other_shape)));
  if (!missing.empty()) faults.push_back(absl::StrCat("missing: ", Some(missing)));
  if (!unexpected.empty()) faults.push_back(absl::StrCat("unexpected: ", Some(unexpected)));
  if (faults.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the weights are those of another network; ", absl::StrJoin(faults, "; ")));
}

}  // namespace op3d
