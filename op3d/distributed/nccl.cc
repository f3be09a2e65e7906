#include "op3d/distributed/nccl.h"

#include "op3d/torch/torch_status.h"

#ifdef USE_C10D_NCCL
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDAFunctions.h>

#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "op3d/base/status_macros.h"
#endif

namespace op3d {

#ifdef USE_C10D_NCCL

absl::StatusOr<c10::intrusive_ptr<c10d::Backend>> MakeNcclBackend(
    const c10::intrusive_ptr<c10d::Store>& store, const RankEnvironment& ranks, at::Device device,
    std::chrono::milliseconds timeout) {
  c10::intrusive_ptr<c10d::Backend> backend;
  OP3D_RETURN_IF_ERROR(CatchTorch([&] {
    c10::cuda::set_device(device.has_index() ? device.index() : c10::DeviceIndex{0});
    const auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = timeout;
    backend = c10::make_intrusive<c10d::ProcessGroupNCCL>(store, ranks.rank, ranks.size, options);
    return absl::OkStatus();
  }));
  return backend;
}

#else

absl::StatusOr<c10::intrusive_ptr<c10d::Backend>> MakeNcclBackend(
    const c10::intrusive_ptr<c10d::Store>&, const RankEnvironment&, at::Device,
    std::chrono::milliseconds) {
  return absl::FailedPreconditionError(
      "this program was built without NCCL, which several processes on GPUs need: build it with "
      "--config=cuda");
}

#endif

}  // namespace op3d
