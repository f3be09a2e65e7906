#include "op3d/torch/torch_status.h"

#include <c10/util/Exception.h>

#include <exception>
#include <new>

#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"
#include "op3d/gpu/gpu_probe.h"

namespace op3d {

absl::Status CatchTorch(absl::FunctionRef<absl::Status()> body) {
  try {
    return body();
  } catch (const c10::OutOfMemoryError& error) {
    OP3D_RETURN_IF_ERROR(gpu::ExplainGpuError(error.what_without_backtrace()));
    return absl::ResourceExhaustedError(absl::StrCat(
        "out of device memory: ", error.what_without_backtrace(), "; use smaller batches"));
  } catch (const c10::ValueError& error) {
    return absl::InvalidArgumentError(error.what_without_backtrace());
  } catch (const c10::Error& error) {
    const absl::string_view message = error.what_without_backtrace();
    OP3D_RETURN_IF_ERROR(gpu::ExplainGpuError(message));
    // The CPU allocator reports a lack of memory as a plain error.
    if (message.find("not enough memory") != absl::string_view::npos) {
      return absl::ResourceExhaustedError(
          absl::StrCat("out of memory: ", message, "; use smaller batches"));
    }
    return absl::InternalError(absl::StrCat("LibTorch: ", message));
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("out of memory; use smaller batches");
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("LibTorch: ", error.what()));
  }
}

}  // namespace op3d
