#include "op3d/base/safetensors.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

using Json = nlohmann::json;

constexpr int64_t kLengthBytes = 8;
// The limit of the format's own reader.
constexpr uint64_t kLongestHeader = 100'000'000;
constexpr char kMetadata[] = "__metadata__";

struct DTypeRow {
  DType dtype;
  absl::string_view name;
  int64_t size;
};
constexpr std::array<DTypeRow, 8> kDTypes = {{{DType::kF16, "F16", 2},
                                              {DType::kBF16, "BF16", 2},
                                              {DType::kF32, "F32", 4},
                                              {DType::kF64, "F64", 8},
                                              {DType::kI64, "I64", 8},
                                              {DType::kU8, "U8", 1},
                                              {DType::kI32, "I32", 4},
                                              {DType::kBool, "BOOL", 1}}};

const DTypeRow& Row(DType dtype) { return kDTypes[static_cast<size_t>(dtype)]; }

std::string ShapeText(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

// Bytes of a tensor; an error if the product overflows.
absl::StatusOr<int64_t> ByteSize(DType dtype, const std::vector<int64_t>& shape) {
  int64_t size = Row(dtype).size;
  // A zero makes the whole tensor empty, however large the other dimensions are.
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  for (const int64_t dimension : shape) {
    if (dimension < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("shape ", ShapeText(shape), " has a negative dimension"));
    }
    if (size > std::numeric_limits<int64_t>::max() / dimension) {
      return absl::InvalidArgumentError(
          absl::StrCat("shape ", ShapeText(shape), " has more bytes than fit in 64 bits"));
    }
    size *= dimension;
  }
  return size;
}

// Parses the header.  nlohmann keeps the last of two equal names silently; here they are an error.
absl::StatusOr<Json> ParseHeader(absl::string_view text) {
  std::set<std::string> names;
  std::string twice;
  bool deep = false;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth == 1 && event == Json::parse_event_t::key) {
      const std::string& name = value.get_ref<const std::string&>();
      if (!names.insert(name).second) twice = name;
    }
    // {"name": {"shape": [ is the deepest allowed nesting.
    deep = deep || depth > 3;
    return depth <= 3;
  };
  Json header = Json::parse(text.begin(), text.end(), watch, /*allow_exceptions=*/false);
  if (header.is_discarded() || !header.is_object()) {
    return absl::InvalidArgumentError("the header is not a JSON object");
  }
  if (!twice.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("tensor '", twice, "' comes twice"));
  }
  if (deep) return absl::InvalidArgumentError("the header is nested deeper than the format allows");
  return header;
}

absl::StatusOr<std::map<std::string, std::string>> ParseMetadata(const Json& json) {
  std::map<std::string, std::string> metadata;
  if (!json.is_object()) return absl::InvalidArgumentError("__metadata__ is not an object");
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) {
      return absl::InvalidArgumentError(
          absl::StrCat("__metadata__ holds '", key, "', which is not a string"));
    }
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

absl::StatusOr<std::vector<int64_t>> ParseIntegers(const Json& json, const char* key) {
  const auto it = json.find(key);
  if (it == json.end() || !it->is_array()) {
    return absl::InvalidArgumentError(absl::StrCat("has no list '", key, "'"));
  }
  std::vector<int64_t> values;
  for (const Json& value : *it) {
    if (!value.is_number_unsigned() ||
        value.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return absl::InvalidArgumentError(
          absl::StrCat("has a '", key, "' that is not a list of whole numbers from 0"));
    }
    values.push_back(value.get<int64_t>());
  }
  return values;
}

absl::StatusOr<DType> ParseDType(const Json& json) {
  const auto it = json.find("dtype");
  const std::string name =
      it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
  for (const DTypeRow& row : kDTypes) {
    if (row.name == name) return row.dtype;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "has dtype '", name, "'; op3d reads F16, BF16, F32, F64, I64, U8, I32 and BOOL"));
}

