// How well a network does after an epoch: one centre clip of each video, by one process or several.
//
//   OP3D_ASSIGN_OR_RETURN(EpochMeasure measure,
//                         MeasureNetwork(&network, held_out, state.clip, job, &seconds));
//   measure.performance;                     // (top-1 + top-3 + top-5) / 3, what the search looks
//   at
#ifndef OP3D_TRAIN_MEASURE_H_
#define OP3D_TRAIN_MEASURE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/annotation/video_list.h"
#include "op3d/base/activity_seconds.h"
#include "op3d/network/network.h"
#include "op3d/train/state_trainer.h"

namespace op3d {

struct EpochMeasure {
  // 0 = before training.
  int epoch = 0;
  // Shares in [0, 1].
  double performance = 0, top1 = 0, top3 = 0, top5 = 0;
  // Mean training loss of the epoch; 0 at epoch 0.
  double loss = 0;
  // Wall-clock; they differ between equal runs.
  double train_seconds = 0, evaluation_seconds = 0;
};

// Fills the shares and evaluation_seconds.  Of several processes each scores its part of the videos
// and all get the figures of the whole: the same bits as alone.  `job` says how clips are made and
// who takes part.  Errors as MeasurePerformance and the group's.
absl::StatusOr<EpochMeasure> MeasureNetwork(Network* network, const std::vector<Video>& videos,
                                            const ClipShape& clip, const TrainingJob& job,
                                            ActivitySeconds* seconds);

// As a JSON object with every bit, for a checkpoint's notes, and back.  DataLoss when it is none.
std::string EncodeMeasure(const EpochMeasure& measure);
absl::StatusOr<EpochMeasure> DecodeMeasure(const std::string& text);

}  // namespace op3d

#endif  // OP3D_TRAIN_MEASURE_H_
