#include "planner/replay.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/status_macros.h"
#include "planner/dynamic_programming.h"
#include "planner/knee_estimator.h"
#include "planner/performance_curve.h"
#include "planner/stopping_rule.h"
#include "planner/transition_graph.h"

namespace op3d {
namespace {

// T for measured points without a result.
constexpr int kDefaultWindow = 10;

// The graph without the states that may not be used.
absl::StatusOr<TransitionGraph> Restrict(const TransitionGraph& graph,
                                         const std::vector<std::string>& states) {
  if (states.empty()) return graph;
  absl::flat_hash_set<std::string> known, used(states.begin(), states.end());
  for (const State& state : graph.states()) known.insert(state.name());
  for (const std::string& name : states) {
    if (known.contains(name) || name == graph.initial()) continue;
    return absl::InvalidArgumentError(absl::StrCat("the graph has no state \"", name, "\""));
  }
  used.insert(graph.initial());
  TransitionGraph part;
  part.set_pool(graph.pool());
  part.set_initial(graph.initial());
  for (const State& state : graph.states()) {
    if (used.contains(state.name())) *part.add_states() = state;
  }
  for (const Transition& edge : graph.transitions()) {
    if (used.contains(edge.from()) && used.contains(edge.to())) *part.add_transitions() = edge;
  }
  for (const std::string& name : graph.finals()) {
    if (used.contains(name)) part.add_finals(name);
  }
  return part;
}

std::vector<double> Performance(const EdgeOutcome& outcome) {
  std::vector<double> performance;
  for (const CurvePoint& point : outcome.curve()) performance.push_back(point.performance());
  return performance;
}

// What the rule finds on a recorded curve: it stops where it would have, or `unfinished`.
absl::StatusOr<EdgeScore> ScoreWithWindow(const std::vector<double>& performance, int window,
                                          bool* unfinished) {
  const int trained = static_cast<int>(performance.size()) - 1;
  for (int epochs = std::min(window, trained); epochs <= trained; ++epochs) {
    // The bound is the end of the curve.
    OP3D_ASSIGN_OR_RETURN(
        const StoppingDecision decision,
        DecideStop(absl::MakeConstSpan(performance).first(epochs + 1), window, trained));
    if (!decision.stop) continue;
    *unfinished = decision.ending == EdgeOutcome::BOUND;
    return EdgeScore{decision.epochs, decision.score};
  }
  return absl::InternalError("a rule with a bound did not stop at it");
}

// The plan that ends in `node`, along the winners.
PricedPlan PlanTo(const TransitionGraph& graph, const GraphIndex& index, const EdgeScores& scores,
                  int node) {
  std::vector<int> edges;
  for (int edge = WinningEdge(index, scores, node); edge != kNoEdge;
       edge = WinningEdge(index, scores, index.edges[edge].from)) {
    edges.push_back(edge);
  }
  std::reverse(edges.begin(), edges.end());
  PricedPlan priced;
  priced.plan.set_pool(graph.pool());
  priced.plan.set_value(scores[edges.back()]->score);
  priced.plan.add_path(graph.initial());
  for (int edge : edges) {
    const State& state = graph.states(index.edges[edge].to - 1);
    priced.plan.add_path(state.name());
    if (scores[edge]->epochs == 0) continue;  // skipped
    Plan::Step* step = priced.plan.add_steps();
    *step->mutable_state() = state;
    step->set_epochs(scores[edge]->epochs);
    priced.frames += int64_t{scores[edge]->epochs} * FramesPerClip(state);
  }
  return priced;
}

std::vector<PricedPlan> Front(const TransitionGraph& graph, const GraphIndex& index,
                              const EdgeScores& scores) {
  std::vector<PricedPlan> plans;
  for (int node = 1; node < index.nodes; ++node) {
    if (WinningEdge(index, scores, node) != kNoEdge) {
      plans.push_back(PlanTo(graph, index, scores, node));
    }
  }
  std::stable_sort(plans.begin(), plans.end(), [](const PricedPlan& a, const PricedPlan& b) {
    return a.frames != b.frames ? a.frames < b.frames : a.plan.value() > b.plan.value();
  });
  std::vector<PricedPlan> front;
  for (PricedPlan& plan : plans) {
    if (front.empty() || plan.plan.value() > front.back().plan.value()) {
      front.push_back(std::move(plan));
    }
  }
  return front;
}

// A score is only known where its source is reached over trained edges.
void DropUnreached(const GraphIndex& index, EdgeScores* scores) {
  for (int edge : index.training_order) {
    const int source = index.edges[edge].from;
    if (source != 0 && WinningEdge(index, *scores, source) == kNoEdge) (*scores)[edge].reset();
  }
}

}  // namespace

absl::StatusOr<Replay> PlanAgain(const TransitionGraph& full,
                                 const std::vector<EdgeOutcome>& trained,
                                 const ReplayOptions& options) {
  OP3D_ASSIGN_OR_RETURN(const TransitionGraph graph, Restrict(full, options.states));
  OP3D_ASSIGN_OR_RETURN(const GraphIndex index, IndexGraph(graph));
  absl::flat_hash_map<std::string, const EdgeOutcome*> outcomes;
  for (const EdgeOutcome& outcome : trained) {
    outcomes[absl::StrCat(outcome.from(), "-", outcome.to())] = &outcome;
  }
  Replay replay;
  EdgeScores scores(index.edges.size());
  for (int edge : index.training_order) {
    const std::string name = EdgeName(graph.transitions(edge));
    const auto found = outcomes.find(name);
    if (found == outcomes.end()) {
      replay.untrained.push_back(name);
      continue;
    }
    const EdgeOutcome& outcome = *found->second;
    // Measured points without a result, or a result that the window changes.
    const bool recorded = outcome.has_knee() || outcome.epochs() > 0 || outcome.score() != 0;
    const int window = options.window > 0 ? options.window : recorded ? 0 : kDefaultWindow;
    if (window == 0 || outcome.curve_size() < 2) {
      scores[edge] = EdgeScore{outcome.epochs(), outcome.score()};
      continue;
    }
    bool unfinished = false;
    const auto score = ScoreWithWindow(Performance(outcome), window, &unfinished);
    if (!score.ok()) return Annotate(score.status(), name);
    scores[edge] = *score;
    if (unfinished) replay.unfinished.push_back(name);
  }
  DropUnreached(index, &scores);
  const absl::StatusOr<BestPath> best = FindBestPath(index, scores);
  if (absl::IsFailedPrecondition(best.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat("no final state is reached over trained edges; never trained: ",
                     absl::StrJoin(replay.untrained, ", ")));
  }
  OP3D_RETURN_IF_ERROR(best.status());
  replay.plan = PlanTo(graph, index, scores, best->nodes.back()).plan;
  replay.front = Front(graph, index, scores);
  return replay;
}

absl::StatusOr<PricedPlan> BestWithin(const Replay& replay, int64_t frames) {
  const PricedPlan* best = nullptr;
  for (const PricedPlan& plan : replay.front) {
    if (plan.frames <= frames) best = &plan;
  }
  if (best != nullptr) return *best;
  return absl::NotFoundError(absl::StrCat("no plan costs at most ", frames,
                                          " frames a clip; the cheapest costs ",
                                          replay.front.front().frames));
}

absl::StatusOr<double> PlanStability(const TransitionGraph& graph,
                                     const std::vector<EdgeOutcome>& trained,
                                     const ReplayOptions& options, const Replay& replay,
                                     int resamples, uint64_t seed) {
  if (resamples < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("the stability needs at least 1 resample, got ", resamples));
  }
  const std::vector<std::string> path(replay.plan.path().begin(), replay.plan.path().end());
  ReplayOptions scored = options;
  scored.window = 0;
  int same = 0;
  for (int i = 0; i < resamples; ++i) {
    std::vector<EdgeOutcome> drawn = trained;
    for (size_t edge = 0; edge < drawn.size(); ++edge) {
      std::vector<double> curve = Performance(drawn[edge]);
      if (curve.size() < 3) continue;
      OP3D_ASSIGN_OR_RETURN(const Knee fit, EstimateKnee(curve));
      RandomStream stream(seed, "planner.stability", {i, static_cast<int64_t>(edge)});
      std::vector<double> resampled(curve.size());
      for (size_t k = 0; k < curve.size(); ++k) {
        const auto from =
            static_cast<size_t>(stream.UniformInt(static_cast<int64_t>(curve.size())));
        resampled[k] = Evaluate(fit.curve, static_cast<double>(k)) + curve[from] -
                       Evaluate(fit.curve, static_cast<double>(from));
      }
      OP3D_ASSIGN_OR_RETURN(const Knee knee, EstimateKnee(resampled));
      const int trained_epochs = static_cast<int>(curve.size()) - 1;
      drawn[edge].set_epochs(std::min(knee.epoch, trained_epochs));
      drawn[edge].set_score(Evaluate(knee.curve, drawn[edge].epochs()));
      drawn[edge].clear_curve();
    }
    OP3D_ASSIGN_OR_RETURN(const Replay again, PlanAgain(graph, drawn, scored));
    same +=
        std::equal(path.begin(), path.end(), again.plan.path().begin(), again.plan.path().end());
  }
  return static_cast<double>(same) / resamples;
}

}  // namespace op3d
