// Runs kernels on a GPU: one thread a point, one block a tile.
//
//   const GridError error = LaunchPoints(kernel, stream);
//   if (error != 0) return absl::InternalError(GridErrorText(error));
//
// Only for --config=cuda.  Asynchronous, in the order of `stream` (a cudaStream_t); pointers are to
// the device's memory.  Result: a cudaError_t, 0 = launched.  The kernels that can be launched are
// those listed in grid_driver.cu; another one does not link.  Thread-safe.
#ifndef OP3D_GPU_KERNELS_GRID_DRIVER_H_
#define OP3D_GPU_KERNELS_GRID_DRIVER_H_

namespace op3d::gpu {

using GridError = int;

template <typename Kernel>
GridError LaunchPoints(const Kernel& kernel, void* stream);

template <typename Kernel>
GridError LaunchTiles(const Kernel& kernel, void* stream);

// The runtime's name and sentence for an error.
const char* GridErrorText(GridError error);

}  // namespace op3d::gpu

#endif  // OP3D_GPU_KERNELS_GRID_DRIVER_H_
