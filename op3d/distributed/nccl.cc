#include "op3d/distributed/nccl.h"

#include "op3d/torch/torch_status.h"

#ifdef USE_C10D_NCCL
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDAFunctions.h>

#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"
#endif

namespace op3d {

#ifdef USE_C10D_NCCL

absl::StatusOr<c10::intrusive_ptr<c10d::Backend>> MakeNcclBackend(
    const c10::intrusive_ptr<c10d::Store>& store, const RankEnvironment& ranks) {
  c10::intrusive_ptr<c10d::Backend> backend;
  OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
    const int devices = c10::cuda::device_count();
    if (ranks.local_rank >= devices) {
      return absl::FailedPreconditionError(absl::StrCat(
          "rank ", ranks.rank, " is number ", ranks.local_rank, " on its machine, which has ",
          devices, " GPUs; start at most one process per GPU"));
    }
    c10::cuda::set_device(static_cast<c10::DeviceIndex>(ranks.local_rank));
    backend = c10::make_intrusive<c10d::ProcessGroupNCCL>(store, ranks.rank, ranks.size);
    return absl::OkStatus();
  }));
  return backend;
}

#else

absl::StatusOr<c10::intrusive_ptr<c10d::Backend>> MakeNcclBackend(
    const c10::intrusive_ptr<c10d::Store>&, const RankEnvironment&) {
  return absl::FailedPreconditionError(
      "this program was built without NCCL, which several processes on GPUs need: build it with "
      "--config=cuda");
}

#endif

}  // namespace op3d
