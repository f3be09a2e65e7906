#include "op3d/network/weights/checkpoint.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/network/weights/archive.h"
#include "op3d/network/weights/checkpoint_builder.h"
#include "op3d/network/weights/pickle.h"

namespace op3d {
namespace {

using Members = std::map<std::string, std::string>;

// TorchScript's source may be compressed, and is not needed.
bool IsWanted(absl::string_view name) { return !absl::StrContains(name, "/code/"); }

// A zip's members are in one folder with any name; returns it, with the slash.
absl::StatusOr<std::string> FolderOf(const Members& members) {
  for (const auto& [name, contents] : members) {
    absl::string_view folder = name;
    if (absl::ConsumeSuffix(&folder, "/data.pkl")) return absl::StrCat(folder, "/");
  }
  return absl::InvalidArgumentError(
      "the zip holds no data.pkl: it was not written by torch.save or torch.jit.save");
}

absl::Status BuildFromZip(const Members& members, CheckpointBuilder* builder) {
  OP3D_ASSIGN_OR_RETURN(const std::string folder, FolderOf(members));
  const auto order = members.find(folder + "byteorder");
  if (order != members.end() && order->second != "little") {
    return absl::InvalidArgumentError(
        "the numbers are big-endian; save the file on a little-endian machine");
  }
  const bool script = members.count(folder + "constants.pkl") > 0;
  builder->SetFormat(script ? CheckpointFormat::kTorchScript : CheckpointFormat::kZip);
  OP3D_ASSIGN_OR_RETURN(const Pickle pickle, Pickle::Parse(members.at(folder + "data.pkl")));
  const auto find = [&](const StorageReference& reference) -> absl::StatusOr<Storage> {
    const auto record = members.find(absl::StrCat(folder, "data/", reference.key));
    if (record == members.end()) {
      return absl::DataLossError(absl::StrCat("the record data/", reference.key, " is missing"));
    }
    return MakeStorage(reference.dtype, reference.elements, record->second);
  };
  return builder->Build(*pickle.root(), find);
}

}  // namespace

absl::string_view FormatName(CheckpointFormat format) {
  switch (format) {
    case CheckpointFormat::kSafetensors:
      return "safetensors";
    case CheckpointFormat::kZip:
      return "zip";
    case CheckpointFormat::kStream:
      return "stream";
    case CheckpointFormat::kTar:
      return "tar";
    case CheckpointFormat::kTorchScript:
      return "torchscript";
  }
  return "";
}

absl::StatusOr<Checkpoint> Checkpoint::Read(const std::string& path) {
  OP3D_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path));
  return Parse(std::move(bytes), path);
}

absl::StatusOr<Checkpoint> Checkpoint::Parse(std::string bytes, absl::string_view source) {
  Checkpoint checkpoint;
  const absl::string_view all = bytes;
  const bool zip = absl::StartsWith(all, "PK\x03\x04");
  const bool tar = all.size() > 262 && all.substr(257, 5) == "ustar";
  if (zip || tar) {
    absl::StatusOr<Members> members = ReadArchive(all, IsWanted);
    OP3D_RETURN_IF_ERROR(Annotate(members.status(), source));
    checkpoint.members_ = std::make_shared<const Members>(*std::move(members));
    CheckpointBuilder builder(bytes.size(), &checkpoint);
    std::string().swap(bytes);
    const Members& found = *checkpoint.members_;
    OP3D_RETURN_IF_ERROR(
        Annotate(zip ? BuildFromZip(found, &builder) : BuildFromTar(found, &builder), source));
    // TorchScript's extra files are its metadata.
    const std::string extra = "/extra/";
    for (const auto& [name, contents] : found) {
      const size_t place = name.find(extra);
      if (!zip || place == std::string::npos) continue;
      checkpoint.values_.emplace_back(name.substr(place + extra.size()), contents);
    }
    return checkpoint;
  }
  // Check before pickles: a header of 640 bytes begins as a pickle of protocol 2 does.
  const bool safetensors = all.size() > 8 && all[8] == '{';  // eight bytes of length, then JSON
  if (!safetensors && all.size() > 1 && all[0] == '\x80' && all[1] >= 2 && all[1] <= 5) {
    checkpoint.bytes_ = std::make_shared<const std::string>(std::move(bytes));
    CheckpointBuilder builder(checkpoint.bytes_->size(), &checkpoint);
    OP3D_RETURN_IF_ERROR(Annotate(BuildFromStream(*checkpoint.bytes_, &builder), source));
    return checkpoint;
  }
  if (safetensors) {
    OP3D_ASSIGN_OR_RETURN(Safetensors file, Safetensors::Parse(std::move(bytes), source));
    checkpoint.safetensors_ = std::make_shared<const Safetensors>(std::move(file));
    checkpoint.tensors_ = checkpoint.safetensors_->tensors();
    for (const auto& value : checkpoint.safetensors_->metadata()) {
      checkpoint.values_.push_back(value);
    }
    return checkpoint;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      source, ": these ", bytes.size(),
      " bytes are not weights: neither safetensors, nor .pth (zip, stream, tar), nor TorchScript"));
}

absl::Span<const char* const> UsualWeightKeys() {
  static constexpr const char* kKeys[] = {
      "model",   "state_dict", "model_state",    "model_state_dict", "module",    "network", "net",
      "weights", "params",     "state_dict_ema", "ema_state_dict",   "model_ema", "ema"};
  return kKeys;
}

std::vector<TensorView> Checkpoint::Weights() const {
  std::vector<TensorView> weights = tensors_;
  // {'model': {'state_dict': {...}}} has two such keys, one inside the other.
  const auto descend = [&] {
    for (const char* key : UsualWeightKeys()) {
      std::vector<TensorView> inner;
      for (const TensorView& tensor : weights) {
        absl::string_view name = tensor.name;
        if (!absl::ConsumePrefix(&name, key) || !absl::ConsumePrefix(&name, "/")) continue;
        inner.push_back(tensor);
        inner.back().name = std::string(name);
      }
      if (inner.empty()) continue;
      weights = std::move(inner);
      return true;
    }
    return false;
  };
  while (descend()) {
  }
  // The prefixes that data-parallel training, torch.compile, Lightning and MMAction2 add to all
  // names.
  constexpr absl::string_view kPrefixes[] = {"module.",  "_orig_mod.", "model.",
                                             "network.", "net.",       "backbone."};
  const auto strip = [&] {
    for (const absl::string_view prefix : kPrefixes) {
      if (!std::all_of(weights.begin(), weights.end(), [&](const TensorView& tensor) {
            return absl::StartsWith(tensor.name, prefix);
          })) {
        continue;
      }
      for (TensorView& tensor : weights) tensor.name.erase(0, prefix.size());
      return true;
    }
    return false;
  };
  while (!weights.empty() && strip()) {
  }
  return weights;
}

}  // namespace op3d
