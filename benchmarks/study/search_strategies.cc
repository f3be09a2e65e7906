#include "benchmarks/study/search_strategies.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "op3d/base/random_stream.h"
#include "op3d/base/status_macros.h"
#include "planner/graphs/pool.h"
#include "planner/graphs/wide_graph.h"
#include "planner/knee/stopping_rule.h"
#include "planner/search/dynamic_programming.h"
#include "planner/search/search_progress.h"

namespace op3d::benchmarks {
namespace {

std::vector<int> EdgesFrom(const planner::GraphIndex& index, int node) {
  std::vector<int> edges;
  for (size_t edge = 0; edge < index.edges.size(); ++edge) {
    if (index.edges[edge].from == node) edges.push_back(static_cast<int>(edge));
  }
  return edges;
}

int RandomOf(const std::vector<int>& edges, RandomStream* stream) {
  return edges[static_cast<size_t>(stream->UniformInt(static_cast<int64_t>(edges.size())))];
}

// A random plan that is trained in parts.
class Training {
 public:
  struct Step {
    int edge;
    int epochs;
  };

  Training(const SimulatedTraining& world, RandomStream* stream, uint64_t draw)
      : world_(&world), draw_(draw) {
    std::vector<int> ways = EdgesFrom(world.index(), 0);
    while (!ways.empty()) {
      const int edge = RandomOf(ways, stream);
      const int epochs =
          static_cast<int>(std::lround(std::exp(stream->Uniform(std::log(3), std::log(100)))));
      plan_.push_back({edge, epochs});
      total_ += int64_t{epochs} * world.Frames(edge);
      ways = EdgesFrom(world.index(), world.index().edges[edge].to);
    }
  }

  // Frames of the whole plan.
  int64_t total() const { return total_; }
  // The measured and the true performance of the best epoch in the current state.
  double measured() const { return measured_; }
  const Found& found() const { return found_; }

  // Trains until `frames` frames are trained, or it is finished.
  void TrainTo(int64_t frames) {
    while (step_ < plan_.size() && found_.frames < frames) {
      const Step& step = plan_[step_];
      ++epoch_;
      found_.frames += world_->Frames(step.edge);
      ++found_.epochs;
      const double measured = world_->Measure(step.edge, source_, epoch_, draw_);
      if (epoch_ == 1 || measured > measured_) {
        measured_ = measured;
        found_.value = world_->Truth(step.edge, source_, epoch_);
        kept_ = epoch_;
      }
      if (epoch_ == 1) found_.trained.push_back(step.edge);
      if (epoch_ < step.epochs) continue;
      source_ = world_->After(step.edge, source_, kept_);
      epoch_ = 0;
      ++step_;
    }
  }

 private:
  const SimulatedTraining* world_;
  uint64_t draw_;
  std::vector<Step> plan_;
  int64_t total_ = 0;
  size_t step_ = 0;
  int epoch_ = 0, kept_ = 0;
  SimulatedWeights source_;
  double measured_ = 0;
  Found found_;
};

// The best of several trainings, with the cost of all.
class Best {
 public:
  void Spend(const Found& found) {
    best_.frames += found.frames;
    best_.epochs += found.epochs;
  }
  void Offer(double measured, const Found& found) {
    if (measured <= measured_) return;
    measured_ = measured;
    best_.value = found.value;
    best_.trained = found.trained;
  }
  const Found& found() const { return best_; }

