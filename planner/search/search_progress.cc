#include "planner/search/search_progress.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/training_failure.h"

namespace op3d::planner {

namespace {

// By edge that can be trained: the previous one of the edges into its state, in the order in which
// they race: the source that is farthest from the initial state first, among equal ones the edge
// listed first.
std::vector<int> WaysBefore(const GraphIndex& index) {
  std::vector<int> depth(index.nodes), before(index.edges.size(), kNoEdge);
  std::vector<std::vector<int>> ways(index.nodes);
  for (const int edge : index.training_order) {
    const GraphIndex::Edge& ends = index.edges[edge];
    depth[ends.to] = std::max(depth[ends.to], depth[ends.from] + 1);
    ways[ends.to].push_back(edge);
  }
  for (std::vector<int>& into : ways) {
    std::sort(into.begin(), into.end(), [&](int a, int b) {
      const int deep_a = depth[index.edges[a].from], deep_b = depth[index.edges[b].from];
      return deep_a != deep_b ? deep_a > deep_b : a < b;
    });
    for (size_t i = 1; i < into.size(); ++i) before[into[i]] = into[i - 1];
  }
  return before;
}

}  // namespace

absl::StatusOr<SearchProgress> SearchProgress::Make(const TransitionGraph& graph,
                                                    const StoppingRule& rule) {
  SearchProgress progress;
  OP3D_ASSIGN_OR_RETURN(progress.index_, IndexGraph(graph));
  OP3D_RETURN_IF_ERROR(ValidateStoppingRule(rule));
  progress.graph_ = graph;
  progress.rule_ = rule;
  progress.curves_.resize(progress.index_.edges.size());
  progress.chances_.resize(progress.index_.edges.size());
  progress.scores_.resize(progress.index_.edges.size());
  progress.outcomes_.resize(progress.index_.edges.size());
  progress.way_before_.resize(progress.index_.edges.size(), kNoEdge);
  if (rule.race()) progress.way_before_ = WaysBefore(progress.index_);
  progress.ways_out_.resize(progress.index_.nodes);
  for (const int edge : progress.index_.training_order) {
    progress.edges_by_name_[EdgeName(graph.transitions(edge))] = edge;
    progress.ways_out_[progress.index_.edges[edge].from].push_back(edge);
  }
  for (const std::vector<int>& ways : progress.ways_out_) {
    progress.open_ways_out_.push_back(static_cast<int>(ways.size()));
  }
  progress.chosen_.resize(progress.index_.edges.size(), graph.rounds().empty());
  progress.dropped_.resize(progress.index_.edges.size(), false);
  if (rule.race() && !graph.rounds().empty()) {
    return absl::InvalidArgumentError(
        "stopping rule: race does not go with a graph that has rounds, which race by themselves; "
        "leave race out");
  }
  progress.ChooseRounds();
  return progress;
}

absl::StatusOr<SearchProgress> SearchProgress::Follow(const SearchOutcome& outcome) {
  OP3D_ASSIGN_OR_RETURN(SearchProgress progress, Make(outcome.graph(), outcome.rule()));
  absl::flat_hash_map<std::string, const EdgeOutcome*> recorded;
  for (const EdgeOutcome& edge : outcome.edges()) {
    recorded[absl::StrCat(edge.from(), "-", edge.to())] = &edge;
  }
  const auto record_of = [&](int edge) -> const EdgeOutcome* {
    const auto found = recorded.find(EdgeName(outcome.graph().transitions(edge)));
    return found == recorded.end() ? nullptr : found->second;
  };
  const std::vector<int>& order = progress.index_.training_order;
  if (progress.rounds() > 0) {
    // Scores in a record may be rounded, so the rounds are not chosen again.
    progress.round_ = progress.rounds();
    progress.open_ways_out_.assign(progress.index_.nodes, 0);
    for (const int edge : order) {
      progress.chosen_[edge] = record_of(edge) != nullptr;
      progress.dropped_[edge] = !progress.chosen_[edge];
      progress.open_ways_out_[progress.index_.edges[edge].from] += progress.chosen_[edge];
    }
  }
  for (bool news = true; news;) {
    news = false;
    for (const int edge : order) {
      const EdgeOutcome* const record = record_of(edge);
      if (record == nullptr || !progress.Ready(edge)) continue;
      const std::string name = EdgeName(outcome.graph().transitions(edge));
      for (const CurvePoint& point : record->curve()) {
        JournalPoint entry;
        entry.set_edge(name);
        *entry.mutable_point() = point;
        OP3D_RETURN_IF_ERROR(progress.ApplyPoint(entry));
      }
      OP3D_RETURN_IF_ERROR(progress.ApplyFinished(*record));
      news = true;
    }
  }
  for (const int edge : order) {
    if (record_of(edge) == nullptr || progress.outcomes_[edge]) continue;
    return absl::DataLossError(
        absl::StrCat("the edge ", EdgeName(outcome.graph().transitions(edge)),
                     " is recorded, but not all edges into its source are recorded"));
  }
  return progress;
}

bool SearchProgress::RoundDone() const {
  for (const int edge : index_.training_order) {
    if (chosen_[edge] && !outcomes_[edge]) return false;
  }
  return true;
}

void SearchProgress::ChooseRounds() {
  while (round_ < rounds() && RoundDone()) ChooseEdges(++round_);
}

// The reached states, best first, each give their next listed edge of the round in turn.
void SearchProgress::ChooseEdges(int round) {
  struct Source {
    double value = 0;
    std::vector<int> edges;
  };
  std::vector<Source> sources;
  for (int node = 0; node < index_.nodes; ++node) {
    Source source;
    if (node > 0) {
      const int winner = WinningEdge(index_, scores_, node);
      if (winner == kNoEdge) continue;
      source.value = scores_[winner]->score;
    }
    for (const int edge : ways_out_[node]) {
      if (graph_.transitions(edge).round() == round) source.edges.push_back(edge);
    }
    std::sort(source.edges.begin(), source.edges.end());
    if (!source.edges.empty()) sources.push_back(std::move(source));
  }
  // Among equal ones the state listed first.
  std::stable_sort(sources.begin(), sources.end(),
                   [](const Source& a, const Source& b) { return a.value > b.value; });
  const SearchRound& limits = graph_.rounds(round - 1);
  if (limits.states() > 0 && sources.size() > static_cast<size_t>(limits.states())) {
    sources.resize(limits.states());
  }
  int left = limits.edges();
  for (size_t turn = 0, given = 1; left > 0 && given > 0; ++turn) {
    given = 0;
    for (const Source& source : sources) {
      if (left == 0 || turn >= source.edges.size()) continue;
      chosen_[source.edges[turn]] = true;
      --left;
      ++given;
    }
  }
  for (const int edge : index_.training_order) {
    if (graph_.transitions(edge).round() != round || chosen_[edge]) continue;
    dropped_[edge] = true;
    --open_ways_out_[index_.edges[edge].from];
  }
}

int SearchProgress::next_edge() const {
  if (hopeless()) return kNoEdge;
  for (size_t i = first_open_; i < index_.training_order.size(); ++i) {
    if (Ready(index_.training_order[i])) return index_.training_order[i];
  }
  return kNoEdge;
}

bool SearchProgress::hopeless() const {
  return !unreached_.empty() &&
         std::all_of(index_.finals.begin(), index_.finals.end(),
                     [this](int node) { return !index_.reachable[node] || Unreached(node); });
}

bool SearchProgress::Unreached(int node) const {
  // With rounds, a state without an edge into it only gives no edges to the next round.
  if (!graph_.rounds().empty()) return false;
  return std::all_of(index_.incoming[node].begin(), index_.incoming[node].end(), [&](int way) {
    const bool done = outcomes_[way] || !index_.reachable[index_.edges[way].from];
    return done && !scores_[way];
  });
}

bool SearchProgress::Ready(int edge) const {
  const int source = index_.edges[edge].from;
  if (outcomes_[edge] || !chosen_[edge] || !index_.reachable[source]) return false;
  if (way_before_[edge] != kNoEdge && !outcomes_[way_before_[edge]]) return false;
  // Edges into the source's own sources are finished too, because this edge was ready once.
  return std::all_of(index_.incoming[source].begin(), index_.incoming[source].end(), [&](int way) {
    return outcomes_[way] || dropped_[way] || !index_.reachable[index_.edges[way].from];
  });
}

int SearchProgress::FindReady(const std::string& name) const {
  const auto found = edges_by_name_.find(name);
  return found != edges_by_name_.end() && Ready(found->second) ? found->second : kNoEdge;
}

bool SearchProgress::NeedsWeights(int edge) const {
  if (!outcomes_[edge]) return true;
  if (!scores_[edge] || scores_[edge]->epochs == 0) return false;
  // The states that use its weights: the edge's own if it won, and skipped ones after it.
  std::vector<int> standing;
  const auto won = [&](int way) {
    return WinningEdge(index_, scores_, index_.edges[way].to) == way;
  };
  if (won(edge)) standing.push_back(index_.edges[edge].to);
  while (!standing.empty()) {
    const int node = standing.back();
    standing.pop_back();
    if (open_ways_out_[node] > 0) return true;
    if (std::count(index_.finals.begin(), index_.finals.end(), node) > 0) return true;
    for (const int way : ways_out_[node]) {
      if (scores_[way] && scores_[way]->epochs == 0 && won(way)) {
        standing.push_back(index_.edges[way].to);
      }
    }
  }
  return false;
}

int SearchProgress::edges_total() const {
  // Called after every epoch.
  if (graph_.rounds().empty()) return static_cast<int>(index_.training_order.size());
  int edges = 0;
  for (const int edge : index_.training_order) edges += chosen_[edge];
  for (int round = round_; round < rounds(); ++round) edges += graph_.rounds(round).edges();
  return edges;
}

// An edge's end can make the weights of any other unneeded: of its source, of an edge that it has
// beaten, and of an edge whose weights its target used after a skip.  So all edges that may still
// have weights are checked: a few, because most were returned before.
std::vector<int> SearchProgress::TakeUnneeded() {
  const auto needed = std::stable_partition(keeping_.begin(), keeping_.end(),
                                            [this](int edge) { return NeedsWeights(edge); });
  std::vector<int> taken(needed, keeping_.end());
  keeping_.erase(needed, keeping_.end());
  return taken;
}

int SearchProgress::max_epochs(int edge) const {
  if (graph_.transitions(edge).epochs() > 0) return graph_.transitions(edge).epochs();
  return index_.edges[edge].from == 0 ? rule_.max_epochs_from_initial() : rule_.max_epochs();
}

template <typename CostOfEpoch>
double SearchProgress::ToGo(const CostOfEpoch& cost_of_epoch) const {
  double cost = 0;
  for (int edge : index_.training_order) {
    if (outcomes_[edge] || !chosen_[edge]) continue;
    const int trained = std::max(0, static_cast<int>(curves_[edge].size()) - 1);
    cost += static_cast<double>(std::max(0, max_epochs(edge) - trained)) * cost_of_epoch(edge);
  }
    // The edges of a later round are unknown: count their number with the mean cost of all.
  for (int round = round_; round < rounds(); ++round) {
    double length = 0;
    int edges = 0;
    for (const int edge : index_.training_order) {
      if (graph_.transitions(edge).round() != round + 1) continue;
      length += static_cast<double>(max_epochs(edge)) * cost_of_epoch(edge);
      ++edges;
    }
    if (edges > 0) cost += length * graph_.rounds(round).edges() / edges;
  }
  return cost;
}

int SearchProgress::epochs_at_worst() const {
  const double most = epochs_trained_ + ToGo([](int) { return 1; });
  return static_cast<int>(std::min<double>(most, std::numeric_limits<int>::max()));
}

double SearchProgress::frames_to_go() const {
  return ToGo([this](int edge) { return FramesPerClip(graph_.states(index_.edges[edge].to - 1)); });
}

absl::StatusOr<StoppingDecision> SearchProgress::Decide(int edge) const {
  if (const int epochs = graph_.transitions(edge).epochs(); epochs > 0) {
    StoppingDecision decision;
    decision.stop = static_cast<int>(curves_[edge].size()) > epochs;
    if (!decision.stop) return decision;
    decision.ending = EdgeOutcome::LENGTH_REACHED;
    decision.epochs = epochs;
    decision.score = curves_[edge][epochs].performance();
    return decision;
  }
  std::vector<double> performance;
  for (const CurvePoint& point : curves_[edge]) performance.push_back(point.performance());
  // With a rule with `race`, earlier edges into the state are finished and later ones not started.
  std::optional<double> to_beat;
  if (rule_.race()) {
    const int winner = WinningEdge(index_, scores_, index_.edges[edge].to);
    if (winner != kNoEdge) to_beat = scores_[winner]->score;
  }
  return DecideStop(performance, rule_, max_epochs(edge), to_beat);
}

std::string SearchProgress::Collapse(int edge) const {
  std::vector<double> performance;
  for (const CurvePoint& point : curves_[edge]) {
    // Point 0 has the source's value even if it was not measured.
    if (point.epoch() == 0 || !point.unmeasured()) performance.push_back(point.performance());
  }
  return DescribeCollapse(performance, chances_[edge]);
}

absl::Status SearchProgress::Apply(const JournalEntry& entry) {
  switch (entry.entry_case()) {
    case JournalEntry::kOpened:
      ++processes_;
      return absl::OkStatus();
    case JournalEntry::kPoint:
      return ApplyPoint(entry.point());
    case JournalEntry::kFinished:
      return ApplyFinished(entry.finished());
    default:
      return absl::DataLossError("a line of an unexpected kind");
  }
}

absl::Status SearchProgress::ApplyPoint(const JournalPoint& point) {
  const std::string& name = point.edge();
  const int edge = FindReady(name);
  if (edge == kNoEdge) {
    return absl::DataLossError(absl::StrCat(
        "a point of ", name, ", which is finished, unknown, or has a source that is not finished"));
  }
  const int expected = static_cast<int>(curves_[edge].size());
  if (point.point().epoch() != expected) {
    return absl::DataLossError(absl::StrCat("epoch ", point.point().epoch(), " of ", name,
                                            ", where epoch ", expected, " is due"));
  }
  if (!std::isfinite(point.point().performance())) {
    return absl::DataLossError(absl::StrCat("the performance of ", name, " at epoch ", expected,
                                            " is ", point.point().performance()));
  }
  curves_[edge].push_back(point.point());
  chances_[edge] = point.chance();
  if (expected > 0) ++epochs_trained_;
  return absl::OkStatus();
}

absl::Status SearchProgress::ApplyFinished(EdgeOutcome outcome) {
  const std::string name = absl::StrCat(outcome.from(), "-", outcome.to());
  const int edge = FindReady(name);
  if (edge == kNoEdge) {
    return absl::DataLossError(absl::StrCat("the edge ", name, " is finished out of turn"));
  }
  if (outcome.ending() == EdgeOutcome::FAILED) {
    if (outcome.failure().empty() || outcome.epochs() != 0) {
      return absl::DataLossError(
          absl::StrCat("the edge ", name, " failed without a reason, or keeps an epoch"));
    }
    Settle(edge, std::move(outcome));
    return absl::OkStatus();
  }
  const int trained = static_cast<int>(curves_[edge].size()) - 1;
  if (trained < 1 || outcome.epochs() < 0 || outcome.epochs() > trained ||
      !std::isfinite(outcome.score())) {
    return absl::DataLossError(absl::StrCat("the edge ", name, " keeps epoch ", outcome.epochs(),
                                            " of ", trained, " with the score ", outcome.score()));
  }
  scores_[edge] = EdgeScore{outcome.epochs(), outcome.score()};
  Settle(edge, std::move(outcome));
  return absl::OkStatus();
}

void SearchProgress::Settle(int edge, EdgeOutcome outcome) {
  std::vector<std::pair<int, EdgeOutcome>> settled = {{edge, std::move(outcome)}};
  while (!settled.empty()) {
    auto [way, result] = std::move(settled.back());
    settled.pop_back();
    result.mutable_curve()->Assign(curves_[way].begin(), curves_[way].end());
    outcomes_[way] = std::move(result);
    keeping_.push_back(way);
    ++edges_finished_;
    --open_ways_out_[index_.edges[way].from];
    const int node = index_.edges[way].to;
    if (scores_[way] || !Unreached(node)) continue;
    unreached_.push_back(node);
    for (const int out : ways_out_[node]) {
      EdgeOutcome never;
      never.set_from(NodeName(graph_, node));
      never.set_to(NodeName(graph_, index_.edges[out].to));
      never.set_ending(EdgeOutcome::UNREACHED);
      never.set_failure(absl::StrCat("not trained: no edge reaches ", NodeName(graph_, node)));
      settled.emplace_back(out, std::move(never));
    }
  }
  const std::vector<int>& order = index_.training_order;
  while (first_open_ < order.size() &&
         (outcomes_[order[first_open_]] || dropped_[order[first_open_]])) {
    ++first_open_;
  }
  ChooseRounds();
}

std::string SearchProgress::DescribeUnreached(int node) const {
  std::vector<std::string> ways, out;
  for (const int way : index_.incoming[node]) {
    if (!outcomes_[way]) continue;
    ways.push_back(absl::StrCat(
        EdgeName(graph_.transitions(way)),
        outcomes_[way]->ending() == EdgeOutcome::FAILED ? " failed" : " was not trained"));
  }
  for (const int way : ways_out_[node]) out.push_back(EdgeName(graph_.transitions(way)));
  std::string text =
      absl::StrCat(NodeName(graph_, node), " is reached by no edge: ", absl::StrJoin(ways, ", "));
  if (!out.empty()) {
    absl::StrAppend(&text, "; ", absl::StrJoin(out, ", "),
                    out.size() == 1 ? " is not trained" : " are not trained");
  }
  return text;
}

namespace {

Plan MakePlan(const TransitionGraph& graph, const EdgeScores& scores, const BestPath& path) {
  Plan plan;
  plan.set_pool(graph.pool());
  plan.set_value(path.value);
  for (int node : path.nodes) plan.add_path(NodeName(graph, node));
  for (size_t i = 0; i < path.edges.size(); ++i) {
    const int epochs = scores[path.edges[i]]->epochs;
    if (epochs == 0) continue;  // skipped
    Plan::Step* step = plan.add_steps();
    *step->mutable_state() = graph.states(path.nodes[i + 1] - 1);
    step->set_epochs(epochs);
  }
  return plan;
}

}  // namespace

absl::StatusOr<SearchOutcome> SearchProgress::Outcome() const {
  std::vector<std::string> failures;
  for (const std::optional<EdgeOutcome>& edge : outcomes_) {
    if (!edge || edge->ending() != EdgeOutcome::FAILED) continue;
    failures.push_back(absl::StrCat(edge->from(), "-", edge->to(), ": ", edge->failure()));
  }
  // With rounds, only the end shows that no final state is reached.
  const bool ended = next_edge() == kNoEdge;
  if (hopeless() || (ended && !failures.empty() && !FindBestPath(index_, scores_).ok())) {
    std::vector<std::string> finals;
    for (const int node : index_.finals) finals.push_back(NodeName(graph_, node));
    const std::string text =
        absl::StrCat("no final state (", absl::StrJoin(finals, ", "),
                     ") is reached, so there is no plan: ", absl::StrJoin(failures, "; "),
                     ". Search with other states in another folder");
    return MarkTrainingFailure(absl::AbortedError(text), text);
  }
  if (!ended) {
    return absl::FailedPreconditionError(absl::StrCat("the search is not done: ", edges_finished(),
                                                      " of ", edges_total(), " edges are"));
  }
  OP3D_RETURN_IF_ERROR(FindBestPath(index_, scores_).status());
  return OutcomeSoFar();
}

SearchOutcome SearchProgress::OutcomeSoFar() const {
  SearchOutcome outcome;
  *outcome.mutable_graph() = graph_;
  *outcome.mutable_rule() = rule_;
  for (const std::optional<EdgeOutcome>& edge : outcomes_) {
    if (edge) *outcome.add_edges() = *edge;
  }
  for (int node = 1; node < index_.nodes; ++node) {
    const int winner = WinningEdge(index_, scores_, node);
    if (winner == kNoEdge) continue;
    NodeOutcome* result = outcome.add_nodes();
    result->set_state(NodeName(graph_, node));
    result->set_value(scores_[winner]->score);
    result->set_from(NodeName(graph_, index_.edges[winner].from));
  }
  for (int node = 1; node < index_.nodes; ++node) {
    if (std::count(unreached_.begin(), unreached_.end(), node) == 0) continue;
    outcome.add_unreached(DescribeUnreached(node));
  }
  if (const absl::StatusOr<BestPath> path = FindBestPath(index_, scores_); path.ok()) {
    *outcome.mutable_plan() = MakePlan(graph_, scores_, *path);
  }
  return outcome;
}

}  // namespace op3d::planner
