// Trains one recipe from scratch, then tests it: the rows of a benchmark's table.
//
//   OP3D_ASSIGN_OR_RETURN(Plan plan, RecipePlan(recipe, searched_plan, /*full_crop=*/224));
//   RecipeRun run(recipe, plan, job, folder);
//   OP3D_RETURN_IF_ERROR(run.Train(on_epoch));
//   OP3D_ASSIGN_OR_RETURN(RecipeResult result, run.Test(evaluation, labels, threads));
//
// Both parts store their result in `folder`; a second call reads it from there.
#ifndef OP3D_BENCHMARKS_PARTS_RECIPE_H_
#define OP3D_BENCHMARKS_PARTS_RECIPE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmarks/parts/benchmark_data.h"
#include "op3d/base/activity_seconds.h"
#include "op3d/distributed/process_group.h"
#include "op3d/train/state_trainer.h"
#include "planner/graphs/plan.pb.h"
#include "results/record/run_record.pb.h"
#include "results/record/settings.pb.h"

namespace op3d::benchmarks {

// The states and epochs of a recipe: the plan itself; or the hand-tuned state for its own number of
// epochs, by default the number at which it sees as many frames (epochs x clip length) as `plan`,
// at least one; or the fixed state for its number of frames.  A frame counts by its area relative
// to `full_crop` pixels.  InvalidArgument for a recipe of no kind.
absl::StatusOr<Plan> RecipePlan(const RecipeSettings& recipe, const Plan& plan, int full_crop);

// The multigrid schedule (Wu et al. 2020, arXiv 1912.00998) that ends with `clip` and trains
// `frames` frames per video, counted by area: the long cycle of the authors' code.  At each of the
// learning rates x1, x1/10 and x1/100: clips of T/4 and T/2 frames at crop / sqrt 2, T/2 frames at
// the whole crop, and T frames at the whole crop, each for equally many steps; at x1/1000 only the
// last of these.  DG-P3D cannot use clips shorter than 16 frames, so these stay longer.  The
// smaller the clips, the more of them are in a step (8, 4, 2 and 1 times, by accumulation), with a
// learning rate in proportion, but at most half of `videos`.  The rate is warmed up over the first
// two thirds of the first state.  The short cycle (another crop from step to step) is left out.
Plan MultigridPlan(const StateSettings& clip, double frames, int full_crop, int64_t videos);

// Sets the number of epochs of a hand-tuned recipe without one to the nearest to `frames` frames
// per video, at least one.  Other recipes are not changed.
void SetFrames(double frames, int full_crop, RecipeSettings* recipe);

// Frames the network sees in `epochs` epochs over `videos` videos: clips that do not fill a step of
// the optimiser are left out, and a frame counts by its area relative to `full_crop` pixels.
int64_t FramesOf(const StateSettings& state, int epochs, size_t videos, int full_crop);

// The clips of a recipe's test: those of `plan`'s last state, with the recipe's test_segments if
// that state samples uniformly.  `plan` must have a step.
StateSettings TestState(const RecipeSettings& recipe, const Plan& plan);

// Stores in `card` how `recipe` tests weights of `plan`, and which plan that is.
void DescribeTest(const RecipeSettings& recipe, const Plan& plan, ModelCard* card);

// Whether the first of several processes finds the file; all get the same answer, also where a
// shared folder shows new files late.  `group` may be null.
absl::StatusOr<bool> FirstFinds(const std::string& path, ProcessGroup* group);

// Not thread-safe; several recipes may run at once.  With several processes (TrainingJob.group) all
// call the same functions; the first writes the files and gets the result of the test.
class RecipeRun {
 public:
  // `plan` is the result of RecipePlan().  `job.purpose` names the streams ("recipe.planned").
  // With `held_out`, the trained network is measured on these videos by the job's score; they must
  // outlive the run.
  RecipeRun(const RecipeSettings& recipe, const Plan& plan, const TrainingJob& job,
            const std::string& folder, const std::vector<data::Video>* held_out = nullptr);

  // Trains all states in order, each from the weights of the previous one with a new optimiser.
  // Calls `on_epoch(epochs done, total, loss)` after each; the loss is 0 for epochs that an earlier
  // process has trained.  A training that fails by itself (training_failure.h) is stored too: the
  // second call returns the same marked error without training again.
  absl::Status Train(const std::function<void(int, int, double)>& on_epoch);

  // Why the training failed by itself, as Train() has stored it; "" = it did not.
  absl::StatusOr<std::string> Failure() const;

  // The training, finished or failed, as one of several from which a row's model is chosen.
  absl::StatusOr<RecipeResult::Candidate> AsCandidate() const;

  // Instead of training: uses a finished model from the file `weights`; `facts` is the rest of its
  // row in the record, besides name, title and plan.
  absl::Status Take(const std::string& weights, const RecipeResult& facts);

  // The result of Train() or Take(), without a test.
  absl::StatusOr<RecipeResult> Trained() const;

  // Scores the evaluation list with `threads` threads and clips of TestState(), and with several
  // processes each its share; Train() must have succeeded.  Finished blocks of videos are kept, so
  // that a stopped test resumes.  FailedPrecondition if what is stored is of other videos.
  absl::StatusOr<RecipeResult> Test(const std::vector<data::Video>& videos,
                                    const TestLabels& labels, int threads);

  const RecipeSettings& recipe() const { return recipe_; }
  const ActivitySeconds& seconds() const { return seconds_; }
  int total_epochs() const;
  // The scores that Test() wrote: safetensors with `scores` [videos, views, classes] (mean of the
  // heads), `heads` [heads, videos, classes] (mean of the views) and `labels` [videos].
  std::string ScoresPath() const;
  // A safetensors file that exists after Train() or Take().
  std::string WeightsPath() const;

 private:
  absl::Status TrainStates(const std::function<void(int, int, double)>& on_epoch);
  std::string FailurePath() const;
  std::string StateFolder(int step) const;

  const RecipeSettings recipe_;
  const Plan plan_;
  const TrainingJob job_;
  const std::string folder_;
  const std::vector<data::Video>* const held_out_;
  ActivitySeconds seconds_;
};

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_PARTS_RECIPE_H_
