// The parts of a report: results, the run itself, the searches.
#ifndef OP3D_RESULTS_REPORT_REPORT_SECTIONS_H_
#define OP3D_RESULTS_REPORT_REPORT_SECTIONS_H_

#include <string>

#include "planner/graphs/plan.pb.h"
#include "results/record/run_record.pb.h"

namespace op3d::results {

// Each gives HTML for <main>; "" if the record has nothing to show.

// ---------------------------------------------------------------- results

// Planned and hand-tuned: one row per recipe.
std::string RecipesSection(const RunRecord& record);
// The plan as a picture, five states in a row, on a phone two.
std::string PlanHtml(const Plan& plan);
// The plan as a picture and how the pools' plans compare.
std::string PlanSection(const RunRecord& record);
// Top-1 of every group and class as bars, one column per recipe.  If there are many classes, first
// those where the plan gains and loses most, then all of them, folded.
std::string ClassesSection(const RunRecord& record);
// SearchSection() of every pool.
std::string SearchesSection(const RunRecord& record);

// ---------------------------------------------------------------- the run

std::string NotesSection(const RunRecord& record);
// What the copy of the dataset contained, compared with its lists.
std::string DatasetSection(const RunRecord& record);
// A stacked bar, and the same in figures.
std::string TimeSection(const RunRecord& record);
std::string EnvironmentSection(const RunRecord& record);
// The resolved settings as textproto, folded.
std::string SettingsSection(const RunRecord& record);

// ---------------------------------------------------------------- searches

// The graph with the plan's path, which edge won each state and by how much, every
// edge's curve with fit, knee and the knee's interval, and the edges as a table.
std::string SearchSection(const SearchOutcome& search);

// When an edge ends by the rule, as the end of a sentence: "until 10 epochs past the knee of the
// fitted curve".
std::string DescribeRule(const StoppingRule& rule);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_REPORT_REPORT_SECTIONS_H_
