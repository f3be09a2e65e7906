// The search of a run: all pools, side by side, trained in this process.
#ifndef OP3D_BENCHMARKS_SEARCH_RUN_H_
#define OP3D_BENCHMARKS_SEARCH_RUN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/benchmark_data.h"
#include "benchmarks/curve_files.h"
#include "op3d/base/activity_seconds.h"
#include "op3d/base/run_folder.h"
#include "op3d/train/state_trainer.h"
#include "planner/plan.pb.h"
#include "results/settings.pb.h"

namespace op3d {

struct SearchRun {
  // In the order of the settings' pools, without those in which no final state was reached.
  std::vector<SearchOutcome> outcomes;
  ActivitySeconds seconds;
  // Knee estimates and dynamic programming.
  double fit_seconds = 0;
};

// Searches every pool on min(threads, pools) threads; the threads that are left load clips.  Each
// pool's journal and weights stand in `folder`: started again, the search goes on behind the last
// epoch it wrote down and ends equal.  Every edge's curve goes
// to `curves`, as search/<pool>/<edge>.  `job` has neither videos nor purpose yet.
absl::StatusOr<SearchRun> RunSearch(const BenchmarkSettings& settings, const BenchmarkData& data,
                                    TrainingJob job, int threads, RunFolder* folder,
                                    CurveFiles* curves);

// Of an edge that is being trained, the weights of so many epochs stay on the disk: those among
// which the rule nearly always finds the knee.
int KeptEpochs(const StoppingRule& rule);

// The pool whose plan has the highest value; the first among equals.
const Plan& BestPlan(const std::vector<SearchOutcome>& outcomes);

}  // namespace op3d

#endif  // OP3D_BENCHMARKS_SEARCH_RUN_H_
