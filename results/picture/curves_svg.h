// The measurements of a search as pictures: one panel per edge with its points, the fitted curve,
// the knee, the bound and the epochs kept.
//
//   WriteFileAtomically(JoinPath(folder, "curves.svg"), DrawSearches(record.searches()).ToFile());
#ifndef OP3D_RESULTS_PICTURE_CURVES_SVG_H_
#define OP3D_RESULTS_PICTURE_CURVES_SVG_H_

#include <google/protobuf/repeated_field.h>

#include <string>
#include <vector>

#include "planner/graphs/plan.pb.h"
#include "results/picture/svg.h"

namespace op3d::results {

// The panels of one search in the order of its edges, four in a row.  Each has its own scales.
Svg DrawCurves(const SearchOutcome& search);

// The same for a page that places the panels itself, as many in a row as fit: one picture per edge,
// and one per symbol that needs an explanation.
std::vector<Svg> DrawPanels(const SearchOutcome& search);
std::vector<Svg> DrawCurveLegend();

// curves.svg: the graph and the panels of each search, one search below the other.
Svg DrawSearches(const google::protobuf::RepeatedPtrField<SearchOutcome>& searches);

// f(x) = -a exp(-b x) - c x - d x^2 + e.
double FittedValue(const KneeEstimate& fit, double epoch);

// How an edge ended, in words: "knee at 13, passed by 4 epochs", "stopped by the bound of 8
// epochs, knee at 7", "... still rising" for a knee after the last trained epoch.
std::string DescribeEnding(const EdgeOutcome& edge);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_PICTURE_CURVES_SVG_H_
