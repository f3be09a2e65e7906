// Checks a TransitionGraph and replaces its names by numbers, for the algorithms.
//
//   OP3D_ASSIGN_OR_RETURN(GraphIndex index, IndexGraph(graph));
//   for (int edge : index.training_order) Use(graph.transitions(edge));
//
// All functions are thread-safe.
#ifndef OP3D_PLANNER_GRAPHS_TRANSITION_GRAPH_H_
#define OP3D_PLANNER_GRAPHS_TRANSITION_GRAPH_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "planner/graphs/plan.pb.h"

namespace op3d::planner {

// A transition graph with numbers.  Node 0 is the initial state, node k >= 1 is states(k - 1); edge
// i is transitions(i).
struct GraphIndex {
  struct Edge {
    int from = 0;
    int to = 0;
  };
  int nodes = 0;
  // In the listed order, which decides ties.
  std::vector<Edge> edges;
  // Nodes, in the listed order, which decides ties.
  std::vector<int> finals;
  // By node: the edges into it, in the listed order.
  std::vector<std::vector<int>> incoming;
  // By node: whether a path leads to it from the initial state.
  std::vector<bool> reachable;
  // The edges whose source is reachable, every edge after all edges into its source.  Otherwise in
  // the listed order: a list that is in such an order already stays as it is.
  std::vector<int> training_order;
};

// InvalidArgument, with the state or edge in question, for
// - a missing, repeated or invalid name (letters, digits, '_' and '.' are allowed, because it
// becomes
//   part of a folder's name), a state with numbers outside the ranges of plan.proto;
// - an edge from or to an unknown state, into the initial one, or listed twice;
// - a cycle, which is printed ("S2 -> S3 -> S2");
// - rounds that train no edge, an edge without a round or in one not after its source's, an edge
//   without `epochs` in a graph with rounds or into a state whose learning rate changes;
// - no final state, an unknown one or one listed twice, or none that can be reached.
// States that cannot be reached are allowed here: their edges are never trained.
absl::StatusOr<GraphIndex> IndexGraph(const TransitionGraph& graph);

// IndexGraph()'s checks and one more, for graphs written by people: every state can be reached.
absl::Status ValidateGraph(const TransitionGraph& graph);

// The ranges of plan.proto.  InvalidArgument names state, field, value and limit.
absl::Status ValidateState(const StateSettings& state);

// The name of a node of GraphIndex; `node` in [0, states + 1).
const std::string& NodeName(const TransitionGraph& graph, int node);

// "S1-S2"; also the edge's folder.
std::string EdgeName(const Transition& transition);

// Frames of one clip: segments x frames per segment.
int FramesPerClip(const StateSettings& state);

// The same, but a frame with a smaller crop counts by its area relative to one of `full_crop`
// pixels; a state without a crop of its own has the full one.
double FullFramesPerClip(const StateSettings& state, int full_crop);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_GRAPHS_TRANSITION_GRAPH_H_
