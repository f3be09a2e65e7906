#include <cuda_runtime.h>

#include <cstdint>

#include "op3d/gpu/kernels/view_kernels.h"
#include "op3d/gpu/kernels/grid_driver.h"
#include "op3d/gpu/kernels/optimizer_kernels.h"
#include "op3d/gpu/kernels/row_kernels.h"
#include "op3d/gpu/kernels/score_merge.h"

namespace op3d::gpu {
namespace {

constexpr int kPointThreads = 256;
// More tiles than this are done by the same blocks in turn.
constexpr int64_t kMostBlocks = 1 << 20;

template <typename Kernel>
__global__ void __launch_bounds__(kPointThreads) PointGrid(const Kernel kernel, int64_t points) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < points;
       i += step) {
    kernel(i);
  }
}

template <typename Kernel>
__global__ void __launch_bounds__(Kernel::kThreads) TileGrid(const Kernel kernel, int64_t tiles) {
  __shared__ typename Kernel::Shared shared;
  for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    for (int phase = 0; phase < Kernel::kPhases; ++phase) {
      kernel.Phase(phase, tile, static_cast<int>(threadIdx.x), &shared);
      __syncthreads();
    }
  }
}

unsigned Blocks(int64_t wanted) {
  return static_cast<unsigned>(wanted < kMostBlocks ? wanted : kMostBlocks);
}

}  // namespace

template <typename Kernel>
GridError LaunchPoints(const Kernel& kernel, void* stream) {
  const int64_t points = kernel.points();
  if (points < 1) return 0;
  PointGrid<<<Blocks((points + kPointThreads - 1) / kPointThreads), kPointThreads, 0,
              static_cast<cudaStream_t>(stream)>>>(kernel, points);
  return static_cast<GridError>(cudaGetLastError());
}

template <typename Kernel>
GridError LaunchTiles(const Kernel& kernel, void* stream) {
  const int64_t tiles = kernel.tiles();
  if (tiles < 1) return 0;
  TileGrid<<<Blocks(tiles), Kernel::kThreads, 0, static_cast<cudaStream_t>(stream)>>>(kernel,
                                                                                      tiles);
  return static_cast<GridError>(cudaGetLastError());
}

const char* GridErrorText(GridError error) {
  return cudaGetErrorString(static_cast<cudaError_t>(error));
}

#define OP3D_POINTS(...) template GridError LaunchPoints(const __VA_ARGS__&, void*)
#define OP3D_TILES(...) template GridError LaunchTiles(const __VA_ARGS__&, void*)

#define OP3D_ROW_KERNELS(T, pack)     \
  OP3D_POINTS(SumRows<T, pack>);      \
  OP3D_POINTS(ReluGradient<T, pack>); \
  OP3D_POINTS(ApplyNorm<T, pack>);    \
  OP3D_POINTS(NormInputGradient<T, pack>)
OP3D_ROW_KERNELS(float, 1);
OP3D_ROW_KERNELS(float, kWidePack<float>);
OP3D_ROW_KERNELS(Bf16, 1);
OP3D_ROW_KERNELS(Bf16, kWidePack<Bf16>);
OP3D_ROW_KERNELS(Fp16, 1);
OP3D_ROW_KERNELS(Fp16, kWidePack<Fp16>);

#define OP3D_COLUMN_KERNELS(T)              \
  OP3D_TILES(ColumnSums<PlainSum<T>>);      \
  OP3D_TILES(ColumnSums<NormMoments<T>>);   \
  OP3D_TILES(ColumnSums<NormGradients<T>>); \
  OP3D_POINTS(NormStatistics<T>);           \
  OP3D_POINTS(MakeViews<T>)
OP3D_COLUMN_KERNELS(float);
OP3D_COLUMN_KERNELS(Bf16);
OP3D_COLUMN_KERNELS(Fp16);

OP3D_POINTS(ScaledTotals);
OP3D_POINTS(FrozenStatistics);
OP3D_POINTS(NormGradientSums);
OP3D_POINTS(MergeScores);
OP3D_TILES(ContrastSums);
OP3D_TILES(SquareSums);
OP3D_TILES(ClipFactor);
OP3D_TILES(SgdUpdate);
OP3D_TILES(AdamWUpdate);

}  // namespace op3d::gpu
