// A whole test, in blocks of videos: over threads and processes, and again from where it was
// stopped.
//
//   ScoringRun run;
//   run.parts_folder = "scores.safetensors.parts";
//   run.settings = "network: dg_p3d_resnet50\nweights_crc32: 1234\n";
//   OP3D_ASSIGN_OR_RETURN(TestScores scores,
//                         ScoreTest(&network, videos, &frames, /*clips=*/10, options, run, &s));
//
// Every video is scored by itself, once, so the result is the same to the bit for any number of
// threads and processes, stopped in between or not.
#ifndef OP3D_EVAL_SCORING_RUN_H_
#define OP3D_EVAL_SCORING_RUN_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/annotation/video_list.h"
#include "data/loader/frame_store.h"
#include "op3d/base/activity_seconds.h"
#include "op3d/eval/scorer.h"
#include "op3d/eval/scores/video_scores.h"
#include "op3d/network/network.h"

namespace op3d {

struct ScoringRun {
  // Finished blocks are kept in it, one file each, and not scored again; empty: nothing is kept.
  std::string parts_folder;
  // What the scores depend on, "name: value" a line.  Blocks that were scored with another text are
  // refused.
  std::string settings;
  // The part of one of several processes: every `shards`-th block from `shard` on.
  int shard = 0, shards = 1;
  // Gives every process's bytes, by shard; called equally often by all.  Null when alone.
  std::function<absl::StatusOr<std::vector<std::string>>(const std::string& bytes)> gather;
};

// Videos a block: enough blocks for threads and processes, few enough files.
int64_t BlockSize(int64_t videos);

// `clips` x 3 views of every video, in the order of the list.  Shard 0 gets all of it, the others
// scores without videos.  `options.threads` blocks more than one are scored side by side;
// `options.progress` counts this shard's clips, of a total that it sets.
//
// FailedPrecondition: the folder holds blocks of another test (names the line that differs).
// Cancelled says what was kept.  DataLoss when no video at all decodes.  Internal names a video whose
// scores are NaN or infinite.
absl::StatusOr<TestScores> ScoreTest(Network* network, const std::vector<data::Video>& videos,
                                     data::FrameStore* frames, int clips,
                                     const ScoringOptions& options, const ScoringRun& run,
                                     ActivitySeconds* seconds);

// Takes the folder of blocks away, once the whole is safe.
void RemoveParts(const ScoringRun& run);

}  // namespace op3d

#endif  // OP3D_EVAL_SCORING_RUN_H_
