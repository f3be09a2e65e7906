#include "op3d/network/weights/weights_import.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "op3d/base/status_macros.h"
#include "op3d/network/definition/state_entries.h"
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

// Where a state dict, or a name in it, may begin: after a key and after a prefix.
bool IsSeparator(char letter) { return letter == '/' || letter == '.'; }

// The key, with its '/', of "state_dict/model.conv1.weight".
absl::string_view KeyOf(absl::string_view name) {
  const size_t slash = name.rfind('/');
  return slash == absl::string_view::npos ? absl::string_view() : name.substr(0, slash + 1);
}

// Rank of a place for weights, smaller is better: averages of weights (EMA) come last,
// then the first key decides.
std::pair<bool, size_t> Rank(absl::string_view prefix) {
  bool average = false;
  for (const absl::string_view part : absl::StrSplit(prefix, absl::ByAnyChar("/._"))) {
    average = average || absl::AsciiStrToLower(part) == "ema";
  }
  const absl::Span<const char* const> keys = UsualWeightKeys();
  size_t place = 0;
  while (place < keys.size() && !absl::StartsWith(prefix, absl::StrCat(keys[place], "/"))) ++place;
  return {average, prefix.empty() ? 0 : place};
}

// "the place a.b.", for people.
std::string PlaceText(absl::string_view prefix) {
  return prefix.empty() ? "without a prefix" : absl::StrCat("under '", prefix, "'");
}

// The prefix under which most of `names` are found; NotFound if there are only few under any.
absl::StatusOr<std::string> FindPrefix(const std::set<std::string>& names,
                                       const Checkpoint& checkpoint) {
  std::map<std::string, int64_t> found;
  for (const TensorView& tensor : checkpoint.tensors()) {
    const absl::string_view name = tensor.name;
    for (size_t begin = 0; begin < name.size(); ++begin) {
      if (begin > 0 && !IsSeparator(name[begin - 1])) continue;
      if (names.count(std::string(name.substr(begin))) > 0)
        ++found[std::string(name.substr(0, begin))];
    }
  }
  int64_t most = 0;
  for (const auto& [prefix, count] : found) most = std::max(most, count);
  // Every network has some bn1.weight, so one match is not enough.
  if (most * 4 < static_cast<int64_t>(names.size())) return absl::NotFoundError("");
  std::vector<std::string> best;
  for (const auto& [prefix, count] : found) {
    if (count < most) continue;
    // If a network contains a part's names again, it is one network: the longer prefix is inside
    // it.
    if (!best.empty() && absl::StartsWith(prefix, best.back())) continue;
    best.push_back(prefix);
  }
  std::stable_sort(best.begin(), best.end(),
                   [](const std::string& a, const std::string& b) { return Rank(a) < Rank(b); });
  if (best.size() > 1 && Rank(best[0]) == Rank(best[1])) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the file holds the network's weights ", best.size(), " times, ", PlaceText(best[0]),
        " and ", PlaceText(best[1]),
        "; save the one that is meant alone, in Python: torch.save({name[len(prefix):]: tensor for "
        "name, tensor in weights.items() if name.startswith(prefix)}, 'weights.pth')"));
  }
  return best[0];
}

// Finds classifiers that are stored in the state dict outside of the network proper.
void TakeClassifiers(const NetworkDefinition& network, const Checkpoint& checkpoint,
                     NetworkWeights* weights) {
  std::set<std::string> given;
  for (const TensorView& tensor : weights->tensors) given.insert(tensor.name);
  const std::set<std::string> classifiers = ClassifierEntries(network);
  const bool single = classifiers.size() == 2;
  for (const std::string& entry : classifiers) {
    if (given.count(entry) > 0) continue;
    const std::string ending = entry.substr(entry.rfind('.'));
    const TensorView* found = nullptr;
    int candidates = 0;
    for (const TensorView& tensor : checkpoint.tensors()) {
      if (std::find(weights->others.begin(), weights->others.end(), tensor.name) ==
          weights->others.end()) {
        continue;
      }
      if (absl::EndsWith(tensor.name, absl::StrCat(".", entry)) ||
          (single && absl::EndsWith(tensor.name, absl::StrCat(".fc_cls", ending)))) {
        found = &tensor;
        ++candidates;
      }
    }
    if (candidates != 1) continue;
    weights->tensors.push_back(*found);
    weights->tensors.back().name = entry;
    weights->others.erase(std::find(weights->others.begin(), weights->others.end(), found->name));
  }
}

// "objects that only its own code can read were ignored: ..." for a file whose weights are not
// found.
std::string LeftAsideText(const Checkpoint& checkpoint) {
  std::vector<std::string> objects;
  for (const auto& [place, what] : checkpoint.left_aside()) {
    objects.push_back(place.empty() ? what : absl::StrCat(place, " (", what, ")"));
  }
  return absl::StrCat("objects that only its own code can read were ignored: ", Some(objects),
                      "; if the weights are in there, save them alone, in Python: "
                      "torch.save(model.state_dict(), 'weights.pth')");
}

