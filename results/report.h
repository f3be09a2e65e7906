// A run as one page that can be mailed: text, tables and pictures inside, nothing fetched, no
// scripts.
//
//   OP3D_RETURN_IF_ERROR(WriteReport(folder, record));     // report.html and curves.svg
#ifndef OP3D_RESULTS_REPORT_H_
#define OP3D_RESULTS_REPORT_H_

#include <string>

#include "absl/status/status.h"
#include "results/run_record.pb.h"

namespace op3d {

// The page, HTML 5 in UTF-8.  Whatever the record's texts hold, they are shown as text.
std::string RenderReport(const RunRecord& record);

// Writes `folder`/report.html and `folder`/curves.svg, each all or nothing.
absl::Status WriteReport(const std::string& folder, const RunRecord& record);

}  // namespace op3d

#endif  // OP3D_RESULTS_REPORT_H_
