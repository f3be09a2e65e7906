// The score of a video from its views' logits: the mean over heads, then crops, then clips.
//
//   MergeScores kernel = {logits, /*heads=*/2, videos, /*clips=*/10, /*crops=*/3, classes, out};
//
// Sums in double precision in the order of MeanOfLogits (op3d/eval/scores/metrics.h): equal bits.
#ifndef OP3D_GPU_KERNELS_SCORE_MERGE_H_
#define OP3D_GPU_KERNELS_SCORE_MERGE_H_

#include <cstdint>

#include "op3d/gpu/kernels/host_device.h"

namespace op3d::gpu {

struct MergeScores {
  const float* logits;  // [heads, videos, clips, crops, classes]
  int64_t heads, videos, clips, crops, classes;
  double* out;  // [videos, classes]

  OP3D_HD int64_t points() const { return videos * classes; }
  OP3D_HD void operator()(int64_t i) const {
    const int64_t video = i / classes, c = i % classes;
    double score = 0;
    for (int64_t clip = 0; clip < clips; ++clip) {
      double sum = 0;
      for (int64_t crop = 0; crop < crops; ++crop) {
        double view = 0;
        for (int64_t head = 0; head < heads; ++head) {
          view += double{
              logits[(((head * videos + video) * clips + clip) * crops + crop) * classes + c]};
        }
        sum += view / static_cast<double>(heads);
      }
      score += sum / static_cast<double>(crops);
    }
    out[i] = score / static_cast<double>(clips);
  }
};

}  // namespace op3d::gpu

#endif  // OP3D_GPU_KERNELS_SCORE_MERGE_H_
