// Networks on the device against the CPU, repeated runs, resume, and a training of the miniature.
#ifndef OP3D_GPU_CHECK_NETWORK_CHECKS_H_
#define OP3D_GPU_CHECK_NETWORK_CHECKS_H_

#include <string>

#include "absl/status/status.h"
#include "op3d/gpu/check/check_report.h"

namespace op3d::gpu {

struct NetworkCheckOptions {
  std::string device = "cuda";
  std::string network = "dg_p3d_resnet18";
  int frames = 16;
  int side = 112;
  int clips = 2;
};

// In fp32 without tf32: logits in evaluation and in training, and the weights after one step, all
// within 1e-3 of their norm of those on the CPU.  Gradients, in which rounding turns ReLUs over:
// from the CPU's in fp64 within 1e-3 of their norm, or within 5 times of what the CPU's own fp32 is
// from them; and the cosine with the CPU's above 0.99.  In fp64 the gradients within 1e-3, too.
// Two deterministic runs and a resumed one equal in every bit (PORTABLE arithmetic is
// deterministic).  Then steps with dropout and two micro-batches each as a CUDA graph, which must
// record, against plain ones.
absl::Status CheckNetwork(const NetworkCheckOptions& options, CheckReport* report);

// Trains dg_p3d_miniature on the clips of a file made by tools/gpu_bundle.sh: uint8 `clips`
// [N, T, S, S, 3] and int64 `labels`; the last fifth is held out.  The share of held-out clips that
// are right must be at least three times that of guessing.
absl::Status CheckMiniature(const std::string& device, const std::string& file,
                            CheckReport* report);

}  // namespace op3d::gpu

#endif  // OP3D_GPU_CHECK_NETWORK_CHECKS_H_
