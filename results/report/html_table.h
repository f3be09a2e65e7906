// Tables for pages.
//
//   HtmlTable table({"recipe", "top-1, %"});
//   table.AddRow({WordsCell("planned"), FigureCell("93.2")});
//   page += table.ToHtml();
#ifndef OP3D_RESULTS_REPORT_HTML_TABLE_H_
#define OP3D_RESULTS_REPORT_HTML_TABLE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace op3d::results {

// The content of a table's cell.
struct HtmlCell {
  std::string html;
  // Right-aligned.
  bool figure = false;
};

// Text and figures; escaped.
HtmlCell WordsCell(absl::string_view text);
HtmlCell FigureCell(absl::string_view text);
// A bar of `share` in [0, 1] of the cell's width in a CSS colour, followed by text.
HtmlCell Bar(double share, absl::string_view colour, absl::string_view text);

class HtmlTable {
 public:
  // A column is right-aligned if the cell of its first row is.  No head if all names are empty.
  explicit HtmlTable(std::vector<std::string> columns) : columns_(std::move(columns)) {}

  // `strong` rows are highlighted.
  void AddRow(std::vector<HtmlCell> cells, bool strong = false);

  // "" without rows.
  std::string ToHtml() const;

 private:
  struct Row {
    std::vector<HtmlCell> cells;
    bool strong;
  };
  std::vector<std::string> columns_;
  std::vector<Row> rows_;
};

}  // namespace op3d::results

#endif  // OP3D_RESULTS_REPORT_HTML_TABLE_H_
