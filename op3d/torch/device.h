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
// build can use; the message says which of the two.  For "cuda" it calls ExplainUncaughtErrors().
absl::StatusOr<std::string> ChooseDevice(absl::string_view wanted);

// The same for a process of several on a machine: "cuda:2" for number 2 (gpu::GpuOfRank, whose error is
// returned).
absl::StatusOr<std::string> ChooseDevice(absl::string_view wanted, int ranks, int local_rank);

// From now on an exception that nothing catches and that tells of a lost GPU, or comes from a destructor
// after one, ends the process with the sentence of gpu::ExplainGpuError() and exit code 1 instead of a
// core dump: once a GPU is lost LibTorch's destructors throw.  Others end it as before.  Thread-safe.
void ExplainUncaughtErrors();

// Copies a tensor of the CPU to `device`; if that is the CPU, it shares memory.  Copies to a GPU
// use page-locked memory, so that the copy overlaps with computation.  Thread-safe.
at::Tensor CopyTo(const at::Tensor& tensor, at::Device device);

// "libtorch 2.11.0", for a record.
std::string LibTorchVersion();

}  // namespace op3d

#endif  // OP3D_TORCH_DEVICE_H_
