#include "planner/replay/replay.h"

#include <google/protobuf/util/field_comparator.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/status_macros.h"
#include "planner/graphs/transition_graph.h"
#include "planner/knee/knee_estimator.h"
#include "planner/knee/performance_curve.h"
#include "planner/knee/stopping_rule.h"
#include "planner/search/dynamic_programming.h"

namespace op3d::planner {
namespace {

// T for measured points without a result.
constexpr int kDefaultAttemptEpochs = 10;

// The graph without excluded states.
absl::StatusOr<TransitionGraph> Restrict(const TransitionGraph& graph,
                                         const std::vector<std::string>& states) {
  if (states.empty()) return graph;
  absl::flat_hash_set<std::string> known, used(states.begin(), states.end());
  for (const StateSettings& state : graph.states()) known.insert(state.name());
  for (const std::string& name : states) {
    if (known.contains(name) || name == graph.initial()) continue;
    return absl::InvalidArgumentError(absl::StrCat("the graph has no state \"", name, "\""));
  }
  used.insert(graph.initial());
  TransitionGraph part;
  part.set_pool(graph.pool());
  part.set_initial(graph.initial());
  for (const StateSettings& state : graph.states()) {
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

// A state without its name, and with batch and accumulation combined, because machines split it
// differently.
StateSettings Unnamed(StateSettings state) {
  state.clear_name();
  state.set_batch_size(state.batch_size() * state.accumulation());
  state.set_accumulation(1);
  return state;
}

// "" if both train the same, otherwise the difference: "learning_rate: 0.02 -> 0.004".
std::string TrainingDifference(const StateSettings& from, const StateSettings& to) {
  google::protobuf::util::DefaultFieldComparator comparator;
  comparator.set_float_comparison(google::protobuf::util::DefaultFieldComparator::APPROXIMATE);
  comparator.SetDefaultFractionAndMargin(1e-9, 0);
  google::protobuf::util::MessageDifferencer differencer;
  differencer.set_field_comparator(&comparator);
  std::string report;
  differencer.ReportDifferencesToString(&report);
  if (differencer.Compare(Unnamed(from), Unnamed(to))) return "";
  std::vector<std::string> lines = absl::StrSplit(report, '\n', absl::SkipEmpty());
  for (std::string& line : lines) {
    line = absl::StrReplaceAll(absl::StripPrefix(line, "modified: "),
                               {{"batch_size", "clips an update"}});
  }
  return absl::StrJoin(lines, ", ");
}

// By state of `graph`: the recorded state that trains the same, or -1.  No recorded state is used
// twice.
std::vector<int> MatchStates(const TransitionGraph& recorded, const TransitionGraph& graph) {
  std::vector<int> matches(graph.states_size(), -1);
  std::vector<bool> taken(recorded.states_size(), false);
  for (const bool by_name : {true, false}) {
    for (int i = 0; i < graph.states_size(); ++i) {
      for (int k = 0; k < recorded.states_size() && matches[i] < 0; ++k) {
        const StateSettings& there = recorded.states(k);
        if (taken[k] || (by_name && there.name() != graph.states(i).name())) continue;
        if (!TrainingDifference(there, graph.states(i)).empty()) continue;
        matches[i] = k;
        taken[k] = true;
      }
    }
  }
  return matches;
}

std::string DescribeUnrecorded(const TransitionGraph& recorded, const StateSettings& state) {
  const std::string text =
      absl::StrCat(state.name(), " (", FramesPerClip(state), " frames a clip, rate ",
                   state.learning_rate(), ", ", state.batch_size() * state.accumulation(),
                   " clips an update) is not in the record");
  for (const StateSettings& there : recorded.states()) {
    if (there.name() != state.name()) continue;
    const std::string difference = TrainingDifference(there, state);
    // Equal, but already matched with another state of the graph.
    if (difference.empty()) break;
    return absl::StrCat(text, ", whose ", there.name(), " is another state (there -> here: ",
                        difference, ")");
  }
  return text;
}

std::vector<double> Performance(const EdgeOutcome& outcome) {
  std::vector<double> performance;
  for (const CurvePoint& point : outcome.curve()) performance.push_back(point.performance());
  return performance;
}

// The rule's result for a recorded curve: it stops where it would have, or `unfinished`.
absl::StatusOr<EdgeScore> ScoreWithRule(const std::vector<double>& performance,
                                        const StoppingRule& rule, bool* unfinished) {
  const int trained = static_cast<int>(performance.size()) - 1;
  for (int epochs = 1; epochs <= trained; ++epochs) {
    // The bound is the end of the curve.
    OP3D_ASSIGN_OR_RETURN(
        const StoppingDecision decision,
        DecideStop(absl::MakeConstSpan(performance).first(epochs + 1), rule, trained));
    if (!decision.stop) continue;
    *unfinished = decision.ending == EdgeOutcome::BOUND;
    return EdgeScore{decision.epochs, decision.score};
  }
  return absl::InternalError("a rule with a bound did not stop at it");
}

std::vector<int> WinnersTo(const GraphIndex& index, const EdgeScores& scores, int node) {
  std::vector<int> edges;
  for (int edge = WinningEdge(index, scores, node); edge != kNoEdge;
       edge = WinningEdge(index, scores, index.edges[edge].from)) {
    edges.push_back(edge);
  }
  std::reverse(edges.begin(), edges.end());
  return edges;
}

double SecondsPerEpoch(const EdgeOutcome& outcome) {
  double seconds = 0;
  for (const CurvePoint& point : outcome.curve()) {
    if (point.epoch() > 0) seconds += point.train_seconds() + point.evaluation_seconds();
  }
  return seconds / std::max(1, outcome.curve_size() - 1);
}

double CostOf(const PricedState& state, CostUnit cost) {
  return cost == CostUnit::kFrames ? static_cast<double>(state.frames) : state.seconds;
}

// The cost of training along every state's best path: in the order of training, so that a state's
// source comes before it.
std::vector<PricedState> Front(const Replay& replay, const std::vector<double>& epoch_seconds,
                               CostUnit cost) {
  std::vector<PricedState> states(replay.index.nodes);
  std::vector<PricedState> sorted;
  for (const int into : replay.index.training_order) {
    const int node = replay.index.edges[into].to;
    const int edge = WinningEdge(replay.index, replay.scores, node);
    if (edge != into) continue;
    const EdgeScore& score = *replay.scores[edge];
    const StateSettings& state = replay.graph.states(node - 1);
    const PricedState& before = states[replay.index.edges[edge].from];
    states[node] = {state.name(), score.score,
                    before.frames + int64_t{score.epochs} * FramesPerClip(state),
                    before.seconds + score.epochs * epoch_seconds[edge]};
    sorted.push_back(states[node]);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [&](const PricedState& a, const PricedState& b) {
    return CostOf(a, cost) != CostOf(b, cost) ? CostOf(a, cost) < CostOf(b, cost)
                                              : a.value > b.value;
  });
  std::vector<PricedState> front;
  for (PricedState& state : sorted) {
    if (front.empty() || state.value > front.back().value) front.push_back(std::move(state));
  }
  return front;
}

// Removes scores whose source is not reached over trained edges.
void DropUnreached(const GraphIndex& index, EdgeScores* scores) {
  for (int edge : index.training_order) {
    const int source = index.edges[edge].from;
    if (source != 0 && WinningEdge(index, *scores, source) == kNoEdge) (*scores)[edge].reset();
  }
}

// The recorded result, or the result of `rule` for the recorded curve.
absl::StatusOr<EdgeScore> ScoreAgain(const EdgeOutcome& outcome, const StoppingRule& rule,
                                     bool* unfinished) {
  const bool recorded = outcome.has_knee() || outcome.epochs() > 0 || outcome.score() != 0;
  const bool again = rule.attempt_epochs() > 0;
  if ((recorded && !again) || outcome.curve_size() < 2) {
    return EdgeScore{outcome.epochs(), outcome.score()};
  }
  return ScoreWithRule(Performance(outcome), again ? rule : PublishedRule(kDefaultAttemptEpochs),
                       unfinished);
}

}  // namespace

MatchedEdges MatchEdges(const TransitionGraph& recorded, const std::vector<EdgeOutcome>& trained,
                        const TransitionGraph& graph) {
  MatchedEdges matched;
  const std::vector<int> matches = MatchStates(recorded, graph);
  // The names of the recorded states in this graph.
  absl::flat_hash_map<std::string, std::string> names = {{recorded.initial(), graph.initial()}};
  for (int i = 0; i < graph.states_size(); ++i) {
    if (matches[i] < 0) {
      matched.unrecorded.push_back(DescribeUnrecorded(recorded, graph.states(i)));
    } else {
      names[recorded.states(matches[i]).name()] = graph.states(i).name();
    }
  }
  absl::flat_hash_map<std::string, int> lengths;
  for (const Transition& edge : graph.transitions()) lengths[EdgeName(edge)] = edge.epochs();
  absl::flat_hash_map<std::string, int> recorded_lengths;
  for (const Transition& edge : recorded.transitions()) {
    recorded_lengths[EdgeName(edge)] = edge.epochs();
  }
  for (const EdgeOutcome& outcome : trained) {
    const auto from = names.find(outcome.from()), to = names.find(outcome.to());
    if (from == names.end() || to == names.end()) continue;
    const auto length = lengths.find(absl::StrCat(from->second, "-", to->second));
    if (length == lengths.end()) continue;
    const auto there = recorded_lengths.find(absl::StrCat(outcome.from(), "-", outcome.to()));
    if (there == recorded_lengths.end() || there->second != length->second) continue;
    matched.edges.push_back(outcome);
    matched.edges.back().set_from(from->second);
    matched.edges.back().set_to(to->second);
  }
  return matched;
}

absl::StatusOr<Replay> PlanAgain(const TransitionGraph& full,
                                 const std::vector<EdgeOutcome>& trained,
                                 const ReplayOptions& options) {
  Replay replay;
  OP3D_ASSIGN_OR_RETURN(replay.graph, Restrict(full, options.states));
  OP3D_ASSIGN_OR_RETURN(replay.index, IndexGraph(replay.graph));
  absl::flat_hash_map<std::string, const EdgeOutcome*> outcomes;
  for (const EdgeOutcome& outcome : trained) {
    outcomes[absl::StrCat(outcome.from(), "-", outcome.to())] = &outcome;
  }
  replay.scores.resize(replay.index.edges.size());
  std::vector<double> seconds(replay.index.edges.size());
  for (int edge : replay.index.training_order) {
    const std::string name = EdgeName(replay.graph.transitions(edge));
    const auto found = outcomes.find(name);
    if (found == outcomes.end() || !found->second->failure().empty()) {
      const bool failed = found != outcomes.end() && found->second->ending() == EdgeOutcome::FAILED;
      (failed ? replay.failed : replay.untrained).push_back(name);
      continue;
    }
    bool unfinished = false;
    const auto score = ScoreAgain(*found->second, options.rule, &unfinished);
    if (!score.ok()) return Annotate(score.status(), name);
    replay.scores[edge] = *score;
    if (unfinished) replay.unfinished.push_back(name);
    seconds[edge] = SecondsPerEpoch(*found->second);
    if (options.cost == CostUnit::kSeconds && seconds[edge] == 0) {
      return absl::FailedPreconditionError(absl::StrCat("no seconds were recorded for ", name,
                                                        "; weigh frames instead: --cost=frames"));
    }
  }
  DropUnreached(replay.index, &replay.scores);
  const absl::StatusOr<BestPath> best = FindBestPath(replay.index, replay.scores);
  if (absl::IsFailedPrecondition(best.status())) {
    std::string why = "no final state is reached over trained edges";
    if (!replay.untrained.empty()) {
      absl::StrAppend(&why, "; never trained: ", absl::StrJoin(replay.untrained, ", "));
    }
    if (!replay.failed.empty()) {
      absl::StrAppend(&why, "; failed: ", absl::StrJoin(replay.failed, ", "));
    }
    return absl::FailedPreconditionError(why);
  }
  OP3D_RETURN_IF_ERROR(best.status());
  replay.plan = PlanTo(replay, NodeName(replay.graph, best->nodes.back()));
  replay.front = Front(replay, seconds, options.cost);
  return replay;
}

Plan PlanTo(const Replay& replay, const std::string& state) {
  int node = 1;
  while (NodeName(replay.graph, node) != state) ++node;
  const std::vector<int> edges = WinnersTo(replay.index, replay.scores, node);
  Plan plan;
  plan.set_pool(replay.graph.pool());
  plan.set_value(replay.scores[edges.back()]->score);
  plan.add_path(replay.graph.initial());
  for (int edge : edges) {
    const StateSettings& trained = replay.graph.states(replay.index.edges[edge].to - 1);
    plan.add_path(trained.name());
    if (replay.scores[edge]->epochs == 0) continue;  // skipped
    Plan::Step* step = plan.add_steps();
    *step->mutable_state() = trained;
    step->set_epochs(replay.scores[edge]->epochs);
  }
  return plan;
}

absl::StatusOr<PricedState> BestWithin(const Replay& replay, CostUnit cost, double budget) {
  const PricedState* best = nullptr;
  for (const PricedState& state : replay.front) {
    if (CostOf(state, cost) <= budget) best = &state;
  }
  if (best != nullptr) return *best;
  const char* unit = cost == CostUnit::kFrames ? " frames (epochs x frames of a clip)" : " s";
  return absl::NotFoundError(absl::StrCat("no plan costs at most ", budget, unit,
                                          "; the cheapest costs ",
                                          CostOf(replay.front.front(), cost)));
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
  scored.rule.Clear();
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

namespace {

// Ranks from 1; equal values get the mean of their ranks.
std::vector<double> MeanRanks(const std::vector<double>& values) {
  std::vector<double> ranks;
  for (const double value : values) {
    int lower = 0, equal = 0;
    for (const double other : values) {
      lower += other < value;
      equal += other == value;
    }
    ranks.push_back(lower + (equal + 1) / 2.0);
  }
  return ranks;
}

SearchAgreement::Ranks RanksOf(const std::vector<double>& a, const std::vector<double>& b) {
  SearchAgreement::Ranks ranks;
  ranks.edges = static_cast<int>(a.size());
  const std::vector<double> x = MeanRanks(a), y = MeanRanks(b);
  const double mean = (static_cast<double>(a.size()) + 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  if (xx > 0 && yy > 0) ranks.correlation = xy / std::sqrt(xx * yy);
  return ranks;
}

}  // namespace

absl::StatusOr<SearchAgreement> CompareSearches(const SearchOutcome& first,
                                                const SearchOutcome& second) {
  for (const SearchOutcome* outcome : {&first, &second}) {
    if (!outcome->plan().path().empty()) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("the search of ", outcome->graph().pool(),
                     " has no plan yet: no final state is reached; let it end first"));
  }
  SearchAgreement agreement;
  agreement.chosen = *first.plan().path().rbegin();
  agreement.best_value = second.plan().value();
  std::map<std::string, double> scores;
  for (const EdgeOutcome& edge : second.edges()) {
    if (edge.ending() == EdgeOutcome::FAILED || edge.ending() == EdgeOutcome::UNREACHED) continue;
    scores[absl::StrCat(edge.from(), "-", edge.to())] = edge.score();
    if (edge.to() != agreement.chosen) continue;
    agreement.value_of_chosen =
        std::max(agreement.value_of_chosen.value_or(edge.score()), edge.score());
  }
  std::vector<double> ours, theirs, first_ours, first_theirs;
  for (const EdgeOutcome& edge : first.edges()) {
    const auto found = scores.find(absl::StrCat(edge.from(), "-", edge.to()));
    if (edge.ending() == EdgeOutcome::FAILED || edge.ending() == EdgeOutcome::UNREACHED ||
        found == scores.end()) {
      continue;
    }
    ours.push_back(edge.score());
    theirs.push_back(found->second);
    if (edge.from() != first.graph().initial()) continue;
    first_ours.push_back(edge.score());
    first_theirs.push_back(found->second);
  }
  agreement.all = RanksOf(ours, theirs);
  agreement.first = RanksOf(first_ours, first_theirs);
  return agreement;
}

}  // namespace op3d::planner
