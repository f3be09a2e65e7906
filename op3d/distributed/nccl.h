// Communication between GPUs: NCCL in a build with --config=cuda, otherwise an error.
#ifndef OP3D_DISTRIBUTED_NCCL_H_
#define OP3D_DISTRIBUTED_NCCL_H_

#include <c10/core/Device.h>
#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "absl/status/statusor.h"
#include "op3d/distributed/rank_environment.h"

namespace op3d {

// For tensors on `device`, "cuda:N", which becomes this thread's current one; an operation that takes
// longer than `timeout` ends the process.  FailedPrecondition in a build without NCCL.
absl::StatusOr<c10::intrusive_ptr<c10d::Backend>> MakeNcclBackend(
    const c10::intrusive_ptr<c10d::Store>& store, const RankEnvironment& ranks, at::Device device,
    std::chrono::milliseconds timeout);

}  // namespace op3d

#endif  // OP3D_DISTRIBUTED_NCCL_H_
