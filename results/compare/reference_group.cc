#include "results/compare/reference_group.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "results/record/record.h"
#include "results/record/roles.h"
#include "results/record/statistics.h"

namespace op3d::results {
namespace {

constexpr double kProbability = 0.95;

// What must be equal: everything that decides a run but its seed.
std::string DecisiveSettings(const RunRecord& record) {
  BenchmarkSettings settings = record.settings();
  settings.clear_seed();
  settings.clear_derived();
  return PrintTextproto(settings);
}

absl::Status CheckComparable(const NamedRecord& one, const NamedRecord& other) {
  if (DecisiveSettings(one.record) != DecisiveSettings(other.record)) {
    return absl::InvalidArgumentError(
        absl::StrCat(one.name, " and ", other.name,
                     " differ in more settings than the seed (./bazelw run //results:compare shows "
                     "which); a group has one recipe"));
  }
  if (TestVideos(one.record) != TestVideos(other.record)) {
    return absl::InvalidArgumentError(
        absl::StrCat(one.name, " and ", other.name, " were not tested on the same videos"));
  }
  return absl::OkStatus();
}

// The row's identity between seeds: which of the fixed schedules is best may differ.
std::string KeyOf(const RecipeResult& row) {
  return row.role() == RecipeResult::BEST_FIXED ? RoleKey(row.role()) : row.name();
}

std::map<std::string, double> Top1OfRows(const RunRecord& record) {
  std::map<std::string, double> rows;
  for (const RecipeResult& row : record.recipes()) {
    if (row.has_test()) rows[KeyOf(row)] = row.test().top1();
  }
  return rows;
}

}  // namespace

bool GroupTest::passes() const {
  return absl::c_all_of(rows, [](const GroupRow& row) { return row.passes(); });
}

absl::StatusOr<GroupTest> TestAgainstGroup(const NamedRecord& candidate,
                                           absl::Span<const NamedRecord> references) {
  if (references.size() < 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        references.size(),
        " reference runs given; a group needs at least two seeds, better three or more"));
  }
  std::map<uint64_t, std::string> seeds;
  for (const NamedRecord& reference : references) {
    if (reference.check.Edited()) {
      return absl::InvalidArgumentError(absl::StrCat(reference.name, " was edited or damaged"));
    }
    OP3D_RETURN_IF_ERROR(CheckComparable(reference, references[0]));
    const auto [at, added] = seeds.emplace(reference.record.settings().seed(), reference.name);
    if (!added) {
      return absl::InvalidArgumentError(absl::StrCat(at->second, " and ", reference.name,
                                                     " have the same seed, ", at->first,
                                                     ": they are one run, not two"));
    }
    if (reference.record.content_sha256() == candidate.record.content_sha256() &&
        !reference.record.content_sha256().empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(candidate.name, " is itself in the group, as ", reference.name));
    }
  }
  if (candidate.check.Edited()) {
    return absl::InvalidArgumentError(absl::StrCat(candidate.name, " was edited or damaged"));
  }
  OP3D_RETURN_IF_ERROR(CheckComparable(candidate, references[0]));

  GroupTest test;
  test.references = static_cast<int>(references.size());
  const auto n = static_cast<double>(references.size());
  const double quantile = StudentQuantile(kProbability, n - 1);
  std::vector<std::map<std::string, double>> all;
  for (const NamedRecord& reference : references) all.push_back(Top1OfRows(reference.record));
  for (const RecipeResult& recipe : candidate.record.recipes()) {
    if (!recipe.has_test()) continue;
    std::vector<double> values;
    for (const std::map<std::string, double>& rows : all) {
      const auto row = rows.find(KeyOf(recipe));
      if (row != rows.end()) values.push_back(row->second);
    }
    if (values.size() != references.size()) continue;
    GroupRow& row = test.rows.emplace_back();
    row.title =
        recipe.role() == RecipeResult::BEST_FIXED ? RoleTitle(recipe.role()) : RowTitle(recipe);
    row.mean = Mean(values);
    row.limit = row.mean - quantile * std::sqrt(SampleVariance(values) * (1 + 1 / n));
    row.candidate = recipe.test().top1();
  }
  if (test.rows.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(candidate.name, " has no tested row that all references have"));
  }
  return test;
}

std::string DescribeGroupTest(const GroupTest& test) {
  size_t width = 0;
  for (const GroupRow& row : test.rows) width = std::max(width, row.title.size());
  std::string text = absl::StrFormat("%-*s  %9s  %9s  %9s\n", static_cast<int>(width), "top-1",
                                     "this run", "the group", "at least");
  int failed = 0;
  for (const GroupRow& row : test.rows) {
    absl::StrAppendFormat(
        &text, "%-*s  %9.1f  %9.1f  %9.1f  %s\n", static_cast<int>(width), row.title,
        100 * row.candidate, 100 * row.mean, 100 * row.limit,
        row.passes() ? "passes"
                     : absl::StrFormat("%.1f points too low", 100 * (row.limit - row.candidate)));
    failed += !row.passes();
  }
  absl::StrAppend(&text, failed == 0 ? "passes" : "does not pass", ": ", test.rows.size() - failed,
                  " of ", test.rows.size(),
                  " rows are at least what the next run of the group would reach with a "
                  "probability of 95 % (",
                  test.references, " seeds).\n");
  return text;
}

}  // namespace op3d::results
