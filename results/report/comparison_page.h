// Several runs of one dataset side by side, as one page like report.h's.
//
//   OP3D_ASSIGN_OR_RETURN(std::vector<NamedRecord> runs, ReadNamedRecords({"seed1", "seed2"}));
//   OP3D_RETURN_IF_ERROR(WriteComparison("/tmp/page", runs));     // /tmp/page/comparison.html
#ifndef OP3D_RESULTS_REPORT_COMPARISON_PAGE_H_
#define OP3D_RESULTS_REPORT_COMPARISON_PAGE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "results/record/named_records.h"

namespace op3d::results {

// Whether one page can show the runs: at least two, of one dataset and scale (DescribeOtherSet()),
// and none of them twice.  InvalidArgument says which two do not go together, and what does.
absl::Status CheckComparable(absl::Span<const NamedRecord> runs);

// The rows of all runs in one table, with the mean over seeds if the runs differ in nothing else;
// cost against accuracy with the Pareto front; plans; curves laid over each other: performance
// along the plans, losses, edges that several runs trained; and the settings that differ.  Edited
// records are shown as such and are in no mean.  Requires CheckComparable().
std::string RenderComparison(absl::Span<const NamedRecord> runs);

// Writes it atomically to `folder`/comparison.html.  The errors of CheckComparable().
absl::Status WriteComparison(const std::string& folder, absl::Span<const NamedRecord> runs);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_REPORT_COMPARISON_PAGE_H_
