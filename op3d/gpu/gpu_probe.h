// Whether a GPU can be used, and if not, why not and what to do.
//
//   if (const absl::Status usable = CheckGpu(ProbeGpu()); !usable.ok()) return usable;
//
// Thread-safe.
#ifndef OP3D_GPU_GPU_PROBE_H_
#define OP3D_GPU_GPU_PROBE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d::gpu {

struct GpuFacts {
  // This program was built with --config=cuda.
  bool built_with_cuda = false;
  // CUDA_VISIBLE_DEVICES; not set = all.
  std::optional<std::string> visible_devices;
  // 13000 for CUDA 13.0: of the driver (0 = none) and of this program.
  int driver = 0, runtime = 0;
  int devices = 0;
  // What the CUDA runtime said; empty = no error.
  std::string error;
  // The first device: its name, compute capability and memory in bytes.
  std::string name;
  int major = 0, minor = 0;
  int64_t total_bytes = 0;
};

// Of this machine.
GpuFacts ProbeGpu();

// OK, or FailedPrecondition with the reason and a remedy: built without CUDA, no driver, a driver
// that is too old, CUDA_VISIBLE_DEVICES that hides all devices, no device, no code for its
// architecture.
absl::Status CheckGpu(const GpuFacts& facts);

// The number of the GPU of the process that is number `local_rank` on its machine and sees `gpus`: its
// own number, or 0 if it sees one GPU, as with srun --gpus-per-task=1.  FailedPrecondition if there are
// too few.
absl::StatusOr<int> GpuOfRank(int local_rank, int gpus);

// 2 for "cuda:2"; 0 for "cuda" and "cpu".
int GpuNumber(absl::string_view device);

// The sentence for an error of LibTorch that comes from a GPU: ResourceExhausted out of memory,
// Unavailable if the device is lost or in use by another process, FailedPrecondition if two processes
// of a training use one GPU; OK if `message` is of another kind.  Only its first line counts.
absl::Status ExplainGpuError(absl::string_view message);

// What ExplainGpuError() last said of a lost GPU; OK if it never did.
absl::Status LostGpu();

}  // namespace op3d::gpu

#endif  // OP3D_GPU_GPU_PROBE_H_
