// The best path through a transition graph whose edges have been scored.
//
//   value(j)  = max over trained edges i -> j of score(i -> j)
//   winner(j) = the edge where that is reached; of equal ones the edge listed first
//   plan      = back from the final state of the highest value (of equal ones the one listed
//               first) along the winners
//
// The score of i -> j was measured from the weights kept in i, so every edge is trained once:
// O(edges) trainings stand in for all permutations of states.  That is exact where an edge's score
// depends on its source only through the source's best weights; where it depends on the whole path,
// a path through a worse state may be better and is not looked at.  (Paper: Optimization Planning
// for 3D ConvNets, ICML 2021, section 3.)
//
// Scores are compared, never computed with.  All functions are thread-safe.
#ifndef OP3D_PLANNER_SEARCH_DYNAMIC_PROGRAMMING_H_
#define OP3D_PLANNER_SEARCH_DYNAMIC_PROGRAMMING_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "planner/graphs/transition_graph.h"

namespace op3d::planner {

// What training an edge gave.
struct EdgeScore {
  // Epochs kept.  0 = the state is skipped: its source's weights stay.
  int epochs = 0;
  double score = 0;
};

// By edge; absent = not trained.
using EdgeScores = std::vector<std::optional<EdgeScore>>;

// No edge: nothing led to the node, or the initial weights.
inline constexpr int kNoEdge = -1;

// winner(node); kNoEdge for the initial state and where no edge into `node` is trained.
// `scores` has one entry an edge, all finite; `node` in [0, graph.nodes).
int WinningEdge(const GraphIndex& graph, absl::Span<const std::optional<EdgeScore>> scores,
                int node);

// The edge whose weights stand in `node`: the winner, or where it kept 0 epochs the edge whose
// weights stand in its source.  kNoEdge = the initial weights.
int KeptEdge(const GraphIndex& graph, absl::Span<const std::optional<EdgeScore>> scores, int node);

struct BestPath {
  // From the initial state to the final one.
  std::vector<int> edges;
  // One more than edges; the first is 0.
  std::vector<int> nodes;
  // The final state's.
  double value = 0;
};

// FailedPrecondition when no final state has a value; InvalidArgument for a score that is not
// finite, negative epochs, or another number of scores than of edges.
absl::StatusOr<BestPath> FindBestPath(const GraphIndex& graph,
                                      absl::Span<const std::optional<EdgeScore>> scores);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_SEARCH_DYNAMIC_PROGRAMMING_H_
