// A picture of a searched transition graph; the plan's path is bold.  States form a grid: longer
// clips to the right, lower learning rates downward; each arrow has its score and the epochs kept.
// For a search in rounds each round is a band, from top to bottom, and the states contain the
// figures.
//
//   WriteFileAtomically("graph.svg", DrawGraph(outcome).ToFile());
#ifndef OP3D_RESULTS_PICTURE_GRAPH_SVG_H_
#define OP3D_RESULTS_PICTURE_GRAPH_SVG_H_

#include "planner/graphs/plan.pb.h"
#include "results/picture/svg.h"

namespace op3d::results {

// Works for any graph, not only the 3 x 3 one: one column per clip length, with one row per
// state by decreasing learning rate.  Edges that were not trained are dotted and have no figures.
// For a search in rounds each column is a clip; untrained edges, states that no edge reached, and
// the arrows of the first round (all from the initial state) are left out.
Svg DrawGraph(const SearchOutcome& search);

// Whether the edge is part of the plan's path.
bool OnPath(const Plan& plan, const EdgeOutcome& edge);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_PICTURE_GRAPH_SVG_H_
