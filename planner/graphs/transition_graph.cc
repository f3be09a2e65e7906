#include "planner/graphs/transition_graph.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"

namespace op3d::planner {
namespace {

using Numbers = absl::flat_hash_map<std::string, int>;

absl::Status CheckName(const std::string& name, absl::string_view what) {
  if (name.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(what, " has no name; give it one, as \"S1\""));
  }
  const bool usable =
      name[0] != '.' && std::all_of(name.begin(), name.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
      });
  if (usable) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " is called \"", name,
                   "\": a name is made of letters, digits, '_' and '.', not beginning with '.', "
                   "because it becomes the name of a folder"));
}

absl::StatusOr<Numbers> NumberStates(const TransitionGraph& graph) {
  OP3D_RETURN_IF_ERROR(CheckName(graph.initial(), "the initial state"));
  Numbers numbers = {{graph.initial(), 0}};
  for (int i = 0; i < graph.states_size(); ++i) {
    const StateSettings& state = graph.states(i);
    OP3D_RETURN_IF_ERROR(CheckName(state.name(), absl::StrCat("states[", i, "]")));
    if (state.name() == graph.initial()) {
      return absl::InvalidArgumentError(
          absl::StrCat("states[", i, "] is called ", state.name(),
                       " as the initial state is, which nothing is trained in; rename one"));
    }
    if (!numbers.emplace(state.name(), i + 1).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("two states are called ", state.name(), "; names must differ"));
    }
    OP3D_RETURN_IF_ERROR(ValidateState(state));
  }
  return numbers;
}

absl::StatusOr<int> Number(const Numbers& numbers, const std::string& name,
                           absl::string_view where) {
  const auto found = numbers.find(name);
  if (found != numbers.end()) return found->second;
  return absl::InvalidArgumentError(
      absl::StrCat(where, " names the state \"", name,
                   "\", which is not among the graph's states; add it or "
                   "correct the name"));
}

absl::Status ReadEdges(const TransitionGraph& graph, const Numbers& numbers, GraphIndex* index) {
  std::set<std::pair<int, int>> seen;
  index->incoming.resize(index->nodes);
  for (const Transition& transition : graph.transitions()) {
    const std::string where = absl::StrCat("the edge ", EdgeName(transition));
    OP3D_ASSIGN_OR_RETURN(const int from, Number(numbers, transition.from(), where));
    OP3D_ASSIGN_OR_RETURN(const int to, Number(numbers, transition.to(), where));
    if (to == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          where, " leads into the initial state, where nothing is trained; remove it"));
    }
    if (!seen.emplace(from, to).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, " is listed twice and would be trained twice; remove one"));
    }
    index->incoming[to].push_back(static_cast<int>(index->edges.size()));
    index->edges.push_back({from, to});
  }
  return absl::OkStatus();
}

// Further checks for a graph with rounds, or with edges of a fixed length.
absl::Status CheckRounds(const TransitionGraph& graph, const GraphIndex& index) {
  const int rounds = graph.rounds_size();
  for (int round = 0; round < rounds; ++round) {
    if (graph.rounds(round).edges() >= 1 && graph.rounds(round).states() >= 0) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "rounds[", round, "] trains ", graph.rounds(round).edges(), " edges from ",
        graph.rounds(round).states(), " states; it must train at least 1, from at least 0"));
  }
  // By node: the last round in which it can be reached.
  std::vector<int> reached(index.nodes, 0);
  for (int i = 0; i < graph.transitions_size(); ++i) {
    const Transition& edge = graph.transitions(i);
    const std::string name = EdgeName(edge);
    if (edge.epochs() < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("the edge ", name, " lasts ", edge.epochs(), " epochs; at least 0"));
    }
    const StateSettings& state = graph.states(index.edges[i].to - 1);
    if (state.schedule().kind_case() != ScheduleSettings::KIND_NOT_SET && edge.epochs() == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the learning rate changes inside the state ", state.name(), ", but the edge ", name,
          " has no number of epochs; give the edge its `epochs`"));
    }
    if (edge.round() < 0 || edge.round() > rounds || (rounds > 0) != (edge.round() > 0)) {
      return absl::InvalidArgumentError(absl::StrCat("the edge ", name, " is of round ",
                                                     edge.round(), " in a graph of ", rounds,
                                                     " rounds; rounds are numbered from 1"));
    }
    if (rounds > 0 && edge.epochs() == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the edge ", name, " has no number of epochs, which a graph with rounds needs"));
    }
    reached[index.edges[i].to] = std::max(reached[index.edges[i].to], edge.round());
  }
  for (int i = 0; i < graph.transitions_size(); ++i) {
    const int before = reached[index.edges[i].from];
    if (graph.transitions(i).round() > before || rounds == 0) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "the edge ", EdgeName(graph.transitions(i)), " is of round ", graph.transitions(i).round(),
        ", but its source is reached in round ", before, " only; it must be of a later round"));
  }
  return absl::OkStatus();
}

