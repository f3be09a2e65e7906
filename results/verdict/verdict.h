// Whether plans win: the goals of the planner, computed from records whose rows have roles.
//
//   OP3D_ASSIGN_OR_RETURN(Verdict verdict, ComputeVerdict(records));
//   std::fputs(DescribeVerdict(verdict).c_str(), stdout);       // a sentence a goal
//
// Runs of one set, seed and list of test videos are compared in pairs: top-1 of the planned model
// minus that of a rival.  A set counts once, however many seeds and splits it has: first the mean
// over its runs, then the mean over sets.
#ifndef OP3D_RESULTS_VERDICT_VERDICT_H_
#define OP3D_RESULTS_VERDICT_VERDICT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "results/record/named_records.h"
#include "results/record/statistics.h"

namespace op3d::results {

// One set of videos with all its splits.  Differences are shares of top-1, the planned model minus
// the rival, as means over the set's runs.
struct SetVerdict {
  // "HMDB51 miniature".
  std::string name;
  // The number of pairs of split and seed, and of different seeds.
  int runs = 0, seeds = 0;
  // The difference to the best of the fixed schedules.
  double difference = 0;
  // Its standard error, from the videos and the seeds (MeanDifferenceVariance()).
  double error = 0;
  // difference / error.
  double z = 0;
  // Not set if a run of the set has no such row.
  std::optional<double> long_run;
  // The difference to the published method's model, or to its plan trained again if a record has no
  // such model, over the runs that have it; and the number of these runs.
  std::optional<double> published;
  int published_runs = 0;
  // All frames of the planned model divided by the frames of its plan, the mean over runs.
  double cost_ratio = 0;
  // All frames of the best fixed schedule divided by those of the planned model, the smallest over
  // the runs.
  double rival_frames = 0;
};

struct Verdict {
  // Sorted by name.
  std::vector<SetVerdict> sets;
  // The number of seeds of the set with the fewest.
  int seeds = 0;
  int runs = 0;
  double mean_difference = 0;
  ShareInterval interval;
  std::string interval_method;
  // The smallest z of a set, and the name of that set.
  double worst_set_z = 0;
  std::string worst_set;
  // Means over the sets that have them; not set if none does.
  std::optional<double> long_run_difference, published_difference;
  // The mean over sets, and the largest of a set.
  double cost_ratio = 0, largest_cost_ratio = 0;
  // What could not be compared, and why: "ucf101-7 (UCF101 miniature, seed 7): no row
  // PLANNED_MODEL"; records that were edited (record_check.h).
  std::vector<std::string> left_out;
};

// InvalidArgument if no run has both a planned model and a best fixed schedule, if two records
// contradict each other about the same row of one set, split and seed, or if two rows of a run were
// tested on different numbers of videos.
absl::StatusOr<Verdict> ComputeVerdict(absl::Span<const NamedRecord> records);

// One goal.
struct Goal {
  // For programs: "mean_difference".
  std::string key;
  // Not set if the records do not contain the necessary data.
  std::optional<bool> reached;
  // Without the leading "yes: " or "no: ".
  std::string sentence;
};
std::vector<Goal> JudgeGoals(const Verdict& verdict);

// A table of the sets, one sentence per goal with "yes" or "no" and by how much, and a summary.
std::string DescribeVerdict(const Verdict& verdict);

// One JSON object: `sets`, `seeds` (numbers), `mean_difference`, `interval`, `worst_set_z`,
// `cost_ratio`, `long_run_difference`, `published_difference` (null where unknown), `goals`,
// `by_set`, `left_out`.
std::string VerdictJson(const Verdict& verdict);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_VERDICT_VERDICT_H_
