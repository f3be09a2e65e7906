// How good plans are in made-up worlds, and what they cost.  StudyMethods(): the published and the
// planned method beside fixed schedules, where the learning rate has a price (AnnealedTraining).
// StudyPlanner(): the published method's stopping rules beside other ways to search, where the best
// plan is known (SimulatedTraining).
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
results::Svg DrawStudy(const PlannerStudy& study);

struct MethodStudyOptions {
  int worlds = 200;
  uint64_t seed = 1;
  int threads = 1;
  // Of every method but the published one, in frames a video; in (0, 100,000].
  double frames = 4608;
  AnnealedOptions annealed;
};

// One method, over all worlds.
struct MethodRow {
  std::string name;
  // Means, in frames a video: of all training, and of the model's own way.
  double frames = 0, model_frames = 0;
  // True performance of the model in points (hundredths): mean, its standard error, standard
  // deviation over worlds.
  double mean = 0, error = 0, deviation = 0;
  // Mean of the performance less that of the best of nine fixed schedules in the same world, its
  // standard error, and the share of worlds where it is above 0.
  double difference = 0, difference_error = 0, above = 0;
};

struct MethodStudy {
  MethodStudyOptions options;
  // The best of nine fixed schedules first.
  std::vector<MethodRow> rows;
};

// Clips and rates of planner/graphs/wide_miniature.textproto, the bounds of the miniatures.  The
// same for any number of threads.  Shows progress.  InvalidArgument for fewer than 2 worlds, frames
// that the wide graph cannot be made with, and numbers of `annealed` out of their range; Cancelled
// on a signal.
absl::StatusOr<MethodStudy> StudyMethods(const MethodStudyOptions& options);

// A table for a terminal.
std::string FormatMethods(const MethodStudy& study);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_STUDY_PLANNER_STUDY_H_
