#include "planner/search/search_folder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "planner/search/journal.h"

namespace op3d::planner {
namespace {

constexpr int kDepth = 2;

absl::Status FindJournals(const std::string& folder, int depth, std::vector<std::string>* paths) {
  const std::string path = JoinPath(folder, kJournalFile);
  if (FileExists(path)) {
    paths->push_back(path);
    return absl::OkStatus();  // folders beside a journal are its edges'
  }
  if (depth == kDepth) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder));
  for (const std::string& name : names) {
    const std::string below = JoinPath(folder, name);
    if (FolderExists(below)) OP3D_RETURN_IF_ERROR(FindJournals(below, depth + 1, paths));
  }
  return absl::OkStatus();
}

absl::StatusOr<SearchProgress> Follow(const std::string& path) {
  OP3D_ASSIGN_OR_RETURN(const JournalContent content, ReadJournal(path));
  OP3D_ASSIGN_OR_RETURN(SearchProgress progress,
                        SearchProgress::Make(content.header.graph(), content.header.rule()));
  for (size_t i = 0; i < content.entries.size(); ++i) {
    OP3D_RETURN_IF_ERROR(
        Annotate(progress.Apply(content.entries[i]), absl::StrCat(path, ": line ", i + 2)));
  }
  return progress;
}

}  // namespace

absl::StatusOr<std::vector<FoundSearch>> ReadSearches(const std::string& folder) {
  std::vector<std::string> paths;
  OP3D_RETURN_IF_ERROR(FindJournals(folder, 0, &paths));
  if (paths.empty()) {
    return absl::NotFoundError(absl::StrCat("no search in ", folder,
                                            ": neither it nor the folders ", "below it hold a ",
                                            kJournalFile));
  }
  std::vector<FoundSearch> searches;
  for (const std::string& path : paths) {
    OP3D_ASSIGN_OR_RETURN(SearchProgress progress, Follow(path));
    searches.push_back({path, std::move(progress)});
  }
  return searches;
}

absl::StatusOr<std::vector<FoundSearch>> RecordedSearches(
    const std::string& path, const google::protobuf::RepeatedPtrField<SearchOutcome>& outcomes) {
  std::vector<FoundSearch> searches;
  for (const SearchOutcome& outcome : outcomes) {
    absl::StatusOr<SearchProgress> progress = SearchProgress::Follow(outcome);
    if (!progress.ok()) {
      return Annotate(progress.status(), absl::StrCat(path, ": pool ", outcome.graph().pool()));
    }
    searches.push_back({path, *std::move(progress)});
  }
  return searches;
}

}  // namespace op3d::planner
