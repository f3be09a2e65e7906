// The parts of a report that show what was found: recipes, classes, searches.
#ifndef OP3D_RESULTS_REPORT_REPORT_RESULTS_H_
#define OP3D_RESULTS_REPORT_REPORT_RESULTS_H_

#include <string>

#include "results/record/run_record.pb.h"

namespace op3d::results {

// HTML to stand in <main>; "" where the record has nothing to show.

// Planned against hand-tuned: one row a recipe.
std::string RecipesSection(const RunRecord& record);
// The plan as a picture and how the pools' plans compare.
std::string PlanSection(const RunRecord& record);
// Top-1 of every group and class as bars, a column a recipe.  Of many classes first those where
// the plan gains and loses most, all of them folded away.
std::string ClassesSection(const RunRecord& record);
// What every pool's search did (report_search.h).
std::string SearchesSection(const RunRecord& record);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_REPORT_REPORT_RESULTS_H_