// One entry of the header; `data` is the file's data section.
absl::StatusOr<TensorView> ParseTensor(const Json& json, absl::string_view data) {
  TensorView tensor;
  if (!json.is_object()) return absl::InvalidArgumentError("is not described by an object");
  OP3D_ASSIGN_OR_RETURN(tensor.dtype, ParseDType(json));
  OP3D_ASSIGN_OR_RETURN(tensor.shape, ParseIntegers(json, "shape"));
  OP3D_ASSIGN_OR_RETURN(const std::vector<int64_t> offsets, ParseIntegers(json, "data_offsets"));
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    return absl::InvalidArgumentError(
        absl::StrCat("has data_offsets ", ShapeText(offsets), ", not a [begin, end)"));
  }
  OP3D_ASSIGN_OR_RETURN(const int64_t size, ByteSize(tensor.dtype, tensor.shape));
  const int64_t length = offsets[1] - offsets[0];
  if (length != size) {
    return absl::InvalidArgumentError(absl::StrCat("has ", length, " bytes; ",
                                                   DTypeName(tensor.dtype), " ",
                                                   ShapeText(tensor.shape), " needs ", size));
  }
  if (offsets[1] > static_cast<int64_t>(data.size())) {
    return absl::DataLossError(absl::StrCat("ends at byte ", offsets[1], " of a data section of ",
                                            data.size(), " bytes: the file is cut off"));
  }
  tensor.data = data.substr(static_cast<size_t>(offsets[0]), static_cast<size_t>(length));
  return tensor;
}

// The tensors, sorted by position, must fill the data section without gaps or overlaps.
absl::Status CheckTiling(const std::vector<TensorView>& tensors, absl::string_view data) {
  const char* end = data.data();
  std::string before = "the header";
  for (const TensorView& tensor : tensors) {
    if (tensor.data.data() != end) {
      return absl::InvalidArgumentError(absl::StrCat(
          "tensor '", tensor.name, "' starts at byte ", tensor.data.data() - data.data(),
          tensor.data.data() < end ? " and overlaps " : " and leaves a gap after ", before,
          ", which ends at byte ", end - data.data()));
    }
    end += tensor.data.size();
    before = absl::StrCat("tensor '", tensor.name, "'");
  }
  if (end != data.data() + data.size()) {
    return absl::InvalidArgumentError(absl::StrCat("the tensors take ", end - data.data(),
                                                   " bytes; the file holds ", data.size(),
                                                   " after its header"));
  }
  return absl::OkStatus();
}

// The header's text and the data section.
absl::StatusOr<std::pair<absl::string_view, absl::string_view>> Split(absl::string_view bytes) {
  if (bytes.size() < kLengthBytes) {
    return absl::DataLossError(
        absl::StrCat("has ", bytes.size(), " bytes; the header's length alone takes 8"));
  }
  uint64_t length = 0;
  for (int i = kLengthBytes - 1; i >= 0; --i) {
    length = length << 8 | static_cast<unsigned char>(bytes[static_cast<size_t>(i)]);
  }
  if (length > kLongestHeader) {
    return absl::InvalidArgumentError(absl::StrCat("claims a header of ", length,
                                                   " bytes, more than the format's limit of ",
                                                   kLongestHeader, ": not a safetensors file"));
  }
  bytes.remove_prefix(kLengthBytes);
  if (length > bytes.size()) {
    return absl::DataLossError(absl::StrCat("claims a header of ", length, " bytes and has only ",
                                            bytes.size(), " left: the file is cut off"));
  }
  return std::make_pair(bytes.substr(0, length), bytes.substr(length));
}

// Fills `tensors` and `metadata` from the header; the views point into `bytes`.
absl::Status ParseInto(absl::string_view bytes, std::vector<TensorView>* tensors,
                       std::map<std::string, std::string>* metadata) {
  OP3D_ASSIGN_OR_RETURN(const auto parts, Split(bytes));
  OP3D_ASSIGN_OR_RETURN(const Json header, ParseHeader(parts.first));
  for (const auto& [name, json] : header.items()) {
    if (name == kMetadata) {
      OP3D_ASSIGN_OR_RETURN(*metadata, ParseMetadata(json));
      continue;
    }
    absl::StatusOr<TensorView> tensor = ParseTensor(json, parts.second);
    if (!tensor.ok()) {
      return absl::Status(tensor.status().code(),
                          absl::StrCat("tensor '", name, "' ", tensor.status().message()));
    }
    tensor->name = name;
    tensors->push_back(*std::move(tensor));
  }
  // An empty tensor starts where the next one does, and comes first.
  std::stable_sort(tensors->begin(), tensors->end(), [](const TensorView& a, const TensorView& b) {
    return std::make_pair(a.data.data(), a.data.size()) <
           std::make_pair(b.data.data(), b.data.size());
  });
  return CheckTiling(*tensors, parts.second);
}

