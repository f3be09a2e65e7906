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
  return ChooseDevice(wanted, /*ranks=*/1, /*local_rank=*/0);
}

absl::StatusOr<std::string> ChooseDevice(absl::string_view wanted, int ranks, int local_rank) {
  if (wanted == "cpu") return "cpu";
  const bool automatic = wanted == "auto";
  if (!automatic && wanted != "cuda") {
    return absl::InvalidArgumentError(
        absl::StrCat("device '", wanted, "' is none of: cpu, cuda, auto"));
  }
  const gpu::GpuFacts facts = gpu::ProbeGpu();
  absl::Status usable = gpu::CheckGpu(facts);
  if (usable.ok() && !at::hasCUDA()) {
    usable = absl::FailedPreconditionError(
        "device 'cuda': LibTorch does not see the GPU that the driver shows; see LD_LIBRARY_PATH "
        "for another LibTorch, or use --device=cpu");
  }
  if (automatic && !usable.ok()) return "cpu";
  OP3D_RETURN_IF_ERROR(usable);
  ExplainUncaughtErrors();
  if (ranks == 1) return "cuda";
  OP3D_ASSIGN_OR_RETURN(const int gpu, gpu::GpuOfRank(local_rank, facts.devices));
  return absl::StrCat("cuda:", gpu);
}

at::Tensor CopyTo(const at::Tensor& tensor, at::Device device) {
  if (!device.is_cuda()) return tensor.to(device);
  // The allocator keeps a pinned block until the copies from it are finished.
  return tensor.pin_memory().to(device, tensor.scalar_type(), /*non_blocking=*/true);
}

std::string LibTorchVersion() { return absl::StrCat("libtorch ", TORCH_VERSION); }

}  // namespace op3d
