// A searched transition graph as a picture: states in a grid, longer clips to the right, lower
// learning rates downward; each arrow has its score and the epochs kept; the plan's path is bold.
//
//   WriteFileAtomically("graph.svg", DrawGraph(outcome).ToFile());
#ifndef OP3D_RESULTS_PICTURE_GRAPH_SVG_H_
#define OP3D_RESULTS_PICTURE_GRAPH_SVG_H_

#include "planner/graphs/plan.pb.h"
#include "results/picture/svg.h"

namespace op3d {

// Works for any graph, not only the 3 x 3 one: one column per clip length, with one row per
// state by decreasing learning rate.  Edges that were not trained are dotted and have no figures;
// in a search in rounds they are left out, and so are states that no edge reached.
Svg DrawGraph(const SearchOutcome& search);

// Whether the edge is part of the plan's path.
bool OnPath(const Plan& plan, const EdgeOutcome& edge);

}  // namespace op3d

#endif  // OP3D_RESULTS_PICTURE_GRAPH_SVG_H_
