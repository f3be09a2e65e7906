#include "results/verdict/recorded_runs.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "results/record/compact_record.h"
#include "results/record/format.h"
#include "results/record/headline.h"
#include "results/record/record.h"
#include "results/record/record_check.h"
#include "results/record/roles.h"
#include "results/verdict/verdict.h"

namespace op3d::results {
namespace {

constexpr absl::string_view kBegin =
    "<!-- Recorded runs: written by ./bazelw run //results:keep, not by hand. -->\n";
constexpr absl::string_view kEnd = "<!-- End of the recorded runs. -->\n";

std::string Top1(const RecipeResult* recipe) {
  return recipe == nullptr || !recipe->has_test() ? "" : FormatPercent(recipe->test().top1());
}

// The best of the rows that are neither planned nor one of the fixed schedules.
const RecipeResult* BestHandTuned(const RunRecord& record) {
  const RecipeResult* best = nullptr;
  for (const RecipeResult& recipe : record.recipes()) {
    // Older records have a planned recipe and hand-tuned ones.
    const bool hand_tuned = HasRoles(record) ? recipe.role() == RecipeResult::HAND_TUNED
                                             : &recipe != PlannedRecipe(record);
    if (!hand_tuned || !recipe.has_test()) continue;
    if (best == nullptr || recipe.test().top1() > best->test().top1()) best = &recipe;
  }
  return best;
}

std::string Cost(const RunRecord& record) {
  const RecipeResult* planned = TestedRow(record, RecipeResult::PLANNED_MODEL);
  if (planned == nullptr || planned->frames() == 0) return "";
  return absl::StrFormat(
      "%.1f", static_cast<double>(TotalFrames(*planned)) / static_cast<double>(planned->frames()));
}

struct Column {
  std::string head;
  std::function<std::string(const RunRecord&)> cell;
};

std::vector<Column> Columns() {
  const auto role = [](RecipeResult::Role role) {
    return [role](const RunRecord& record) { return Top1(TestedRow(record, role)); };
  };
  return {
      {"planned: model", role(RecipeResult::PLANNED_MODEL)},
      {"planned: again", role(RecipeResult::PLANNED_AGAIN)},
      {"published: model", role(RecipeResult::PUBLISHED_MODEL)},
      {"published: again",
       [](const RunRecord& record) {
         // Before roles the published method was the only one.
         return Top1(HasRoles(record) ? TestedRow(record, RecipeResult::PUBLISHED_AGAIN)
                                      : PlannedRecipe(record));
       }},
      {"best fixed", role(RecipeResult::BEST_FIXED)},
      {"one long run", role(RecipeResult::LONG_RUN)},
      {"multigrid", role(RecipeResult::MULTIGRID)},
      {"hand-tuned", [](const RunRecord& record) { return Top1(BestHandTuned(record)); }},
      {"cost", Cost},
  };
}

// Columns without values are left out.
std::string RunsTable(absl::Span<const NamedRecord> records) {
  std::vector<Column> columns = Columns();
  columns.erase(std::remove_if(columns.begin(), columns.end(),
                               [&](const Column& column) {
                                 return absl::c_all_of(records, [&](const NamedRecord& named) {
                                   return column.cell(named.record).empty();
                                 });
                               }),
                columns.end());
  std::string text = "| run | seed | videos |";
  std::string line = "|---|---:|---:|";
  for (const Column& column : columns) {
    absl::StrAppend(&text, " ", column.head, " |");
    line += "---:|";
  }
  absl::StrAppend(&text, "\n", line, "\n");
  for (const NamedRecord& named : records) {
    int videos = 0;
    for (const RecipeResult& recipe : named.record.recipes()) {
      videos = std::max(videos, recipe.test().videos());
    }
    absl::StrAppend(&text, "| [", named.name, "](recorded/", named.name, ") | ",
                    named.record.settings().seed(), " | ", FormatCount(videos), " |");
    for (const Column& column : columns) {
      const std::string cell = column.cell(named.record);
      absl::StrAppend(&text, cell.empty() ? "" : " ", cell, " |");
    }
    text += "\n";
  }
  return text;
}

// Runs of different scales are never in the same table.
std::string ScaleHeading(BenchmarkSettings::Scale scale) {
  return scale == BenchmarkSettings::MINIATURE
             ? "Miniatures, synthetic video (their figures say nothing about real video)"
         : scale == BenchmarkSettings::FULL ? "Full scale"
                                            : "Your own data";
}

// AlreadyExists if `path` has a run that is not a repeat of this one.
absl::Status CheckPlace(const std::string& path, const RunRecord& record) {
  if (!FolderExists(path) || !FileExists(RecordPath(path))) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const RunRecord there, ReadRecord(path));
  const bool same = there.settings().benchmark() == record.settings().benchmark() &&
                    there.settings().scale() == record.settings().scale() &&
                    there.settings().seed() == record.settings().seed() &&
                    TestVideos(there) == TestVideos(record);
  if (same) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat(path, " holds a run of another set, seed or test list (",
                   there.settings().benchmark(), ", seed ", there.settings().seed(),
                   "); give this one another name with --name, or remove that one"));
}

