// A run as one page that can be mailed: text, tables and pictures inside, nothing is loaded, no
// scripts.
//
// It follows the reader's choice of a light or a dark page, fits a phone, and prints on white paper.
//
//   ReportExtras extras;
//   OP3D_ASSIGN_OR_RETURN(extras.mistakes, ReadMistakes(folder, record, ""));
//   OP3D_RETURN_IF_ERROR(WriteReport(folder, record, extras));     // report.html and curves.svg
#ifndef OP3D_RESULTS_REPORT_REPORT_H_
#define OP3D_RESULTS_REPORT_REPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "planner/graphs/plan.pb.h"
#include "results/record/record_check.h"
#include "results/record/run_record.pb.h"
#include "results/report/mistakes.h"

namespace op3d::results {

// What the page shows besides the record.
struct ReportExtras {
  RecordCheck check = {};
  // The confusion matrix and the wrong videos; not shown if the record was edited.
  std::optional<Mistakes> mistakes = std::nullopt;
  // How many of the wrong videos.
  int shown_wrong = kShownWrong;
};

// The page, HTML 5 in UTF-8.  All texts of the record are escaped.  If the record was edited, the
// page says so instead of the verdict, with every fault.
std::string RenderReport(const RunRecord& record, const ReportExtras& extras = {});

// Writes `folder`/report.html and `folder`/curves.svg, each atomically.
absl::Status WriteReport(const std::string& folder, const RunRecord& record,
                         const ReportExtras& extras = {});

// Writes `folder`/curves_<pool>.svg and `folder`/graph_<pool>.svg, the pictures of one pool's search,
// and returns their paths.  InvalidArgument if the record has no such search.
absl::StatusOr<std::vector<std::string>> WritePoolPictures(const std::string& folder,
                                                           const RunRecord& record,
                                                           const std::string& pool);

// Page and pictures for searches without a run, as `plan search` leaves them: the best of their plans, and
// an explanation of each search.  `edges` is the number of edges of their graphs; a search that is
// still running has outcomes for fewer.
std::string RenderSearches(absl::Span<const SearchOutcome> searches, int edges);
absl::Status WriteSearches(const std::string& folder, absl::Span<const SearchOutcome> searches,
                           int edges);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_REPORT_REPORT_H_
