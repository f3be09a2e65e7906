// Ways to find a plan in a SimulatedTraining: the planner's, and common alternatives.
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
  // The true performance of the chosen weights.
  double value = 0;
  // Epochs x frames of a clip, and epochs, of all training.
  int64_t frames = 0;
  int epochs = 0;
  // The edges on which they were trained.
  std::vector<int> trained;
};

// All functions are thread-safe.  `draw` seeds the noise and every choice; `budget` is in frames.

// The planner's search, using the code of a real one (SearchProgress): every edge once,
// dynamic programming.  Errors of SearchProgress.
absl::StatusOr<Found> PlanSearch(const SimulatedTraining& world, const StoppingRule& rule,
                                 uint64_t draw);

// Trains complete plans one after another: a random path to a final state, 3 to 100 epochs in each
// state (log-uniform).  In every state the best measured epoch is kept, and at the end the plan
// whose weights measured best.
Found RandomSearch(const SimulatedTraining& world, int64_t budget, uint64_t draw);

// The same plans, 27 at once: all are trained for a 27th of their length, the best third for a 9th,
// then a third of these for a third, one to its end; repeated with others within the budget.
// (Jamieson and Talwalkar, 2016; Hyperband's most aggressive bracket.)
Found SuccessiveHalving(const SimulatedTraining& world, int64_t budget, uint64_t draw);

// 16 members are trained in parallel.  After every 4 epochs the worst quarter continues with the
// weights and the state of one of the best quarter, and takes a random edge from there; others that
// have not improved for 4 epochs take one with probability 1/2.  Returns the weights with the best
// measurement of all.  (Jaderberg et al., 2017.)
Found PopulationBasedTraining(const SimulatedTraining& world, int64_t budget, uint64_t draw);

// The result of a planning method in an AnnealedTraining.
struct FoundModel {
  // The true performance of the final model.
  double value = 0;
  // Frames per video: of all training, and of the model's own path.
  double frames = 0, model_frames = 0;
  int epochs = 0;
};

// The published search: two pools of the miniatures' rates, every edge once, single epochs
// measured; the better pool's plan is trained again and its last weights are the model.
// Performances that differ by less than `tie` standard deviations of a difference are equal, and
// the path with fewer frames wins; 0 = no ties.
absl::StatusOr<FoundModel> PublishedSearch(const AnnealedTraining& world, const StoppingRule& rule,
                                           double tie, uint64_t draw);

// The planned search: the wide graph in rounds, merged weights measured at the end of every edge;
// the best final state's weights are the model.  `tie` as above, between final states.  Errors of
// MakeWideGraph().
absl::StatusOr<FoundModel> WideSearch(const AnnealedTraining& world,
                                      const WideGraphSettings& settings, double tie, uint64_t draw);

// One schedule: `clip` at its own rate, which falls linearly to 0 after a warm-up of
// one epoch.  The last weights are the model.
absl::StatusOr<FoundModel> FixedSchedule(const AnnealedTraining& world, const StateSettings& clip,
                                         double frames, uint64_t training);

// The best of nine: cs 16, cs 64 and us 8x4 at 0.04, a fourth and a sixteenth of it, each with a
// ninth of `frames`, chosen on the held-out videos.
absl::StatusOr<FoundModel> BestFixedSchedule(const AnnealedTraining& world, double frames,
                                             uint64_t draw);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_STUDY_SEARCH_STRATEGIES_H_