// The tables of sweeps.
std::string SweepsText(const RecordedRuns& recorded) {
  std::string text;
  for (const auto& [name, runs] : recorded.sweeps) {
    absl::StrAppend(&text, "\nThe sweep [", name, "](sweeps/", name, ") over ",
                    BenchmarkTitle(runs.sweep.benchmark()),
                    ", top-1 in percent and points, means over its runs, differences paired by "
                    "seed:\n\n",
                    RenderSweep(runs, TableFormat::kMarkdown));
  }
  return text;
}

// Writes a run's compact record, and the lists of videos that it names, to the folder `path`.
absl::StatusOr<Kept> WriteKept(const std::string& run, const RunRecord& record,
                               const std::string& path) {
  Kept kept;
  kept.path = path;
  OP3D_RETURN_IF_ERROR(CheckPlace(path, record));
  OP3D_RETURN_IF_ERROR(MakeFolders(path));
  OP3D_RETURN_IF_ERROR(WriteRecord(path, CompactRecord(record)));
  for (const DatasetReport::List& list : record.dataset().lists()) {
    if (list.videos_file().empty() || !FolderExists(run)) continue;
    OP3D_ASSIGN_OR_RETURN(const std::string videos, ReadFile(JoinPath(run, list.videos_file())));
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(JoinPath(path, list.videos_file()), videos));
  }
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(RecordPath(path)));
  kept.bytes = static_cast<int64_t>(text.size());
  return kept;
}

absl::Status CheckName(const std::string& name) {
  if (!name.empty() && name.find('/') == std::string::npos && name != "." && name != "..") {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", name, "' is no name of a folder; it must be one bare name"));
}

}  // namespace

std::string KeptName(const BenchmarkSettings& settings) {
  const int split = OfficialSplit(settings.dataset());
  // A slash in the name of a user's own data would lead to another folder.
  std::string name = settings.benchmark();
  absl::c_replace(name, '/', '_');
  return absl::StrCat(name, settings.scale() == BenchmarkSettings::MINIATURE ? "_miniature" : "",
                      split > 0 ? absl::StrCat("_split", split) : "", "_seed", settings.seed());
}

absl::StatusOr<Kept> KeepRun(const std::string& run, const std::string& folder, std::string name) {
  OP3D_ASSIGN_OR_RETURN(const CheckedRecord read, ReadCheckedRecord(run, CheckBeside::kSettings));
  const RunRecord& record = read.record;
  // Writing it would give it a valid checksum.
  if (read.check.Edited()) {
    return absl::InvalidArgumentError(
        absl::StrCat(DescribeEdit(RecordPath(run), read.check), "  It is not kept"));
  }
  if (absl::c_none_of(record.recipes(),
                      [](const RecipeResult& recipe) { return recipe.has_test(); })) {
    return absl::InvalidArgumentError(
        absl::StrCat(RecordPath(run), ": nothing has been tested; let the run end first"));
  }
  if (name.empty()) name = KeptName(record.settings());
  OP3D_RETURN_IF_ERROR(CheckName(name));
  return WriteKept(run, record, JoinPath(folder, name));
}

