// The searches in a folder, for inspection: nothing is locked or changed, and another
// process may be searching.
#ifndef OP3D_PLANNER_SEARCH_SEARCH_FOLDER_H_
#define OP3D_PLANNER_SEARCH_SEARCH_FOLDER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "planner/search/search_progress.h"

namespace op3d::planner {

struct FoundSearch {
  // The journal's path.
  std::string path;
  SearchProgress progress;
};

// The searches in `folder`: its own journal, or those in folders one or two levels below it
// (<run>/journal/cs/journal.jsonl), sorted by path.  NotFound, naming the folder, if
// there is none; errors of ReadJournal() and SearchProgress, with path and line.
absl::StatusOr<std::vector<FoundSearch>> ReadSearches(const std::string& folder);

// The same from a run's record; `path` is the record's.  Errors of
// SearchProgress::Follow(), with path and pool.
absl::StatusOr<std::vector<FoundSearch>> RecordedSearches(
    const std::string& path, const google::protobuf::RepeatedPtrField<SearchOutcome>& outcomes);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_SEARCH_SEARCH_FOLDER_H_
