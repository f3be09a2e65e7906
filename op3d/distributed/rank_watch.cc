#include "op3d/distributed/rank_watch.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace op3d {
namespace {

constexpr char kVerdict[] = "watch/verdict";

std::string KeyOf(const char* what, int rank) { return absl::StrCat("watch/", what, "/", rank); }

void EndProcess(const std::string& sentence) {
  std::fprintf(stderr, "%s\n", sentence.c_str());
  std::fflush(stderr);
  // Threads hang in operations that never end, so no destructor may wait for them.
  ::_exit(1);
}

}  // namespace

RankWatch::RankWatch(std::unique_ptr<RankStore> store, RankWatchOptions options)
    : options_([&options] {
        if (!options.end_process) options.end_process = EndProcess;
        return std::move(options);
      }()),
      store_(std::move(store)),
      heard_(absl::Now()),
      answered_(heard_),
      thread_([this] { Work(); }) {}

RankWatch::~RankWatch() {
  {
    absl::MutexLock lock(&mutex_);
    ending_ = true;
  }
  thread_.join();
}

void RankWatch::Leave() {
  absl::MutexLock lock(&mutex_);
  left_ = true;
  store_->Set(KeyOf("left", options_.rank), "1").IgnoreError();
}

void RankWatch::Fail(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  left_ = true;
  if (!verdict_.has_value()) {
    store_
        ->SetFirst(kVerdict, absl::StrCat("rank ", options_.rank, " (", options_.self,
                                          ") stopped: ", status.message()))
        .IgnoreError();
  }
  store_->Set(KeyOf("left", options_.rank), "1").IgnoreError();
}

absl::Status RankWatch::Explain(const absl::Status& status) {
  if (status.ok() || absl::IsCancelled(status)) return status;
  absl::MutexLock lock(&mutex_);
  impatient_ = true;
  const auto judged = [this]()
                          ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return verdict_.has_value(); };
  mutex_.AwaitWithTimeout(absl::Condition(&judged), options_.silence + 3 * options_.interval);
  if (!verdict_.has_value()) return status;
  return absl::UnavailableError(absl::StrCat(
      *verdict_,
      "; the other ranks stop too. Start all of them again with the same command: they resume "
      "from the last checkpoint"));
}

void RankWatch::AwaitOthers(absl::Duration most) {
  const absl::Time end = absl::Now() + most;
  for (int other = 0; other < options_.size; ++other) {
    if (other == options_.rank) continue;
    std::string beat;
    absl::Time heard = absl::Now();
    for (;;) {
      {
        absl::MutexLock lock(&mutex_);
        const auto left = store_->Get(KeyOf("left", other));
        if (!left.ok() || left->has_value()) break;
        const auto now = store_->Get(KeyOf("beat", other));
        if (now.ok() && now->value_or("") != beat) {
          beat = now->value_or("");
          heard = absl::Now();
        }
      }
      if (absl::Now() > std::min(end, heard + options_.silence_after_failure)) break;
      absl::SleepFor(options_.interval / 20);
    }
  }
}

void RankWatch::Work() {
  absl::MutexLock lock(&mutex_);
  const auto ending = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ending_; };
  while (!ending_) {
    const absl::Time now = absl::Now();
    Beat();
    if (!verdict_.has_value()) ReadVerdict(now);
    if (!verdict_.has_value() && !left_) LookAtNeighbour(now);
    if (verdict_.has_value() && !left_ && now > judged_ + options_.grace) {
      options_.end_process(*verdict_);
      return;
    }
    mutex_.AwaitWithTimeout(absl::Condition(&ending), options_.interval);
  }
}

void RankWatch::Beat() {
  const absl::Status status = store_->Set(KeyOf("beat", options_.rank), absl::StrCat(++beats_));
  if (status.ok()) answered_ = absl::Now();
}

absl::Duration RankWatch::Silence() const {
  return impatient_ ? options_.silence_after_failure : options_.silence;
}

void RankWatch::Judge(const std::string& verdict) {
  verdict_ = verdict;
  judged_ = absl::Now();
}

void RankWatch::ReadVerdict(absl::Time now) {
  const auto verdict = store_->Get(kVerdict);
  if (verdict.ok()) {
    answered_ = now;
    if (verdict->has_value()) Judge(**verdict);
  } else if (!left_ && now - answered_ > Silence()) {
    Judge(options_.store_rank < 0
              ? "the launcher, which hosts the ranks' rendezvous store, does not answer any more"
              : absl::StrCat("rank ", options_.store_rank,
                             ", which hosts the ranks' rendezvous store, has died: it has not "
                             "answered for ",
                             absl::FormatDuration(Silence())));
  }
}

void RankWatch::LookAtNeighbour(absl::Time now) {
  const int neighbour = (options_.rank + 1) % options_.size;
  if (neighbour == options_.rank) return;
  const auto beat = store_->Get(KeyOf("beat", neighbour));
  if (!beat.ok()) return;  // a silent store is handled elsewhere
  if (beat->value_or("") != neighbour_beat_) {
    neighbour_beat_ = beat->value_or("");
    heard_ = now;
    return;
  }
  if (now - heard_ <= Silence()) return;
  const auto left = store_->Get(KeyOf("left", neighbour));
  if (!left.ok() || left->has_value()) return;
  const auto name = store_->Get(KeyOf("name", neighbour));
  const std::string self = name.ok() ? name->value_or("?") : "?";
  const auto verdict =
      store_->SetFirst(kVerdict, absl::StrCat("rank ", neighbour, " (", self,
                                              ") has died: nothing was heard of it for ",
                                              absl::FormatDuration(Silence())));
  if (verdict.ok()) Judge(*verdict);
}

}  // namespace op3d
