// Torch tensors in safetensors files.
//
//   OP3D_RETURN_IF_ERROR(WriteTensors("a.safetensors", {{"weight", weight}}, {{"epoch", "3"}}));
//   OP3D_ASSIGN_OR_RETURN(TensorFile file, ReadTensors("a.safetensors"));
#ifndef OP3D_TORCH_TENSOR_FILE_H_
#define OP3D_TORCH_TENSOR_FILE_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/base/safetensors.h"

namespace op3d {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

struct TensorFile {
  // On the CPU, contiguous, without gradients, each owning its memory; in the order of the file,
  // which sorts by decreasing element size and otherwise keeps the order of writing.
  NamedTensors tensors;
  std::map<std::string, std::string> metadata;
};

// Copies of the views, in their order.  ResourceExhausted without memory.
absl::StatusOr<NamedTensors> ToTensors(const std::vector<TensorView>& views);

// Errors of Safetensors::Read.
absl::StatusOr<TensorFile> ReadTensors(const std::string& path);
// Copies of the tensors of a file in memory.
absl::StatusOr<TensorFile> ToTensors(const Safetensors& file);

// Tensors in the form of SerializeSafetensors.
struct TensorViews {
  std::vector<TensorView> views;
  // The memory to which the views point: the tensors themselves if contiguous and on the CPU.
  std::vector<at::Tensor> alive;
};
absl::StatusOr<TensorViews> ViewTensors(const NamedTensors& tensors);

// Writes atomically, from any device and memory layout; equal input gives equal bytes.
// InvalidArgument for a duplicate name or an element type that safetensors lacks.
absl::Status WriteTensors(const std::string& path, const NamedTensors& tensors,
                          const std::map<std::string, std::string>& metadata);

}  // namespace op3d

#endif  // OP3D_TORCH_TENSOR_FILE_H_
