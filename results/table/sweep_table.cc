#include "results/table/sweep_table.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "op3d/base/file.h"
#include "op3d/base/io/csv.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "results/record/format.h"
#include "results/record/optional_json.h"
#include "results/record/record.h"
#include "results/record/record_check.h"
#include "results/record/roles.h"
#include "results/record/statistics.h"
#include "results/table/grid.h"

namespace op3d::results {
namespace {

using nlohmann::ordered_json;

// What a column shows.
enum class Column { kModel, kBestFixed, kLongRun, kHandTuned };
constexpr Column kColumns[] = {Column::kModel, Column::kBestFixed, Column::kLongRun,
                               Column::kHandTuned};

struct ColumnName {
  const char* title;
  const char* key;
};

ColumnName NameOf(Column column) {
  switch (column) {
    case Column::kModel:
      return {"search's model", "model_top1"};
    case Column::kBestFixed:
      return {"best fixed", "best_fixed_top1"};
    case Column::kLongRun:
      return {"one long run", "long_run_top1"};
    case Column::kHandTuned:
      return {"hand-tuned", "hand_tuned_top1"};
  }
  return {"", ""};
}

bool IsOf(Column column, RecipeResult::Role role) {
  switch (column) {
    case Column::kModel:
      return role == RecipeResult::PLANNED_MODEL || role == RecipeResult::PUBLISHED_MODEL;
    case Column::kBestFixed:
      return role == RecipeResult::BEST_FIXED;
    case Column::kLongRun:
      return role == RecipeResult::LONG_RUN;
    case Column::kHandTuned:
      return role == RecipeResult::HAND_TUNED;
  }
  return false;
}

// Of the videos and the seed of a run: which runs are a pair.
using PairKey = std::pair<uint32_t, uint64_t>;

PairKey KeyOf(const RunRecord& record) { return {TestVideos(record), record.settings().seed()}; }

// The highest of a record's rows in the column, by its test.
std::optional<double> Top1(const RunRecord& record, Column column) {
  std::optional<double> top1;
  for (const RecipeResult& row : record.recipes()) {
    if (!IsOf(column, row.role()) || !row.has_test()) continue;
    top1 = std::max(top1.value_or(0), row.test().top1());
  }
  return top1;
}

std::map<PairKey, double> Top1ByRun(const std::vector<SweepRun>& runs, Column column) {
  std::map<PairKey, double> all;
  for (const SweepRun& run : runs) {
    const std::optional<double> top1 = Top1(run.record, column);
    if (top1.has_value()) all.emplace(KeyOf(run.record), *top1);
  }
  return all;
}

struct Difference {
  double mean = 0;
  // With two pairs or more.
  std::optional<ShareInterval> interval;
};

// Of shares: a minus b.
std::optional<Difference> PairedDifference(const std::map<PairKey, double>& a,
                                           const std::map<PairKey, double>& b) {
  std::vector<double> differences;
  for (const auto& [key, share] : a) {
    const auto other = b.find(key);
    if (other != b.end()) differences.push_back(share - other->second);
  }
  if (differences.empty()) return std::nullopt;
  Difference difference;
  difference.mean = Mean(differences);
  if (differences.size() > 1) difference.interval = StudentInterval(differences);
  return difference;
}

// Shares in [0, 1].
struct SweepRow {
  std::string name, title;
  int64_t runs = 0;
  std::vector<std::optional<double>> top1;
  std::optional<Difference> from_best_fixed, from_first;
  std::optional<double> frames;
};

std::optional<double> MeanOf(const std::vector<double>& values) {
  return values.empty() ? std::nullopt : std::optional<double>(Mean(values));
}

SweepRow MakeRow(const SweepRuns& sweep, size_t number) {
  const Sweep::Variant& variant = sweep.sweep.variants(static_cast<int>(number));
  const std::vector<SweepRun>& runs = sweep.runs[number];
  SweepRow row;
  row.name = variant.name();
  row.title = variant.title();
  row.runs = static_cast<int64_t>(runs.size());
  for (const Column column : kColumns) {
    std::vector<double> shares;
    for (const auto& [key, share] : Top1ByRun(runs, column)) shares.push_back(share);
    row.top1.push_back(MeanOf(shares));
  }
  const std::map<PairKey, double> model = Top1ByRun(runs, Column::kModel);
  row.from_best_fixed = PairedDifference(model, Top1ByRun(runs, Column::kBestFixed));
  if (number > 0) {
    row.from_first = PairedDifference(model, Top1ByRun(sweep.runs[0], Column::kModel));
  }
  std::vector<double> frames;
  for (const SweepRun& run : runs) {
    for (const RecipeResult& recipe : run.record.recipes()) {
      if (IsOf(Column::kModel, recipe.role())) {
        frames.push_back(static_cast<double>(TotalFrames(recipe)));
      }
    }
  }
  row.frames = MeanOf(frames);
  return row;
}

// "+1.2 (-0.3 to +2.7)".
std::string DifferenceText(const std::optional<Difference>& difference) {
  if (!difference.has_value()) return "";
  std::string text = absl::StrFormat("%+.1f", 100 * difference->mean);
  if (difference->interval.has_value()) {
    absl::StrAppendFormat(&text, " (%+.1f to %+.1f)", 100 * difference->interval->low,
                          100 * difference->interval->high);
  }
  return text;
}

// Blank columns are left out.
Grid MakeGrid(const Sweep& sweep, const std::vector<SweepRow>& rows) {
  std::vector<std::string> head = {"variant", "what is different", "runs"};
  for (const Column column : kColumns) head.emplace_back(NameOf(column).title);
  head.emplace_back("model - best fixed (95 %)");
  head.push_back(absl::StrCat("model - ", sweep.variants(0).name(), " (95 %)"));
  head.emplace_back("frames, search included");
  std::vector<std::vector<std::string>> all;
  for (const SweepRow& row : rows) {
    std::vector<std::string>& cells = all.emplace_back();
    cells = {row.name, row.title, absl::StrCat(row.runs)};
    for (const std::optional<double>& share : row.top1) cells.push_back(PercentText(share, false));
    cells.push_back(DifferenceText(row.from_best_fixed));
    cells.push_back(DifferenceText(row.from_first));
    cells.push_back(row.frames.has_value() ? FormatCount(static_cast<int64_t>(*row.frames))
                                           : std::string());
  }
  Grid grid;
  grid.rows.resize(all.size());
  for (size_t column = 0; column < head.size(); ++column) {
    const bool blank =
        std::all_of(all.begin(), all.end(),
                    [&](const std::vector<std::string>& row) { return row[column].empty(); });
    if (blank) continue;
    grid.AddColumn(head[column], /*figure=*/column >= 2);
    for (size_t row = 0; row < all.size(); ++row) grid.rows[row].push_back(all[row][column]);
  }
  return grid;
}

std::string Csv(const std::vector<SweepRow>& rows) {
  std::string text = "variant,what is different,runs";
  for (const Column column : kColumns) absl::StrAppend(&text, ",", NameOf(column).title);
  text += ",model - best fixed,from,to,model - first variant,from,to,\"frames, search included\"\n";
  for (const SweepRow& row : rows) {
    std::vector<std::string> cells = {CsvField(row.name), CsvField(row.title),
                                      absl::StrCat(row.runs)};
    for (const std::optional<double>& share : row.top1) cells.push_back(PercentText(share, true));
    for (const auto& difference : {row.from_best_fixed, row.from_first}) {
      std::optional<double> mean, low, high;
      if (difference.has_value()) {
        mean = difference->mean;
        if (difference->interval.has_value()) {
          low = difference->interval->low;
          high = difference->interval->high;
        }
      }
      for (const auto& share : {mean, low, high}) cells.push_back(PercentText(share, true));
    }
    cells.push_back(row.frames.has_value() ? FormatNumber(*row.frames) : "");
    absl::StrAppend(&text, absl::StrJoin(cells, ","), "\n");
  }
  return text;
}

ordered_json ToJson(const std::optional<Difference>& difference) {
  if (!difference.has_value()) return nullptr;
  ordered_json json = {{"mean", difference->mean}, {"interval", nullptr}};
  if (difference->interval.has_value()) {
    json["interval"] = {difference->interval->low, difference->interval->high};
  }
  return json;
}

std::string JsonRows(const Sweep& sweep, const std::vector<SweepRow>& rows) {
  ordered_json json = {{"benchmark", sweep.benchmark()}, {"variants", ordered_json::array()}};
  for (const SweepRow& row : rows) {
    ordered_json one = {{"variant", row.name}, {"title", row.title}, {"runs", row.runs}};
    for (size_t i = 0; i < row.top1.size(); ++i) one[NameOf(kColumns[i]).key] = OrNull(row.top1[i]);
    one["difference_from_best_fixed"] = ToJson(row.from_best_fixed);
    one["difference_from_first"] = ToJson(row.from_first);
    one["total_frames"] = OrNull(row.frames);
    json["variants"].push_back(std::move(one));
  }
  return absl::StrCat(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace), "\n");
}

// The folders below `folder`/`variant` that hold a record, without `folder`, in the order of their
// names.
absl::StatusOr<std::vector<std::string>> RunFolders(const std::string& folder,
                                                    const std::string& variant) {
  std::vector<std::string> found;
  const std::string below = JoinPath(folder, variant);
  if (!FolderExists(below)) return found;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(below, error), end;
  for (; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename() == "record.textproto") {
      found.push_back(entry->path().parent_path().lexically_relative(folder).string());
    }
  }
  if (error) {
    return absl::UnavailableError(absl::StrCat(below, " cannot be read: ", error.message()));
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

absl::StatusOr<SweepRuns> ReadSweepRuns(const std::string& folder) {
  SweepRuns runs;
  const std::string file = JoinPath(folder, kSweepFile);
  if (!FileExists(file)) {
    return absl::NotFoundError(
        absl::StrCat(folder, " has no ", kSweepFile,
                     ": it is not the folder of a sweep (//benchmarks:networks, "
                     "//benchmarks:ablations, --sweep)"));
  }
  OP3D_RETURN_IF_ERROR(ReadTextproto(file, &runs.sweep));
  bool any = false;
  for (const Sweep::Variant& variant : runs.sweep.variants()) {
    std::vector<SweepRun>& found = runs.runs.emplace_back();
    OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> folders,
                          RunFolders(folder, variant.name()));
    for (const std::string& name : folders) {
      const std::string run = JoinPath(folder, name);
      OP3D_ASSIGN_OR_RETURN(CheckedRecord read, ReadCheckedRecord(run, CheckBeside::kSettings));
      if (read.check.Edited()) {
        return absl::InvalidArgumentError(DescribeEdit(RecordPath(run), read.check));
      }
      // Not yet tested.
      if (!Top1(read.record, Column::kModel).has_value()) continue;
      found.push_back({name, std::move(read.record)});
      any = true;
    }
  }
  if (!any) {
    return absl::NotFoundError(absl::StrCat("no variant of ", file,
                                            " has a finished run; the command that started the "
                                            "sweep goes on with it"));
  }
  return runs;
}

std::string RenderSweep(const SweepRuns& runs, TableFormat format) {
  std::vector<SweepRow> rows;
  for (size_t i = 0; i < runs.runs.size(); ++i) {
    if (!runs.runs[i].empty()) rows.push_back(MakeRow(runs, i));
  }
  switch (format) {
    case TableFormat::kText:
      return TextGrid(MakeGrid(runs.sweep, rows));
    case TableFormat::kMarkdown:
      return MarkdownGrid(MakeGrid(runs.sweep, rows));
    case TableFormat::kCsv:
      return Csv(rows);
    case TableFormat::kJson:
      return JsonRows(runs.sweep, rows);
  }
  return "";
}

}  // namespace op3d::results
