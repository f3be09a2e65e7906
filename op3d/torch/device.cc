#include "op3d/torch/device.h"

#include <ATen/Context.h>
#include <torch/version.h>

#include "absl/strings/str_cat.h"

namespace op3d {

absl::StatusOr<std::string> ChooseDevice(absl::string_view wanted) {
  const bool gpu = at::hasCUDA();
  if (wanted == "cpu") return "cpu";
  if (wanted == "auto") return gpu ? "cuda" : "cpu";
  if (wanted != "cuda") {
    return absl::InvalidArgumentError(
        absl::StrCat("device '", wanted, "' is none of: cpu, cuda, auto"));
  }
  if (gpu) return "cuda";
  return absl::FailedPreconditionError(
      "device 'cuda': no GPU can be used; either the machine has none, or the program was built "
      "without --config=cuda. Use --device=cpu");
}

at::Tensor CopyTo(const at::Tensor& tensor, at::Device device) {
  if (!device.is_cuda()) return tensor.to(device);
  // The allocator keeps a pinned block until the copies from it are finished.
  return tensor.pin_memory().to(device, tensor.scalar_type(), /*non_blocking=*/true);
}

std::string LibTorchVersion() { return absl::StrCat("libtorch ", TORCH_VERSION); }

}  // namespace op3d
