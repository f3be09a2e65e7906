// Ways to look for a plan in a SimulatedTraining: the planner's and what people do instead.
//
//   OP3D_ASSIGN_OR_RETURN(Found planned, PlanSearch(world, rule, draw));
//   Found lucky = RandomSearch(world, planned.frames, draw);
#ifndef OP3D_BENCHMARKS_STUDY_SEARCH_STRATEGIES_H_
#define OP3D_BENCHMARKS_STUDY_SEARCH_STRATEGIES_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/study/simulated_training.h"
#include "planner/graphs/plan.pb.h"

namespace op3d::benchmarks {

struct Found {
  // The true performance of the weights that were chosen.
  double value = 0;
  // Epochs x frames of a clip, and epochs, of all training that was done.
  int64_t frames = 0;
  int epochs = 0;
  // The edges they were trained on.
  std::vector<int> trained;
};

// All functions are thread-safe.  `draw` seeds the noise and every choice; `budget` is in frames.

// The planner's search, with the code that decides in a real one (SearchProgress): every edge once,
// dynamic programming.  Errors as SearchProgress.
absl::StatusOr<Found> PlanSearch(const SimulatedTraining& world, const StoppingRule& rule,
                                 uint64_t draw);

// Plans one after another, whole: a random way to a final state, 3 to 100 epochs in each state
// (logarithmically).  Of every state the best measured epoch is kept, and in the end the plan whose
// weights measured best.
Found RandomSearch(const SimulatedTraining& world, int64_t budget, uint64_t draw);

// The same plans, 27 at once: all are trained for a 27th of their length, the best third for a 9th,
// then a third, one to its end; again with others while the budget lasts.  (Jamieson and Talwalkar,
// 2016; Hyperband's most aggressive bracket.)
Found SuccessiveHalving(const SimulatedTraining& world, int64_t budget, uint64_t draw);

// 16 members trained side by side; after every 4 epochs the worst quarter goes on with the weights
// and the place of one of the best quarter, and takes a random edge from there; others that have
// not become better for 4 epochs take one with probability 1/2.  The weights that ever measured
// best.  (Jaderberg et al., 2017.)
Found PopulationBasedTraining(const SimulatedTraining& world, int64_t budget, uint64_t draw);

// What a way to plan ends with in an AnnealedTraining.
struct FoundModel {
  // The true performance of the model that is handed over.
  double value = 0;
  // Frames a video: of all training that was done, and of the model's own way.
  double frames = 0, model_frames = 0;
  int epochs = 0;
};

// The published search: two pools of the miniatures' rates, every edge once, single epochs
// measured; the better pool's plan is trained again and its last weights are the model.
// Performances that differ by less than `tie` standard deviations of a difference are equal, and
// the way of fewer frames wins; 0 = no ties.
absl::StatusOr<FoundModel> PublishedSearch(const AnnealedTraining& world, const StoppingRule& rule,
                                           double tie, uint64_t draw);

// The planned search: the wide graph in rounds, merged weights measured at the end of every edge;
// the best final state's weights are the model.  `tie` as above, between final states.  Errors as
// MakeWideGraph().
absl::StatusOr<FoundModel> WideSearch(const AnnealedTraining& world,
                                      const WideGraphSettings& settings, double tie, uint64_t draw);

// One schedule: `clip` at a rate of its own that falls in a straight line to 0, after a warm-up of
// an epoch.  The last weights are the model.
absl::StatusOr<FoundModel> FixedSchedule(const AnnealedTraining& world, const StateSettings& clip,
                                         double frames, uint64_t training);

// The best of nine: cs 16, cs 64 and us 8x4 at 0.04, a fourth and a sixteenth of it, with a ninth
// of `frames` each, chosen on the held-out videos.
absl::StatusOr<FoundModel> BestFixedSchedule(const AnnealedTraining& world, double frames,
                                             uint64_t draw);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_STUDY_SEARCH_STRATEGIES_H_