 private:
  double measured_ = -1;
  Found best_;
};

struct Member {
  int edge = 0;
  int epoch = 0;
  SimulatedWeights source;
  double measured = 0, before = 0;
  std::vector<int> trained;
};

void TakeEdge(const SimulatedTraining& world, RandomStream* stream, Member* member) {
  const auto ways = EdgesFrom(world.index(), world.index().edges[member->edge].to);
  if (ways.empty()) return;  // a final state: it goes on where it is
  member->source = world.After(member->edge, member->source, member->epoch);
  member->edge = RandomOf(ways, stream);
  member->epoch = 0;
  member->trained.push_back(member->edge);
}

// How a search in a simulated world trains.  `way` is the edge from whose weights it starts.
struct EdgeTraining {
  std::function<absl::StatusOr<CurvePoint>(int edge, int way, int epoch)> point;
  std::function<absl::Status(int edge, int way, int epochs)> keep;
};

// The loop of Search() without files.
absl::Status Drive(const EdgeTraining& training, planner::SearchProgress* progress) {
  for (int edge = progress->next_edge(); edge != planner::kNoEdge; edge = progress->next_edge()) {
    const Transition& transition = progress->graph().transitions(edge);
    const int way = planner::KeptEdge(progress->index(), progress->scores(),
                                      progress->index().edges[edge].from);
    planner::StoppingDecision decision;
    for (int epoch = 0; !decision.stop; ++epoch) {
      JournalEntry entry;
      entry.mutable_point()->set_edge(planner::EdgeName(transition));
      OP3D_ASSIGN_OR_RETURN(*entry.mutable_point()->mutable_point(),
                            training.point(edge, way, epoch));
      entry.mutable_point()->mutable_point()->set_epoch(epoch);
      OP3D_RETURN_IF_ERROR(progress->Apply(entry));
      OP3D_ASSIGN_OR_RETURN(decision, progress->Decide(edge));
    }
    JournalEntry entry;
    entry.mutable_finished()->set_from(transition.from());
    entry.mutable_finished()->set_to(transition.to());
    entry.mutable_finished()->set_epochs(decision.epochs);
    entry.mutable_finished()->set_score(decision.score);
    OP3D_RETURN_IF_ERROR(progress->Apply(entry));
    OP3D_RETURN_IF_ERROR(training.keep(edge, way, decision.epochs));
  }
  return absl::OkStatus();
}

const StateSettings& TargetOf(const planner::SearchProgress& progress, int edge) {
  return progress.graph().states(progress.index().edges[edge].to - 1);
}

// The standard deviation of the difference of two measurements near `performance`.
double NoiseOfDifference(const AnnealedTraining& world, double performance) {
  return std::sqrt(2) * world.Noise(performance);
}

// A search in an AnnealedTraining, and the weights it keeps.
class AnnealedSearch {
 public:
  AnnealedSearch(const AnnealedTraining& world, bool merged, uint64_t draw)
      : world_(world), merged_(merged), draw_(draw) {}

  absl::Status Run(planner::SearchProgress* progress) {
    kept_.resize(progress->index().edges.size());
    EdgeTraining training;
    training.point = [&](int edge, int way, int epoch) -> absl::StatusOr<CurvePoint> {
      const int length = progress->graph().transitions(edge).epochs();
      const StateSettings& state = TargetOf(*progress, edge);
      CurvePoint point;
      if (epoch > 0) frames_ += planner::FramesPerClip(state);
      // Edges with a fixed length are measured at their end.
      if (epoch < length || (epoch == 0 && way == planner::kNoEdge)) {
        point.set_unmeasured(true);
        return point;
      }
      OP3D_ASSIGN_OR_RETURN(const AnnealedWeights weights, Trained(*progress, edge, way, epoch));
      point.set_performance(world_.Measure(weights, state, merged_, draw_));
      return point;
    };
    training.keep = [&](int edge, int way, int epochs) -> absl::Status {
      OP3D_ASSIGN_OR_RETURN(kept_[edge], Trained(*progress, edge, way, epochs));
      return absl::OkStatus();
    };
    return Drive(training, progress);
  }

  const AnnealedWeights& kept(int edge) const { return kept_[edge]; }
  double frames() const { return frames_; }

 private:
  absl::StatusOr<AnnealedWeights> Trained(const planner::SearchProgress& progress, int edge,
                                          int way, int epoch) const {
    const int length = progress.graph().transitions(edge).epochs();
    return world_.After(way == planner::kNoEdge ? AnnealedWeights() : kept_[way],
                        TargetOf(progress, edge), length > 0 ? length : epoch, epoch, draw_);
  }

