#include "op3d/torch/device.h"

#include <ATen/Context.h>
#include <c10/util/Exception.h>
#include <errno.h>
#include <torch/version.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"
#include "op3d/gpu/gpu_probe.h"

namespace op3d {
namespace {

std::terminate_handler& EarlierHandler() {
  static std::terminate_handler handler = nullptr;
  return handler;
}

absl::Status Uncaught() {
  const std::exception_ptr error = std::current_exception();
  // Where a destructor threw it is not known, but what was caught before it is.
  if (error == nullptr) return gpu::LostGpu();
  try {
    std::rethrow_exception(error);
  } catch (const c10::Error& caught) {
    return gpu::ExplainGpuError(caught.what_without_backtrace());
  } catch (const std::exception& caught) {
    return gpu::ExplainGpuError(caught.what());
  } catch (...) {
    return absl::OkStatus();
  }
}

[[noreturn]] void OnTerminate() {
  if (const absl::Status lost = Uncaught(); !lost.ok()) {
    std::fprintf(stderr, "%s: %s\n", program_invocation_short_name,
                 std::string(lost.message()).c_str());
    std::_Exit(ExitCode(lost));
  }
  if (EarlierHandler() != nullptr) EarlierHandler()();
  std::abort();
}

}  // namespace

void ExplainUncaughtErrors() {
  static const bool installed = (EarlierHandler() = std::set_terminate(OnTerminate), true);
  (void)installed;
}

absl::StatusOr<std::string> ChooseDevice(absl::string_view wanted) {
  const bool has_gpu = at::hasCUDA();
  if (wanted == "cpu") return "cpu";
  if (wanted == "auto") {
    if (!has_gpu || !gpu::CheckGpu(gpu::ProbeGpu()).ok()) return "cpu";
    wanted = "cuda";
  }
  if (wanted != "cuda") {
    return absl::InvalidArgumentError(
        absl::StrCat("device '", wanted, "' is none of: cpu, cuda, auto"));
  }
  OP3D_RETURN_IF_ERROR(gpu::CheckGpu(gpu::ProbeGpu()));
  if (has_gpu) {
    ExplainUncaughtErrors();
    return "cuda";
  }
  return absl::FailedPreconditionError(
      "device 'cuda': LibTorch does not see the GPU that the driver shows; see LD_LIBRARY_PATH for "
      "another LibTorch, or use --device=cpu");
}

absl::StatusOr<std::string> ChooseDevice(absl::string_view wanted, int ranks, int local_rank) {
  OP3D_ASSIGN_OR_RETURN(const std::string device, ChooseDevice(wanted));
  if (device == "cpu" || ranks == 1) return device;
  OP3D_ASSIGN_OR_RETURN(const int gpu, gpu::GpuOfRank(local_rank, gpu::ProbeGpu().devices));
  return absl::StrCat(device, ":", gpu);
}

at::Tensor CopyTo(const at::Tensor& tensor, at::Device device) {
  if (!device.is_cuda()) return tensor.to(device);
  // The allocator keeps a pinned block until the copies from it are finished.
  return tensor.pin_memory().to(device, tensor.scalar_type(), /*non_blocking=*/true);
}

std::string LibTorchVersion() { return absl::StrCat("libtorch ", TORCH_VERSION); }

}  // namespace op3d
