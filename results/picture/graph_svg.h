// A searched transition graph as a picture, the plan's way thick.  States stand in a grid, longer clips
// to the right, lower learning rates downward, with each edge's score and the epochs kept on its arrow.
// Of a search in rounds each round is a band, from top to bottom, and figures stand in the states.
//
//   WriteFileAtomically("graph.svg", DrawGraph(outcome).ToFile());
#ifndef OP3D_RESULTS_PICTURE_GRAPH_SVG_H_
#define OP3D_RESULTS_PICTURE_GRAPH_SVG_H_

#include "planner/graphs/plan.pb.h"
#include "results/picture/svg.h"

namespace op3d::results {

// Any graph will do, not only the 3 x 3 one: a column for each clip length, in it a row for each
// state by falling learning rate.  Edges that were not trained are dotted and bear no figures.  Of a
// search in rounds they are left out, and so are states that no edge reached and the arrows of the first
// round, which all come from the initial state; there a column is a clip.
Svg DrawGraph(const SearchOutcome& search);

// Is the edge part of the plan's path?
bool OnPath(const Plan& plan, const EdgeOutcome& edge);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_PICTURE_GRAPH_SVG_H_
