// A searched transition graph as a picture; the plan's path is bold.  States stand in a grid, longer clips
// to the right, lower learning rates downward; each arrow has its score and the epochs kept.  Of a search
// in rounds each round is a band, from top to bottom, and the figures stand in the states.
//
//   WriteFileAtomically("graph.svg", DrawGraph(outcome).ToFile());
#ifndef OP3D_RESULTS_PICTURE_GRAPH_SVG_H_
#define OP3D_RESULTS_PICTURE_GRAPH_SVG_H_

#include "planner/graphs/plan.pb.h"
#include "results/picture/svg.h"

namespace op3d::results {

// Works for any graph, not only the 3 x 3 one: one column per clip length, with one row per
// state by decreasing learning rate.  Edges that were not trained are dotted and have no figures.
// In a search in rounds they are left out, and so are states that no edge reached and the arrows of
// the first round, which all come from the initial state; there a column is a clip.
Svg DrawGraph(const SearchOutcome& search);

// Whether the edge is part of the plan's path.
bool OnPath(const Plan& plan, const EdgeOutcome& edge);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_PICTURE_GRAPH_SVG_H_
