// Recorded runs as tables: ours, the published figure with its source, difference, verdict.
//
//   ./bazelw run //results:table -- results/runs/kinetics400-2026-05-01 --format=markdown
//   ./bazelw run //results:table                      # every run under results/runs
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program.h"
#include "op3d/base/status_macros.h"
#include "results/published.h"
#include "results/record.h"
#include "results/table.h"
#include "results/table_format.h"

ABSL_FLAG(std::string, format, "text", "text, markdown, csv or json (one object a line)");
ABSL_FLAG(bool, all, false, "single fixed schedules too, not only the best of them");

namespace op3d {
namespace {

// "kinetics400-2026-05-01" of .../kinetics400-2026-05-01/record.textproto.
std::string RunName(const std::string& path) {
  std::filesystem::path name(path);
  if (!name.has_filename()) name = name.parent_path();
  if (name.filename() == "record.textproto" && name.has_parent_path()) name = name.parent_path();
  return name.filename().string();
}

absl::StatusOr<std::vector<NamedRecord>> ReadNamed(absl::Span<const std::string> paths) {
  std::vector<NamedRecord> records;
  for (const std::string& word : paths) {
    const std::string path = UserPath(word);
    OP3D_ASSIGN_OR_RETURN(RunRecord record, ReadRecord(path));
    records.push_back({RunName(path), std::move(record)});
  }
  return records;
}

// Every run of the workspace that has a record; what cannot be read is named and left out.
absl::StatusOr<std::vector<NamedRecord>> FindRecords() {
  const std::string folder = JoinPath(WorkspaceFolder(), "results/runs");
  std::vector<NamedRecord> records;
  std::vector<std::string> names;
  if (FolderExists(folder)) {
    OP3D_ASSIGN_OR_RETURN(names, ListFolder(folder));
  }
  for (const std::string& name : names) {
    const std::string run = JoinPath(folder, name);
    if (!FolderExists(run)) continue;
    absl::StatusOr<RunRecord> record = ReadRecord(run);
    if (record.ok()) {
      records.push_back({name, *std::move(record)});
    } else if (absl::IsNotFound(record.status())) {
      std::fprintf(stderr, "table: %s has no record yet\n", run.c_str());
    } else {
      std::fprintf(stderr, "table: left out: %s\n", std::string(record.status().message()).c_str());
    }
  }
  if (records.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no recorded run under ", folder,
                     "; make one with ./bazelw run //benchmarks:kinetics400, or name a record"));
  }
  std::fprintf(stderr, "table: %d recorded run%s under %s\n", static_cast<int>(records.size()),
               records.size() == 1 ? "" : "s", folder.c_str());
  return records;
}

absl::Status Run(absl::Span<const std::string> words) {
  OP3D_ASSIGN_OR_RETURN(const TableFormat format, ParseTableFormat(absl::GetFlag(FLAGS_format)));
  OP3D_ASSIGN_OR_RETURN(const PublishedFigures figures, LoadPublishedFigures());
  OP3D_ASSIGN_OR_RETURN(const std::vector<NamedRecord> records,
                        words.empty() ? FindRecords() : ReadNamed(words));
  TableOptions options;
  options.all = absl::GetFlag(FLAGS_all);
  std::fputs(RenderTables(MakeTables(records, figures, options), format).c_str(), stdout);
  return absl::OkStatus();
}

}  // namespace
}  // namespace op3d

int main(int argc, char** argv) {
  return op3d::RunProgram(
      argc, argv,
      "prints recorded runs as tables beside published figures; without a record, every run under "
      "results/runs.\n\n"
      "  ./bazelw run //results:table -- results/runs/kinetics400-2026-05-01 --format=markdown",
      [](absl::Span<const std::string> words) { return op3d::Run(words); });
}
