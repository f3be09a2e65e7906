// A whole test in blocks of videos, over threads and processes, resumable.
//
//   ScoringRun run;
//   run.parts_folder = "scores.safetensors.parts";
//   run.settings = "network: dg_p3d_resnet50\nweights_crc32: 1234\n";
//   OP3D_ASSIGN_OR_RETURN(TestScores scores,
//                         ScoreTest(&network, videos, &frames, /*clips=*/10, options, run, &s));
//
// Every video is scored once and independently, so the result is the same to the bit for any number
// of threads and processes, and also if it was stopped and resumed.
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
  // Finished blocks are stored in it, one file each, and not scored again; empty: not stored.
  std::string parts_folder;
  // What the scores depend on, one "name: value" per line.  Blocks that were scored with another
  // text are refused.
  std::string settings;
  // The shard of this process: blocks shard, shard + shards, shard + 2 * shards, ...
  int shard = 0, shards = 1;
  // Returns every process's bytes, by shard; all processes call it equally often.  Null if alone.
  std::function<absl::StatusOr<std::vector<std::string>>(const std::string& bytes)> gather;
};

// Videos per block: enough blocks for threads and processes, and not too many files.
int64_t BlockSize(int64_t videos);

// `clips` x 3 views of every video, in the order of the list.  Shard 0 gets all of it, the others
// scores without videos.  Each of the scorers of ShareThreads() scores one block at a time;
// `options.progress` counts this shard's clips; the total is set here.
//
// FailedPrecondition: the folder holds blocks of another test (names the line that differs).
// Cancelled says what was kept.  DataLoss if no video at all decodes.  Internal names a video whose
// scores are NaN or infinite.
absl::StatusOr<TestScores> ScoreTest(Network* network, const std::vector<data::Video>& videos,
                                     data::FrameStore* frames, int clips,
                                     const ScoringOptions& options, const ScoringRun& run,
                                     ActivitySeconds* seconds);

// Removes the folder of blocks; call it once the result is stored.
void RemoveParts(const ScoringRun& run);

}  // namespace op3d

#endif  // OP3D_EVAL_SCORING_RUN_H_
