// Speed and memory of a device: matrix products, training steps, scoring, and what feeds them.
#ifndef OP3D_GPU_CHECK_FIGURES_H_
#define OP3D_GPU_CHECK_FIGURES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "op3d/gpu/check/check_report.h"
#include "op3d/torch/precision.h"

namespace op3d::gpu {

struct FigureOptions {
  std::string device = "cuda";
  // bf16 or fp16.
  Precision precision = Precision::kBfloat16;
  // All networks at the first length, then at the next one.
  std::vector<std::string> networks = {"dg_p3d_resnet50", "dg_p3d_resnet18", "dg_p3d_resnet101"};
  std::vector<int> frames = {16, 32, 64};
  int side = 224;
  // Clips of 16 frames in a training step; longer clips get as many fewer.
  int clips = 32;
  // Side of the matrices of the product that the shares refer to.
  int matrix = 8192;
  // No new figure begins after this many seconds; what is left out is named.
  double seconds = 240;
};

// Figures "matrix_product" and, for each network and length:
//   training_without_search  for the first one alone, soon: as training, but cuDNN does not search
//   training                 a step: forward, backward, optimiser
//   training_graph           the same with forward and backward as one CUDA graph
//   scoring                  30 views of a video
//   feeding                  a step whose clips come from the host as floats, bytes or decoded
//                            planes, and what the device needs to make clips of these
// Clips per second, TFLOP/s by CountMultiplyAdds (training 3 times the forward pass), share of the
// matrix product, seconds of the runs before, memory.  Note "left_out": what there was no time for,
// or what failed.
absl::Status MeasureFigures(const FigureOptions& options, CheckReport* report);

}  // namespace op3d::gpu

#endif  // OP3D_GPU_CHECK_FIGURES_H_
