#include "results/table/table_format.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "op3d/base/io/csv.h"
#include "op3d/base/progress.h"
#include "results/record/format.h"
#include "results/record/optional_json.h"
#include "results/record/roles.h"
#include "results/table/grid.h"

namespace op3d::results {
namespace {

using nlohmann::ordered_json;

template <typename T>
std::string CountText(const std::optional<T>& count, bool exact) {
  if (!count.has_value()) return "";
  return exact ? absl::StrCat(*count) : FormatCount(static_cast<int64_t>(*count));
}

std::string PointsText(const std::optional<double>& points, bool sign, bool exact) {
  if (!points.has_value()) return "";
  return exact ? FormatNumber(*points)
               : (sign ? absl::StrFormat("%+.1f", *points) : absl::StrFormat("%.1f", *points));
}

bool HasHeads(const ResultTable& table) {
  return std::any_of(table.rows.begin(), table.rows.end(),
                     [](const ResultRow& row) { return !row.heads.empty(); });
}

std::string IntervalText(const std::optional<ShareInterval>& interval) {
  if (!interval.has_value()) return "";
  return absl::StrCat(FormatPercent(interval->low), " to ", FormatPercent(interval->high));
}

void AddColumns(const ResultTable& table, bool exact, Grid* grid) {
  grid->AddColumn("recipe", false);
  grid->AddColumn("network", false);
  for (const char* name : {"seed", "epochs", "frames"}) grid->AddColumn(name, true);
  if (HasRoles(table)) grid->AddColumn("frames, search included", true);
  grid->AddColumn("views", true);
  grid->AddColumn("top-1", true);
  if (!table.splits.empty()) {
    grid->AddColumn("deviation", true);
    grid->AddColumn("lowest", true);
    grid->AddColumn("highest", true);
  } else if (HasRoles(table) && exact) {
    grid->AddColumn("top-1 from", true);
    grid->AddColumn("top-1 to", true);
  } else if (HasRoles(table)) {
    grid->AddColumn("95 % of top-1", true);
  }
  for (const char* name : {"top-3", "top-5", "mean class"}) grid->AddColumn(name, true);
  for (const std::string& group : table.groups) grid->AddColumn(group, true);
  if (HasHeads(table)) {
    grid->AddColumn("temporal", true);
    grid->AddColumn("spatial", true);
  }
  grid->AddColumn("training", true);
  if (table.scale == BenchmarkSettings::FULL) {
    for (const char* name : {"published", "difference", "tolerance"}) grid->AddColumn(name, true);
    grid->AddColumn("verdict", false);
    grid->AddColumn("source", false);
  }
  grid->AddColumn("run", false);
}

std::string TrainingText(const ResultRow& row, bool exact) {
  if (!row.train_seconds.has_value()) return "";
  return exact ? FormatNumber(*row.train_seconds) : FormatSeconds(*row.train_seconds);
}

std::vector<std::string> Cells(const ResultTable& table, const ResultRow& row, bool exact) {
  std::vector<std::string> cells = {row.recipe, row.network,
                                    row.seed.has_value() ? absl::StrCat(*row.seed) : "",
                                    CountText(row.epochs, exact), CountText(row.frames, exact)};
  if (HasRoles(table)) cells.push_back(CountText(row.total_frames, exact));
  cells.push_back(row.clips.has_value() ? absl::StrCat(*row.clips, "x", row.crops.value_or(1))
                                        : "");
  cells.push_back(PercentText(row.top1, exact));
  if (!table.splits.empty()) {
    std::optional<double> low, high;
    if (row.range.has_value()) low = row.range->low, high = row.range->high;
    for (const auto& share : {row.deviation, low, high}) cells.push_back(PercentText(share, exact));
  } else if (HasRoles(table) && exact) {
    std::optional<double> low, high;
    if (row.interval.has_value()) low = row.interval->low, high = row.interval->high;
    cells.push_back(PercentText(low, exact));
    cells.push_back(PercentText(high, exact));
  } else if (HasRoles(table)) {
    cells.push_back(IntervalText(row.interval));
  }
  cells.push_back(PercentText(row.top3, exact));
  cells.push_back(PercentText(row.top5, exact));
  cells.push_back(PercentText(row.mean_class_accuracy, exact));
  for (size_t i = 0; i < table.groups.size(); ++i) {
    cells.push_back(i < row.groups.size() ? PercentText(row.groups[i], exact) : "");
  }
  for (size_t i = 0; HasHeads(table) && i < 2; ++i) {
    cells.push_back(i < row.heads.size() ? PercentText(row.heads[i], exact) : "");
  }
  cells.push_back(TrainingText(row, exact));
  if (table.scale == BenchmarkSettings::FULL) {
    cells.push_back(PointsText(row.published, false, exact));
    cells.push_back(PointsText(row.difference, true, exact));
    cells.push_back(PointsText(row.tolerance, false, exact));
    cells.push_back(row.verdict);
    cells.push_back(row.source);
  }
  cells.push_back(row.run);
  return cells;
}

Grid MakeGrid(const ResultTable& table, bool exact) {
  Grid grid;
  AddColumns(table, exact, &grid);
  for (const ResultRow& row : table.rows) grid.rows.push_back(Cells(table, row, exact));
  for (const PublishedFigure& figure : table.context) {
    ResultRow row;
    row.recipe = figure.title();
    row.published = figure.top1_percent();
    row.source = figure.source();
    grid.rows.push_back(Cells(table, row, exact));
  }
  return grid;
}

// " split 2", " mean of splits 1, 2, 3".
std::string WhichSplit(const ResultTable& table) {
  return table.splits.empty() ? SplitText(table.split)
                              : absl::StrCat(" mean of splits ", absl::StrJoin(table.splits, ", "));
}

std::string Title(const ResultTable& table) {
  return absl::StrCat(BenchmarkTitle(table.benchmark, table.scale), WhichSplit(table), ", ",
                      ScaleText(table.scale));
}

// "Plan chosen on the evaluation list, which is also the test list: run-7, run-8."
void AddChoices(const ResultTable& table, std::vector<std::string>* notes) {
  std::vector<std::string> choices;
  for (const ResultRow& row : table.rows) {
    if (row.chosen_on.empty() || absl::c_linear_search(choices, row.chosen_on)) continue;
    choices.push_back(row.chosen_on);
  }
  for (const std::string& choice : choices) {
    std::vector<std::string> runs;
    for (const ResultRow& row : table.rows) {
      if (row.chosen_on == choice && !absl::c_linear_search(runs, row.run)) runs.push_back(row.run);
    }
    const bool seen = choice == "the evaluation list";
    notes->push_back(
        choice == "a given plan"
            ? absl::StrCat("Plan given, not searched: ", absl::StrJoin(runs, ", "), ".")
            : absl::StrCat("Plan chosen on ", choice,
                           seen ? ", which is also the test list: " : ": ",
                           absl::StrJoin(runs, ", "), "."));
  }
}

std::vector<std::string> Footnotes(const ResultTable& table) {
  std::vector<std::string> notes = table.warnings;
  if (table.scale == BenchmarkSettings::MINIATURE) {
    notes.push_back(
        "Synthetic video and a small network: these figures show that the pipeline works, say "
        "nothing about real video, and are never compared with published ones.");
  }
  if (table.scale == BenchmarkSettings::OWN) {
    notes.push_back("Your own data: there are no published figures for these videos.");
  }
  if (!table.tolerance_reason.empty()) {
    notes.push_back(absl::StrCat("Tolerance, in points: ", table.tolerance_reason));
  }
  AddChoices(table, &notes);
  if (!table.splits.empty()) {
    notes.push_back(
        "Every split counts equally, with the mean over its seeds. Deviation: the sample "
        "standard deviation of the splits' top-1; lowest and highest: of these.");
  } else if (HasRoles(table)) {
    notes.push_back(
        "Frames, search included: all frames used to get the model; for the best of the fixed "
        "schedules those of all schedules. 95 % of top-1: over test videos, of several seeds "
        "over videos and seeds.");
  }
  if (table.hidden > 0) {
    notes.push_back(absl::StrCat(
        "Left out: ", table.hidden,
        table.hidden == 1 ? " row of a single fixed schedule" : " rows of single fixed schedules",
        "; //results:table -- --all shows them."));
  }
  notes.push_back(
      "Shares in percent; views are clips x crops; columns of groups and heads: top-1.");
  return notes;
}

std::string TextTable(const ResultTable& table) {
  return absl::StrCat(Title(table), "\n\n", TextGrid(MakeGrid(table, /*exact=*/false)), "\n",
                      absl::StrJoin(Footnotes(table), "\n"), "\n");
}

std::string MarkdownTable(const ResultTable& table) {
  return absl::StrCat("### ", Title(table), "\n\n", MarkdownGrid(MakeGrid(table, /*exact=*/false)),
                      "\n", absl::StrJoin(Footnotes(table), "\n"), "\n");
}

// RFC 4180.
std::string CsvTable(const ResultTable& table) {
  Grid grid = MakeGrid(table, /*exact=*/true);
  grid.AddColumn("chosen on", false);
  for (size_t i = 0; i < grid.rows.size(); ++i) {
    grid.rows[i].push_back(i < table.rows.size() ? table.rows[i].chosen_on : "");
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& before,
                       const std::vector<std::string>& cells) {
    std::vector<std::string> quoted = before;
    for (const std::string& cell : cells) quoted.push_back(CsvField(cell));
    absl::StrAppend(&text, absl::StrJoin(quoted, ","), "\n");
  };
  add({"benchmark", "scale"}, grid.head);
  const std::string benchmark = absl::StrCat(table.benchmark, WhichSplit(table));
  for (const auto& row : grid.rows) add({benchmark, ScaleName(table.scale)}, row);
  return text;
}

ordered_json JsonRow(const ResultTable& table, const ResultRow& row) {
  ordered_json json = {
      {"recipe", row.recipe_name},
      {"title", row.recipe},
      {"network", row.network},
      {"run", row.run},
      {"seed", OrNull(row.seed)},
      {"epochs", OrNull(row.epochs)},
      {"frames", OrNull(row.frames)},
      {"clips", OrNull(row.clips)},
      {"crops", OrNull(row.crops)},
      {"top1", OrNull(row.top1)},
      {"top3", OrNull(row.top3)},
      {"top5", OrNull(row.top5)},
      {"mean_class_accuracy", OrNull(row.mean_class_accuracy)},
      {"train_seconds", OrNull(row.train_seconds)},
      {"chosen_on", row.chosen_on.empty() ? ordered_json(nullptr) : ordered_json(row.chosen_on)}};
  if (row.edited) json["edited"] = true;
  if (row.role != RecipeResult::ROLE_UNSPECIFIED) {
    json["role"] = RoleKey(row.role);
    json["total_frames"] = OrNull(row.total_frames);
    json["top1_interval"] = row.interval.has_value()
                                ? ordered_json({row.interval->low, row.interval->high})
                                : ordered_json(nullptr);
  }
  if (row.deviation.has_value() && row.range.has_value()) {
    json["top1_deviation"] = *row.deviation;
    json["top1_range"] = {row.range->low, row.range->high};
  }
  for (size_t i = 0; i < table.groups.size() && i < row.groups.size(); ++i) {
    json["groups"][table.groups[i]] = OrNull(row.groups[i]);
  }
  for (const std::optional<double>& head : row.heads) json["head_top1"].push_back(OrNull(head));
  if (table.scale != BenchmarkSettings::FULL) return json;
  json["published_percent"] = OrNull(row.published);
  json["difference_points"] = OrNull(row.difference);
  json["tolerance_points"] = OrNull(row.tolerance);
  json["verdict"] = row.verdict.empty() ? ordered_json(nullptr) : ordered_json(row.verdict);
  json["source"] = row.source.empty() ? ordered_json(nullptr) : ordered_json(row.source);
  return json;
}

std::string JsonTable(const ResultTable& table) {
  ordered_json json = {{"benchmark", table.benchmark}, {"scale", ScaleName(table.scale)}};
  if (table.split > 0) json["split"] = table.split;
  if (!table.splits.empty()) json["splits"] = table.splits;
  if (!table.warnings.empty()) json["warnings"] = table.warnings;
  json["rows"] = ordered_json::array();
  for (const ResultRow& row : table.rows) json["rows"].push_back(JsonRow(table, row));
  if (table.scale == BenchmarkSettings::FULL) json["context"] = ordered_json::array();
  for (const PublishedFigure& figure : table.context) {
    json["context"].push_back({{"title", figure.title()},
                               {"published_percent", figure.top1_percent()},
                               {"source", figure.source()}});
  }
  // Names in a record need not be UTF-8; the dump replaces invalid bytes.
  return absl::StrCat(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace), "\n");
}

}  // namespace

absl::StatusOr<TableFormat> ParseTableFormat(absl::string_view name) {
  if (name == "text") return TableFormat::kText;
  if (name == "markdown") return TableFormat::kMarkdown;
  if (name == "csv") return TableFormat::kCsv;
  if (name == "json") return TableFormat::kJson;
  return absl::InvalidArgumentError(
      absl::StrCat("format '", name, "' is none of: text, markdown, csv, json"));
}

std::string RenderTables(absl::Span<const ResultTable> tables, TableFormat format) {
  std::string text;
  for (const ResultTable& table : tables) {
    if (!text.empty() && format != TableFormat::kJson) text += "\n";
    switch (format) {
      case TableFormat::kText:
        text += TextTable(table);
        break;
      case TableFormat::kMarkdown:
        text += MarkdownTable(table);
        break;
      case TableFormat::kCsv:
        text += CsvTable(table);
        break;
      case TableFormat::kJson:
        text += JsonTable(table);
        break;
    }
  }
  return text;
}

}  // namespace op3d::results
