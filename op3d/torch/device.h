// The device on which a network runs, and the library's version.
#ifndef OP3D_TORCH_DEVICE_H_
#define OP3D_TORCH_DEVICE_H_

#include <ATen/core/Tensor.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

// "cpu" or "cuda" for a user's "cpu", "cuda" or "auto" (the GPU if there is one).
// InvalidArgument for another word; FailedPrecondition if there is no GPU, or none that this
// build can use; the message says which of the two.
absl::StatusOr<std::string> ChooseDevice(absl::string_view wanted);

// Copies a tensor of the CPU to `device`; if that is the CPU, it shares memory.  Copies to a GPU
// use page-locked memory, so that the copy overlaps with computation.  Thread-safe.
at::Tensor CopyTo(const at::Tensor& tensor, at::Device device);

// "libtorch 2.11.0", for a record.
std::string LibTorchVersion();

}  // namespace op3d

#endif  // OP3D_TORCH_DEVICE_H_
