#include "results/table/grid.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "results/record/format.h"

namespace op3d::results {
namespace {

// Characters, not bytes.
size_t Width(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

std::string Pad(absl::string_view text, size_t width, bool right) {
  const std::string space(width - std::min(width, Width(text)), ' ');
  return right ? absl::StrCat(space, text) : absl::StrCat(text, space);
}

}  // namespace

void Grid::AddColumn(absl::string_view name, bool figure) {
  head.emplace_back(name);
  figures.push_back(figure);
}

std::string PercentText(const std::optional<double>& share, bool exact) {
  if (!share.has_value()) return "";
  return exact ? FormatNumber(100 * *share) : FormatPercent(*share);
}

std::string TextGrid(const Grid& grid) {
  std::vector<size_t> widths;
  for (size_t column = 0; column < grid.head.size(); ++column) {
    size_t width = Width(grid.head[column]);
    for (const auto& row : grid.rows) width = std::max(width, Width(row[column]));
    widths.push_back(width);
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t column = 0; column < cells.size(); ++column) {
      absl::StrAppend(&line, column > 0 ? "  " : "",
                      Pad(cells[column], widths[column], grid.figures[column]));
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  };
  add(grid.head);
  for (const auto& row : grid.rows) add(row);
  return text;
}

std::string MarkdownGrid(const Grid& grid) {
  std::string text;
  const auto add = [&](std::vector<std::string> cells) {
    for (std::string& cell : cells) {
      cell = absl::StrReplaceAll(cell, {{"|", "\\|"}, {"\n", " "}, {"<", "&lt;"}});
    }
    absl::StrAppend(&text, "| ", absl::StrJoin(cells, " | "), " |\n");
  };
  add(grid.head);
  for (const bool figure : grid.figures) absl::StrAppend(&text, figure ? "|---:" : "|---");
  absl::StrAppend(&text, "|\n");
  for (const auto& row : grid.rows) add(row);
  return text;
}

}  // namespace op3d::results
