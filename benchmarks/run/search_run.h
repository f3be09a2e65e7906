// The search of a run: all pools, side by side, trained in this process.
#ifndef OP3D_BENCHMARKS_RUN_SEARCH_RUN_H_
#define OP3D_BENCHMARKS_RUN_SEARCH_RUN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/run/benchmark_data.h"
#include "benchmarks/run/curve_files.h"
#include "op3d/base/activity_seconds.h"
#include "op3d/base/program/run_folder.h"
#include "op3d/train/state_trainer.h"
#include "planner/graphs/plan.pb.h"
#include "results/record/settings.pb.h"

namespace op3d::benchmarks {

struct SearchRun {
  // In the order of the settings' pools, without those in which no final state was reached.
  std::vector<SearchOutcome> outcomes;
  ActivitySeconds seconds;
  // Knee estimates and dynamic programming.
  double fit_seconds = 0;
};

// What is searched, and by which score.
struct SearchPlan {
  // One a pool, with names of their own.
  std::vector<TransitionGraph> graphs;
  ScoreSettings score;
  // Trained on; empty = the data's search_train.
  std::vector<data::Video> videos;
  // While an edge is trained, the weights of this number of its newest epochs stay on the disk; at
  // least 1.
  int kept_epochs = 1;
};

// The pools of the published method, as the paper measures; and the wide graph of the planned one.
// InvalidArgument where the settings have none.
absl::StatusOr<SearchPlan> PublishedSearch(const SearchSettings& settings);
absl::StatusOr<SearchPlan> PlannedSearch(const SearchSettings& settings);

// The folder of a pool's journal and weights in a run.
std::string JournalFolder(const RunFolder& folder, const std::string& pool);

// Searches every pool, side by side as far as there are threads; threads that are left train other
// edges of the same pool.  Each pool's journal and weights stand in JournalFolder(): started again,
// the search goes on after the last epoch it wrote down and ends equal.  `job` is made of
// `settings`.  Every edge's curve goes to
// `curves`, as search/<pool>/<edge>.  `job` has neither videos nor purpose nor score yet.
absl::StatusOr<SearchRun> RunSearch(const SearchPlan& plan, const BenchmarkSettings& settings,
                                    const BenchmarkData& data, TrainingJob job, int threads,
                                    RunFolder* folder, CurveFiles* curves);

// The job that a search of `pool` trains with.
TrainingJob SearchJob(const SearchPlan& plan, const std::string& pool, const BenchmarkData& data,
                      TrainingJob job);

// Frames that all edges of `outcomes` trained on, of `videos` videos, counted by their area beside
// frames of `full_crop` pixels; and in frames a video, where every video counts with every epoch.
int64_t FramesOfSearch(const std::vector<SearchOutcome>& outcomes, size_t videos, int full_crop);
double FramesAVideo(const std::vector<SearchOutcome>& outcomes, int full_crop);

// Of an edge that is being trained, the number of epochs whose weights stay on the disk: those among
// which the rule nearly always finds the knee.
int KeptEpochs(const StoppingRule& rule);

// The pool whose plan has the highest value; the first among equals.
const Plan& BestPlan(const std::vector<SearchOutcome>& outcomes);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_RUN_SEARCH_RUN_H_
