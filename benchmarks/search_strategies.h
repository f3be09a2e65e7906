// Ways to look for a plan in a SimulatedTraining: the planner's and what people do instead.
//
//   OP3D_ASSIGN_OR_RETURN(Found planned, PlanSearch(world, rule, draw));
//   Found lucky = RandomSearch(world, planned.frames, draw);
#ifndef OP3D_BENCHMARKS_SEARCH_STRATEGIES_H_
#define OP3D_BENCHMARKS_SEARCH_STRATEGIES_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/simulated_training.h"
#include "planner/plan.pb.h"

namespace op3d {

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

}  // namespace op3d

#endif  // OP3D_BENCHMARKS_SEARCH_STRATEGIES_H_
