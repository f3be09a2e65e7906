#include "benchmarks/search_strategies.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/types/optional.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/status_macros.h"
#include "planner/search_progress.h"

namespace op3d {
namespace {

std::vector<int> EdgesFrom(const GraphIndex& index, int node) {
  std::vector<int> edges;
  for (size_t edge = 0; edge < index.edges.size(); ++edge) {
    if (index.edges[edge].from == node) edges.push_back(static_cast<int>(edge));
  }
  return edges;
}

int RandomOf(const std::vector<int>& edges, RandomStream* stream) {
  return edges[static_cast<size_t>(stream->UniformInt(static_cast<int64_t>(edges.size())))];
}

// A random plan that is trained bit by bit.
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

  // Of the whole plan.
  int64_t total() const { return total_; }
  // What the best epoch of the state it is in measured, and truly was.
  double measured() const { return measured_; }
  const Found& found() const { return found_; }

  // Trains until `frames` of it are trained, or it is done.
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

// The best of several trainings, at the cost of all.
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

}  // namespace

absl::StatusOr<Found> PlanSearch(const SimulatedTraining& world, const StoppingRule& rule,
                                 uint64_t draw) {
  OP3D_ASSIGN_OR_RETURN(SearchProgress progress, SearchProgress::Make(world.graph(), rule));
  const GraphIndex& index = progress.index();
  std::vector<SimulatedWeights> kept(index.edges.size()), sources(index.edges.size());
  Found found;
  for (int edge = progress.next_edge(); edge != kNoEdge; edge = progress.next_edge()) {
    const int from = index.edges[edge].from;
    const int way = KeptEdge(index, progress.scores(), from);
    const SimulatedWeights source = way == kNoEdge ? SimulatedWeights() : kept[way];
    StoppingDecision decision;
    for (int epoch = 0; !decision.stop; ++epoch) {
      JournalEntry entry;
      entry.mutable_point()->set_edge(EdgeName(world.graph().transitions(edge)));
      CurvePoint* point = entry.mutable_point()->mutable_point();
      point->set_epoch(epoch);
      if (epoch > 0 || from != 0) {
        point->set_performance(world.Measure(edge, source, epoch, draw));
      }
      OP3D_RETURN_IF_ERROR(progress.Apply(entry));
      OP3D_ASSIGN_OR_RETURN(decision, progress.Decide(edge));
      if (epoch > 0) found.frames += world.Frames(edge);
    }
    JournalEntry entry;
    entry.mutable_finished()->set_from(world.graph().transitions(edge).from());
    entry.mutable_finished()->set_to(world.graph().transitions(edge).to());
    entry.mutable_finished()->set_epochs(decision.epochs);
    entry.mutable_finished()->set_score(decision.score);
    OP3D_RETURN_IF_ERROR(progress.Apply(entry));
    kept[edge] = world.After(edge, source, decision.epochs);
    sources[edge] = source;
  }
  found.epochs = progress.epochs_trained();
  OP3D_ASSIGN_OR_RETURN(const BestPath path, FindBestPath(index, progress.scores()));
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

}  // namespace op3d
