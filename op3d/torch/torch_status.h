// Converts LibTorch's exceptions to statuses: no other file of op3d catches them.
//
//   return CatchTorch([&]() -> absl::Status {
//     logits = at::linear(features, weight, bias);     // may throw c10::Error
//     return absl::OkStatus();
//   });
#ifndef OP3D_TORCH_TORCH_STATUS_H_
#define OP3D_TORCH_TORCH_STATUS_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace op3d {

// Runs `body` and returns its status.  Exceptions become ResourceExhausted (no memory, on the
// host or the device), InvalidArgument (TORCH_CHECK_VALUE) or Internal, with LibTorch's message
// without its stack trace.
absl::Status CatchTorch(absl::FunctionRef<absl::Status()> body);

}  // namespace op3d

#endif  // OP3D_TORCH_TORCH_STATUS_H_
