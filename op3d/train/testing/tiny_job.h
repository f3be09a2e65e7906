// For tests: the tiny synthetic dataset and a job that trains the miniature network on it.
//
//   ASSERT_OK_AND_ASSIGN(std::unique_ptr<TinyJob> tiny, MakeTinyJob());
//   tiny->job.videos = &tiny->train;
#ifndef OP3D_TRAIN_TESTING_TINY_JOB_H_
#define OP3D_TRAIN_TESTING_TINY_JOB_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "data/annotation/video_list.h"
#include "data/loader/frame_store.h"
#include "op3d/train/state_trainer.h"

namespace op3d {

struct TinyJob {
  // 18 and 9 videos of 96 frames of 64 x 48, nine classes.
  std::vector<data::Video> train, evaluation;
  data::FrameStore frames{int64_t{64} << 20};
  // Without augmentation except a crop, and without dropout; `videos` is not set.
  TrainingJob job;
};

// The test needs `data = ["//data/synthetic:kinetics400_tiny"]`.
absl::StatusOr<std::unique_ptr<TinyJob>> MakeTinyJob();

}  // namespace op3d

#endif  // OP3D_TRAIN_TESTING_TINY_JOB_H_