  const AnnealedTraining& world_;
  const bool merged_;
  const uint64_t draw_;
  std::vector<AnnealedWeights> kept_;
  double frames_ = 0;
};

double FramesOf(const planner::SearchProgress& progress, const std::vector<int>& edges) {
  double frames = 0;
  for (const int edge : edges) {
    frames += progress.scores()[edge]->epochs * planner::FramesPerClip(TargetOf(progress, edge));
  }
  return frames;
}

// The path to `node` with the fewest frames among those that score, at every state, less than `tie`
// standard deviations below the best one.
std::vector<int> CheapestWay(const AnnealedTraining& world, const planner::SearchProgress& progress,
                             int node, double tie) {
  const int winner = planner::WinningEdge(progress.index(), progress.scores(), node);
  if (winner == planner::kNoEdge) return {};
  const double best = progress.scores()[winner]->score;
  std::vector<int> cheapest;
  for (size_t edge = 0; edge < progress.index().edges.size(); ++edge) {
    const int id = static_cast<int>(edge);
    if (progress.index().edges[edge].to != node || !progress.scores()[edge]) continue;
    const double gap = best - progress.scores()[edge]->score;
    if (id != winner && gap >= tie * NoiseOfDifference(world, best)) continue;
    std::vector<int> way = CheapestWay(world, progress, progress.index().edges[edge].from, tie);
    way.push_back(id);
    if (cheapest.empty() || FramesOf(progress, way) < FramesOf(progress, cheapest)) {
      cheapest = std::move(way);
    }
  }
  return cheapest;
}

// Base pool `sampling` with the rates of the miniatures: 64 frames at half of 0.04, later states at
// a fourth and a sixteenth.
TransitionGraph MiniaturePool(planner::Sampling sampling) {
  planner::PoolOptions options;
  options.sampling = sampling;
  options.longest_stride = 1;
  options.rates = {0.04, 0.04, 0.02};
  options.lower_rates = {0.25, 0.0625};
  return planner::MakePool(options);
}

StateSettings FixedClip(int segments, int frames, double rate) {
  StateSettings state;
  state.set_segments(segments);
  state.set_frames_per_segment(frames);
  state.set_stride(1);
  state.set_learning_rate(rate);
  return state;
}

// A draw that no search uses.
uint64_t AgainOf(uint64_t draw, int64_t i) { return RandomStream(draw, "again", {i})(); }

}  // namespace

absl::StatusOr<Found> PlanSearch(const SimulatedTraining& world, const StoppingRule& rule,
                                 uint64_t draw) {
  OP3D_ASSIGN_OR_RETURN(planner::SearchProgress progress,
                        planner::SearchProgress::Make(world.graph(), rule));
  const planner::GraphIndex& index = progress.index();
  std::vector<SimulatedWeights> kept(index.edges.size()), sources(index.edges.size());
  Found found;
  EdgeTraining training;
  training.point = [&](int edge, int way, int epoch) -> absl::StatusOr<CurvePoint> {
    const SimulatedWeights source = way == planner::kNoEdge ? SimulatedWeights() : kept[way];
    CurvePoint point;
    if (epoch > 0 || index.edges[edge].from != 0) {
      point.set_performance(world.Measure(edge, source, epoch, draw));
    }
    if (epoch > 0) found.frames += world.Frames(edge);
    return point;
  };
  training.keep = [&](int edge, int way, int epochs) {
    sources[edge] = way == planner::kNoEdge ? SimulatedWeights() : kept[way];
    kept[edge] = world.After(edge, sources[edge], epochs);
    return absl::OkStatus();
  };
  OP3D_RETURN_IF_ERROR(Drive(training, &progress));
  found.epochs = progress.epochs_trained();
  OP3D_ASSIGN_OR_RETURN(const planner::BestPath path,
                        planner::FindBestPath(index, progress.scores()));
  for (const int edge : path.edges) {
    if (progress.scores()[edge]->epochs > 0) found.trained.push_back(edge);
  }
  const int last = path.edges.back();
  found.value = world.Truth(last, sources[last], progress.scores()[last]->epochs);
  return found;
}

Found RandomSearch(const SimulatedTraining& world, int64_t budget, uint64_t draw) {
  Best best;
  for (int i = 0; best.found().frames < budget; ++i) {
    RandomStream stream(draw, "random_search", {i});
    Training training(world, &stream, stream());
    training.TrainTo(std::min(training.total(), budget - best.found().frames));
    best.Spend(training.found());
    best.Offer(training.measured(), training.found());
  }
  return best.found();
}

Found SuccessiveHalving(const SimulatedTraining& world, int64_t budget, uint64_t draw) {
  constexpr int kPlans = 27, kShare = 3;
  Best best;
  for (int bracket = 0; best.found().frames < budget; ++bracket) {
    std::vector<Training> plans;
    for (int i = 0; i < kPlans; ++i) {
      RandomStream stream(draw, "successive_halving", {bracket, i});
      plans.emplace_back(world, &stream, stream());
    }
    for (int part = kPlans;; part /= kShare) {
      for (Training& plan : plans) {
        const Found before = plan.found();
        const int64_t left = budget - best.found().frames;
        plan.TrainTo(std::min(plan.total() / part, before.frames + left));
        Found more = plan.found();
        more.frames -= before.frames;
        more.epochs -= before.epochs;
        best.Spend(more);
        best.Offer(plan.measured(), plan.found());
      }
      if (part == 1) break;
      std::stable_sort(plans.begin(), plans.end(), [](const Training& a, const Training& b) {
        return a.measured() > b.measured();
      });
      plans.erase(plans.begin() + static_cast<int64_t>(plans.size()) / kShare, plans.end());
    }
  }
  return best.found();
}

Found PopulationBasedTraining(const SimulatedTraining& world, int64_t budget, uint64_t draw) {
  constexpr int kMembers = 16, kQuarter = 4, kInterval = 4;
  RandomStream stream(draw, "population", {});
  Best best;
  std::vector<Member> members(kMembers);
  for (Member& member : members) {
    member.edge = RandomOf(EdgesFrom(world.index(), 0), &stream);
    member.trained = {member.edge};
  }
  while (best.found().frames < budget) {
    for (Member& member : members) {
      member.before = member.measured;
      for (int i = 0; i < kInterval && best.found().frames < budget; ++i) {
        ++member.epoch;
        Found now;
        now.epochs = 1;
        now.frames = world.Frames(member.edge);
        now.value = world.Truth(member.edge, member.source, member.epoch);
        now.trained = member.trained;
        member.measured = world.Measure(member.edge, member.source, member.epoch, draw);
        best.Spend(now);
        best.Offer(member.measured, now);
      }
    }
    std::stable_sort(members.begin(), members.end(),
                     [](const Member& a, const Member& b) { return a.measured > b.measured; });
    for (int i = 0; i < kMembers; ++i) {
      if (i >= kMembers - kQuarter) {
        members[i] = members[static_cast<size_t>(stream.UniformInt(kQuarter))];
        TakeEdge(world, &stream, &members[i]);
      } else if (members[i].measured <= members[i].before && stream.Bernoulli(0.5)) {
        TakeEdge(world, &stream, &members[i]);
      }
    }
  }
  return best.found();
}

absl::StatusOr<FoundModel> PublishedSearch(const AnnealedTraining& world, const StoppingRule& rule,
                                           double tie, uint64_t draw) {
  FoundModel found;
  double best = -1;
  std::vector<std::pair<StateSettings, int>> plan;
  for (const planner::Sampling sampling :
       {planner::Sampling::kConsecutive, planner::Sampling::kUniform}) {
    OP3D_ASSIGN_OR_RETURN(planner::SearchProgress progress,
                          planner::SearchProgress::Make(MiniaturePool(sampling), rule));
    AnnealedSearch search(world, /*merged=*/false, draw);
    OP3D_RETURN_IF_ERROR(search.Run(&progress));
    found.frames += search.frames();
    found.epochs += progress.epochs_trained();
    OP3D_ASSIGN_OR_RETURN(const planner::BestPath path,
                          planner::FindBestPath(progress.index(), progress.scores()));
    if (path.value <= best) continue;
    best = path.value;
    plan.clear();
    found.model_frames = 0;
    std::vector<int> edges = path.edges;
    if (tie > 0) edges = CheapestWay(world, progress, path.nodes.back(), tie);
    for (const int edge : edges) {
      const int epochs = progress.scores()[edge]->epochs;
      if (epochs == 0) continue;
      plan.emplace_back(TargetOf(progress, edge), epochs);
      found.model_frames += epochs * planner::FramesPerClip(plan.back().first);
    }
  }
  AnnealedWeights weights;
  for (const auto& [state, epochs] : plan) {
    OP3D_ASSIGN_OR_RETURN(weights, world.After(weights, state, epochs, epochs, AgainOf(draw, 0)));
    found.epochs += epochs;
    found.value = world.Score(weights, state, /*merged=*/false);
  }
  found.frames += found.model_frames;
  return found;
}

absl::StatusOr<FoundModel> WideSearch(const AnnealedTraining& world,
                                      const WideGraphSettings& settings, double tie,
                                      uint64_t draw) {
  OP3D_ASSIGN_OR_RETURN(const TransitionGraph graph, planner::MakeWideGraph(settings));
  OP3D_ASSIGN_OR_RETURN(planner::SearchProgress progress,
                        planner::SearchProgress::Make(graph, planner::PublishedRule(1)));
  AnnealedSearch search(world, /*merged=*/true, draw);
  OP3D_RETURN_IF_ERROR(search.Run(&progress));
  OP3D_ASSIGN_OR_RETURN(planner::BestPath path,
                        planner::FindBestPath(progress.index(), progress.scores()));
  if (tie > 0) {
    for (const int node : progress.index().finals) {
      const int edge = planner::WinningEdge(progress.index(), progress.scores(), node);
      if (edge == planner::kNoEdge) continue;
      const double gap = path.value - progress.scores()[edge]->score;
      if (gap >= tie * NoiseOfDifference(world, path.value)) continue;
      if (planner::FramesPerClip(TargetOf(progress, edge)) >=
          planner::FramesPerClip(TargetOf(progress, path.edges.back()))) {
        continue;
      }
      path.edges = CheapestWay(world, progress, node, 0);
    }
  }
  FoundModel found;
  found.frames = search.frames();
  found.epochs = progress.epochs_trained();
  found.model_frames = FramesOf(progress, path.edges);
  const int last = path.edges.back();
  found.value = world.Score(search.kept(last), TargetOf(progress, last), /*merged=*/true);
  return found;
}

absl::StatusOr<FoundModel> FixedSchedule(const AnnealedTraining& world, const StateSettings& clip,
                                         double frames, uint64_t training) {
  StateSettings state = clip;
  const int epochs =
      std::max(2, static_cast<int>(std::lround(frames / planner::FramesPerClip(state))));
  state.mutable_schedule()->mutable_linear()->set_warmup_epochs(1);
  OP3D_ASSIGN_OR_RETURN(const AnnealedWeights weights,
                        world.After(AnnealedWeights(), state, epochs, epochs, training));
  FoundModel found;
  found.value = world.Score(weights, state, /*merged=*/false);
  found.epochs = epochs;
  found.frames = found.model_frames = epochs * planner::FramesPerClip(state);
  return found;
}

absl::StatusOr<FoundModel> BestFixedSchedule(const AnnealedTraining& world, double frames,
                                             uint64_t draw) {
  FoundModel best;
  double highest = -1, spent = 0;
  int epochs = 0;
  for (int i = 0; i < 9; ++i) {
    const double rate = 0.04 * std::pow(4, -(i / 3));
    const StateSettings clip = i % 3 == 0   ? FixedClip(1, 16, rate)
                               : i % 3 == 1 ? FixedClip(1, 64, rate)
                                            : FixedClip(8, 4, rate);
    const uint64_t training = AgainOf(draw, i + 1);
    OP3D_ASSIGN_OR_RETURN(const FoundModel found, FixedSchedule(world, clip, frames / 9, training));
    spent += found.frames;
    epochs += found.epochs;
    RandomStream stream(draw, "fixed", {i});
    const double measured = found.value + world.Noise(found.value) * stream.Gaussian();
    if (measured <= highest) continue;
    highest = measured;
    best = found;
  }
  best.frames = spent;
  best.epochs = epochs;
  return best;
}

}  // namespace op3d::benchmarks
