// Formats tables of results as text for people, pages and programs.
//
//   OP3D_ASSIGN_OR_RETURN(TableFormat format, ParseTableFormat("markdown"));
//   std::fputs(RenderTables(tables, format).c_str(), stdout);
#ifndef OP3D_RESULTS_TABLE_TABLE_FORMAT_H_
#define OP3D_RESULTS_TABLE_TABLE_FORMAT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "results/table/table.h"

namespace op3d::results {

enum class TableFormat { kText, kMarkdown, kCsv, kJson };

// "text", "markdown", "csv", "json"; InvalidArgument for any other.
absl::StatusOr<TableFormat> ParseTableFormat(absl::string_view name);

// Percent with one decimal in text and Markdown; all digits in CSV (percent) and JSON (shares).
// CSV: one block with its own head per table, separated by an empty line.  JSON: one object per
// table, one per line.
std::string RenderTables(absl::Span<const ResultTable> tables, TableFormat format);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_TABLE_TABLE_FORMAT_H_
