#include "op3d/network/weights/checkpoint_builder.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

using Kind = PickleValue::Kind;

constexpr int kDeepest = 64;
constexpr int64_t kMostPlaces = 1000000;

absl::StatusOr<int64_t> Integer(const PickleValue& value) {
  if (value.kind == Kind::kInteger) return value.integer;
  return absl::InvalidArgumentError("a number is expected where the pickle has something else");
}

absl::StatusOr<std::vector<int64_t>> Integers(const PickleValue& value) {
  const PickleValue* tuple = &value;
  // torch.Size((1, 2)).
  if (IsCallOf(value, "torch", "Size") && value.items[1]->items.size() == 1) {
    tuple = value.items[1]->items[0];
  }
  if (tuple->kind != Kind::kTuple) {
    return absl::InvalidArgumentError(
        "a tuple of numbers is expected where the pickle has something else");
  }
  std::vector<int64_t> numbers;
  for (const PickleValue* item : tuple->items) {
    OP3D_ASSIGN_OR_RETURN(const int64_t number, Integer(*item));
    numbers.push_back(number);
  }
  return numbers;
}

// The name of the called class: "argparse.Namespace".
std::string ClassName(const PickleValue& callee) {
  if (callee.kind == Kind::kName) {
    return absl::CHexEscape(
        absl::StrCat(callee.text.substr(0, 100), ".", callee.name.substr(0, 100)));
  }
  // ('module', class, file, source): how stream files refer to a class of torch.nn.
  if (callee.kind == Kind::kPersistent && callee.items[0]->items.size() > 1 &&
      callee.items[0]->items[1]->kind == Kind::kName) {
    return ClassName(*callee.items[0]->items[1]);
  }
  return "a class without a name";
}

// Element types that op3d supports, so not int8 or complex.
bool IsKnownStorage(const PickleValue& value) {
  if (value.kind != Kind::kPersistent) return true;  // Rebuild complains
  const auto& parts = value.items[0]->items;
  return parts.size() < 2 || parts[1]->kind != Kind::kName || DTypeOfTorchName(parts[1]->name).ok();
}

}  // namespace

absl::StatusOr<StorageReference> ToStorageReference(const PickleValue& identifier) {
  const auto& parts = identifier.items;
  if (identifier.kind != Kind::kTuple || parts.size() < 5 || parts[0]->text != "storage" ||
      parts[1]->kind != Kind::kName || parts[2]->kind != Kind::kText) {
    return absl::InvalidArgumentError("a persistent identifier names no storage");
  }
  StorageReference reference;
  reference.key = std::string(parts[2]->text);
  OP3D_ASSIGN_OR_RETURN(reference.dtype, DTypeOfTorchName(parts[1]->name));
  OP3D_ASSIGN_OR_RETURN(reference.elements, Integer(*parts[4]));
  if (parts.size() > 5 && parts[5]->kind == Kind::kTuple) {
    if (parts[5]->items.size() != 3) {
      return absl::InvalidArgumentError("a storage's slice needs key, offset and size");
    }
    reference.sliced = true;
    OP3D_ASSIGN_OR_RETURN(reference.slice_offset, Integer(*parts[5]->items[1]));
    OP3D_ASSIGN_OR_RETURN(reference.slice_elements, Integer(*parts[5]->items[2]));
  }
  return reference;
}

CheckpointBuilder::CheckpointBuilder(size_t file_bytes, Checkpoint* checkpoint)
    : file_bytes_(file_bytes), checkpoint_(checkpoint) {
  checkpoint_->gathered_ = std::make_shared<std::deque<std::string>>();
}

absl::Status CheckpointBuilder::Build(const PickleValue& root, const FindStorage& find) {
  find_storage_ = find;
  return Walk(root, "", 0);
}

absl::Status CheckpointBuilder::BuildFromTensors(const PickleValue& root, const FindTensor& find) {
  find_tensor_ = find;
  return Walk(root, "", 0);
}

std::string CheckpointBuilder::Join(const std::string& place, absl::string_view key) const {
  // Names are shown to people, so they are escaped.
  const std::string shown = absl::CHexEscape(key);
  if (place.empty()) return shown;
  const bool script = checkpoint_->format_ == CheckpointFormat::kTorchScript;
  return absl::StrCat(place, script ? "." : "/", shown);
}

