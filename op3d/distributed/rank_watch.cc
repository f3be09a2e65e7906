#include "op3d/distributed/rank_watch.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
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

// What the two threads share.  One asks the store, and hangs in a request if the way to the store
// is cut; the other notices that.
class RankWatch::Core {
 public:
  Core(std::unique_ptr<RankStore> store, RankWatchOptions options)
      : options_([&options] {
          if (!options.end_process) options.end_process = EndProcess;
          return std::move(options);
        }()),
        store_(std::move(store)),
        heard_(absl::Now()),
        answered_(heard_) {}

  void Leave() {
    Set(KeyOf("left", options_.rank), "1").IgnoreError();
    absl::MutexLock lock(&mutex_);
    left_ = true;
  }

  void Fail(const absl::Status& status) {
    if (!HasVerdict()) {
      SetFirst(kVerdict, absl::StrCat("rank ", options_.rank, " (", options_.self,
                                      ") stopped: ", status.message()))
          .IgnoreError();
    }
    Leave();
  }

  absl::Status Explain(const absl::Status& status) {
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

  void AwaitOthers(absl::Duration most) {
    const absl::Time end = absl::Now() + most;
    for (int other = 0; other < options_.size; ++other) {
      if (other == options_.rank) continue;
      std::string beat;
      absl::Time heard = absl::Now();
      for (;;) {
        const auto left = Get(KeyOf("left", other));
        if (!left.ok() || left->has_value()) break;
        const auto now = Get(KeyOf("beat", other));
        if (now.ok() && now->value_or("") != beat) {
          beat = now->value_or("");
          heard = absl::Now();
        }
        if (absl::Now() > std::min(end, heard + options_.silence_after_failure)) break;
        absl::SleepFor(options_.interval / 20);
      }
    }
  }

  // The thread that asks the store.
  void Ask() {
    int64_t beats = 0;
    do {
      Set(KeyOf("beat", options_.rank), absl::StrCat(++beats)).IgnoreError();
      if (!HasVerdict()) ReadVerdict();
      if (!HasVerdict() && !HasLeft()) LookAtNeighbour();
    } while (!PauseOrEnd());
    absl::MutexLock lock(&mutex_);
    asked_ = true;
  }

  // The thread that judges a store that does not answer, and ends a process that hangs.
  void Guard() {
    do {
      absl::MutexLock lock(&mutex_);
      if (left_) continue;
      const absl::Time now = absl::Now();
      // A request that hangs may only be slow; one that fails says that something is wrong.
      const absl::Duration silence = failing_ ? Silence() : options_.silence;
      if (now - answered_ > silence) JudgeStore(silence);
      if (verdict_.has_value() && now > judged_ + options_.grace) {
        options_.end_process(*verdict_);
        return;
      }
    } while (!PauseOrEnd());
  }

  void End() {
    absl::MutexLock lock(&mutex_);
    ending_ = true;
  }

  // Whether the thread that asks the store ends within some time, after End().
  bool AsksNoMore() {
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&asked_), options_.silence);
  }

 private:
  absl::Status Set(const std::string& key, const std::string& value) {
    absl::MutexLock lock(&store_mutex_);
    return store_->Set(key, value);
  }
  absl::StatusOr<std::optional<std::string>> Get(const std::string& key) {
    absl::MutexLock lock(&store_mutex_);
    return store_->Get(key);
  }
  absl::StatusOr<std::string> SetFirst(const std::string& key, const std::string& value) {
    absl::MutexLock lock(&store_mutex_);
    return store_->SetFirst(key, value);
  }

  bool HasVerdict() {
    absl::MutexLock lock(&mutex_);
    return verdict_.has_value();
  }
  bool HasLeft() {
    absl::MutexLock lock(&mutex_);
    return left_;
  }

  // Waits for an interval; true if the watch ends.
  bool PauseOrEnd() {
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&ending_), options_.interval);
  }

  absl::Duration Silence() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return impatient_ ? options_.silence_after_failure : options_.silence;
  }

  void Judge(const std::string& verdict) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (verdict_.has_value()) return;
    verdict_ = verdict;
    judged_ = absl::Now();
  }

  void JudgeStore(absl::Duration silence) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    Judge(options_.store_rank < 0
              ? "the launcher, which hosts the ranks' rendezvous store, does not answer any more"
              : absl::StrCat(
                    "rank ", options_.store_rank,
                    ", which hosts the ranks' rendezvous store, has died or is cut off: it has not "
                    "answered for ",
                    absl::FormatDuration(silence)));
  }

  void ReadVerdict() {
    const auto verdict = Get(kVerdict);
    absl::MutexLock lock(&mutex_);
    failing_ = !verdict.ok();
    if (failing_) return;
    answered_ = absl::Now();
    if (verdict->has_value()) Judge(**verdict);
  }

  void LookAtNeighbour() {
    const int neighbour = (options_.rank + 1) % options_.size;
    if (neighbour == options_.rank) return;
    const auto beat = Get(KeyOf("beat", neighbour));
    if (!beat.ok()) return;  // a silent store is the other thread's business
    const absl::Time now = absl::Now();
    absl::Duration silence;
    {
      absl::MutexLock lock(&mutex_);
      if (beat->value_or("") != neighbour_beat_) {
        neighbour_beat_ = beat->value_or("");
        heard_ = now;
        return;
      }
      silence = Silence();
      if (now - heard_ <= silence) return;
    }
    const auto left = Get(KeyOf("left", neighbour));
    if (!left.ok() || left->has_value()) return;
    const auto name = Get(KeyOf("name", neighbour));
    const std::string self = name.ok() ? name->value_or("?") : "?";
    const auto verdict =
        SetFirst(kVerdict, absl::StrCat("rank ", neighbour, " (", self,
                                        ") has died or is cut off: nothing was heard of it for ",
                                        absl::FormatDuration(silence)));
    if (!verdict.ok()) return;
    absl::MutexLock lock(&mutex_);
    Judge(*verdict);
  }

  const RankWatchOptions options_;
  // Held during a request, which may hang; mutex_ never is.
  absl::Mutex store_mutex_;
  const std::unique_ptr<RankStore> store_ ABSL_PT_GUARDED_BY(store_mutex_);
  absl::Mutex mutex_;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool asked_ ABSL_GUARDED_BY(mutex_) = false;
  bool left_ ABSL_GUARDED_BY(mutex_) = false;
  bool impatient_ ABSL_GUARDED_BY(mutex_) = false;
  std::string neighbour_beat_ ABSL_GUARDED_BY(mutex_);
  // When the neighbour, and the store, last answered.
  absl::Time heard_ ABSL_GUARDED_BY(mutex_);
  absl::Time answered_ ABSL_GUARDED_BY(mutex_);
  // The last request to the store was an error.
  bool failing_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<std::string> verdict_ ABSL_GUARDED_BY(mutex_);
  absl::Time judged_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
};

RankWatch::RankWatch(std::unique_ptr<RankStore> store, RankWatchOptions options)
    : core_(std::make_shared<Core>(std::move(store), std::move(options))),
      asking_([core = core_] { core->Ask(); }),
      guarding_([core = core_] { core->Guard(); }) {}

RankWatch::~RankWatch() {
  core_->End();
  guarding_.join();
  // A request whose way is cut may hang for a quarter of an hour; it keeps what it needs alive.
  core_->AsksNoMore() ? asking_.join() : asking_.detach();
}

void RankWatch::Leave() { core_->Leave(); }
void RankWatch::Fail(const absl::Status& status) { core_->Fail(status); }
absl::Status RankWatch::Explain(const absl::Status& status) { return core_->Explain(status); }
void RankWatch::AwaitOthers(absl::Duration most) { core_->AwaitOthers(most); }

}  // namespace op3d
