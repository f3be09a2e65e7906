// Writes a run's report.html and curves.svg again from its record, those of a search from its
// journals, or one page for several runs.
//
//   ./bazelw run //results:report -- results/runs/kinetics400-2026-05-01
//   ./bazelw run //results:report -- results/runs/ucf101-1 --dataset_root=/data/ucf101
//   ./bazelw run //results:report -- my_search
//   ./bazelw run //results:report -- tennis7_seed1 tennis7_seed2 --output_dir=/tmp/page
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "data/annotation/video_list.h"
#include "data/command/frame_export.h"
#include "data/datasets/dataset_settings.h"
#include "data/index/index_update.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/common_flags.h"
#include "op3d/base/program/program.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "planner/search/search_folder.h"
#include "results/record/named_records.h"
#include "results/record/record.h"
#include "results/report/comparison_page.h"
#include "results/report/mistakes.h"
#include "results/report/report.h"

ABSL_FLAG(std::string, output_dir, "",
          "write there instead of next to the record; with several runs: one page for all of them, "
          "comparison.html");
ABSL_FLAG(std::string, pool, "",
          "write only curves_<pool>.svg and graph_<pool>.svg, the pictures of one pool's search "
          "(cs, us, wide)");
ABSL_FLAG(std::string, dataset_root, "",
          "folder with the dataset's lists and media: shows frames of the videos that the run got "
          "wrong; the run's folder must have its scores");
ABSL_FLAG(std::string, dataset, "",
          "which dataset: a name of data/datasets/, or a textproto of your own; default: as the "
          "record says");
ABSL_FLAG(std::string, index, "", op3d::kIndexHelp);
ABSL_FLAG(std::string, row, "",
          "whose mistakes are shown: the name of a row in the record (long_run); default: the "
          "planned model");
ABSL_FLAG(int, wrong, op3d::results::kShownWrong,
          "how many of the wrong videos are shown, the worst first");
ABSL_FLAG(int, threads, 0, op3d::kJobsHelp);

namespace op3d::results {
namespace {

// The videos of the test, with --dataset_root.
absl::StatusOr<std::vector<data::Video>> TestVideos(const RunRecord& record) {
  const std::string root = UserPath(absl::GetFlag(FLAGS_dataset_root));
  DatasetSettings dataset = record.settings().dataset();
  if (!absl::GetFlag(FLAGS_dataset).empty()) {
    OP3D_ASSIGN_OR_RETURN(dataset, data::FindDataset(absl::GetFlag(FLAGS_dataset)));
    if (dataset.split() == 0) dataset.set_split(record.settings().dataset().split());
  }
  LoaderSettings loader = record.settings().loader();
  loader.set_on_bad_video(LoaderSettings::SKIP);
  data::IndexOptions index;
  index.file = absl::GetFlag(FLAGS_index).empty() ? data::DefaultIndexFile(root, dataset.name())
                                                  : UserPath(absl::GetFlag(FLAGS_index));
  OP3D_ASSIGN_OR_RETURN(const int threads, ThreadsOf(absl::GetFlag(FLAGS_threads)));
  OP3D_ASSIGN_OR_RETURN(data::VideoList list, data::LoadVideoList(dataset, dataset.evaluation(),
                                                                  root, loader, threads, index));
  return std::move(list.videos);
}

// Strips of frames for the first `shown` wrong videos; an error if not one of them is there.
absl::Status AddStrips(const RunRecord& record, int shown, Mistakes* mistakes) {
  OP3D_ASSIGN_OR_RETURN(const std::vector<data::Video> videos, TestVideos(record));
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> strips,
                        data::FrameStripsOf(videos, NamesOf(*mistakes, shown)));
  const bool any =
      std::any_of(strips.begin(), strips.end(), [](const auto& strip) { return !strip.empty(); });
  if (!any && !strips.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--dataset_root=", absl::GetFlag(FLAGS_dataset_root), " has none of the ",
                     strips.size(), " videos that the run got wrong (", mistakes->wrong[0].name,
                     " ...); it is a copy of another dataset, or of another version"));
  }
  for (size_t i = 0; i < strips.size(); ++i) mistakes->wrong[i].strip = strips[i];
  return absl::OkStatus();
}

