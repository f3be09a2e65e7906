// A run as one page that can be mailed: text, tables and pictures inside, nothing is loaded, no
// scripts.
//
//   OP3D_RETURN_IF_ERROR(WriteReport(folder, record));     // report.html and curves.svg
#ifndef OP3D_RESULTS_REPORT_REPORT_H_
#define OP3D_RESULTS_REPORT_REPORT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "planner/graphs/plan.pb.h"
#include "results/record/record_check.h"
#include "results/record/run_record.pb.h"

namespace op3d::results {

// The page, HTML 5 in UTF-8.  All texts of the record are escaped.  If the record was edited, the
// page says so instead of the verdict, with every fault.
std::string RenderReport(const RunRecord& record, const RecordCheck& check = RecordCheck());

// Writes `folder`/report.html and `folder`/curves.svg, each atomically.
absl::Status WriteReport(const std::string& folder, const RunRecord& record,
                         const RecordCheck& check = RecordCheck());

// The same for searches without a run, as `plan search` leaves them: the best of their plans, and
// an explanation of each search.  `edges` is the number of edges of their graphs; a search that is
// still running has outcomes for fewer.
std::string RenderSearches(absl::Span<const SearchOutcome> searches, int edges);
absl::Status WriteSearches(const std::string& folder, absl::Span<const SearchOutcome> searches,
                           int edges);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_REPORT_REPORT_H_