// torchvision's video networks have the same family names as ours but compute something else;
// some of their tensors even fit.  InvalidArgument says which one the file has and why it is
// refused.
absl::Status RefuseTorchvision(const Checkpoint& checkpoint) {
  const auto find = [&](absl::string_view name) -> const TensorView* {
    for (const TensorView& tensor : checkpoint.tensors()) {
      absl::string_view before = tensor.name;
      if (absl::ConsumeSuffix(&before, name) && (before.empty() || IsSeparator(before.back()))) {
        return &tensor;
      }
    }
    return nullptr;
  };
  if (find("stem.0.weight") == nullptr) return absl::OkStatus();
  std::string name, why;
  if (find("layer1.0.conv1.0.3.weight") != nullptr) {
    name = "r2plus1d_18";
    why = "it normalises between a spatial and its temporal convolution";
  } else if (const TensorView* kernel = find("layer2.0.conv1.0.weight");
             kernel != nullptr && kernel->shape.size() == 5) {
    name = kernel->shape[2] == 1 ? "mc3_18" : "r3d_18";
    why = "its stem sees three frames at a time";
  } else {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "the weights are those of torchvision's ", name, ", which op3d does not have (", why,
      ", has no max pool after its stem, and strides over time in its stages): their values would "
      "mean nothing here. Start from a 2-D ResNet, which is inflated (weights import "
      "resnet18.pth --network=r2p1d_resnet18), or train"));
}

// The number of the little-endian numbers of `Bits` that are NaN, and that are infinite: all bits
// of the exponent are set, and for NaN some of the fraction's.
template <typename Bits>
std::pair<int64_t, int64_t> CountNotFinite(absl::string_view data, Bits exponent, Bits fraction) {
  std::pair<int64_t, int64_t> counts = {0, 0};
  for (size_t at = 0; at + sizeof(Bits) <= data.size(); at += sizeof(Bits)) {
    Bits bits;
    std::memcpy(&bits, data.data() + at, sizeof(bits));
    if ((bits & exponent) != exponent) continue;
    ++((bits & fraction) != 0 ? counts.first : counts.second);
  }
  return counts;
}

std::pair<int64_t, int64_t> CountNotFinite(const TensorView& tensor) {
  switch (tensor.dtype) {
    case DType::kF16:
      return CountNotFinite<uint16_t>(tensor.data, 0x7c00, 0x03ff);
    case DType::kBF16:
      return CountNotFinite<uint16_t>(tensor.data, 0x7f80, 0x007f);
    case DType::kF32:
      return CountNotFinite<uint32_t>(tensor.data, 0x7f800000, 0x007fffff);
    case DType::kF64:
      return CountNotFinite<uint64_t>(tensor.data, 0x7ff0000000000000, 0x000fffffffffffff);
    default:
      return {0, 0};
  }
}

}  // namespace

absl::Status CheckFinite(const std::vector<TensorView>& tensors) {
  std::vector<std::string> faults;
  for (const TensorView& tensor : tensors) {
    const auto [nans, infinite] = CountNotFinite(tensor);
    if (nans + infinite == 0) continue;
    std::vector<std::string> counts;
    if (nans > 0) counts.push_back(absl::StrCat(nans, " NaN"));
    if (infinite > 0) counts.push_back(absl::StrCat(infinite, " infinite"));
    const int64_t size = static_cast<int64_t>(tensor.data.size()) / DTypeSize(tensor.dtype);
    faults.push_back(
        absl::StrCat(tensor.name, " (", absl::StrJoin(counts, " and "), " of ", size, " values)"));
  }
  if (faults.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      faults.size(), " of ", tensors.size(), " tensors have values that are not finite: ",
      Some(faults), "; the training that wrote them diverged: take an earlier checkpoint"));
}

absl::StatusOr<NetworkWeights> WeightsOf(const NetworkDefinition& network,
                                         const Checkpoint& checkpoint) {
  OP3D_RETURN_IF_ERROR(RefuseTorchvision(checkpoint));
  std::set<std::string> names;
  for (const StateEntry& entry : StateEntries(network)) names.insert(entry.name);
  NetworkWeights weights;
  const absl::StatusOr<std::string> prefix = FindPrefix(names, checkpoint);
  if (absl::IsNotFound(prefix.status())) {
    weights.tensors = checkpoint.Weights();
    if (!checkpoint.left_aside().empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("none of the file's ", checkpoint.tensors().size(),
                       " tensors is the network's, and ", LeftAsideText(checkpoint)));
    }
    return weights;
  }
  OP3D_RETURN_IF_ERROR(prefix.status());
  weights.prefix = *prefix;
  const absl::string_view key = KeyOf(weights.prefix);
  for (const TensorView& tensor : checkpoint.tensors()) {
    if (absl::StartsWith(tensor.name, weights.prefix)) {
      weights.tensors.push_back(tensor);
      weights.tensors.back().name.erase(0, weights.prefix.size());
    } else if (KeyOf(tensor.name) == key) {
      weights.others.push_back(tensor.name);
    }
  }
  TakeClassifiers(network, checkpoint, &weights);
  OP3D_RETURN_IF_ERROR(CheckFinite(weights.tensors));
  return weights;
}

absl::StatusOr<ImportedWeights> ImportWeights(const NetworkDefinition& network,
                                              const Checkpoint& checkpoint) {
  OP3D_ASSIGN_OR_RETURN(const NetworkWeights found, WeightsOf(network, checkpoint));
  const std::vector<TensorView>& weights = found.tensors;
  if (IsImageNetwork(weights)) {
    absl::StatusOr<ImportedWeights> imported = ImportImageNetwork(network, weights);
    if (!imported.ok()) return imported;
    std::vector<std::string>& ignored = imported->report.ignored;
    ignored.insert(ignored.end(), found.others.begin(), found.others.end());
    return imported;
  }
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
    const std::string example = weights.empty() ? "" : absl::StrCat(" ('", weights[0].name, "')");
    return absl::InvalidArgumentError(absl::StrCat(
        "none of the file's ", weights.size(), " tensors", example, " is the network's ('",
        entries[0].name, "'); the weights are those of another network"));
  }
  imported.report.ignored.insert(imported.report.ignored.end(), found.others.begin(),
                                 found.others.end());
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