absl::Status CheckpointBuilder::Walk(const PickleValue& value, const std::string& place,
                                     int depth) {
  if (depth > kDeepest || ++visited_ > kMostPlaces) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", place.substr(0, 100), "' is nested deeper than weights are, or in circles"));
  }
  const auto note = [&](std::string text) {
    checkpoint_->values_.emplace_back(place, std::move(text));
    return absl::OkStatus();
  };
  switch (value.kind) {
    case Kind::kNone:
      return note("none");
    case Kind::kBool:
      return note(value.integer != 0 ? "true" : "false");
    case Kind::kInteger:
      return note(absl::StrCat(value.integer));
    case Kind::kLong:
      return note(absl::StrCat(
          "0x", absl::BytesToHexString(std::string(value.text.rbegin(), value.text.rend()))));
    case Kind::kReal:
      return note(absl::StrCat(value.real));
    case Kind::kText:
      return note(absl::CHexEscape(value.text));
    case Kind::kBytes:
      return note(absl::StrCat(value.text.size(), " bytes"));
    case Kind::kSet:
      return note(absl::StrCat("a set of ", value.items.size()));
    case Kind::kName:
      return note(absl::StrCat(value.text, ".", value.name));
    case Kind::kTuple:
    case Kind::kList:
      for (size_t i = 0; i < value.items.size(); ++i) {
        OP3D_RETURN_IF_ERROR(Walk(*value.items[i], Join(place, absl::StrCat(i)), depth + 1));
      }
      return absl::OkStatus();
    case Kind::kDict:
      return WalkDict(value.items, place, depth);
    case Kind::kPersistent: {
      if (find_tensor_ == nullptr || value.items[0]->kind != Kind::kText) {
        return LeaveAside(place, "a bare storage");
      }
      absl::StatusOr<StoredTensor> tensor = find_tensor_(value.items[0]->text);
      OP3D_RETURN_IF_ERROR(Annotate(tensor.status(), place));
      return AddTensor(*tensor, place);
    }
    case Kind::kCall:
      return WalkCall(value, place, depth);
  }
  return absl::OkStatus();
}

absl::Status CheckpointBuilder::WalkDict(const std::vector<PickleValue*>& items,
                                         const std::string& place, int depth) {
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    const PickleValue& key = *items[i];
    // Weights have text as keys and optimizers numbers; for other keys only the position is known.
    std::string name = absl::StrCat("(key ", i / 2, ")");
    if (key.kind == Kind::kText) name = std::string(key.text);
    if (key.kind == Kind::kInteger) name = absl::StrCat(key.integer);
    OP3D_RETURN_IF_ERROR(Walk(*items[i + 1], Join(place, name), depth + 1));
  }
  return absl::OkStatus();
}

absl::Status CheckpointBuilder::WalkCall(const PickleValue& call, const std::string& place,
                                         int depth) {
  const PickleValue& callee = *call.items[0];
  const std::vector<PickleValue*>& arguments = call.items[1]->items;
  const auto fault = [&] {
    return absl::InvalidArgumentError(absl::StrCat("'", place, "': ", callee.text, ".", callee.name,
                                                   " with arguments of another kind"));
  };
  if (callee.kind != Kind::kName) return LeaveAside(place, ClassName(callee));
  if (absl::StartsWith(callee.text, "torch.") &&
      (absl::StartsWith(callee.name, "_rebuild_") || callee.name == "Parameter")) {
    // In files from 2017 a parameter's tensor is the first value of its state.
    const bool state = arguments.empty() && call.state != nullptr;
    return WalkTensor(callee, state ? call.state->items : arguments, place, depth + 1);
  }
  if (callee.text == "collections" &&
      (callee.name == "OrderedDict" || callee.name == "Counter" || callee.name == "defaultdict")) {
    // OrderedDict() filled by SETITEMS, OrderedDict([[key, value] ...]), Counter({...}).
    if (!arguments.empty() && arguments[0]->kind == Kind::kDict) {
      OP3D_RETURN_IF_ERROR(WalkDict(arguments[0]->items, place, depth));
    } else if (!arguments.empty()) {
      std::vector<PickleValue*> items;
      for (const PickleValue* pair : arguments[0]->items) {
        if (pair->items.size() != 2) return fault();
        items.insert(items.end(), pair->items.begin(), pair->items.end());
      }
      OP3D_RETURN_IF_ERROR(WalkDict(items, place, depth));
    }
    return WalkDict(call.extra, place, depth);
  }
  // An object of a TorchScript archive: its attributes.
  if (callee.text == "__torch__" || absl::StartsWith(callee.text, "__torch__.")) {
    if (call.state == nullptr || call.state->kind != Kind::kDict) return absl::OkStatus();
    return WalkDict(call.state->items, place, depth);
  }
  // torch.Size and TorchScript's typed lists: their content.
  if (callee.text == "torch.jit._pickle" || (callee.text == "torch" && callee.name == "Size")) {
    return arguments.empty() ? fault() : Walk(*arguments[0], place, depth + 1);
  }
  // A subclass of dict, as in configurations, shows its entries.
  if (!call.extra.empty()) return WalkDict(call.extra, place, depth);
  return LeaveAside(place, ClassName(callee));
}

