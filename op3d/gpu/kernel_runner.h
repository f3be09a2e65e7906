// Runs a kernel on the device where its tensors are: by the grid driver on a GPU, in a loop on the
// CPU.
//
//   RunPoints(kernel, rows.device())
//   RunTiles(kernel, rows.device())
//
// On a GPU asynchronously, on LibTorch's current stream of that device.  Throws c10::Error, as LibTorch's own
// operators, if the launch fails or the program was built without --config=cuda.
#ifndef OP3D_GPU_KERNEL_RUNNER_H_
#define OP3D_GPU_KERNEL_RUNNER_H_

#include <c10/core/Device.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>

#include "op3d/gpu/kernels/cpu_driver.h"
#ifdef OP3D_CUDA
#include "op3d/gpu/kernels/grid_driver.h"
#endif

namespace op3d::gpu {

#ifdef OP3D_CUDA
inline void* CurrentStream(at::Device device) {
  return c10::impl::VirtualGuardImpl(device.type()).getStream(device).native_handle();
}

inline void CheckLaunch(GridError error) {
  // The words with which LibTorch's own errors begin: ExplainGpuError() looks for them.
  TORCH_CHECK(error == 0, "CUDA error: ", GridErrorText(error), " (when op3d started a kernel)");
}
#endif

inline void CheckCpu(at::Device device) {
  TORCH_CHECK(device.is_cpu(), "this program has no kernels for device '", device.str(),
              "': build it with --config=cuda");
}

// A launch needs the stream's device as the current one.
template <typename Kernel>
void RunPoints(const Kernel& kernel, at::Device device) {
#ifdef OP3D_CUDA
  if (device.is_cuda()) {
    const c10::DeviceGuard guard(device);
    return CheckLaunch(LaunchPoints(kernel, CurrentStream(device)));
  }
#endif
  CheckCpu(device);
  RunPointsOnCpu(kernel);
}

template <typename Kernel>
void RunTiles(const Kernel& kernel, at::Device device) {
#ifdef OP3D_CUDA
  if (device.is_cuda()) {
    const c10::DeviceGuard guard(device);
    return CheckLaunch(LaunchTiles(kernel, CurrentStream(device)));
  }
#endif
  CheckCpu(device);
  RunTilesOnCpu(kernel);
}

}  // namespace op3d::gpu

#endif  // OP3D_GPU_KERNEL_RUNNER_H_
