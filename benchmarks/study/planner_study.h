// How good plans are in simulated worlds, and what they cost.  StudyMethods() compares the
// published and the planned method with fixed schedules, where the learning rate has a price
// (AnnealedTraining).  StudyPlanner() compares the published method's stopping rules with other
// ways to search, where the best plan is known (SimulatedTraining).
//
//   OP3D_ASSIGN_OR_RETURN(PlannerStudy study, StudyPlanner(options));
//   Print(FormatStudy(study));
#ifndef OP3D_BENCHMARKS_STUDY_PLANNER_STUDY_H_
#define OP3D_BENCHMARKS_STUDY_PLANNER_STUDY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/study/simulated_training.h"
#include "results/picture/svg.h"

namespace op3d::benchmarks {

struct StudyOptions {
  // The number of worlds; every method searches each world once.
  int worlds = 200;
  uint64_t seed = 1;
  int threads = 1;
  SimulatedOptions simulated;
};

// One method, over all worlds.
struct StudyRow {
  std::string name;
  // For a planner: its epochs and frames relative to the published rule in the same world, then the
  // mean over worlds.  For others the frames are equal.
  double epochs_share = 0;
  double frames_share = 0;
  // The difference of the true performance of the found weights to the best plan's, in points
  // (hundredths of the performance): mean, its standard error, median, 90 % quantile.
  double mean = 0, error = 0, median = 0, quantile90 = 0;
  // Mean of that difference minus the published rule's in the same world, and its standard
  // error: differences between worlds cancel.
  double difference = 0, difference_error = 0;
  // Share of worlds in which it trains the states of the best plan, and in which the difference is
  // at most a fifth of a point.
  double same_way = 0, within_fifth = 0;
};

struct PlannerStudy {
  StudyOptions options;
  // The first is the published rule.
  std::vector<StudyRow> rows;
};

// Uses the base graph of consecutive sampling, T = 10, bounds of 200 and 100 epochs.  The result is
// the same for any number of threads.  Shows progress.  InvalidArgument for fewer than 2 worlds;
// Cancelled on a signal.
absl::StatusOr<PlannerStudy> StudyPlanner(const StudyOptions& options);

// A table for a terminal.
std::string FormatStudy(const PlannerStudy& study);

// Difference to the best plan and cost of every method, one row each.
results::Svg DrawStudy(const PlannerStudy& study);

struct MethodStudyOptions {
  int worlds = 200;
  uint64_t seed = 1;
  int threads = 1;
  // Budget of every method except the published one, in frames per video; in (0, 100,000].
  double frames = 4608;
  AnnealedOptions annealed;
};

// One method, over all worlds.
struct MethodRow {
  std::string name;
  // Means, in frames per video: of all training, and of the model's own path.
  double frames = 0, model_frames = 0;
  // True performance of the model in points (hundredths): mean, its standard error, standard
  // deviation over worlds.
  double mean = 0, error = 0, deviation = 0;
  // Mean of the performance minus that of the best of nine fixed schedules in the same world, its
  // standard error, and the share of worlds in which it is above 0.
  double difference = 0, difference_error = 0, above = 0;
};

struct MethodStudy {
  MethodStudyOptions options;
  // The first is the best of nine fixed schedules.
  std::vector<MethodRow> rows;
};

// Uses clips and rates of planner/graphs/wide_miniature.textproto and the bounds of the miniatures.
// The result is the same for any number of threads.  Shows progress.  InvalidArgument for fewer
// than 2 worlds, frames with which the wide graph cannot be made, and numbers of `annealed` out of
// their range; Cancelled on a signal.
absl::StatusOr<MethodStudy> StudyMethods(const MethodStudyOptions& options);

// A table for a terminal.
std::string FormatMethods(const MethodStudy& study);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_STUDY_PLANNER_STUDY_H_
