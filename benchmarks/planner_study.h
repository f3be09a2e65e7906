// How good the planner's plans are in made-up worlds whose best plan is known, and what they cost,
// beside other ways to search at equal cost.
//
//   OP3D_ASSIGN_OR_RETURN(PlannerStudy study, StudyPlanner(options));
//   Print(FormatStudy(study));
#ifndef OP3D_BENCHMARKS_PLANNER_STUDY_H_
#define OP3D_BENCHMARKS_PLANNER_STUDY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/simulated_training.h"
#include "results/svg.h"

namespace op3d {

struct StudyOptions {
  // Worlds, each searched once in every way.
  int worlds = 200;
  uint64_t seed = 1;
  int threads = 1;
  SimulatedOptions simulated;
};

// One way to search, over all worlds.
struct StudyRow {
  std::string name;
  // Of a planner: its trained epochs and frames, by those of the published rule, world by world
  // and then their mean.  Of the others the frames are equal.
  double epochs_share = 0;
  double frames_share = 0;
  // How far the found weights truly fall short of the best plan's, in points (hundredths of the
  // performance): mean, its standard error, median, 90 % quantile.
  double mean = 0, error = 0, median = 0, quantile90 = 0;
  // Mean of the shortfall less that of the published rule in the same world, and its standard
  // error: the worlds' own differences cancel.
  double difference = 0, difference_error = 0;
  // Share of worlds where the states it trains are those of the best plan, and where it falls short
  // by at most a fifth of a point.
  double same_way = 0, within_fifth = 0;
};

struct PlannerStudy {
  StudyOptions options;
  // The published rule first.
  std::vector<StudyRow> rows;
};

// The base graph of consecutive sampling, T = 10, bounds of 200 and 100 epochs.  The same for any
// number of threads.  Shows progress.  InvalidArgument for fewer than 2 worlds; Cancelled on a
// signal.
absl::StatusOr<PlannerStudy> StudyPlanner(const StudyOptions& options);

// A table for a terminal.
std::string FormatStudy(const PlannerStudy& study);

// Shortfall and cost of every way, a row each.
Svg DrawStudy(const PlannerStudy& study);

}  // namespace op3d

#endif  // OP3D_BENCHMARKS_PLANNER_STUDY_H_
