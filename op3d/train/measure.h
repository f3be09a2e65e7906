// Measures a network after an epoch, with one process or several.
//
//   OP3D_ASSIGN_OR_RETURN(CurvePoint measure,
//                         MeasureNetwork(&network, held_out, state.clip, job, &seconds));
//   measure.performance();  // what the search looks at: job.score says which of the shares
#ifndef OP3D_TRAIN_MEASURE_H_
#define OP3D_TRAIN_MEASURE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/annotation/video_list.h"
#include "op3d/base/activity_seconds.h"
#include "op3d/network/network.h"
#include "op3d/train/edge.pb.h"
#include "op3d/train/state_trainer.h"

namespace op3d {

// The number of clips of `clip_frames` frames that ScoreSettings.frames stands for, in [1, 1000].
int SearchClips(const ScoreSettings& score, int clip_frames);

// The performance of guessing if all classes have equally many videos; 0 = number of classes unknown.
double ChancePerformance(const ScoreSettings& score, int64_t classes);

// Returns performance, top-k, probability and evaluation_seconds.  Each of several processes scores
// its share of the videos, and all get the figures of the whole: the same bits as with one.  `job`
// says how clips are made and has the group.  Errors of MeasurePerformance and the group.
absl::StatusOr<CurvePoint> MeasureNetwork(Network* network, const std::vector<data::Video>& videos,
                                          const data::ClipShape& clip, const TrainingJob& job,
                                          ActivitySeconds* seconds);

// As a JSON object with every bit, for a checkpoint's notes, and back.  DataLoss for other text.
std::string EncodeCurvePoint(const CurvePoint& measure);
absl::StatusOr<CurvePoint> DecodeCurvePoint(const std::string& text);

}  // namespace op3d

#endif  // OP3D_TRAIN_MEASURE_H_
