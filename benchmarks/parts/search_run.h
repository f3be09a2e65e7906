// The search of a run: all pools at the same time, trained in this process or in children.
#ifndef OP3D_BENCHMARKS_PARTS_SEARCH_RUN_H_
#define OP3D_BENCHMARKS_PARTS_SEARCH_RUN_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/parts/benchmark_data.h"
#include "benchmarks/parts/curve_files.h"
#include "op3d/base/activity_seconds.h"
#include "op3d/base/program/run_folder.h"
#include "op3d/train/state_trainer.h"
#include "planner/graphs/plan.pb.h"
#include "planner/runner/child_runner.h"
#include "results/record/settings.pb.h"

namespace op3d::benchmarks {

struct SearchRun {
  // In the order of the settings' pools, without those in which no final state was reached.
  std::vector<SearchOutcome> outcomes;
  ActivitySeconds seconds;
  // Time for knee estimates and dynamic programming.
  double fit_seconds = 0;
};

// The graphs to search, and the score.
struct SearchPlan {
  // One per pool, with different names.
  std::vector<TransitionGraph> graphs;
  ScoreSettings score;
  // Training videos; empty = the data's search_train.
  std::vector<data::Video> videos;
  // While an edge is trained, the weights of this many of its newest epochs stay on the disk; at
  // least 1.
  int kept_epochs = 1;
};

// The pools of the published method, with the paper's measure; and the wide graph of the planned
// one.  InvalidArgument if the settings have none.
absl::StatusOr<SearchPlan> PublishedSearch(const SearchSettings& settings);
absl::StatusOr<SearchPlan> PlannedSearch(const SearchSettings& settings);

// The folder of a pool's journal and weights in a run's folder.
std::string JournalFolder(const std::string& run_folder, const std::string& pool);

// Children that train the edges; without them this process does.
struct SearchChildren {
  // At once; 0 = none.
  int count = 0;
  // Those of child `job`, in [0, count), for a pool.
  std::function<planner::ChildRunnerOptions(const std::string& pool, int job)> options;
};

// Searches every pool, at the same time if there are enough threads, or children; further threads,
// or children, train other edges of the same pool.  Each pool's journal and weights are in JournalFolder(): if started
// again, the search resumes after the last epoch in the journal, with the same result.  `job` is
// made from `settings`, without videos, purpose and score.  Every edge's curve goes to
// `curves`, as search/<pool>/<edge>.
absl::StatusOr<SearchRun> RunSearch(const SearchPlan& plan, const BenchmarkSettings& settings,
                                    const BenchmarkData& data, TrainingJob job, int threads,
                                    const SearchChildren& children, RunFolder* folder,
                                    CurveFiles* curves);

// The job with which a search of `pool` trains.
TrainingJob SearchJob(const SearchPlan& plan, const std::string& pool, const BenchmarkData& data,
                      TrainingJob job);

// Frames that all edges of `outcomes` trained on, out of `videos` videos, counted by their area
// relative to `full_crop` pixels; and the frames per video, where every video counts in every
// epoch.
int64_t FramesOfSearch(const std::vector<SearchOutcome>& outcomes, size_t videos, int full_crop);
double FramesAVideo(const std::vector<SearchOutcome>& outcomes, int full_crop);

// The number of newest epochs of an edge in training whose weights stay on the disk: the rule's
// knee is nearly always among them.
int KeptEpochs(const StoppingRule& rule);

// The pool whose plan has the highest value; the first among equals.
const Plan& BestPlan(const std::vector<SearchOutcome>& outcomes);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_PARTS_SEARCH_RUN_H_
