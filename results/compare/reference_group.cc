#include "results/compare/reference_group.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "results/record/record.h"
#include "results/record/roles.h"
#include "results/record/statistics.h"

namespace op3d::results {
namespace {

constexpr double kProbability = 0.95;

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

// The row's title for all seeds.
std::string TitleOf(const RecipeResult& row) {
  return row.role() == RecipeResult::BEST_FIXED ? RoleTitle(row.role()) : RowTitle(row);
}

// Whether they are at least two runs with one recipe, each with a seed of its own.
absl::Status CheckGroup(absl::Span<const NamedRecord> runs) {
  if (runs.size() < 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        runs.size(),
        " reference runs given; a group needs at least two seeds, better three or more"));
  }
  std::map<uint64_t, std::string> seeds;
  for (const NamedRecord& run : runs) {
    if (run.check.Edited()) {
      return absl::InvalidArgumentError(absl::StrCat(run.name, " was edited or damaged"));
    }
    OP3D_RETURN_IF_ERROR(CheckComparable(run, runs[0]));
    const auto [at, added] = seeds.emplace(run.record.settings().seed(), run.name);
    if (!added) {
      return absl::InvalidArgumentError(absl::StrCat(at->second, " and ", run.name,
                                                     " have the same seed, ", at->first,
                                                     ": they are one run, not two"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool GroupTest::passes() const {
  return absl::c_all_of(rows, [](const GroupRow& row) { return row.passes(); });
}

absl::StatusOr<SeedGroup> MakeSeedGroup(absl::Span<const NamedRecord> runs) {
  OP3D_RETURN_IF_ERROR(CheckGroup(runs));
  std::vector<const NamedRecord*> sorted;
  for (const NamedRecord& run : runs) sorted.push_back(&run);
  absl::c_sort(sorted, [](const NamedRecord* a, const NamedRecord* b) {
    return a->record.settings().seed() < b->record.settings().seed();
  });
  SeedGroup group;
  for (const NamedRecord* run : sorted) {
    SeedGroup::Run& member = *group.add_runs();
    member.set_folder(run->name);
    member.set_seed(run->record.settings().seed());
    member.set_record_sha256(RecordSha256(run->record));
  }
  for (const RecipeResult& first : sorted[0]->record.recipes()) {
    if (!first.has_test()) continue;
    SeedGroup::Row row;
    row.set_title(TitleOf(first));
    std::vector<double> frames;
    for (const NamedRecord* run : sorted) {
      for (const RecipeResult& recipe : run->record.recipes()) {
        if (KeyOf(recipe) != KeyOf(first) || !recipe.has_test()) continue;
        row.add_top1(recipe.test().top1());
        frames.push_back(static_cast<double>(TotalFrames(recipe)));
        break;
      }
    }
    if (row.top1_size() != group.runs_size()) continue;
    group.set_test_videos(first.test().videos());
    row.set_mean(Mean(row.top1()));
    const ShareInterval interval = MeanInterval(row.top1(), first.test().videos());
    row.set_low(interval.low);
    row.set_high(interval.high);
    row.set_total_frames(Mean(frames));
    *group.add_rows() = std::move(row);
  }
  if (group.rows().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(sorted[0]->name, " has no tested row that all other seeds have"));
  }
  return group;
}

std::string DescribeSeedGroup(const SeedGroup& group) {
  size_t width = 0;
  for (const SeedGroup::Row& row : group.rows()) width = std::max(width, row.title().size());
  std::string text = absl::StrFormat("%-*s  %5s  %-17s  %s\n", static_cast<int>(width),
                                     absl::StrCat("mean of ", group.runs_size(), " seeds"), "top-1",
                                     "95 % interval", "frames, search included");
  for (const SeedGroup::Row& row : group.rows()) {
    absl::StrAppendFormat(
        &text, "%-*s  %5.1f  %5.1f to %5.1f     %s\n", static_cast<int>(width), row.title(),
        100 * row.mean(), 100 * row.low(), 100 * row.high(),
        row.total_frames() > 0 ? absl::StrFormat("%.0f", row.total_frames()) : "");
  }
  return text;
}

absl::StatusOr<std::vector<NamedRecord>> ReadSeedGroup(const std::string& path) {
  SeedGroup group;
  OP3D_RETURN_IF_ERROR(ReadTextproto(path, &group));
  std::vector<NamedRecord> runs;
  for (const SeedGroup::Run& member : group.runs()) {
    const std::string folder =
        JoinPath(std::filesystem::path(path).parent_path().string(), member.folder());
    OP3D_ASSIGN_OR_RETURN(std::vector<NamedRecord> read, ReadNamedRecords({folder}));
    if (RecordSha256(read[0].record) != member.record_sha256()) {
      return absl::InvalidArgumentError(absl::StrCat(
          folder, " has another record than when ", path,
          " was made: make the group again with the command that ran it, or name its runs"));
    }
    runs.push_back(std::move(read[0]));
  }
  return runs;
}

absl::StatusOr<GroupTest> TestAgainstGroup(const NamedRecord& candidate,
                                           absl::Span<const NamedRecord> references) {
  OP3D_RETURN_IF_ERROR(CheckGroup(references));
  const std::string own = RecordSha256(candidate.record);
  for (const NamedRecord& reference : references) {
    if (RecordSha256(reference.record) == own) {
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
    row.title = TitleOf(recipe);
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
