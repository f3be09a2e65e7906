// The parts of a report with the results: recipes, classes, searches.
#ifndef OP3D_RESULTS_REPORT_REPORT_RESULTS_H_
#define OP3D_RESULTS_REPORT_REPORT_RESULTS_H_

#include <string>

#include "results/record/run_record.pb.h"

namespace op3d::results {

// HTML for <main>; "" if the record has nothing to show.

// Planned and hand-tuned: one row per recipe.
std::string RecipesSection(const RunRecord& record);
// The plan as a picture and how the pools' plans compare.
std::string PlanSection(const RunRecord& record);
// Top-1 of every group and class as bars, one column per recipe.  If there are many classes, first
// those where the plan gains and loses most, then all of them, folded.
std::string ClassesSection(const RunRecord& record);
// An explanation of every pool's search (report_search.h).
std::string SearchesSection(const RunRecord& record);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_REPORT_REPORT_RESULTS_H_
