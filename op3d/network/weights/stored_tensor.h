// Tensors as PyTorch's files describe them: a view of a storage, by offset and strides. Torch-free.
#ifndef OP3D_NETWORK_WEIGHTS_STORED_TENSOR_H_
#define OP3D_NETWORK_WEIGHTS_STORED_TENSOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "op3d/base/safetensors.h"

namespace op3d {

// "FloatStorage", "HalfTensor" ... InvalidArgument for a type that op3d does not support.
absl::StatusOr<DType> DTypeOfTorchName(absl::string_view name);

// A sequence of elements, or a slice of one.
struct Storage {
  DType dtype = DType::kF32;
  absl::string_view data;

  int64_t elements() const { return static_cast<int64_t>(data.size()) / DTypeSize(dtype); }
};

// The first `elements` numbers of `data`; DataLoss if there are fewer bytes.
absl::StatusOr<Storage> MakeStorage(DType dtype, int64_t elements, absl::string_view data);

// `size` elements of `storage` from `offset`.  InvalidArgument if they are not inside it.
absl::StatusOr<Storage> SliceOf(const Storage& storage, int64_t offset, int64_t size);

struct StoredTensor {
  Storage storage;
  int64_t offset = 0;  // elements
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // elements, as many as the shape has
};

// InvalidArgument, with the numbers, for negative sizes or strides and for a view that extends past
// its storage; ResourceExhausted if it has more bytes than `most_bytes` (strides of 0 repeat
// elements).
absl::Status CheckView(const StoredTensor& tensor, int64_t most_bytes);

// Bytes of all elements.  CheckView must have passed.
int64_t SizeInBytes(const StoredTensor& tensor);

// Whether the elements are stored row by row without gaps.
bool IsContiguous(const StoredTensor& tensor);

// The elements row by row.
std::string Gather(const StoredTensor& tensor);

}  // namespace op3d

#endif  // OP3D_NETWORK_WEIGHTS_STORED_TENSOR_H_
