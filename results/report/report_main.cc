// Writes a run's report.html and curves.svg again from its record, or those of a search from its
// journals.
//
//   ./bazelw run //results:report -- results/runs/kinetics400-2026-05-01
//   ./bazelw run //results:report -- my_search
//   ./bazelw run //results:report -- ucf101_5_split1_seed1 --output_dir=/tmp/page
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/program.h"
#include "op3d/base/status_macros.h"
#include "planner/search/search_folder.h"
#include "results/picture/curves_svg.h"
#include "results/picture/graph_svg.h"
#include "results/record/named_records.h"
#include "results/record/record.h"
#include "results/report/report.h"

ABSL_FLAG(std::string, output_dir, "",
          "write there instead of next to the record; only for one run");
ABSL_FLAG(std::string, pool, "",
          "write only curves_<pool>.svg and graph_<pool>.svg, the pictures of one pool's search "
          "(cs, us, wide)");

namespace op3d::results {
namespace {

absl::Status WritePool(const std::string& folder, const RunRecord& record,
                       const std::string& pool) {
  for (const SearchOutcome& search : record.searches()) {
    if (search.graph().pool() != pool) continue;
    const std::string path = JoinPath(folder, absl::StrCat("curves_", pool, ".svg"));
    google::protobuf::RepeatedPtrField<SearchOutcome> alone;
    *alone.Add() = search;
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(path, DrawSearches(alone).ToFile()));
    const std::string graph = JoinPath(folder, absl::StrCat("graph_", pool, ".svg"));
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(graph, DrawGraph(search).ToFile()));
    std::printf("%s\n%s\n", path.c_str(), graph.c_str());
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--pool=", pool, ": the run in ", folder, " has not searched such a pool"));
}

// For a folder of `plan search`, or of a run whose record is not written yet; the page goes to
// `folder`.
absl::Status ReportSearches(const std::vector<planner::FoundSearch>& found,
                            const std::string& folder, const std::string& pool) {
  std::vector<SearchOutcome> searches;
  int edges = 0;
  for (const planner::FoundSearch& search : found) {
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
  const std::string output = absl::GetFlag(FLAGS_output_dir);
  if (!output.empty()) {
    if (words.size() > 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("--output_dir is for one run, but ", words.size(), " are given"));
    }
    OP3D_RETURN_IF_ERROR(MakeFolders(UserPath(output)));
  }
  std::vector<NamedRecord> shown;
  for (const std::string& word : words) {
    OP3D_ASSIGN_OR_RETURN(const std::string run, FindRun(word));
    // A record file's page goes to the same folder.
    const std::string beside =
        FolderExists(run) ? run : std::filesystem::path(run).parent_path().string();
    const std::string folder = output.empty() ? beside : UserPath(output);
    const std::string pool = absl::GetFlag(FLAGS_pool);
    if (!FileExists(RecordPath(run))) {
      const absl::StatusOr<std::vector<planner::FoundSearch>> found = planner::ReadSearches(run);
      if (!absl::IsNotFound(found.status())) {
        OP3D_RETURN_IF_ERROR(found.status());
        OP3D_RETURN_IF_ERROR(ReportSearches(*found, folder, pool));
        continue;
      }
    }
    OP3D_ASSIGN_OR_RETURN(std::vector<NamedRecord> read, ReadNamedRecords({word}));
    const RunRecord& record = read[0].record;
    if (!pool.empty()) {
      OP3D_RETURN_IF_ERROR(WritePool(folder, record, pool));
    } else {
      OP3D_RETURN_IF_ERROR(WriteReport(folder, record, read[0].check));
      std::printf("%s\n", JoinPath(folder, "report.html").c_str());
    }
    shown.push_back(std::move(read[0]));
  }
  return RefuseEdited(shown);
}

}  // namespace
}  // namespace op3d::results

int main(int argc, char** argv) {
  return op3d::RunProgram(
      argc, argv,
      "renders a run's report.html and curves.svg again from its record, or those of a search,\n"
      "finished or running, from its journals.\n\n"
      "  ./bazelw run //results:report -- results/runs/kinetics400-2026-05-01\n"
      "  ./bazelw run //results:report -- my_search    # of plan search\n"
      "  ./bazelw run //results:report -- ucf101_5_split1_seed1 --output_dir=/tmp/page\n\n"
      "The last is a run of results/recorded.  Exit 1 = a record was edited; its page says so.",
      [](absl::Span<const std::string> words) { return op3d::results::Run(words); });
}
