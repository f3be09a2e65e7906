// A searched transition graph as a picture: states in a grid, longer clips to the right, lower
// learning rates downward; on every arrow its score and the epochs kept; the plan's way thick.
//
//   WriteFileAtomically("graph.svg", DrawGraph(outcome).ToFile());
#ifndef OP3D_RESULTS_PICTURE_GRAPH_SVG_H_
#define OP3D_RESULTS_PICTURE_GRAPH_SVG_H_

#include "planner/graphs/plan.pb.h"
#include "results/picture/svg.h"

namespace op3d::results {

// Any graph will do, not only the 3 x 3 one: a column for each clip length, in it a row for each
// state by falling learning rate.  Edges that were not trained are dotted and bear no figures; of a
// search in rounds they are left out, and so are states that no edge reached.
Svg DrawGraph(const SearchOutcome& search);

// Is the edge part of the plan's path?
bool OnPath(const Plan& plan, const EdgeOutcome& edge);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_PICTURE_GRAPH_SVG_H_
