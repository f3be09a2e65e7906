#include "op3d/network/weights/stored_tensor.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace op3d {
namespace {

constexpr size_t kMostDimensions = 16;

std::string Numbers(const std::vector<int64_t>& numbers) {
  return absl::StrCat("[", absl::StrJoin(numbers, ", "), "]");
}

}  // namespace

absl::StatusOr<DType> DTypeOfTorchName(absl::string_view name) {
  absl::string_view type = name;
  if (!absl::ConsumeSuffix(&type, "Storage")) absl::ConsumeSuffix(&type, "Tensor");
  constexpr struct {
    const char* name;
    DType dtype;
  } kTypes[] = {{"BFloat16", DType::kBF16}, {"Bool", DType::kBool}, {"Byte", DType::kU8},
                {"Double", DType::kF64},    {"Float", DType::kF32}, {"Half", DType::kF16},
                {"Int", DType::kI32},       {"Long", DType::kI64}};
  for (const auto& known : kTypes) {
    if (type == known.name) return known.dtype;
  }
  return absl::InvalidArgumentError(absl::StrCat("elements of type ", name, " are not known"));
}

absl::StatusOr<Storage> MakeStorage(DType dtype, int64_t elements, absl::string_view data) {
  if (elements < 0 || elements > static_cast<int64_t>(data.size()) / DTypeSize(dtype)) {
    return absl::DataLossError(absl::StrCat("a storage of ", elements, " elements of ",
                                            DTypeName(dtype), " has only ", data.size(),
                                            " bytes; copy the file again"));
  }
  return Storage{dtype, data.substr(0, static_cast<size_t>(elements * DTypeSize(dtype)))};
}

absl::StatusOr<Storage> SliceOf(const Storage& storage, int64_t offset, int64_t size) {
  const int64_t elements = storage.elements();
  if (offset < 0 || size < 0 || offset > elements || size > elements - offset) {
    return absl::InvalidArgumentError(absl::StrCat("a slice of ", size, " elements from ", offset,
                                                   " extends past a storage of ", elements));
  }
  const int64_t width = DTypeSize(storage.dtype);
  return Storage{storage.dtype, storage.data.substr(static_cast<size_t>(offset * width),
                                                    static_cast<size_t>(size * width))};
}

absl::Status CheckView(const StoredTensor& tensor, int64_t most_bytes) {
  const auto fault = [&](absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat("a view of shape ", Numbers(tensor.shape), ", strides ",
                     Numbers(tensor.strides), " from element ", tensor.offset, " ", what,
                     " (its storage has ", tensor.storage.elements(), " elements)"));
  };
  if (tensor.shape.size() != tensor.strides.size() || tensor.shape.size() > kMostDimensions) {
    return fault("has other strides than sizes, or too many");
  }
  if (tensor.offset < 0) return fault("begins before its storage");
  // 128 bits: sizes and strides may be any 64-bit numbers.
  __int128 last = tensor.offset, count = 1;
  bool empty = false;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    if (tensor.shape[i] < 0 || tensor.strides[i] < 0) return fault("has a negative size or stride");
    if (tensor.shape[i] == 0) empty = true;
  }
  if (empty) return absl::OkStatus();
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    last += static_cast<__int128>(tensor.shape[i] - 1) * tensor.strides[i];
    count *= tensor.shape[i];
    if (last >= tensor.storage.elements()) return fault("extends past its storage");
    if (count * DTypeSize(tensor.storage.dtype) > most_bytes) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "a tensor of shape ", Numbers(tensor.shape), " repeats ", tensor.storage.elements(),
          " elements to more than the file's ", most_bytes, " bytes: no weights do"));
    }
  }
  if (last >= tensor.storage.elements()) return fault("extends past its storage");
  return absl::OkStatus();
}

int64_t SizeInBytes(const StoredTensor& tensor) {
  int64_t bytes = DTypeSize(tensor.storage.dtype);
  for (const int64_t size : tensor.shape) {
    if (size == 0) return 0;
  }
  for (const int64_t size : tensor.shape) bytes *= size;
  return bytes;
}

bool IsContiguous(const StoredTensor& tensor) {
  int64_t expected = 1;
  for (size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] == 0) return true;
    if (tensor.shape[i] != 1 && tensor.strides[i] != expected) return false;
    expected *= tensor.shape[i];
  }
  return true;
}

std::string Gather(const StoredTensor& tensor) {
  const int64_t width = DTypeSize(tensor.storage.dtype);
  const int64_t total = SizeInBytes(tensor);
  std::string bytes;
  bytes.reserve(static_cast<size_t>(total));
  std::vector<int64_t> index(tensor.shape.size(), 0);
  int64_t place = tensor.offset;
  while (static_cast<int64_t>(bytes.size()) < total) {
    bytes.append(tensor.storage.data.data() + place * width, static_cast<size_t>(width));
    for (size_t i = index.size(); i-- > 0;) {
      place += tensor.strides[i];
      if (++index[i] < tensor.shape[i]) break;
      place -= tensor.strides[i] * index[i];
      index[i] = 0;
    }
  }
  return bytes;
}

}  // namespace op3d
