// The two formats that torch.save wrote before the zip format.
#include <cstring>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"
#include "op3d/network/weights/checkpoint_builder.h"

namespace op3d {
namespace {

using Kind = PickleValue::Kind;

// Reads pickles and raw numbers, one after the other.
class Tape {
 public:
  explicit Tape(absl::string_view bytes) : bytes_(bytes) {}

  absl::StatusOr<Pickle> NextPickle() {
    OP3D_ASSIGN_OR_RETURN(Pickle pickle, Pickle::Parse(bytes_));
    bytes_.remove_prefix(pickle.size());
    return pickle;
  }

  // A pickle of one number.
  absl::StatusOr<int64_t> NextInteger() {
    OP3D_ASSIGN_OR_RETURN(const Pickle pickle, NextPickle());
    if (pickle.root()->kind == Kind::kInteger) return pickle.root()->integer;
    return absl::InvalidArgumentError(
        "a pickled number is expected where the file has something else");
  }

  absl::StatusOr<int64_t> NextRaw() {
    if (bytes_.size() < sizeof(int64_t)) {
      return absl::DataLossError("the file ends where a number is expected; copy it again");
    }
    int64_t number;
    std::memcpy(&number, bytes_.data(), sizeof(number));
    bytes_.remove_prefix(sizeof(number));
    return number;
  }

  // An int64 count and that many elements.
  absl::StatusOr<Storage> NextStorage(DType dtype) {
    OP3D_ASSIGN_OR_RETURN(const int64_t elements, NextRaw());
    OP3D_ASSIGN_OR_RETURN(const Storage storage, MakeStorage(dtype, elements, bytes_));
    bytes_.remove_prefix(storage.data.size());
    return storage;
  }

 private:
  absl::string_view bytes_;
};

absl::Status CheckLittleEndian(const PickleValue& system) {
  for (size_t i = 0; i + 1 < system.items.size(); i += 2) {
    const PickleValue& value = *system.items[i + 1];
    if (system.items[i]->text == "little_endian" && value.kind == Kind::kBool &&
        value.integer == 0) {
      return absl::InvalidArgumentError(
          "the numbers are big-endian; save the file on a little-endian machine");
    }
  }
  return absl::OkStatus();
}

// Collects the storages to which a pickle refers, by key, because the raw numbers after it have no
// type.
void CollectReferences(const PickleValue& value, int depth, int64_t* left,
                       std::map<std::string, StorageReference>* references) {
  if (depth > 64 || --*left < 0) return;  // Walk complains
  if (value.kind == Kind::kPersistent) {
    const absl::StatusOr<StorageReference> reference = ToStorageReference(*value.items[0]);
    if (reference.ok()) references->emplace(reference->key, *reference);
    return;
  }
  const auto each = [&](const std::vector<PickleValue*>& items) {
    for (const PickleValue* item : items) CollectReferences(*item, depth + 1, left, references);
  };
  each(value.items);
  each(value.extra);
  each(value.appended);
  if (value.state != nullptr) CollectReferences(*value.state, depth + 1, left, references);
}

// (first, second, class): the start of a storage or a tensor in the tar's members.
struct Heading {
  int64_t key = 0;
  const PickleValue* second = nullptr;
  DType dtype = DType::kF32;
};

absl::StatusOr<Heading> ToHeading(const PickleValue& value) {
  if (value.kind != Kind::kTuple || value.items.size() != 3 ||
      value.items[0]->kind != Kind::kInteger || value.items[2]->kind != Kind::kName) {
    return absl::InvalidArgumentError(
        "a storage or tensor begins with something else than its key and type");
  }
  Heading heading;
  heading.key = value.items[0]->integer;
  heading.second = value.items[1];
  OP3D_ASSIGN_OR_RETURN(heading.dtype, DTypeOfTorchName(value.items[2]->name));
  return heading;
}

absl::StatusOr<std::map<int64_t, Storage>> ReadStorages(absl::string_view member) {
  Tape tape(member);
  std::map<int64_t, Storage> storages;
  OP3D_ASSIGN_OR_RETURN(const int64_t count, tape.NextInteger());
  for (int64_t i = 0; i < count; ++i) {
    OP3D_ASSIGN_OR_RETURN(const Pickle pickle, tape.NextPickle());
    OP3D_ASSIGN_OR_RETURN(const Heading heading, ToHeading(*pickle.root()));
    OP3D_ASSIGN_OR_RETURN(storages[heading.key], tape.NextStorage(heading.dtype));
  }
  OP3D_ASSIGN_OR_RETURN(const Pickle slices, tape.NextPickle());
  for (const PickleValue* slice : slices.root()->items) {  // key, root key, offset, size
    bool numbers = slice->items.size() == 4;
    for (const PickleValue* part : slice->items) numbers = numbers && part->kind == Kind::kInteger;
    if (!numbers || storages.count(slice->items[1]->integer) == 0) {
      return absl::InvalidArgumentError("a slice of a storage that is not there");
    }
    OP3D_ASSIGN_OR_RETURN(storages[slice->items[0]->integer],
                          SliceOf(storages.at(slice->items[1]->integer), slice->items[2]->integer,
                                  slice->items[3]->integer));
  }
  return storages;
}

absl::StatusOr<std::map<int64_t, StoredTensor>> ReadStoredTensors(
    absl::string_view member, const std::map<int64_t, Storage>& storages) {
  Tape tape(member);
  std::map<int64_t, StoredTensor> tensors;
  OP3D_ASSIGN_OR_RETURN(const int64_t count, tape.NextInteger());
  for (int64_t i = 0; i < count; ++i) {
    OP3D_ASSIGN_OR_RETURN(const Pickle pickle, tape.NextPickle());
    OP3D_ASSIGN_OR_RETURN(const Heading heading, ToHeading(*pickle.root()));
    const auto storage = storages.find(heading.second->integer);
    if (heading.second->kind != Kind::kInteger || storage == storages.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor ", heading.key, " refers to a storage that is missing"));
    }
    StoredTensor tensor;
    tensor.storage = storage->second;
    OP3D_ASSIGN_OR_RETURN(const int64_t raw, tape.NextRaw());
    // Only the low half counts; the high half was never written.
    const auto dimensions = static_cast<int32_t>(raw);
    if (dimensions < 0 || dimensions > 16) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor ", heading.key, " has ", dimensions, " dimensions"));
    }
    for (auto* numbers : {&tensor.shape, &tensor.strides}) {
      for (int32_t d = 0; d < dimensions; ++d) {
        OP3D_ASSIGN_OR_RETURN(const int64_t number, tape.NextRaw());
        numbers->push_back(number);
      }
    }
    OP3D_ASSIGN_OR_RETURN(tensor.offset, tape.NextRaw());
    tensors[heading.key] = std::move(tensor);
  }
  return tensors;
}

}  // namespace

