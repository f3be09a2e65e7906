// The searches that a folder holds, for looking at them: nothing is locked or changed, and another
// process may be searching.
#ifndef OP3D_PLANNER_SEARCH_SEARCH_FOLDER_H_
#define OP3D_PLANNER_SEARCH_SEARCH_FOLDER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "planner/search/search_progress.h"

namespace op3d::planner {

struct FoundSearch {
  // Of the journal.
  std::string path;
  SearchProgress progress;
};

// The searches in `folder`: its own journal, or those in folders below it, one or two deep
// (<run>/journal/cs/journal.jsonl), in the order of their paths.  NotFound, naming the folder, when
// there is none; errors of a journal as ReadJournal() and SearchProgress, with path and line.
absl::StatusOr<std::vector<FoundSearch>> ReadSearches(const std::string& folder);

// The same from what a run's record holds: `path` is the record's.  Errors as
// SearchProgress::Follow(), with path and pool.
absl::StatusOr<std::vector<FoundSearch>> RecordedSearches(
    const std::string& path, const google::protobuf::RepeatedPtrField<SearchOutcome>& outcomes);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_SEARCH_SEARCH_FOLDER_H_
