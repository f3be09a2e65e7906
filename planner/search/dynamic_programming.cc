#include "planner/search/dynamic_programming.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"

namespace op3d::planner {
namespace {

using Scores = absl::Span<const std::optional<EdgeScore>>;

absl::Status CheckScores(const GraphIndex& graph, Scores scores) {
  if (scores.size() != graph.edges.size()) {
    return absl::InvalidArgumentError(absl::StrCat(scores.size(), " scores for a graph of ",
                                                   graph.edges.size(), " edges; one each"));
  }
  for (size_t edge = 0; edge < scores.size(); ++edge) {
    if (!scores[edge]) continue;
    if (!std::isfinite(scores[edge]->score)) {
      return absl::InvalidArgumentError(absl::StrCat("the score of edge ", edge, " is ",
                                                     scores[edge]->score, ", not a finite number"));
    }
    if (scores[edge]->epochs < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("edge ", edge, " kept ", scores[edge]->epochs, " epochs; at least 0"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

int WinningEdge(const GraphIndex& graph, Scores scores, int node) {
  int winner = kNoEdge;
  for (int edge : graph.incoming[node]) {
    if (!scores[edge]) continue;
    if (winner == kNoEdge || scores[edge]->score > scores[winner]->score) winner = edge;
  }
  return winner;
}

int KeptEdge(const GraphIndex& graph, Scores scores, int node) {
  int edge = WinningEdge(graph, scores, node);
  while (edge != kNoEdge && scores[edge]->epochs == 0) {
    edge = WinningEdge(graph, scores, graph.edges[edge].from);
  }
  return edge;
}

absl::StatusOr<BestPath> FindBestPath(const GraphIndex& graph, Scores scores) {
  if (absl::Status status = CheckScores(graph, scores); !status.ok()) return status;
  int last = kNoEdge;
  for (int node : graph.finals) {
    const int winner = WinningEdge(graph, scores, node);
    if (winner == kNoEdge) continue;
    if (last == kNoEdge || scores[winner]->score > scores[last]->score) last = winner;
  }
  if (last == kNoEdge) {
    return absl::FailedPreconditionError(
        "no edge into a final state has been trained: there is no plan");
  }
  BestPath path;
  path.value = scores[last]->score;
  path.nodes.push_back(graph.edges[last].to);
  for (int edge = last; edge != kNoEdge;
       edge = WinningEdge(graph, scores, graph.edges[edge].from)) {
    path.edges.push_back(edge);
    path.nodes.push_back(graph.edges[edge].from);
  }
  std::reverse(path.edges.begin(), path.edges.end());
  std::reverse(path.nodes.begin(), path.nodes.end());
  if (path.nodes.front() == 0) return path;
  return absl::InvalidArgumentError("an edge is scored whose source no scored edge leads to");
}

}  // namespace op3d::planner
