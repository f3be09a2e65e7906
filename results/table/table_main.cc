// Shows recorded runs as tables: ours, the published figure with its source, difference, verdict.
//
//   ./bazelw run //results:table -- results/runs/kinetics400-2026-05-01 --format=markdown
//   ./bazelw run //results:table                      # every run under results/runs
//   ./bazelw run //results:table -- results/runs/kinetics400-ablations-2026-05-01   # a sweep
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/program.h"
#include "op3d/base/status_macros.h"
#include "results/record/named_records.h"
#include "results/table/published.h"
#include "results/table/sweep_table.h"
#include "results/table/table.h"
#include "results/table/table_format.h"

ABSL_FLAG(std::string, format, "text", "text, markdown, csv or json (one object per line)");
ABSL_FLAG(bool, all, false, "also print single fixed schedules, not only the best");

namespace op3d::results {
namespace {

// Every run of the workspace that has a record; unreadable ones are named and left out.
absl::StatusOr<std::vector<NamedRecord>> FindRecords() {
  const std::string folder = JoinPath(WorkspaceFolder(), "results/runs");
  OP3D_ASSIGN_OR_RETURN(RecordFolder found, ReadRecordFolder(folder));
  for (const std::string& problem : found.problems) {
    std::fprintf(stderr, "table: %s\n", problem.c_str());
  }
  if (found.records.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no recorded run under ", folder,
                     "; make one with ./bazelw run //benchmarks:kinetics400, or name a record"));
  }
  std::fprintf(stderr, "table: %d recorded run%s under %s\n",
               static_cast<int>(found.records.size()), found.records.size() == 1 ? "" : "s",
               folder.c_str());
  return std::move(found.records);
}

absl::Status Run(absl::Span<const std::string> words) {
  OP3D_ASSIGN_OR_RETURN(const TableFormat format, ParseTableFormat(absl::GetFlag(FLAGS_format)));
  OP3D_ASSIGN_OR_RETURN(const PublishedFigures figures, LoadPublishedFigures());
  std::vector<std::string> runs;
  for (const std::string& word : words) {
    const std::string folder = UserPath(word);
    if (!FileExists(JoinPath(folder, kSweepFile))) {
      runs.push_back(word);
      continue;
    }
    OP3D_ASSIGN_OR_RETURN(const SweepRuns sweep, ReadSweepRuns(folder));
    std::printf("%s%s", RenderSweep(sweep, format).c_str(),
                format == TableFormat::kJson ? "" : "\n");
  }
  if (runs.empty() && !words.empty()) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const std::vector<NamedRecord> records,
                        words.empty() ? FindRecords() : ReadNamedRecords(runs));
  TableOptions options;
  options.all = absl::GetFlag(FLAGS_all);
  std::fputs(RenderTables(MakeTables(records, figures, options), format).c_str(), stdout);
  return RefuseEdited(records);
}

}  // namespace
}  // namespace op3d::results

int main(int argc, char** argv) {
  return op3d::RunProgram(
      argc, argv,
      "prints recorded runs as tables with the published figures; without a record, every run "
      "under results/runs.  The folder of a sweep is one table of its variants.  Exit 1 = a record "
      "was edited: it is shown, marked as edited, "
      "without a verdict.\n\n"
      "  ./bazelw run //results:table -- results/runs/kinetics400-2026-05-01 --format=markdown",
      [](absl::Span<const std::string> words) { return op3d::results::Run(words); });
}
