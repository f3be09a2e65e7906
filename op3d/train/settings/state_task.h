// A state to train in, as StateTrainer takes it: what is constant meanwhile, and the number of epochs.
//
//   StateTask task = ToStateTask(plan.steps(0).state(), plan.steps(0).epochs());
#ifndef OP3D_TRAIN_SETTINGS_STATE_TASK_H_
#define OP3D_TRAIN_SETTINGS_STATE_TASK_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "data/datasets/dataset.pb.h"
#include "data/sampling/sampling.h"
#include "op3d/train/settings/schedule.h"
#include "op3d/train/settings/state.pb.h"

namespace op3d {

struct StateTask {
  data::ClipShape clip;
  // Side of the training clips in pixels; 0 = TransformSettings.train_crop.
  int crop = 0;
  double learning_rate = 0;
  int batch_size = 0;
  // Micro-batches per step of the optimiser, over all processes.
  int accumulation = 1;
  bool frozen_batch_norm = false;
  // Not set: the rate is constant.  Otherwise it changes over `epochs` epochs.
  ScheduleSettings schedule;
  int epochs = 0;

  int64_t clips_a_step() const { return int64_t{batch_size} * accumulation; }
};

// `epochs`: the length of the state, for a learning rate that changes over it; ignored if
// the rate is constant.
StateTask ToStateTask(const StateSettings& state, int epochs = 0);

// Steps of the optimiser in an epoch over `videos` videos; clips that do not fill a step are left
// out.  InvalidArgument for a batch or an accumulation below 1 and for a step with more clips than
// there are videos.
absl::StatusOr<int64_t> StepsPerEpoch(const StateTask& state, int64_t videos);

// `transform` with the state's own crop, if it has one.
TransformSettings TransformOf(const StateTask& state, TransformSettings transform);

// "1x16 stride 1 lr 0.04 batch 16x1": everything that decides the training of the state.
std::string DescribeStateTask(const StateTask& state);

}  // namespace op3d

#endif  // OP3D_TRAIN_SETTINGS_STATE_TASK_H_