absl::StatusOr<Kept> KeepSweep(const std::string& sweep, const std::string& folder,
                               const std::string& name) {
  OP3D_RETURN_IF_ERROR(CheckName(name));
  OP3D_ASSIGN_OR_RETURN(const SweepRuns runs, ReadSweepRuns(sweep));
  Kept kept;
  kept.path = JoinPath(folder, name);
  for (size_t i = 0; i < runs.runs.size(); ++i) {
    for (const SweepRun& run : runs.runs[i]) {
      OP3D_ASSIGN_OR_RETURN(const Kept one, WriteKept(JoinPath(sweep, run.folder), run.record,
                                                      JoinPath(kept.path, run.folder)));
      kept.bytes = std::max(kept.bytes, one.bytes);
    }
  }
  OP3D_RETURN_IF_ERROR(WriteTextproto(JoinPath(kept.path, kSweepFile), runs.sweep));
  return kept;
}

absl::StatusOr<RecordedRuns> ReadRecordedRuns(const std::string& results) {
  OP3D_ASSIGN_OR_RETURN(RecordFolder found, ReadRecordFolder(JoinPath(results, "recorded")));
  if (!found.problems.empty()) return absl::InvalidArgumentError(found.problems[0]);
  const std::vector<std::string> edits = DescribeEdits(found.records);
  if (!edits.empty()) return absl::InvalidArgumentError(edits[0]);
  RecordedRuns recorded;
  recorded.runs = std::move(found.records);
  const std::string folder = JoinPath(results, "sweeps");
  if (!FolderExists(folder)) return recorded;
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder));
  for (const std::string& name : names) {
    OP3D_ASSIGN_OR_RETURN(SweepRuns sweep, ReadSweepRuns(JoinPath(folder, name)));
    recorded.sweeps.emplace_back(name, std::move(sweep));
  }
  return recorded;
}

std::string RecordedSection(const RecordedRuns& recorded) {
  std::string text = std::string(kBegin);
  absl::StrAppend(
      &text,
      "\nTop-1 in percent. `model`: the network that the search ended with; `again`: the plan "
      "trained from\nscratch. `cost`: frames of search and plan divided by those of the plan.\n");
  std::vector<NamedRecord> with_roles;
  std::map<std::string, std::vector<NamedRecord>> scales;
  for (const NamedRecord& named : recorded.runs) {
    if (HasRoles(named.record)) with_roles.push_back(named);
    scales[ScaleHeading(named.record.settings().scale())].push_back(named);
  }
  for (const auto& [heading, runs] : scales) {
    absl::StrAppend(&text, "\n", heading, ":\n\n", RunsTable(runs));
  }
  const absl::StatusOr<Verdict> verdict = ComputeVerdict(with_roles);
  if (verdict.ok()) {
    absl::StrAppend(&text, "\n`./bazelw run //results:verdict` says:\n\n```\n",
                    DescribeVerdict(*verdict), "```\n");
  } else {
    absl::StrAppend(&text, "\nThere is no verdict: ",
                    with_roles.empty() ? "no run has rows with roles" : verdict.status().message(),
                    ".\n");
  }
  return absl::StrCat(text, SweepsText(recorded), "\n", kEnd);
}

absl::StatusOr<std::string> ReplaceRecordedSection(absl::string_view text,
                                                   const RecordedRuns& recorded) {
  const size_t begin = text.find(kBegin), end = text.find(kEnd);
  if (begin == absl::string_view::npos || end == absl::string_view::npos || end < begin) {
    return absl::FailedPreconditionError(
        absl::StrCat("the README lacks the lines that mark the recorded runs; put these two "
                     "lines where the table should be:\n",
                     kBegin, kEnd));
  }
  return absl::StrCat(text.substr(0, begin), RecordedSection(recorded),
                      text.substr(end + kEnd.size()));
}

absl::Status UpdateReadme(const std::string& results) {
  const std::string readme = JoinPath(results, "README.md");
  OP3D_ASSIGN_OR_RETURN(const RecordedRuns recorded, ReadRecordedRuns(results));
  OP3D_ASSIGN_OR_RETURN(const std::string before, ReadFile(readme));
  OP3D_ASSIGN_OR_RETURN(const std::string after, ReplaceRecordedSection(before, recorded));
  return before == after ? absl::OkStatus() : WriteFileAtomically(readme, after);
}

}  // namespace op3d::results
