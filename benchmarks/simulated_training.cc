#include "benchmarks/simulated_training.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "op3d/base/random_stream.h"

namespace op3d {
namespace {

// Epochs among which the best one is looked for: beyond every peak.
constexpr int kEpochs = 200;

// The place of `value` among the different values of all states, from 0.
template <typename Value>
int RankAmong(const TransitionGraph& graph, double value, Value value_of) {
  std::vector<double> smaller;
  for (const State& state : graph.states()) {
    if (value_of(state) < value) smaller.push_back(value_of(state));
  }
  std::sort(smaller.begin(), smaller.end());
  return static_cast<int>(std::unique(smaller.begin(), smaller.end()) - smaller.begin());
}

void Walk(const SimulatedTraining& world, int node, const SimulatedWeights& weights,
          std::vector<int>* trained, BestWay* best) {
  const GraphIndex& index = world.index();
  for (size_t edge = 0; edge < index.edges.size(); ++edge) {
    if (index.edges[edge].from != node) continue;
    const int id = static_cast<int>(edge);
    int top = 0;
    for (int epoch = 1; epoch <= kEpochs; ++epoch) {
      if (world.Truth(id, weights, epoch) > world.Truth(id, weights, top)) top = epoch;
    }
    if (top > 0) trained->push_back(id);
    const int to = index.edges[edge].to;
    const double value = world.Truth(id, weights, top);
    const bool final = std::count(index.finals.begin(), index.finals.end(), to) > 0;
    if (final && value > best->value) *best = {value, *trained};
    Walk(world, to, world.After(id, weights, top), trained, best);
    if (top > 0) trained->pop_back();
  }
}

}  // namespace

SimulatedTraining::SimulatedTraining(const TransitionGraph& graph, const GraphIndex& index,
                                     uint64_t seed, const SimulatedOptions& options)
    : graph_(graph), index_(index), seed_(seed), options_(options) {
  std::vector<double> ceilings = {0};
  for (int node = 1; node < index.nodes; ++node) {
    const State& state = graph.states(node - 1);
    RandomStream stream(seed, "world.state", {node});
    const int length = RankAmong(graph, FramesPerClip(state),
                                 [](const State& other) { return FramesPerClip(other); });
    const int rate = RankAmong(graph, -state.learning_rate(),
                               [](const State& other) { return -other.learning_rate(); });
    ceilings.push_back(0.55 + 0.05 * length + 0.02 * rate + 0.02 * stream.Gaussian());
  }
  for (const GraphIndex::Edge& ends : index.edges) {
    RandomStream stream(seed, "world.edge", {ends.from, ends.to});
    const bool first = ends.from == 0;
    Edge edge;
    edge.ceiling = ceilings[ends.to] + 0.015 * stream.Gaussian();
    edge.drop = first ? 0 : stream.Uniform(0, 0.05);
    edge.share = first ? 1 : stream.Uniform(0.6, 1);
    edge.time = first ? stream.Uniform(8, 25) : stream.Uniform(2, 12);
    edge.peak = edge.time * stream.Uniform(1.5, 4);
    edges_.push_back(edge);
  }
}

double SimulatedTraining::Truth(int id, const SimulatedWeights& source, int epoch) const {
  const Edge& edge = edges_[id];
  RandomStream way(seed_, "world.way", {static_cast<int64_t>(source.history), id});
  const double start = source.quality * (1 - edge.drop);
  const double ceiling = edge.ceiling + options_.path_effect * way.Gaussian();
  const double rise = edge.share * std::max(0.0, ceiling - start);
  const double t = epoch, time = edge.time, peak = edge.peak;
  // The fall is such that the slope is 0 at the peak.
  if (options_.power_law) {
    const double slope = rise * 1.5 / time * std::pow(1 + peak / time, -2.5);
    return std::max(0.0, start + rise * (1 - std::pow(1 + t / time, -1.5)) - slope * t);
  }
  const double bend = rise / time * std::exp(-peak / time) / (2 * peak);
  return std::max(0.0, start + rise * (1 - std::exp(-t / time)) - bend * t * t);
}

double SimulatedTraining::Measure(int edge, const SimulatedWeights& source, int epoch,
                                  uint64_t draw) const {
  RandomStream noise(
      draw, "world.noise",
      {static_cast<int64_t>(seed_), edge, static_cast<int64_t>(source.history), epoch});
  return std::max(0.0, Truth(edge, source, epoch) + options_.noise * noise.Gaussian());
}

SimulatedWeights SimulatedTraining::After(int edge, const SimulatedWeights& source,
                                          int epoch) const {
  if (epoch == 0) return source;
  return {Truth(edge, source, epoch), Fnv1a64(absl::StrCat(source.history, " ", edge))};
}

int SimulatedTraining::Frames(int edge) const {
  return FramesPerClip(graph_.states(index_.edges[edge].to - 1));
}

BestWay FindBestWay(const SimulatedTraining& world) {
  BestWay best;
  std::vector<int> trained;
  Walk(world, 0, SimulatedWeights(), &trained, &best);
  return best;
}

}  // namespace op3d
