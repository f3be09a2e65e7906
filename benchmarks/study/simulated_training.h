// A made-up world to plan in: how good weights get in each state, in closed form.  For studies of
// planners, where thousands of searches must take minutes.
//
//   const SimulatedTraining world(graph, index, seed, SimulatedOptions());
//   double measured = world.Measure(edge, SimulatedWeights(), epoch, draw);
//
// Along an edge the performance rises from what the source's weights score in the new state towards
// a ceiling - that of the state, moved a little by the edge and by the whole way so far - and falls
// again after a peak.  How fast, how far and where is drawn for every edge: longer clips and lower
// rates reach higher, the first edges take longest.
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
  // Of a ceiling, by the way that led to its state: where it is 0, dynamic programming is exact.
  double path_effect = 0.003;
  // Rises as (1 + t / time)^-1.5 and falls in a straight line: not of the family that is fitted.
  bool power_law = false;
};

// Weights, as far as the simulation knows them; as made, the initial ones.
struct SimulatedWeights {
  // The performance in the state they were trained in.
  double quality = 0;
  // Of the edges they were trained on.
  uint64_t history = 0;
};

// Thread-safe once made.
class SimulatedTraining {
 public:
  // `graph` and `index` of each other; both must outlive it.
  SimulatedTraining(const TransitionGraph& graph, const planner::GraphIndex& index, uint64_t seed,
                    const SimulatedOptions& options);

  const TransitionGraph& graph() const { return graph_; }
  const planner::GraphIndex& index() const { return index_; }

  // The performance after `epoch` epochs of the edge, from `source`; epoch 0 = before.
  double Truth(int edge, const SimulatedWeights& source, int epoch) const;
  // The same with noise, which depends on all arguments.  At least 0.
  double Measure(int edge, const SimulatedWeights& source, int epoch, uint64_t draw) const;
  // What is kept; after 0 epochs `source`.
  SimulatedWeights After(int edge, const SimulatedWeights& source, int epoch) const;
  // Of a clip of the edge's state.
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

// The way to a final state that is truly best, each edge kept at its truly best epoch, by trying
// all ways.
struct BestWay {
  double value = 0;
  // Edges with at least one epoch.
  std::vector<int> trained;
};
BestWay FindBestWay(const SimulatedTraining& world);

// A made-up world in which the learning rate has a price: weights trained at a constant rate score
// less than the same weights would after annealing.
//
//   const AnnealedTraining world(seed, AnnealedOptions());
//   AnnealedWeights weights = world.After(AnnealedWeights(), state, 20, 20, training);
//   double product = world.Score(weights, state, /*merged=*/true);
//   double measured = world.Measure(weights, state, /*merged=*/true, draw);
//
// With g(u) = 1 / (1 + (pace / u)^1.9), u the epochs of 32 frames that the weights have seen, each
// counted as (frames / 32)^0.72 (rate / 0.04)^0.29, they would score after annealing
//   A = chance + (ceiling of the clip - price of the highest rate so far + luck - chance) g(u)
// and without it
//   A - g(u) (floor (rate / 0.04)^1.1 + scatter (rate / 0.04)^0.6 z),  z Gaussian, of each epoch,
// where `rate` is that of the last step.  Of merged weights (the mean of the last epochs) only
// 1 - recovered of that is missing.  What was measured is a score with the noise of the held-out
// videos.  What the numbers come from stands in planner/README.md.
//
// The ceiling is 1 - gap (frames / 16)^-1.1, at most 1 with luck.  A world draws its gaps of cs and
// us, its best rate and its pace; clips of one kind (cs or us) and length are the same clip in
// every graph.  Nothing overfits here: more epochs never hurt.
struct AnnealedOptions {
  // How far a single epoch's weights lie below the annealed ones at a rate of 0.04: the mean, and
  // from epoch to epoch the standard deviation.
  double floor = 0.08;
  double scatter = 0.053;
  // The share of both that merging gives back, in [0, 1].
  double recovered = 0.85;
  // What the highest rate costs at a fourth of the world's best one or four times it.
  double rate_price = 0.09;
  // Standard deviation between trainings of one plan.
  double spread = 0.025;
  // Videos that a measurement is made on; 0 = no noise.
  int held_out_videos = 180;
};

// Weights, as far as the simulation knows them; as made, the initial ones.
struct AnnealedWeights {
  // u above.
  double age = 0;
  double luck = 0;
  // The highest rate so far, and that of the last step.
  double highest_rate = 0, rate = 0;
  // Of the states they were trained in, and epochs in the last one.
  uint64_t history = 0;
  int epoch = 0;
};

// Thread-safe once made.
class AnnealedTraining {
 public:
  AnnealedTraining(uint64_t seed, const AnnealedOptions& options);

  // The weights after `epoch` of the `epochs` epochs in `state`, from `source`; after 0 epochs
  // `source`.  `training` tells trainings of one plan apart.  0 <= epoch <= epochs; errors as
  // Schedule::Make().
  absl::StatusOr<AnnealedWeights> After(const AnnealedWeights& source, const StateSettings& state,
                                        int epochs, int epoch, uint64_t training) const;
  // A: what they would score in the state's clip after annealing.
  double Annealed(const AnnealedWeights& weights, const StateSettings& state) const;
  // What they truly score in the state's clip.
  double Score(const AnnealedWeights& weights, const StateSettings& state, bool merged) const;
  double Measure(const AnnealedWeights& weights, const StateSettings& state, bool merged,
                 uint64_t draw) const;
  // The standard deviation of a measured performance.
  double Noise(double performance) const;

 private:
  double Progress(const AnnealedWeights& weights) const;

  const uint64_t seed_;
  const AnnealedOptions options_;
  // How far the ceiling of 16 frames of cs lies below 1, and that of us by that of cs.
  double gap_, uniform_;
  double pace_;
  // log4(rate / 0.04) that costs nothing.
  double best_rate_;
};

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_STUDY_SIMULATED_TRAINING_H_
