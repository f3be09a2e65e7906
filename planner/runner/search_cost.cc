#include "planner/runner/search_cost.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "planner/graphs/transition_graph.h"
#include "planner/replay/plan_text.h"

namespace op3d::planner {
namespace {

// The properties on which the time and memory of a step depend.
using Shape = std::tuple<int, int, int, int, bool, bool>;

Shape ShapeOf(const StateSettings& state, bool from_initial) {
  return {state.segments(),     state.frames_per_segment(), state.batch_size(),
          state.accumulation(), state.frozen_batch_norm(),  from_initial};
}

// Asks a child once for each shape.
class Probe {
 public:
  Probe(const SearchRequest& request, const ChildSearchOptions& options)
      : folder_(options.folder), child_(ChildOptions(request, options.child, 0)) {
    if (request.runner().empty()) {
      unknown_ = "give the training command, --runner='python3 my_train.py', to ask it";
    }
  }

  // nullopt if the child does not say; Cancelled on a signal.
  absl::StatusOr<std::optional<EdgeCost>> Ask(const TransitionGraph& graph, int edge,
                                              const StateSettings& state, int epochs) {
    if (!unknown_.empty()) return std::optional<EdgeCost>();
    const bool from_initial = graph.transitions(edge).from() == graph.initial();
    const Shape shape = ShapeOf(state, from_initial);
    const auto known = known_.find(shape);
    if (known != known_.end()) return std::optional<EdgeCost>(known->second);
    EdgeTask task;
    task.set_name(EdgeName(graph.transitions(edge)));
    *task.mutable_state() = state;
    task.set_folder(
        absl::StrCat(folder_.empty() ? "." : folder_, "/journal/", graph.pool(), "/", task.name()));
    task.set_index(edge);
    task.set_from_initial(from_initial);
    const absl::StatusOr<EdgeCost> estimate = child_.Estimate(task, epochs);
    if (absl::IsCancelled(estimate.status())) return estimate.status();
    if (!estimate.ok()) {
      unknown_ =
          absl::StrCat("the runner does not answer \"estimate\" (planner/runner/child_runner.h): ",
                       estimate.status().message());
      return std::optional<EdgeCost>();
    }
    known_[shape] = *estimate;
    return std::optional<EdgeCost>(*estimate);
  }

  const std::string& unknown() const { return unknown_; }