absl::Status ReadFinals(const TransitionGraph& graph, const Numbers& numbers, GraphIndex* index) {
  for (const std::string& name : graph.finals()) {
    OP3D_ASSIGN_OR_RETURN(const int node, Number(numbers, name, "finals"));
    if (node == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("the initial state ", name, " cannot be final: such a plan trains nothing"));
    }
    if (std::count(index->finals.begin(), index->finals.end(), node) > 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("finals lists the state ", name, " twice; remove one"));
    }
    index->finals.push_back(node);
  }
  if (!index->finals.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the graph has no final state, where a plan could end; list one in finals");
}

// Every node of `open` has an edge from another of `open`, so following them backwards must repeat.
std::string DescribeCycle(const TransitionGraph& graph, const GraphIndex& index,
                          const std::vector<bool>& open) {
  int node = static_cast<int>(std::find(open.begin(), open.end(), true) - open.begin());
  std::vector<int> walk;
  while (std::count(walk.begin(), walk.end(), node) == 0) {
    walk.push_back(node);
    for (int edge : index.incoming[node]) {
      if (open[index.edges[edge].from]) {
        node = index.edges[edge].from;
        break;
      }
    }
  }
  walk.erase(walk.begin(), std::find(walk.begin(), walk.end(), node));
  walk.push_back(node);
  std::reverse(walk.begin(), walk.end());  // forwards again
  return absl::StrJoin(walk, " -> ", [&graph](std::string* out, int n) {
    absl::StrAppend(out, NodeName(graph, n));
  });
}

// Repeatedly takes the first listed edge whose source already has all its own edges.
absl::Status OrderEdges(const TransitionGraph& graph, GraphIndex* index) {
  std::vector<int> missing(index->nodes);
  std::vector<std::vector<int>> outgoing(index->nodes);
  for (int node = 0; node < index->nodes; ++node) {
    missing[node] = static_cast<int>(index->incoming[node].size());
  }
  for (size_t edge = 0; edge < index->edges.size(); ++edge) {
    outgoing[index->edges[edge].from].push_back(static_cast<int>(edge));
  }
  // Edges that can be taken; the first listed one is on top.
  std::priority_queue<int, std::vector<int>, std::greater<int>> open_edges;
  const auto open = [&](int node) {
    for (const int edge : outgoing[node]) open_edges.push(edge);
  };
  for (int node = 0; node < index->nodes; ++node) {
    if (missing[node] == 0) open(node);
  }
  index->reachable.assign(index->nodes, false);
  index->reachable[0] = true;
  size_t taken = 0;
  for (; !open_edges.empty(); ++taken) {
    const int edge = open_edges.top();
    open_edges.pop();
    const GraphIndex::Edge& ends = index->edges[edge];
    if (--missing[ends.to] == 0) open(ends.to);
    if (!index->reachable[ends.from]) continue;
    index->reachable[ends.to] = true;
    index->training_order.push_back(edge);
  }
  if (taken == index->edges.size()) return absl::OkStatus();
  std::vector<bool> closed(index->nodes);
  for (int node = 0; node < index->nodes; ++node) closed[node] = missing[node] > 0;
  return absl::InvalidArgumentError(absl::StrCat("the graph has a cycle, ",
                                                 DescribeCycle(graph, *index, closed),
                                                 "; remove one of these edges"));
}

