// The part of a report that explains the searches.
#ifndef OP3D_RESULTS_REPORT_REPORT_SEARCH_H_
#define OP3D_RESULTS_REPORT_REPORT_SEARCH_H_

#include <string>

#include "planner/graphs/plan.pb.h"

namespace op3d::results {

// HTML for <main>: the graph with the plan's path, which edge won each state and by how much, every
// edge's curve with fit, knee and the knee's interval, and the edges as a table.
std::string SearchSection(const SearchOutcome& search);

// When an edge ends by the rule, as the end of a sentence: "until 10 epochs past the knee of the
// fitted curve".
std::string DescribeRule(const StoppingRule& rule);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_REPORT_REPORT_SEARCH_H_