 private:
  const std::string folder_;
  ChildRunner child_;
  std::map<Shape, EdgeCost> known_;
  std::string unknown_;
};

double Seconds(const EdgeCost& edge, int epochs, bool from_initial) {
  return epochs * (edge.train_seconds() + edge.measure_seconds()) +
         (from_initial ? 0 : edge.measure_seconds());
}

// The time until `jobs` have trained all pools' edges, each started as soon as its source is
// decided.
double WallSeconds(const SearchCost& cost, bool worst) {
  std::vector<double> free(cost.jobs, 0);
  double end = 0;
  for (const SearchCost::Pool& pool : cost.pools) {
    const GraphIndex index = *IndexGraph(pool.graph);
    std::vector<double> decided(index.nodes, 0);
    for (size_t i = 0; i < pool.work.edges.size(); ++i) {
      const EdgeWork& edge = pool.work.edges[i];
      const GraphIndex::Edge& ends = index.edges[edge.edge];
      const auto job = std::min_element(free.begin(), free.end());
      *job =
          std::max(*job, decided[ends.from]) +
          Seconds(*pool.edges[i], worst ? edge.max_epochs : edge.expected_epochs, ends.from == 0);
      decided[ends.to] = std::max(decided[ends.to], *job);
      end = std::max(end, *job);
    }
  }
  return end;
}

void AddUp(bool keep_all_weights, SearchCost* cost) {
  int64_t training = 0, memory = 0;
  for (const SearchCost::Pool& pool : cost->pools) {
    int64_t kept = 0, all = 0;
    for (size_t i = 0; i < pool.work.edges.size(); ++i) {
      const EdgeWork& edge = pool.work.edges[i];
      const EdgeCost& estimate = *pool.edges[i];
      const bool from_initial = pool.graph.transitions(edge.edge).from() == pool.graph.initial();
      cost->expected_seconds += Seconds(estimate, edge.expected_epochs, from_initial);
      cost->worst_seconds += Seconds(estimate, edge.max_epochs, from_initial);
      training = std::max(training, static_cast<int64_t>(estimate.training_bytes()));
      memory = std::max(memory, static_cast<int64_t>(estimate.memory_bytes()));
      kept = std::max(kept, static_cast<int64_t>(estimate.kept_bytes()));
      all += static_cast<int64_t>(estimate.kept_bytes());
    }
    // With several jobs the order differs, so that a few more may be kept.
    const int held = pool.work.weights_at_once + cost->jobs - 1;
    cost->disk_bytes += keep_all_weights ? all : std::min(all, held * kept);
  }
  cost->disk_bytes += cost->jobs * training;
  cost->memory_bytes = cost->jobs * memory;
  cost->expected_wall_seconds = WallSeconds(*cost, false);
  cost->worst_wall_seconds = WallSeconds(*cost, true);
}

std::string Bytes(int64_t bytes) {
  const double value = static_cast<double>(bytes);
  return value < 1e9 ? absl::StrFormat("%.1f MB", value / 1e6)
                     : absl::StrFormat("%.1f GB", value / 1e9);
}

std::string Range(int64_t least, int64_t expected, int64_t most) {
  return absl::StrCat(least, " / ", expected, " / ", most);
}

std::string FormatEdge(const SearchCost& cost, const SearchCost::Pool& pool, size_t i) {
  const EdgeWork& edge = pool.work.edges[i];
  const Transition& transition = pool.graph.transitions(edge.edge);
  const GraphIndex index = *IndexGraph(pool.graph);
  const StateSettings& state = pool.graph.states(index.edges[edge.edge].to - 1);
  const int64_t clips = pool.edges[i] ? static_cast<int64_t>(pool.edges[i]->clips()) : cost.videos;
  std::string line = absl::StrFormat(
      "  %-10s %-14s %-8g %16s %26s", EdgeName(transition), ClipText(state), state.learning_rate(),
      Range(edge.min_epochs, edge.expected_epochs, edge.max_epochs),
      absl::StrCat(edge.expected_epochs * clips, " / ", edge.max_epochs * clips));
  if (!pool.edges[i]) return absl::StrCat(line, "\n");
  const EdgeCost& estimate = *pool.edges[i];
  const bool from_initial = transition.from() == pool.graph.initial();
  absl::StrAppendFormat(
      &line, "  %24s  %9s  %9s\n",
      absl::StrCat(FormatSeconds(Seconds(estimate, edge.expected_epochs, from_initial)), " / ",
                   FormatSeconds(Seconds(estimate, edge.max_epochs, from_initial))),
      Bytes(static_cast<int64_t>(estimate.training_bytes())),
      Bytes(static_cast<int64_t>(estimate.memory_bytes())));
  return line;
}

}  // namespace

absl::StatusOr<SearchCost> EstimateSearch(const SearchRequest& request,
                                          const ChildSearchOptions& options, int64_t videos) {
  SearchCost cost;
  cost.jobs = std::max(1, options.jobs);
  cost.videos = videos;
  Probe probe(request, options);
  for (const TransitionGraph& graph : request.graphs()) {
    OP3D_RETURN_IF_ERROR(ValidateGraph(graph));
    OP3D_ASSIGN_OR_RETURN(const GraphIndex index, IndexGraph(graph));
    SearchCost::Pool pool;
    pool.graph = graph;
    OP3D_ASSIGN_OR_RETURN(pool.work, EstimateWork(graph, request.rule()));
    for (const EdgeWork& edge : pool.work.edges) {
      const StateSettings& state = graph.states(index.edges[edge.edge].to - 1);
      OP3D_ASSIGN_OR_RETURN(const std::optional<EdgeCost> estimate,
                            probe.Ask(graph, edge.edge, state, edge.max_epochs));
      pool.edges.push_back(estimate);
    }
    cost.pools.push_back(std::move(pool));
  }
  cost.unknown = probe.unknown();
  if (cost.unknown.empty()) AddUp(options.keep_all_weights, &cost);
  return cost;
}

std::string FormatCost(const SearchCost& cost) {
  std::string text;
  int edges = 0;
  int64_t min_epochs = 0, expected_epochs = 0, max_epochs = 0;
  int64_t expected_clips = 0, max_clips = 0, expected_frames = 0, max_frames = 0;
  const bool known = cost.unknown.empty();
  for (const SearchCost::Pool& pool : cost.pools) {
    absl::StrAppendFormat(&text, "pool %s: %d states, %d edges\n  %-10s %-14s %-8s %16s %26s",
                          pool.graph.pool(), pool.graph.states_size(), pool.work.edges.size(),
                          "edge", "clip", "lr", "epochs *", "clips **");
    if (known) absl::StrAppendFormat(&text, "  %24s  %9s  %9s", "time **", "disk", "memory");
    absl::StrAppend(&text, "\n");
    for (size_t i = 0; i < pool.work.edges.size(); ++i) {
      absl::StrAppend(&text, FormatEdge(cost, pool, i));
      const EdgeWork& edge = pool.work.edges[i];
      const int64_t clips =
          pool.edges[i] ? static_cast<int64_t>(pool.edges[i]->clips()) : cost.videos;
      expected_clips += clips * edge.expected_epochs;
      max_clips += clips * edge.max_epochs;
      expected_frames += clips * edge.expected_epochs * edge.frames_per_clip;
      max_frames += clips * edge.max_epochs * edge.frames_per_clip;
    }
    edges += static_cast<int>(pool.work.edges.size());
    min_epochs += pool.work.min_epochs;
    expected_epochs += pool.work.expected_epochs;
    max_epochs += pool.work.max_epochs;
  }
  absl::StrAppendFormat(
      &text,
      "* least / expected / at worst; ** expected / at worst.  Expected: an edge ends T epochs "
      "after the mean knee of\nthe released plans, epoch %d out of the initial state and %d "
      "elsewhere, or at its bound.\n",
      kReleasedKneeFromInitial, kReleasedKnee);
  absl::StrAppendFormat(&text,
                        "search: %d edges; epochs: %d at least, %d expected, %d at worst\n"
                        "clips: %d expected, %d at worst; frames: %d and %d\n",
                        edges, min_epochs, expected_epochs, max_epochs, expected_clips, max_clips,
                        expected_frames, max_frames);
  if (!known) {
    absl::StrAppend(&text, "time, disk and memory are not known: ", cost.unknown, "\n");
    return text;
  }
  absl::StrAppend(&text, "time: ", FormatSeconds(cost.expected_wall_seconds), " expected, ",
                  FormatSeconds(cost.worst_wall_seconds), " at worst with ", cost.jobs,
                  cost.jobs == 1 ? " job" : " jobs");
  if (cost.jobs > 1) {
    absl::StrAppend(&text, " (", FormatSeconds(cost.expected_seconds), " and ",
                    FormatSeconds(cost.worst_seconds), " of a job)");
  }
  absl::StrAppend(&text, ", by what the runner measured\ndisk: at most about ",
                  Bytes(cost.disk_bytes), "\nmemory: at most about ", Bytes(cost.memory_bytes),
                  cost.jobs == 1 ? "" : absl::StrCat(" for ", cost.jobs, " children"), "\n");
  return text;
}

}  // namespace op3d::planner
