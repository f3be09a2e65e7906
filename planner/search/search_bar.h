// The progress bar of a search with several pools: the work of all of them counts from the start,
// in whatever order they are searched.
//
//   OP3D_ASSIGN_OR_RETURN(auto bar, SearchBar::Make(graphs, rule));
//   options.observer = [bar = bar.get()](const SearchEvent& event) { bar->Count(/*pool=*/0, event); };
#ifndef OP3D_PLANNER_SEARCH_SEARCH_BAR_H_
#define OP3D_PLANNER_SEARCH_SEARCH_BAR_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "op3d/base/progress.h"
#include "planner/graphs/plan.pb.h"
#include "planner/search/search.h"

namespace op3d::planner {

// Thread-safe.
class SearchBar {
 public:
  // `graphs`: one per pool; pools are identified by their index.  InvalidArgument as in
  // SearchProgress::Make().
  static absl::StatusOr<std::unique_ptr<SearchBar>> Make(
      absl::Span<const TransitionGraph* const> graphs, const StoppingRule& rule);

  // Shows the progress of the search of `pool`.
  void Count(int pool, const SearchEvent& event);

  // The number of trained epochs, and the total if every open edge of every pool is trained up to
  // its bound.
  int64_t trained() const;
  int64_t at_worst() const;

 private:
  struct Counts {
    int64_t trained = 0, worst = 0;
  };

  explicit SearchBar(std::vector<Counts> counts);
  Counts Sum() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::vector<Counts> counts_ ABSL_GUARDED_BY(mutex_);
  Progress progress_;
};

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_SEARCH_SEARCH_BAR_H_
