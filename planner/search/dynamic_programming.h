// The best path through a transition graph whose edges have been scored.
//
//   value(j)  = max over trained edges i -> j of score(i -> j)
//   winner(j) = the edge with that score; among equal ones the edge listed first
//   plan      = back along the winners from the final state with the highest value (among equal
//               ones the one listed first)
//
// The score of i -> j was measured from the weights kept in i, so every edge is trained once:
// O(edges) trainings replace those of all permutations of states.  That is exact if an edge's score
// depends on its source only through the source's best weights.  If it depends on the whole path,
// a path through a worse state may be better and is not found.  (Paper: Optimization Planning
// for 3D ConvNets, ICML 2021, section 3.)
//
// Scores are only compared; there is no arithmetic on them.  All functions are thread-safe.
#ifndef OP3D_PLANNER_SEARCH_DYNAMIC_PROGRAMMING_H_
#define OP3D_PLANNER_SEARCH_DYNAMIC_PROGRAMMING_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "planner/graphs/transition_graph.h"

namespace op3d::planner {

// The result of training an edge.
struct EdgeScore {
  // Epochs kept.  0 = the state is skipped: its source's weights are used.
  int epochs = 0;
  double score = 0;
};

// By edge; absent = not trained.
using EdgeScores = std::vector<std::optional<EdgeScore>>;

// No edge: no edge leads to the node, or the initial weights.
inline constexpr int kNoEdge = -1;

// winner(node); kNoEdge for the initial state and if no edge into `node` is trained.
// `scores` has one entry per edge, all finite; `node` in [0, graph.nodes).
int WinningEdge(const GraphIndex& graph, absl::Span<const std::optional<EdgeScore>> scores,
                int node);

// The edge whose weights are used in `node`: the winner, or if it kept 0 epochs, the edge whose
// weights are used in its source.  kNoEdge = the initial weights.
int KeptEdge(const GraphIndex& graph, absl::Span<const std::optional<EdgeScore>> scores, int node);

struct BestPath {
  // From the initial state to the final one.
  std::vector<int> edges;
  // One more than edges; the first is 0.
  std::vector<int> nodes;
  // The final state's.
  double value = 0;
};

// FailedPrecondition if no final state has a value; InvalidArgument for a score that is not
// finite, negative epochs, or a number of scores that differs from the number of edges.
absl::StatusOr<BestPath> FindBestPath(const GraphIndex& graph,
                                      absl::Span<const std::optional<EdgeScore>> scores);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_SEARCH_DYNAMIC_PROGRAMMING_H_