absl::Status CheckPositive(const StateSettings& state, absl::string_view field, double value) {
  return Require(std::isfinite(value) && value > 0,
                 absl::StrCat("state ", state.name(), ": ", field), value, "a number above 0");
}

}  // namespace

absl::StatusOr<GraphIndex> IndexGraph(const TransitionGraph& graph) {
  OP3D_ASSIGN_OR_RETURN(const Numbers numbers, NumberStates(graph));
  GraphIndex index;
  index.nodes = graph.states_size() + 1;
  OP3D_RETURN_IF_ERROR(ReadEdges(graph, numbers, &index));
  OP3D_RETURN_IF_ERROR(CheckRounds(graph, index));
  OP3D_RETURN_IF_ERROR(ReadFinals(graph, numbers, &index));
  OP3D_RETURN_IF_ERROR(OrderEdges(graph, &index));
  for (int node : index.finals) {
    if (index.reachable[node]) return index;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "no final state (", absl::StrJoin(graph.finals(), ", "), ") can be reached from ",
      graph.initial(), ": there is no plan; add the edges that lead there"));
}

absl::Status ValidateGraph(const TransitionGraph& graph) {
  OP3D_ASSIGN_OR_RETURN(const GraphIndex index, IndexGraph(graph));
  for (int node = 0; node < index.nodes; ++node) {
    if (index.reachable[node]) continue;
    return absl::InvalidArgumentError(absl::StrCat("no path leads from ", graph.initial(),
                                                   " to the state ", NodeName(graph, node),
                                                   "; add an edge or remove the state"));
  }
  return absl::OkStatus();
}

absl::Status ValidateState(const StateSettings& state) {
  OP3D_RETURN_IF_ERROR(CheckPositive(state, "segments", state.segments()));
  OP3D_RETURN_IF_ERROR(CheckPositive(state, "frames_per_segment", state.frames_per_segment()));
  OP3D_RETURN_IF_ERROR(CheckPositive(state, "stride", state.stride()));
  OP3D_RETURN_IF_ERROR(CheckPositive(state, "learning_rate", state.learning_rate()));
  OP3D_RETURN_IF_ERROR(CheckPositive(state, "batch_size", state.batch_size()));
  OP3D_RETURN_IF_ERROR(CheckPositive(state, "accumulation", state.accumulation()));
  constexpr int kMostPixels = 8192;
  OP3D_RETURN_IF_ERROR(
      Require(state.crop() >= 0 && state.crop() <= kMostPixels,
              absl::StrCat("state ", state.name(), ": crop"), state.crop(),
              absl::StrCat("in [1, ", kMostPixels, "], or 0 for the transform's own")));
  constexpr int64_t kMostFrames = 1 << 20;
  const int64_t frames = int64_t{state.segments()} * state.frames_per_segment();
  if (frames * state.stride() <= kMostFrames && frames <= kMostFrames) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "state ", state.name(), ": a clip of ", state.segments(), " x ", state.frames_per_segment(),
      " frames, ", state.stride(), " apart, spans more than ", kMostFrames, " frames"));
}

const std::string& NodeName(const TransitionGraph& graph, int node) {
  return node == 0 ? graph.initial() : graph.states(node - 1).name();
}

std::string EdgeName(const Transition& transition) {
  return absl::StrCat(transition.from(), "-", transition.to());
}

int FramesPerClip(const StateSettings& state) {
  return state.segments() * state.frames_per_segment();
}

double FullFramesPerClip(const StateSettings& state, int full_crop) {
  const double side =
      state.crop() > 0 && full_crop > 0 ? static_cast<double>(state.crop()) / full_crop : 1;
  return FramesPerClip(state) * side * side;
}

}  // namespace op3d::planner
