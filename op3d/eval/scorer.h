// Scores videos with a network: the search's quick measure and the many views of a test.
//
//   OP3D_ASSIGN_OR_RETURN(Metrics m, MeasurePerformance(&network, held_out, &frames, options, &s));
//   OP3D_ASSIGN_OR_RETURN(ViewScores scores, ScoreViews(&network, list, &frames, 10, options, &s));
#ifndef OP3D_EVAL_SCORER_H_
#define OP3D_EVAL_SCORER_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "data/annotation/video_list.h"
#include "data/datasets/dataset.pb.h"
#include "data/loader/frame_store.h"
#include "data/sampling/sampling.h"
#include "op3d/base/activity_seconds.h"
#include "op3d/base/progress.h"
#include "op3d/eval/scores/metrics.h"
#include "op3d/eval/scores/view_scores.h"
#include "op3d/network/network.h"

namespace op3d {

struct ScoringOptions {
  data::ClipShape clip;
  TransformSettings transform;
  LoaderSettings::OnShortVideo on_short_video = LoaderSettings::REPEAT_LAST;
  // SKIP leaves a video that does not decode out of the figures; the scores include the number.
  LoaderSettings::OnBadVideo on_bad_video = LoaderSettings::ERROR;
  // Threads in addition to the caller's own (MeasurePerformance: the loader's; ScoreViews: as
  // ShareThreads says, over videos).  The result does not depend on them.
  int threads = 0;
  // ScorePart: threads that make the clips of each scorer; 0 = it makes them itself.
  int loader_threads = 0;
  // MeasurePerformance: clips per video.
  int search_clips = 1;
  // ScoreViews adds the number of clips (clips x crops per video) that it has scored; may be null.
  Progress* progress = nullptr;
};

// The use of a test's threads: `scorers` run the network, each with `loader_threads` that make its
// clips.
struct ThreadShare {
  int scorers = 1, loader_threads = 0;
};

// Of `threads` and the caller's own.  On a CPU all are scorers.  On a GPU two are, the second for the
// time in which the first waits for its clips: cuDNN searches its algorithms once for each thread.
ThreadShare ShareThreads(bool on_cpu, int threads);

// The metrics of `search_clips` clips in the centre crop of each video, with the mean of the logits
// over heads and clips.  Sets the network to evaluation and scores with its evaluation form.  Time
// is added to `seconds`.
absl::StatusOr<Metrics> MeasurePerformance(Network* network, const std::vector<data::Video>& videos,
                                           data::FrameStore* frames, const ScoringOptions& options,
                                           ActivitySeconds* seconds);

// The scores of `clips` clips x 3 crops of every video, each video decoded once.  Sets the network
// to evaluation.  DataLoss if no video at all decodes.
absl::StatusOr<ViewScores> ScoreViews(Network* network, const std::vector<data::Video>& videos,
                                      data::FrameStore* frames, int clips,
                                      const ScoringOptions& options, ActivitySeconds* seconds);

// The same for a part of a test, in which perhaps no video decodes, by `threads` + 1 scorers with
// `loader_threads` each; the network must be in evaluation.
absl::StatusOr<ViewScores> ScorePart(Network* network, const std::vector<data::Video>& videos,
                                     data::FrameStore* frames, int clips,
                                     const ScoringOptions& options, ActivitySeconds* seconds);

}  // namespace op3d

#endif  // OP3D_EVAL_SCORER_H_
