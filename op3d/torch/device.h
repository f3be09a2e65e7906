// Where a network runs, and by which library.
#ifndef OP3D_TORCH_DEVICE_H_
#define OP3D_TORCH_DEVICE_H_

#include <ATen/core/Tensor.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

// "cpu" or "cuda" for a user's "cpu", "cuda" or "auto" (the GPU when there is one).
// InvalidArgument for another word; FailedPrecondition when there is no GPU, or none that this
// build can use: it says which of the two.
absl::StatusOr<std::string> ChooseDevice(absl::string_view wanted);

// A tensor of the CPU's on `device`: the same memory when that is the CPU.  To a GPU it goes
// through page-locked memory, so that the copy and what is computed meanwhile overlap. Thread-safe.
at::Tensor CopyTo(const at::Tensor& tensor, at::Device device);

// "libtorch 2.11.0", for a record.
std::string LibTorchVersion();

}  // namespace op3d

#endif  // OP3D_TORCH_DEVICE_H_