absl::Status BuildFromStream(absl::string_view bytes, CheckpointBuilder* builder) {
  // The number 0x1950a86a20f9469cfc6c.
  constexpr absl::string_view kMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
  Tape tape(bytes);
  OP3D_ASSIGN_OR_RETURN(const Pickle magic, tape.NextPickle());
  if (magic.root()->kind != Kind::kLong || magic.root()->text != kMagic) {
    return absl::InvalidArgumentError("it is a pickle, but not one of torch.save's");
  }
  OP3D_ASSIGN_OR_RETURN(const int64_t version, tape.NextInteger());
  if (version != 1001) {
    return absl::InvalidArgumentError(absl::StrCat("its version is ", version, "; 1001 is known"));
  }
  OP3D_ASSIGN_OR_RETURN(const Pickle system, tape.NextPickle());
  OP3D_RETURN_IF_ERROR(CheckLittleEndian(*system.root()));
  OP3D_ASSIGN_OR_RETURN(const Pickle object, tape.NextPickle());
  OP3D_ASSIGN_OR_RETURN(const Pickle keys, tape.NextPickle());
  std::map<std::string, StorageReference> references;
  int64_t left = 1000000;
  CollectReferences(*object.root(), 0, &left, &references);
  std::map<std::string, Storage> storages;
  for (const PickleValue* key : keys.root()->items) {
    const std::string name(key->text);
    const auto reference = references.find(name);
    if (reference == references.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "storage ", name.substr(0, 100),
          " belongs to no tensor, or to one of a type that op3d does not read, so its end is "
          "unknown; in Python: torch.save(torch.load(FILE)['state_dict'], 'weights.pth')"));
    }
    absl::StatusOr<Storage> storage = tape.NextStorage(reference->second.dtype);
    OP3D_RETURN_IF_ERROR(Annotate(storage.status(), absl::StrCat("storage ", name)));
    storages[name] = *storage;
  }
  builder->SetFormat(CheckpointFormat::kStream);
  return builder->Build(
      *object.root(), [&](const StorageReference& reference) -> absl::StatusOr<Storage> {
        const auto storage = storages.find(reference.key);
        if (storage == storages.end() || storage->second.dtype != reference.dtype) {
          return absl::DataLossError(absl::StrCat("storage ", reference.key.substr(0, 100),
                                                  " is missing or of another type"));
        }
        return MakeStorage(reference.dtype, reference.elements, storage->second.data);
      });
}

absl::Status BuildFromTar(const std::map<std::string, std::string>& members,
                          CheckpointBuilder* builder) {
  for (const char* name : {"sys_info", "pickle", "tensors", "storages"}) {
    if (members.count(name) == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("the tar holds no ", name, ": it was not written by torch.save"));
    }
  }
  Tape system_tape(members.at("sys_info"));
  OP3D_ASSIGN_OR_RETURN(const Pickle system, system_tape.NextPickle());
  OP3D_RETURN_IF_ERROR(CheckLittleEndian(*system.root()));
  OP3D_ASSIGN_OR_RETURN(const auto storages, ReadStorages(members.at("storages")));
  OP3D_ASSIGN_OR_RETURN(const auto tensors, ReadStoredTensors(members.at("tensors"), storages));
  Tape tape(members.at("pickle"));
  OP3D_ASSIGN_OR_RETURN(const Pickle object, tape.NextPickle());
  builder->SetFormat(CheckpointFormat::kTar);
  return builder->BuildFromTensors(
      *object.root(), [&](absl::string_view key) -> absl::StatusOr<StoredTensor> {
        int64_t number = 0;
        if (!absl::SimpleAtoi(key, &number) || tensors.count(number) == 0) {
          return absl::InvalidArgumentError("its tensor is not there");
        }
        return tensors.at(number);
      });
}

}  // namespace op3d
