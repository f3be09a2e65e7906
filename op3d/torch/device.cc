#include "op3d/torch/device.h"

#include <ATen/Context.h>
#include <torch/version.h>

#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"
#include "op3d/gpu/gpu_probe.h"

namespace op3d {

absl::StatusOr<std::string> ChooseDevice(absl::string_view wanted) {
  const bool has_gpu = at::hasCUDA();
  if (wanted == "cpu") return "cpu";
  if (wanted == "auto") return has_gpu && gpu::CheckGpu(gpu::ProbeGpu()).ok() ? "cuda" : "cpu";
  if (wanted != "cuda") {
    return absl::InvalidArgumentError(
        absl::StrCat("device '", wanted, "' is none of: cpu, cuda, auto"));
  }
  OP3D_RETURN_IF_ERROR(gpu::CheckGpu(gpu::ProbeGpu()));
  if (has_gpu) return "cuda";
  return absl::FailedPreconditionError(
      "device 'cuda': LibTorch does not see the GPU that the driver shows; see LD_LIBRARY_PATH for "
      "another LibTorch, or use --device=cpu");
}

at::Tensor CopyTo(const at::Tensor& tensor, at::Device device) {
  if (!device.is_cuda()) return tensor.to(device);
  // The allocator keeps a pinned block until the copies from it are finished.
  return tensor.pin_memory().to(device, tensor.scalar_type(), /*non_blocking=*/true);
}

std::string LibTorchVersion() { return absl::StrCat("libtorch ", TORCH_VERSION); }

}  // namespace op3d
