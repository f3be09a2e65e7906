#include "results/report/html_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "results/picture/svg.h"

namespace op3d::results {

HtmlCell WordsCell(absl::string_view text) { return {EscapeXml(text), false}; }

HtmlCell FigureCell(absl::string_view text) { return {EscapeXml(text), true}; }

HtmlCell Bar(double share, absl::string_view colour, absl::string_view text) {
  const double percent = share > 0 ? std::min(100 * share, 100.0) : 0;
  return {absl::StrCat("<span class=\"bar\"><span style=\"width:", absl::StrFormat("%.1f", percent),
                       "%;background:", EscapeXml(colour), "\"></span></span> ", EscapeXml(text)),
          false};
}

void HtmlTable::AddRow(std::vector<HtmlCell> cells, bool strong) {
  rows_.push_back({std::move(cells), strong});
}

std::string HtmlTable::ToHtml() const {
  if (rows_.empty()) return "";
  std::string head;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const bool figure = i < rows_[0].cells.size() && rows_[0].cells[i].figure;
    absl::StrAppend(&head, figure ? "<th class=\"figure\">" : "<th>", EscapeXml(columns_[i]),
                    "</th>");
  }
  std::string html = "<div class=\"wide\"><table>\n";
  if (!absl::StrJoin(columns_, "").empty()) {
    absl::StrAppend(&html, "<thead><tr>", head, "</tr></thead>\n");
  }
  absl::StrAppend(&html, "<tbody>\n");
  for (const Row& row : rows_) {
    absl::StrAppend(&html, row.strong ? "<tr class=\"strong\">" : "<tr>");
    for (const HtmlCell& cell : row.cells) {
      absl::StrAppend(&html, cell.figure ? "<td class=\"figure\">" : "<td>", cell.html, "</td>");
    }
    absl::StrAppend(&html, "</tr>\n");
  }
  return absl::StrCat(html, "</tbody></table></div>\n");
}

}  // namespace op3d::results
