// Runs kernels on the CPU, in a loop: the reference for a GPU's results, and the way to test a
// kernel's arithmetic without a GPU.
//
//   RunPointsOnCpu(kernel);      // for point kernels
//   RunTilesOnCpu(sums);         // for tile kernels
//
// One thread, in order; the results do not depend on the order.  No points or tiles: nothing runs.
#ifndef OP3D_GPU_KERNELS_CPU_DRIVER_H_
#define OP3D_GPU_KERNELS_CPU_DRIVER_H_

#include <cstdint>

namespace op3d::gpu {

template <typename Kernel>
void RunPointsOnCpu(const Kernel& kernel) {
  const int64_t points = kernel.points();
  for (int64_t i = 0; i < points; ++i) kernel(i);
}

template <typename Kernel>
void RunTilesOnCpu(const Kernel& kernel) {
  const int64_t tiles = kernel.tiles();
  for (int64_t tile = 0; tile < tiles; ++tile) {
    typename Kernel::Shared shared;
    for (int phase = 0; phase < Kernel::kPhases; ++phase) {
      for (int thread = 0; thread < Kernel::kThreads; ++thread) {
        kernel.Phase(phase, tile, thread, &shared);
      }
    }
  }
}

}  // namespace op3d::gpu

#endif  // OP3D_GPU_KERNELS_CPU_DRIVER_H_
