// Renders a run's report.html and curves.svg again from its record, or those of a search from its
// journals.
//
//   ./bazelw run //results:report -- results/runs/kinetics400-2026-05-01
//   ./bazelw run //results:report -- my_search
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program.h"
#include "op3d/base/status_macros.h"
#include "planner/search_folder.h"
#include "results/curves_svg.h"
#include "results/record.h"
#include "results/report.h"

ABSL_FLAG(std::string, pool, "",
          "write only curves_<pool>.svg, the picture of one pool's search (cs, us)");

namespace op3d {
namespace {

absl::Status WritePool(const std::string& folder, const RunRecord& record,
                       const std::string& pool) {
  for (const SearchOutcome& search : record.searches()) {
    if (search.graph().pool() != pool) continue;
    const std::string path = JoinPath(folder, absl::StrCat("curves_", pool, ".svg"));
    google::protobuf::RepeatedPtrField<SearchOutcome> alone;
    *alone.Add() = search;
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(path, DrawSearches(alone).ToFile()));
    std::printf("%s\n", path.c_str());
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--pool=", pool, ": the run in ", folder, " has not searched such a pool"));
}

// A folder of `plan search`, or of a run whose record is not written yet.
absl::Status ReportSearches(const std::string& folder, const std::string& pool) {
  OP3D_ASSIGN_OR_RETURN(const std::vector<FoundSearch> found, ReadSearches(folder));
  std::vector<SearchOutcome> searches;
  int edges = 0;
  for (const FoundSearch& search : found) {
    searches.push_back(search.progress.OutcomeSoFar());
    edges += search.progress.edges_total();
  }
  if (!pool.empty()) {
    RunRecord record;
    record.mutable_searches()->Assign(searches.begin(), searches.end());
    return WritePool(folder, record, pool);
  }
  OP3D_RETURN_IF_ERROR(WriteSearches(folder, searches, edges));
  std::printf("%s\n", JoinPath(folder, "report.html").c_str());
  return absl::OkStatus();
}

absl::Status Run(absl::Span<const std::string> words) {
  if (words.empty()) {
    return absl::InvalidArgumentError("which run? give its folder, results/runs/NAME; see --help");
  }
  for (const std::string& word : words) {
    const std::string folder = UserPath(word);
    if (!FolderExists(folder)) {
      return absl::NotFoundError(absl::StrCat(folder, " is no folder; give the run's folder"));
    }
    const std::string pool = absl::GetFlag(FLAGS_pool);
    if (!FileExists(RecordPath(folder)) && !absl::IsNotFound(ReadSearches(folder).status())) {
      OP3D_RETURN_IF_ERROR(ReportSearches(folder, pool));
      continue;
    }
    OP3D_ASSIGN_OR_RETURN(const RunRecord record, ReadRecord(folder));
    if (!pool.empty()) {
      OP3D_RETURN_IF_ERROR(WritePool(folder, record, pool));
      continue;
    }
    OP3D_RETURN_IF_ERROR(WriteReport(folder, record));
    std::printf("%s\n", JoinPath(folder, "report.html").c_str());
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace op3d

int main(int argc, char** argv) {
  return op3d::RunProgram(
      argc, argv,
      "renders a run's report.html and curves.svg again from its record, or those "
      "of a search,\ndone or under way, from its journals.\n\n"
      "  ./bazelw run //results:report -- results/runs/kinetics400-2026-05-01\n"
      "  ./bazelw run //results:report -- my_search    # of plan search",
      [](absl::Span<const std::string> words) { return op3d::Run(words); });
}