absl::Status CheckForWriting(const std::vector<TensorView>& tensors) {
  std::set<absl::string_view> names;
  for (const TensorView& tensor : tensors) {
    if (tensor.name == kMetadata || !names.insert(tensor.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot write tensor '", tensor.name, "': the name is taken already"));
    }
    absl::StatusOr<int64_t> size = ByteSize(tensor.dtype, tensor.shape);
    if (!size.ok()) return Annotate(size.status(), absl::StrCat("tensor '", tensor.name, "'"));
    if (*size != static_cast<int64_t>(tensor.data.size())) {
      return absl::InvalidArgumentError(absl::StrCat(
          "cannot write tensor '", tensor.name, "': ", DTypeName(tensor.dtype), " ",
          ShapeText(tensor.shape), " needs ", *size, " bytes, its data has ", tensor.data.size()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view DTypeName(DType dtype) { return Row(dtype).name; }
int64_t DTypeSize(DType dtype) { return Row(dtype).size; }

absl::StatusOr<Safetensors> Safetensors::Read(const std::string& path) {
  OP3D_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path));
  return Parse(std::move(bytes), path);
}

absl::StatusOr<Safetensors> Safetensors::Parse(std::string bytes, absl::string_view source) {
  Safetensors file;
  // On the heap, so that the views survive a move of the file.
  file.bytes_ = std::make_shared<const std::string>(std::move(bytes));
  const absl::Status status = ParseInto(*file.bytes_, &file.tensors_, &file.metadata_);
  if (!status.ok()) return Annotate(status, source);
  for (size_t i = 0; i < file.tensors_.size(); ++i) file.by_name_[file.tensors_[i].name] = i;
  return file;
}

const TensorView* Safetensors::Find(absl::string_view name) const {
  const auto it = by_name_.find(std::string(name));
  return it == by_name_.end() ? nullptr : &tensors_[it->second];
}

absl::StatusOr<std::string> SerializeSafetensors(
    const std::vector<TensorView>& tensors, const std::map<std::string, std::string>& metadata) {
  OP3D_RETURN_IF_ERROR(CheckForWriting(tensors));
  std::vector<const TensorView*> order;
  for (const TensorView& tensor : tensors) order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(), [](const TensorView* a, const TensorView* b) {
    return DTypeSize(a->dtype) > DTypeSize(b->dtype);
  });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[kMetadata] = metadata;
  size_t offset = 0;
  for (const TensorView* tensor : order) {
    header[tensor->name] = {{"dtype", std::string(DTypeName(tensor->dtype))},
                            {"shape", tensor->shape},
                            {"data_offsets", {offset, offset + tensor->data.size()}}};
    offset += tensor->data.size();
  }
  using Handler = nlohmann::ordered_json::error_handler_t;
  std::string text = header.dump(-1, ' ', /*ensure_ascii=*/false, Handler::ignore);
  if (nlohmann::ordered_json::parse(text, nullptr, false) != header) {
    return absl::InvalidArgumentError("cannot write tensors: a name or its metadata is not UTF-8");
  }
  text.append((8 - text.size() % 8) % 8, ' ');

  std::string bytes;
  bytes.reserve(kLengthBytes + text.size() + offset);
  for (int i = 0; i < kLengthBytes; ++i) {
    bytes.push_back(static_cast<char>(static_cast<uint64_t>(text.size()) >> (8 * i) & 0xff));
  }
  bytes += text;
  for (const TensorView* tensor : order) bytes.append(tensor->data.data(), tensor->data.size());
  return bytes;
}

std::string WithoutMetadata(std::string bytes) {
  const absl::StatusOr<Safetensors> file = Safetensors::Parse(bytes, "");
  if (!file.ok() || file->metadata().empty()) return bytes;
  absl::StatusOr<std::string> bare = SerializeSafetensors(file->tensors(), {});
  return bare.ok() ? *std::move(bare) : bytes;
}

}  // namespace op3d
