// A run as one page that can be mailed: text, tables and pictures inside, nothing fetched, no
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

// The page, HTML 5 in UTF-8.  Whatever the record's texts hold, they are shown as text.  Of a
// record that was edited it says so where the verdict would be, with every fault.
std::string RenderReport(const RunRecord& record, const RecordCheck& check = RecordCheck());

// Writes `folder`/report.html and `folder`/curves.svg, each all or nothing.
absl::Status WriteReport(const std::string& folder, const RunRecord& record,
                         const RecordCheck& check = RecordCheck());

// The same of searches alone, as `plan search` leaves them: the best of their plans, each search
// explained.  `edges` is how many their graphs have: of a search under way fewer are there.
std::string RenderSearches(absl::Span<const SearchOutcome> searches, int edges);
absl::Status WriteSearches(const std::string& folder, absl::Span<const SearchOutcome> searches,
                           int edges);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_REPORT_REPORT_H_