absl::Status CheckpointBuilder::WalkTensor(const PickleValue& callee,
                                           const std::vector<PickleValue*>& arguments,
                                           const std::string& place, int depth) {
  if (depth > kDeepest) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", place.substr(0, 100), "' is a tensor made of itself"));
  }
  const std::string function = ClassName(callee);
  const auto fault = [&] {
    return absl::InvalidArgumentError(
        absl::StrCat("'", place, "': ", function, " with arguments of another kind"));
  };
  if (arguments.empty()) return fault();
  if (function == "torch._utils._rebuild_tensor" || function == "torch._utils._rebuild_tensor_v2") {
    if (!IsKnownStorage(*arguments[0])) {
      return LeaveAside(place,
                        absl::StrCat("a tensor of ", ClassName(*arguments[0]->items[0]->items[1])));
    }
    absl::StatusOr<StoredTensor> tensor = Rebuild(arguments);
    OP3D_RETURN_IF_ERROR(Annotate(tensor.status(), place));
    return AddTensor(*tensor, place);
  }
  // A parameter is its tensor.
  if (callee.name == "_rebuild_parameter" || callee.name == "_rebuild_parameter_with_state" ||
      callee.name == "Parameter") {
    return Walk(*arguments[0], place, depth + 1);
  }
  // A subclass of Tensor: the function that makes the plain one, the class, the function's
  // arguments.
  if (callee.name == "_rebuild_from_type_v2" || callee.name == "_rebuild_from_type") {
    if (arguments.size() < 3 || arguments[2]->kind != Kind::kTuple) return fault();
    return WalkTensor(*arguments[0], arguments[2]->items, place, depth + 1);
  }
  return LeaveAside(place, absl::StrCat("a tensor of ", function));  // sparse, quantised ...
}

absl::Status CheckpointBuilder::LeaveAside(const std::string& place, const std::string& what) {
  checkpoint_->values_.emplace_back(place, absl::StrCat(what, ", ignored"));
  checkpoint_->left_aside_.emplace_back(place, what);
  return absl::OkStatus();
}

// _rebuild_tensor(storage, offset, sizes, strides) and _rebuild_tensor_v2, whose further arguments
// are only for training.
absl::StatusOr<StoredTensor> CheckpointBuilder::Rebuild(
    const std::vector<PickleValue*>& parts) const {
  if (find_storage_ == nullptr || parts.size() < 4 || parts[0]->kind != Kind::kPersistent) {
    return absl::InvalidArgumentError("a tensor is made of something else than a storage");
  }
  OP3D_ASSIGN_OR_RETURN(const StorageReference reference, ToStorageReference(*parts[0]->items[0]));
  StoredTensor tensor;
  OP3D_ASSIGN_OR_RETURN(tensor.storage, find_storage_(reference));
  if (reference.sliced) {
    OP3D_ASSIGN_OR_RETURN(
        tensor.storage, SliceOf(tensor.storage, reference.slice_offset, reference.slice_elements));
  }
  OP3D_ASSIGN_OR_RETURN(tensor.offset, Integer(*parts[1]));
  OP3D_ASSIGN_OR_RETURN(tensor.shape, Integers(*parts[2]));
  OP3D_ASSIGN_OR_RETURN(tensor.strides, Integers(*parts[3]));
  return tensor;
}

absl::Status CheckpointBuilder::AddTensor(const StoredTensor& tensor, const std::string& place) {
  OP3D_RETURN_IF_ERROR(Annotate(CheckView(tensor, static_cast<int64_t>(file_bytes_)), place));
  TensorView view;
  view.name = place;
  view.dtype = tensor.storage.dtype;
  view.shape = tensor.shape;
  const int64_t bytes = SizeInBytes(tensor);
  if (IsContiguous(tensor)) {
    const auto begin = static_cast<size_t>(tensor.offset * DTypeSize(view.dtype));
    view.data = bytes == 0 ? absl::string_view()
                           : tensor.storage.data.substr(begin, static_cast<size_t>(bytes));
  } else {
    // Transposed and repeated views need memory: all together at most twice the file's size.
    gathered_bytes_ += bytes;
    if (gathered_bytes_ > 2 * static_cast<int64_t>(file_bytes_)) {
      return absl::ResourceExhaustedError(absl::StrCat(
          place, ": views that repeat or transpose their storages take more than twice the file's ",
          file_bytes_, " bytes: no weights do"));
    }
    checkpoint_->gathered_->push_back(Gather(tensor));
    view.data = checkpoint_->gathered_->back();
  }
  checkpoint_->tensors_.push_back(std::move(view));
  return absl::OkStatus();
}

}  // namespace op3d