absl::StatusOr<ReportExtras> ReadExtras(const std::string& run, const NamedRecord& read) {
  ReportExtras extras;
  extras.check = read.check;
  if (extras.check.Edited()) return extras;
  OP3D_ASSIGN_OR_RETURN(extras.mistakes, ReadMistakes(run, read.record, absl::GetFlag(FLAGS_row)));
  const std::string root = absl::GetFlag(FLAGS_dataset_root);
  if (!extras.mistakes.has_value()) {
    if (root.empty() && absl::GetFlag(FLAGS_row).empty()) return extras;
    return absl::NotFoundError(
        absl::StrCat(run,
                     " has no scores file, so which videos were wrong is not known; the run's "
                     "own folder has it, a recorded run does not"));
  }
  extras.shown_wrong = absl::GetFlag(FLAGS_wrong);
  if (!root.empty()) {
    OP3D_RETURN_IF_ERROR(AddStrips(read.record, extras.shown_wrong, &*extras.mistakes));
  }
  return extras;
}

absl::Status PrintPaths(const absl::StatusOr<std::vector<std::string>>& paths) {
  OP3D_RETURN_IF_ERROR(paths.status());
  for (const std::string& path : *paths) std::printf("%s\n", path.c_str());
  return absl::OkStatus();
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
    return PrintPaths(WritePoolPictures(folder, record, pool));
  }
  OP3D_RETURN_IF_ERROR(WriteSearches(folder, searches, edges));
  std::printf("%s\n", JoinPath(folder, "report.html").c_str());
  return absl::OkStatus();
}

// One page for several runs.
absl::Status Compare(absl::Span<const std::string> words, const std::string& folder) {
  for (const char* flag : {"pool", "dataset_root", "dataset", "index", "row", "wrong", "threads"}) {
    if (!FlagIsGiven(flag)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, " is for pages of single runs; leave it or --output_dir out"));
  }
  OP3D_ASSIGN_OR_RETURN(const std::vector<NamedRecord> runs, ReadNamedRecords(words));
  OP3D_RETURN_IF_ERROR(CheckComparable(runs));
  OP3D_RETURN_IF_ERROR(MakeFolders(folder));
  OP3D_RETURN_IF_ERROR(WriteComparison(folder, runs));
  std::printf("%s\n", JoinPath(folder, "comparison.html").c_str());
  return RefuseEdited(runs);
}

absl::Status Run(absl::Span<const std::string> words) {
  if (words.empty()) {
    return absl::InvalidArgumentError("which run? give its folder, results/runs/NAME; see --help");
  }
  OP3D_RETURN_IF_ERROR(RequireAtLeast("--wrong", absl::GetFlag(FLAGS_wrong), 0));
  const std::string output = absl::GetFlag(FLAGS_output_dir);
  if (!output.empty() && words.size() > 1) return Compare(words, UserPath(output));
  if (!output.empty()) OP3D_RETURN_IF_ERROR(MakeFolders(UserPath(output)));
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
      OP3D_RETURN_IF_ERROR(PrintPaths(WritePoolPictures(folder, record, pool)));
    } else {
      OP3D_ASSIGN_OR_RETURN(const ReportExtras extras, ReadExtras(beside, read[0]));
      OP3D_RETURN_IF_ERROR(WriteReport(folder, record, extras));
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
      "finished or running, from its journals; or several runs side by side as one page.\n\n"
      "  ./bazelw run //results:report -- results/runs/kinetics400-2026-05-01\n"
      "  ./bazelw run //results:report -- results/runs/ucf101-1 --dataset_root=/data/ucf101\n"
      "  ./bazelw run //results:report -- my_search    # of plan search\n"
      "  ./bazelw run //results:report -- tennis7_seed1 tennis7_seed2 --output_dir=/tmp/page\n\n"
      "The second also shows frames of the videos that the run got wrong; the last is one page "
      "for\n"
      "several runs, here of results/recorded.  Exit 1 = a record was edited; its page says so.",
      [](absl::Span<const std::string> words) { return op3d::results::Run(words); });
}
