// Communication between GPUs: NCCL in a build with --config=cuda, otherwise an error.
#ifndef OP3D_DISTRIBUTED_NCCL_H_
#define OP3D_DISTRIBUTED_NCCL_H_

#include <c10/util/intrusive_ptr.h>

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "absl/status/statusor.h"
#include "op3d/distributed/rank_environment.h"

namespace op3d {

// FailedPrecondition in a build without NCCL.
absl::StatusOr<c10::intrusive_ptr<c10d::Backend>> MakeNcclBackend(
    const c10::intrusive_ptr<c10d::Store>& store, const RankEnvironment& ranks);

}  // namespace op3d

#endif  // OP3D_DISTRIBUTED_NCCL_H_
