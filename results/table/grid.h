// A table of text cells, for people.
//
//   Grid grid;
//   grid.AddColumn("network", /*figure=*/false);
//   grid.AddColumn("top-1", /*figure=*/true);
//   grid.rows.push_back({"i3d", "91.5"});
//   std::fputs(TextGrid(grid).c_str(), stdout);
//
// All functions are pure and thread-safe.
#ifndef OP3D_RESULTS_TABLE_GRID_H_
#define OP3D_RESULTS_TABLE_GRID_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace op3d::results {

// Heads, which columns are figures (aligned to the right), and rows with a cell for each column.
struct Grid {
  std::vector<std::string> head;
  std::vector<bool> figures;
  std::vector<std::vector<std::string>> rows;

  void AddColumn(absl::string_view name, bool figure);
};

// A share as a cell in percent: one decimal for people, all digits (`exact`) for programs, blank if it
// is not known.
std::string PercentText(const std::optional<double>& share, bool exact);

// Columns padded to equal width (in characters, not bytes), two spaces between them, one line per
// row.
std::string TextGrid(const Grid& grid);

// A Markdown table; what Markdown would read as markup in a cell is escaped.
std::string MarkdownGrid(const Grid& grid);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_TABLE_GRID_H_
