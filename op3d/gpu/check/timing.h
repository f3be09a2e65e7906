// Seconds and memory of work on a device.
//
//   OP3D_ASSIGN_OR_RETURN(const Timing step, TimeRuns(device, /*warm_up=*/2, Step));
//   step.seconds, step.warm_up_seconds, MemoryOf(device).peak_bytes
#ifndef OP3D_GPU_CHECK_TIMING_H_
#define OP3D_GPU_CHECK_TIMING_H_

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace op3d::gpu {

struct Timing {
  // The least of a timed run.
  double seconds = 0;
  // Of all runs before them, in which cuDNN chooses its algorithms and graphs are recorded.
  double warm_up_seconds = 0;
};

// `warm_up` runs (none on the CPU), then up to five or three seconds of them.  The memory's peak is
// of the latter: cuDNN's search needs more.
absl::StatusOr<Timing> TimeRuns(at::Device device, int warm_up,
                                const std::function<absl::Status()>& body);

// Bytes that tensors took at most, that LibTorch had from the device at most, and that it has now;
// 0 on the CPU.
struct Memory {
  double peak_bytes = 0, peak_reserved_bytes = 0, reserved_bytes = 0;
};
Memory MemoryOf(at::Device device);

// Gives back what no tensor uses; the peaks start again.
void ForgetPeak(at::Device device);

// TFLOP/s of the product of two square matrices: the median and the best of a second and a half,
// after half a second in which the clock rises.  On the CPU a tenth of both.
struct ProductSpeed {
  double median = 0, best = 0;
};
absl::StatusOr<ProductSpeed> MeasureProduct(at::Device device, int side, at::ScalarType type);

}  // namespace op3d::gpu

#endif  // OP3D_GPU_CHECK_TIMING_H_
