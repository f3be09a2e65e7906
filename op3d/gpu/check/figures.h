// Speed and memory of a device: matrix products, copies, training steps and scoring.
#ifndef OP3D_GPU_CHECK_FIGURES_H_
#define OP3D_GPU_CHECK_FIGURES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "op3d/gpu/check/check_report.h"

namespace op3d::gpu {

struct FigureOptions {
  std::string device = "cuda";
  std::vector<std::string> networks = {"dg_p3d_resnet18", "dg_p3d_resnet50", "dg_p3d_resnet101"};
  std::vector<int> frames = {16, 32, 64};
  int side = 224;
  // Clips of 16 frames in a training step; longer clips get as many fewer.
  int clips = 32;
  // Side of the matrices of the product that the shares refer to.
  int matrix = 8192;
  // No new figure begins after this many seconds; what is left out is named.
  double seconds = 240;
};

// Figures "matrix_product" and, for each network and length, "training" (a step in bf16: forward,
// backward, optimiser), "training_graph" (the same with forward and backward as one CUDA graph) and
// "scoring" (30 views of a video): clips per second, TFLOP/s by CountMultiplyAdds (training 3 times the
// forward pass), share of the matrix product, peak memory.
absl::Status MeasureFigures(const FigureOptions& options, CheckReport* report);

}  // namespace op3d::gpu

#endif  // OP3D_GPU_CHECK_FIGURES_H_
