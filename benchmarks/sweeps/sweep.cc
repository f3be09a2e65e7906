#include "benchmarks/sweeps/sweep.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "results/record/statistics.h"

namespace op3d::benchmarks {
namespace {

std::vector<std::string> NamesOf(const Sweep& sweep) {
  std::vector<std::string> names;
  for (const Sweep::Variant& variant : sweep.variants()) names.push_back(variant.name());
  return names;
}

absl::Status CheckSweep(const Sweep& sweep, const std::string& name) {
  if (sweep.variants().empty()) {
    return absl::InvalidArgumentError(absl::StrCat("the sweep ", name, " has no variants"));
  }
  std::set<std::string> seen;
  for (const Sweep::Variant& variant : sweep.variants()) {
    const bool plain = std::all_of(variant.name().begin(), variant.name().end(), [](char c) {
      return absl::ascii_isalnum(c) || c == '_' || c == '-';
    });
    if (variant.name().empty() || !plain) {
      return absl::InvalidArgumentError(
          absl::StrCat("the sweep ", name, " has a variant named '", variant.name(),
                       "', but it becomes a folder's name: use letters, digits, _ and -"));
    }
    if (!seen.insert(variant.name()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("the sweep ", name, " has two variants named ", variant.name()));
    }
  }
  return absl::OkStatus();
}

// What a column shows.
enum class Column { kModel, kBestFixed, kLongRun, kHandTuned };
constexpr Column kColumns[] = {Column::kModel, Column::kBestFixed, Column::kLongRun,
                               Column::kHandTuned};

const char* TitleOf(Column column) {
  switch (column) {
    case Column::kModel:
      return "search's model";
    case Column::kBestFixed:
      return "best fixed";
    case Column::kLongRun:
      return "one long run";
    case Column::kHandTuned:
      return "hand-tuned";
  }
  return "";
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

// The highest of a record's rows in the column, by its test.
std::optional<double> Top1(const RunRecord& record, Column column) {
  std::optional<double> top1;
  for (const RecipeResult& row : record.recipes()) {
    if (!IsOf(column, row.role()) || !row.has_test()) continue;
    top1 = std::max(top1.value_or(0), row.test().top1());
  }
  return top1;
}

std::string MeanText(const std::vector<RunRecord>& records, Column column) {
  std::vector<double> known;
  for (const RunRecord& record : records) {
    const std::optional<double> top1 = Top1(record, column);
    if (top1.has_value()) known.push_back(100 * *top1);
  }
  return known.empty() ? "" : absl::StrFormat("%.1f", results::Mean(known));
}

// "+1.2 (-0.3 to +2.7)", against the record of the first variant with the same seed.
std::string DifferenceText(const std::vector<RunRecord>& first,
                           const std::vector<RunRecord>& records) {
  std::map<uint64_t, double> base;
  for (const RunRecord& record : first) {
    const std::optional<double> top1 = Top1(record, Column::kModel);
    if (top1.has_value()) base[record.settings().seed()] = *top1;
  }
  std::vector<double> differences;
  for (const RunRecord& record : records) {
    const std::optional<double> top1 = Top1(record, Column::kModel);
    const auto other = base.find(record.settings().seed());
    if (top1.has_value() && other != base.end()) {
      differences.push_back(100 * (*top1 - other->second));
    }
  }
  if (differences.empty()) return "";
  std::string text = absl::StrFormat("%+.1f", results::Mean(differences));
  if (differences.size() > 1) {
    const results::ShareInterval interval = results::StudentInterval(differences);
    absl::StrAppendFormat(&text, " (%+.1f to %+.1f)", interval.low, interval.high);
  }
  return text;
}

std::string FramesText(const std::vector<RunRecord>& records) {
  std::vector<double> frames;
  for (const RunRecord& record : records) {
    for (const RecipeResult& row : record.recipes()) {
      if (IsOf(Column::kModel, row.role())) frames.push_back(row.total_frames());
    }
  }
  return frames.empty() ? "" : absl::StrFormat("%.0f", results::Mean(frames));
}

}  // namespace

absl::StatusOr<Sweep> FindSweep(const std::string& name, const std::string& variants,
                                bool miniature) {
  Sweep sweep;
  std::string path = UserPath(name);
  if (IsTextprotoName(name)) {
    const absl::StatusOr<std::string> shipped =
        RunfilePath(absl::StrCat("benchmarks/sweeps/", name, ".textproto"));
    if (!shipped.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "there is no sweep '", name, "'; there are networks and ablations, or give a file"));
    }
    path = *shipped;
  }
  OP3D_RETURN_IF_ERROR(ReadTextproto(path, &sweep));
  OP3D_RETURN_IF_ERROR(CheckSweep(sweep, name));
  Sweep kept = sweep;
  kept.clear_variants();
  std::set<std::string> wanted;
  for (const absl::string_view word : absl::StrSplit(variants, ',', absl::SkipEmpty())) {
    wanted.emplace(word);
  }
  for (const Sweep::Variant& variant : sweep.variants()) {
    const bool named = wanted.erase(variant.name()) > 0;
    if (variants.empty() ? !(miniature && variant.only_full()) : named) {
      *kept.add_variants() = variant;
    }
  }
  if (!wanted.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--variants: the sweep ", name, " has no ",
                                                   *wanted.begin(), "; it has ",
                                                   absl::StrJoin(NamesOf(sweep), ", ")));
  }
  return kept;
}

void ApplyVariant(const Sweep::Variant& variant, SettingsRequest* request) {
  std::vector<std::string> assignments(variant.set().begin(), variant.set().end());
  const auto& own = request->miniature ? variant.miniature_set() : variant.full_set();
  assignments.insert(assignments.end(), own.begin(), own.end());
  request->assignments.insert(request->assignments.begin(), assignments.begin(), assignments.end());
  if (!variant.method().empty()) request->method = variant.method();
  if (!variant.network_family().empty()) {
    request->network =
        absl::StrCat(variant.network_family(), request->miniature ? "_miniature" : "_resnet50");
  }
}

std::string SweepTable(const Sweep& sweep, const SweepRecords& records) {
  std::vector<std::vector<std::string>> grid(1);
  grid[0] = {"variant", "seeds"};
  for (const Column column : kColumns) grid[0].emplace_back(TitleOf(column));
  grid[0].emplace_back(
      absl::StrCat("model's difference from ", sweep.variants(0).name(), " (95 %)"));
  grid[0].emplace_back("frames, search included");
  for (int i = 0; i < sweep.variants_size(); ++i) {
    const Sweep::Variant& variant = sweep.variants(i);
    std::vector<std::string>& row = grid.emplace_back();
    row.push_back(absl::StrCat(variant.name(), ": ", variant.title()));
    row.push_back(absl::StrCat(records[i].size()));
    for (const Column column : kColumns) row.push_back(MeanText(records[i], column));
    row.push_back(i == 0 ? "" : DifferenceText(records[0], records[i]));
    row.push_back(FramesText(records[i]));
  }
  std::vector<size_t> widths(grid[0].size(), 0);
  for (const auto& row : grid) {
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text;
  for (const auto& row : grid) {
    std::string line = absl::StrFormat("%-*s", static_cast<int>(widths[0]), row[0]);
    for (size_t c = 1; c < row.size(); ++c) {
      absl::StrAppendFormat(&line, "  %*s", static_cast<int>(widths[c]), row[c]);
    }
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

}  // namespace op3d::benchmarks
