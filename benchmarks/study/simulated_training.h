// A simulated world: the performance of weights in each state, in closed form.  For studies of
// planners, where thousands of searches must take minutes.
//
//   const SimulatedTraining world(graph, index, seed, SimulatedOptions());
//   double measured = world.Measure(edge, SimulatedWeights(), epoch, draw);
//
// Along an edge the performance rises from the score of the source's weights in the new state
// towards a ceiling, which is the state's, changed a little by the edge and by the whole path so
// far, and falls again after a peak.  Speed, height and peak are drawn for every edge: longer clips
// and lower rates reach higher values, the first edges take longest.
#ifndef OP3D_BENCHMARKS_STUDY_SIMULATED_TRAINING_H_
#define OP3D_BENCHMARKS_STUDY_SIMULATED_TRAINING_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "op3d/train/settings/state.pb.h"
#include "planner/graphs/plan.pb.h"
#include "planner/graphs/transition_graph.h"

namespace op3d::benchmarks {

struct SimulatedOptions {
  // Standard deviation of a measured performance; 0.004 is that of 10,000 videos at 0.8.
  double noise = 0.004;
  // Standard deviation of a ceiling over the paths to its state: with 0, dynamic programming is
  // exact.
  double path_effect = 0.003;
  // Rises as (1 + t / time)^-1.5 and falls linearly: not in the family that is fitted.
  bool power_law = false;
};

// Weights in the simulation; by default the initial ones.
struct SimulatedWeights {
  // The performance in the state they were trained in.
  double quality = 0;
  // A hash of the edges they were trained on.
  uint64_t history = 0;
};

// Thread-safe after construction.
class SimulatedTraining {
 public:
  // `index` must be that of `graph`; both must outlive it.
  SimulatedTraining(const TransitionGraph& graph, const planner::GraphIndex& index, uint64_t seed,
                    const SimulatedOptions& options);

  const TransitionGraph& graph() const { return graph_; }
  const planner::GraphIndex& index() const { return index_; }

  // The performance after `epoch` epochs of the edge, starting from `source`; epoch 0 = before.
  double Truth(int edge, const SimulatedWeights& source, int epoch) const;
  // The same with noise, which depends on all arguments.  At least 0.
  double Measure(int edge, const SimulatedWeights& source, int epoch, uint64_t draw) const;
  // The weights after `epoch` epochs; after 0 epochs `source`.
  SimulatedWeights After(int edge, const SimulatedWeights& source, int epoch) const;
  // Frames of a clip of the edge's state.
  int Frames(int edge) const;

 private:
  struct Edge {
    double ceiling, drop, share, time, peak;
  };

  const TransitionGraph& graph_;
  const planner::GraphIndex& index_;
  const uint64_t seed_;
  const SimulatedOptions options_;
  std::vector<Edge> edges_;
};

// The truly best path to a final state, each edge kept at its truly best epoch, found by trying
// all paths.
struct BestWay {
  double value = 0;
  // Edges with at least one epoch.
  std::vector<int> trained;
};
BestWay FindBestWay(const SimulatedTraining& world);

// A simulated world in which the learning rate has a price: weights trained at a constant rate
// score less than the same weights would after annealing.
//
//   const AnnealedTraining world(seed, AnnealedOptions());
//   AnnealedWeights weights = world.After(AnnealedWeights(), state, 20, 20, training);
//   double product = world.Score(weights, state, /*merged=*/true);
//   double measured = world.Measure(weights, state, /*merged=*/true, draw);
//
// Let u be the epochs of 32 frames that the weights have seen, each counted as
// (frames / 32)^0.72 (rate / 0.04)^0.29, and g(u) = 1 / (1 + (pace / u)^1.9).  The score after
// annealing would be
//   A = chance + (ceiling of the clip - price of the highest rate so far + luck - chance) g(u)
// and without annealing it is
//   A - g(u) (floor (rate / 0.04)^1.1 + scatter (rate / 0.04)^0.6 z),  z Gaussian for each epoch,
// where `rate` is that of the last step.  For merged weights (the mean of the last epochs) only
// 1 - recovered of that is missing.  A measurement is a score with the noise of the held-out
// videos.  docs/measurements.md says where the numbers come from.
//
// The ceiling is 1 - gap (frames / 16)^-1.1, at most 1 with luck.  A world draws its gaps for cs
// and us, its best rate and its pace; clips of one kind (cs or us) and length are the same clip in
// every graph.  Nothing overfits here: more epochs never hurt.
struct AnnealedOptions {
  // The difference of a single epoch's weights to the annealed ones at a rate of 0.04: the mean,
  // and the standard deviation from epoch to epoch.
  double floor = 0.08;
  double scatter = 0.053;
  // The share of both that merging recovers, in [0, 1].
  double recovered = 0.85;
  // The cost of the highest rate at a fourth of the world's best one, or at four times it.
  double rate_price = 0.09;
  // Standard deviation between trainings of one plan.
  double spread = 0.025;
  // The number of videos of a measurement; 0 = no noise.
  int held_out_videos = 180;
};

// Weights in the simulation; by default the initial ones.
struct AnnealedWeights {
  // u above.
  double age = 0;
  double luck = 0;
  // The highest rate so far, and that of the last step.
  double highest_rate = 0, rate = 0;
  // A hash of the states they were trained in, and the epochs in the last one.
  uint64_t history = 0;
  int epoch = 0;
};

// Thread-safe after construction.
class AnnealedTraining {
 public:
  AnnealedTraining(uint64_t seed, const AnnealedOptions& options);

  // The weights after `epoch` of the `epochs` epochs in `state`, starting from `source`; after 0
  // epochs `source`.  `training` distinguishes trainings of one plan.  0 <= epoch <= epochs; errors
  // of Schedule::Make().
  absl::StatusOr<AnnealedWeights> After(const AnnealedWeights& source, const StateSettings& state,
                                        int epochs, int epoch, uint64_t training) const;
  // A: their score in the state's clip after annealing.
  double Annealed(const AnnealedWeights& weights, const StateSettings& state) const;
  // Their true score in the state's clip.
  double Score(const AnnealedWeights& weights, const StateSettings& state, bool merged) const;
  double Measure(const AnnealedWeights& weights, const StateSettings& state, bool merged,
                 uint64_t draw) const;
  // The standard deviation of a measured performance.
  double Noise(double performance) const;

 private:
  double Progress(const AnnealedWeights& weights) const;

  const uint64_t seed_;
  const AnnealedOptions options_;
  // 1 minus the ceiling of 16 frames of cs, and the same for us relative to cs.
  double gap_, uniform_;
  double pace_;
  // log4(rate / 0.04) of the rate without cost.
  double best_rate_;
};

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_STUDY_SIMULATED_TRAINING_H_
