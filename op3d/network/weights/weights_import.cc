#include "op3d/network/weights/weights_import.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "op3d/base/status_macros.h"
#include "op3d/network/state_entries.h"
#include "op3d/network/weights/inflation.h"

namespace op3d {
namespace {

std::string ShapeText(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

std::set<std::string> ClassifierEntries(const NetworkDefinition& network) {
  std::set<std::string> entries;
  const auto add = [&](const LinearDefinition& layer) {
    entries.insert({layer.name + ".weight", layer.name + ".bias"});
  };
  for (const HeadDefinition& head : network.heads) add(head.classifier);
  if (network.global_classifier.has_value()) add(*network.global_classifier);
  return entries;
}

absl::StatusOr<ImportedWeights> ImportImageNetwork(const NetworkDefinition& network,
                                                   const std::vector<TensorView>& weights) {
  OP3D_ASSIGN_OR_RETURN(Inflation inflation, Inflate(network, weights));
  ImportedWeights imported;
  auto storage = std::make_shared<std::deque<std::string>>();
  for (InflatedTensor& tensor : inflation.tensors) {
    storage->push_back(std::move(tensor.data));
    imported.tensors.push_back({tensor.name, tensor.dtype, tensor.shape, storage->back()});
    std::vector<std::string>* names = &imported.report.mapped;
    if (tensor.origin == InflatedTensor::Origin::kInflated) names = &imported.report.inflated;
    if (tensor.origin == InflatedTensor::Origin::kMade) names = &imported.report.made;
    names->push_back(tensor.name);
  }
  imported.report.ignored = std::move(inflation.ignored);
  imported.report.missing = std::move(inflation.missing);
  imported.storage = std::move(storage);
  return imported;
}

// "a, b, c and 7 more".
std::string Some(const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  if (names.size() <= kShown) return absl::StrJoin(names, ", ");
  return absl::StrCat(absl::StrJoin(names.begin(), names.begin() + kShown, ", "), " and ",
                      names.size() - kShown, " more");
}

}  // namespace

absl::StatusOr<ImportedWeights> ImportWeights(const NetworkDefinition& network,
                                              const Checkpoint& checkpoint) {
  const std::vector<TensorView> weights = checkpoint.Weights();
  if (IsImageNetwork(weights)) return ImportImageNetwork(network, weights);
  std::map<std::string, const TensorView*> given;
  for (const TensorView& tensor : weights) given[tensor.name] = &tensor;
  const std::set<std::string> classifiers = ClassifierEntries(network);
  const std::vector<StateEntry> entries = StateEntries(network);
  // Either name of a tensor is enough.
  std::set<std::string> covered;
  for (const StateEntry& entry : entries) {
    if (given.count(entry.name) == 0) continue;
    covered.insert(entry.same_tensor_as.empty() ? entry.name : entry.same_tensor_as);
  }
  ImportedWeights imported;
  std::set<std::string> taken;
  for (const StateEntry& entry : entries) {
    const auto found = given.find(entry.name);
    if (found == given.end()) {
      const std::string& tensor = entry.same_tensor_as.empty() ? entry.name : entry.same_tensor_as;
      if (covered.count(tensor) == 0 && entry.same_tensor_as.empty()) {
        imported.report.missing.push_back(entry.name);
      }
      continue;
    }
    if (found->second->shape != entry.shape) {
      if (classifiers.count(entry.name) > 0) {  // for other classes
        imported.report.missing.push_back(entry.name);
        continue;
      }
      return absl::InvalidArgumentError(
          absl::StrCat(entry.name, " is ", ShapeText(found->second->shape),
                       " in the file, where the network has ", ShapeText(entry.shape),
                       "; the weights are those of another network"));
    }
    taken.insert(entry.name);
    imported.tensors.push_back(*found->second);
    imported.report.mapped.push_back(entry.name);
  }
  for (const TensorView& tensor : weights) {
    if (taken.count(tensor.name) == 0) imported.report.ignored.push_back(tensor.name);
  }
  if (taken.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("none of the file's ", weights.size(),
                     " tensors is the network's; the weights are those of another network"));
  }
  return imported;
}

absl::Status CheckStart(const NetworkDefinition& network, const ImportReport& report) {
  std::set<std::string> optional = ClassifierEntries(network);
  for (const StateEntry& entry : StateEntries(network)) {
    const bool linear = entry.kind == EntryKind::kLinearWeight ||
                        entry.kind == EntryKind::kLinearBias ||
                        entry.kind == EntryKind::kZeroLinearWeight;
    if (linear || entry.kind == EntryKind::kBatchCounter) optional.insert(entry.name);
  }
  std::vector<std::string> needed;
  for (const std::string& name : report.missing) {
    if (optional.count(name) == 0) needed.push_back(name);
  }
  if (needed.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the file lacks ", Some(needed), "; the weights are those of another network"));
}

int64_t CountClasses(const std::vector<TensorView>& weights) {
  for (const char* name : {"fc.weight", "fc_dual.weight"}) {
    for (const TensorView& tensor : weights) {
      if (tensor.name == name && tensor.shape.size() == 2) return tensor.shape[0];
    }
  }
  return 0;
}

}  // namespace op3d
