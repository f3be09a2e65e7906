// A made-up world to plan in: how good weights get in each state, in closed form.  For studies of
// planners, where thousands of searches must take minutes.
//
//   const SimulatedTraining world(graph, index, seed, SimulatedOptions());
//   double measured = world.Measure(edge, SimulatedWeights(), epoch, draw);
//
// Along an edge the performance rises from what the source's weights score in the new state towards
// a ceiling - that of the state, moved a little by the edge and by the whole way so far - and falls
// again behind a peak.  How fast, how far and where is drawn for every edge: longer clips and lower
// rates reach higher, the first edges take longest.
#ifndef OP3D_BENCHMARKS_SIMULATED_TRAINING_H_
#define OP3D_BENCHMARKS_SIMULATED_TRAINING_H_

#include <cstdint>
#include <vector>

#include "planner/plan.pb.h"
#include "planner/transition_graph.h"

namespace op3d {

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
  SimulatedTraining(const TransitionGraph& graph, const GraphIndex& index, uint64_t seed,
                    const SimulatedOptions& options);

  const TransitionGraph& graph() const { return graph_; }
  const GraphIndex& index() const { return index_; }

  // The performance after `epoch` epochs of the edge, from `source`; epoch 0 = before.
  double Truth(int edge, const SimulatedWeights& source, int epoch) const;
  // The same with noise, which hangs on all arguments.  At least 0.
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
  const GraphIndex& index_;
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

}  // namespace op3d

#endif  // OP3D_BENCHMARKS_SIMULATED_TRAINING_H_
