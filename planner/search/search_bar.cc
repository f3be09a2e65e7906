#include "planner/search/search_bar.h"

#include <utility>

#include "absl/memory/memory.h"
#include "op3d/base/status_macros.h"
#include "planner/search/search_progress.h"

namespace op3d::planner {

absl::StatusOr<std::unique_ptr<SearchBar>> SearchBar::Make(
    absl::Span<const TransitionGraph* const> graphs, const StoppingRule& rule) {
  std::vector<Counts> counts;
  for (const TransitionGraph* graph : graphs) {
    OP3D_ASSIGN_OR_RETURN(const SearchProgress begin, SearchProgress::Make(*graph, rule));
    counts.push_back({0, begin.epochs_at_worst()});
  }
  return absl::WrapUnique(new SearchBar(std::move(counts)));
}

SearchBar::SearchBar(std::vector<Counts> counts)
    : counts_(std::move(counts)), progress_("search", 0, "epochs") {
  absl::MutexLock lock(&mutex_);
  progress_.SetTotal(Sum().worst);
}

void SearchBar::Count(int pool, const SearchEvent& event) {
  absl::MutexLock lock(&mutex_);
  const int64_t epochs = event.epochs_trained - counts_[pool].trained;
  counts_[pool] = {event.epochs_trained, event.epochs_at_worst};
  progress_.SetTotal(Sum().worst);
  if (event.kind == SearchEvent::kStarted) {
    progress_.AddEarlier(epochs);
  } else {
    progress_.Add(epochs);
  }
}

int64_t SearchBar::trained() const {
  absl::MutexLock lock(&mutex_);
  return Sum().trained;
}

int64_t SearchBar::at_worst() const {
  absl::MutexLock lock(&mutex_);
  return Sum().worst;
}

SearchBar::Counts SearchBar::Sum() const {
  Counts sum;
  for (const Counts& counts : counts_) {
    sum.trained += counts.trained;
    sum.worst += counts.worst;
  }
  return sum;
}

}  // namespace op3d::planner
