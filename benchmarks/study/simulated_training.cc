#include "benchmarks/study/simulated_training.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/status_macros.h"
#include "op3d/train/settings/schedule.h"

namespace op3d::benchmarks {
namespace {

// The best epoch is searched among these; every peak is earlier.
constexpr int kEpochs = 200;

// Of AnnealedTraining: fitted values, see docs/measurements.md.
constexpr double kChance = 1.0 / 9, kBaseRate = 0.04, kBaseFrames = 32;
constexpr double kSteepness = 1.9, kPace = 5.3, kFramesPower = 0.72, kRatePower = 0.29;
// The difference of the ceiling to 1 for 16 frames; with twice the frames it is divided by 2 to
// this power.
constexpr double kGap = 0.21, kGapPower = 1.1;
constexpr double kFloorPower = 1.1, kScatterPower = 0.6;
// Correlation of the luck before and after a state.
constexpr double kInherited = 0.9;
// The share of a measurement's variance that is independent of other measurements on the same
// videos.
constexpr double kOwnVariance = 0.5;
// The number of steps per epoch for which a state's rate is computed.
constexpr int kStepsPerEpoch = 16;

// The rank of `value` among the different values of all states, from 0.
template <typename Value>
int RankAmong(const TransitionGraph& graph, double value, Value value_of) {
  std::vector<double> smaller;
  for (const StateSettings& state : graph.states()) {
    if (value_of(state) < value) smaller.push_back(value_of(state));
  }
  std::sort(smaller.begin(), smaller.end());
  return static_cast<int>(std::unique(smaller.begin(), smaller.end()) - smaller.begin());
}

void Walk(const SimulatedTraining& world, int node, const SimulatedWeights& weights,
          std::vector<int>* trained, BestWay* best) {
  const planner::GraphIndex& index = world.index();
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

SimulatedTraining::SimulatedTraining(const TransitionGraph& graph, const planner::GraphIndex& index,
                                     uint64_t seed, const SimulatedOptions& options)
    : graph_(graph), index_(index), seed_(seed), options_(options) {
  std::vector<double> ceilings = {0};
  for (int node = 1; node < index.nodes; ++node) {
    const StateSettings& state = graph.states(node - 1);
    RandomStream stream(seed, "world.state", {node});
    const int length =
        RankAmong(graph, planner::FramesPerClip(state),
                  [](const StateSettings& other) { return planner::FramesPerClip(other); });
    const int rate = RankAmong(graph, -state.learning_rate(),
                               [](const StateSettings& other) { return -other.learning_rate(); });
    ceilings.push_back(0.55 + 0.05 * length + 0.02 * rate + 0.02 * stream.Gaussian());
  }
  for (const planner::GraphIndex::Edge& ends : index.edges) {
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
  // The fall is chosen so that the slope is 0 at the peak.
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
  return planner::FramesPerClip(graph_.states(index_.edges[edge].to - 1));
}

BestWay FindBestWay(const SimulatedTraining& world) {
  BestWay best;
  std::vector<int> trained;
  Walk(world, 0, SimulatedWeights(), &trained, &best);
  return best;
}

AnnealedTraining::AnnealedTraining(uint64_t seed, const AnnealedOptions& options)
    : seed_(seed), options_(options) {
  RandomStream stream(seed, "world.annealed", {});
  gap_ = kGap * std::exp(0.3 * stream.Gaussian());
  uniform_ = std::exp(0.3 * stream.Gaussian());
  pace_ = kPace * std::exp(0.25 * stream.Gaussian());
  best_rate_ = stream.Uniform(-1, 0);
}

absl::StatusOr<AnnealedWeights> AnnealedTraining::After(const AnnealedWeights& source,
                                                        const StateSettings& state, int epochs,
                                                        int epoch, uint64_t training) const {
  if (epoch == 0) return source;
  ScheduleSpan span;
  span.epochs = epochs;
  span.steps_per_epoch = kStepsPerEpoch;
  OP3D_ASSIGN_OR_RETURN(const Schedule schedule,
                        Schedule::Make(state.schedule(), state.learning_rate(), span));
  AnnealedWeights weights = source;
  const double clip = std::pow(planner::FramesPerClip(state) / kBaseFrames, kFramesPower);
  for (int64_t step = 0; step < int64_t{epoch} * kStepsPerEpoch; ++step) {
    weights.rate = schedule.Rate(step);
    weights.highest_rate = std::max(weights.highest_rate, weights.rate);
    weights.age += clip * std::pow(weights.rate / kBaseRate, kRatePower) / kStepsPerEpoch;
  }
  weights.epoch = epoch;
  weights.history = Fnv1a64(absl::StrCat(source.history, " ", state.segments() > 1, " ",
                                         planner::FramesPerClip(state), " ", state.learning_rate(),
                                         " ", state.schedule().kind_case(), " ", training));
  RandomStream stream(seed_, "world.luck", {static_cast<int64_t>(weights.history)});
  const double drawn = options_.spread * stream.Gaussian();
  weights.luck = source.history == 0
                     ? drawn
                     : kInherited * source.luck + std::sqrt(1 - kInherited * kInherited) * drawn;
  return weights;
}

double AnnealedTraining::Progress(const AnnealedWeights& weights) const {
  if (weights.age <= 0) return 0;
  return 1 / (1 + std::pow(pace_ / weights.age, kSteepness));
}

double AnnealedTraining::Annealed(const AnnealedWeights& weights,
                                  const StateSettings& state) const {
  const double progress = Progress(weights);
  if (progress == 0) return kChance;
  const double gap = gap_ * std::pow(planner::FramesPerClip(state) / 16.0, -kGapPower) *
                     (state.segments() > 1 ? uniform_ : 1);
  const double off = std::log(weights.highest_rate / kBaseRate) / std::log(4) - best_rate_;
  const double ceiling = std::min(1 - gap - options_.rate_price * off * off + weights.luck, 1.0);
  return kChance + (ceiling - kChance) * progress;
}

double AnnealedTraining::Score(const AnnealedWeights& weights, const StateSettings& state,
                               bool merged) const {
  const double rate = weights.rate / kBaseRate;
  RandomStream stream(seed_, "world.scatter",
                      {static_cast<int64_t>(weights.history), weights.epoch, merged});
  const double missing = options_.floor * std::pow(rate, kFloorPower) +
                         options_.scatter * std::pow(rate, kScatterPower) * stream.Gaussian();
  const double share = merged ? 1 - options_.recovered : 1;
  return std::clamp(Annealed(weights, state) - share * missing * Progress(weights), 0.0, 1.0);
}

double AnnealedTraining::Noise(double performance) const {
  if (options_.held_out_videos == 0) return 0;
  return std::sqrt(kOwnVariance * performance * (1 - performance) / options_.held_out_videos);
}

double AnnealedTraining::Measure(const AnnealedWeights& weights, const StateSettings& state,
                                 bool merged, uint64_t draw) const {
  const double score = Score(weights, state, merged);
  RandomStream stream(draw, "world.measure",
                      {static_cast<int64_t>(seed_), static_cast<int64_t>(weights.history),
                       weights.epoch, planner::FramesPerClip(state), state.segments() > 1, merged});
  return std::clamp(score + Noise(score) * stream.Gaussian(), 0.0, 1.0);
}

}  // namespace op3d::benchmarks
