#include "op3d/distributed/rank_watch.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Table {
  absl::Mutex mutex;
  std::map<std::string, std::string> values ABSL_GUARDED_BY(mutex);
  bool gone ABSL_GUARDED_BY(mutex) = false;
  // Requests hang, as over a cut link.
  bool cut ABSL_GUARDED_BY(mutex) = false;
};

class TableStore : public RankStore {
 public:
  explicit TableStore(std::shared_ptr<Table> table) : table_(std::move(table)) {}
  absl::Status Set(const std::string& key, const std::string& value) override {
    absl::MutexLock lock(&table_->mutex);
    if (table_->gone) return absl::UnavailableError("gone");
    table_->values[key] = value;
    return absl::OkStatus();
  }
  absl::StatusOr<std::optional<std::string>> Get(const std::string& key) override {
    absl::MutexLock lock(&table_->mutex);
    const auto whole = [this] { return !table_->cut; };
    table_->mutex.Await(absl::Condition(&whole));
    if (table_->gone) return absl::UnavailableError("gone");
    const auto found = table_->values.find(key);
    if (found == table_->values.end()) return std::optional<std::string>();
    return std::optional<std::string>(found->second);
  }
  absl::StatusOr<std::string> SetFirst(const std::string& key, const std::string& value) override {
    absl::MutexLock lock(&table_->mutex);
    if (table_->gone) return absl::UnavailableError("gone");
    return table_->values.emplace(key, value).first->second;
  }

 private:
  const std::shared_ptr<Table> table_;
};

class RankWatchTest : public testing::Test {
 protected:
  std::unique_ptr<RankWatch> Watch(int rank, int size = 3) {
    RankWatchOptions options;
    options.rank = rank;
    options.size = size;
    options.self = "host, process 7";
    options.interval = absl::Milliseconds(5);
    options.silence = absl::Milliseconds(400);
    options.silence_after_failure = absl::Milliseconds(100);
    options.grace = absl::Milliseconds(50);
    options.end_process = [this](const std::string& sentence) {
      absl::MutexLock lock(&mutex_);
      ended_.push_back(sentence);
    };
    TableStore(shared_).Set("watch/name/" + std::to_string(rank), options.self).IgnoreError();
    return std::make_unique<RankWatch>(std::make_unique<TableStore>(shared_), options);
  }

  std::vector<std::string> AwaitEnded(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return ended_.size() >= count;
    };
    mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(20));
    return ended_;
  }

  // A request that hangs outlives its watch.
  const std::shared_ptr<Table> shared_ = std::make_shared<Table>();
  Table& table_ = *shared_;
  absl::Mutex mutex_;
  std::vector<std::string> ended_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(RankWatchTest, ASilentRankIsNamedToAllAndThoseThatHangAreEnded) {
  auto one = Watch(0), two = Watch(1), three = Watch(2);
  two.reset();  // without a word
  for (const std::string& sentence : AwaitEnded(2)) {
    EXPECT_THAT(sentence,
                AllOf(HasSubstr("rank 1 (host, process 7) has died"), HasSubstr("400ms")));
  }
}

TEST_F(RankWatchTest, AFailedOperationIsExplainedSooner) {
  auto one = Watch(0), two = Watch(1), three = Watch(2);
  two.reset();
  EXPECT_THAT(
      one->Explain(absl::InternalError("connection closed by peer")),
      StatusIs(absl::StatusCode::kUnavailable, AllOf(HasSubstr("rank 1"), HasSubstr("100ms"),
                                                     HasSubstr("from the last checkpoint"))));
  EXPECT_THAT(three->Explain(absl::InternalError("connection closed by peer")),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("rank 1")));
  one->Fail(absl::UnavailableError("as explained"));
  three->Fail(absl::UnavailableError("as explained"));
}

TEST_F(RankWatchTest, ARankThatStopsSaysWhy) {
  auto one = Watch(0), two = Watch(1), three = Watch(2);
  two->Fail(absl::DataLossError("video x does not decode"));
  EXPECT_THAT(one->Explain(absl::InternalError("connection closed")),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("rank 1 (host, process 7) stopped: video x does not decode")));
  // It was ended by a signal of its own: there is nothing to explain.
  EXPECT_THAT(three->Explain(absl::CancelledError("stopped by SIGTERM")),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("SIGTERM")));
}

TEST_F(RankWatchTest, LeavingIsNoDeath) {
  auto one = Watch(0, 2), two = Watch(1, 2);
  two->Leave();
  two.reset();
  EXPECT_THAT(one->Explain(absl::InternalError("disk full")),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("disk full")));
  one->AwaitOthers(absl::Seconds(20));  // at once
}

TEST_F(RankWatchTest, ARankThatIsCutOffFromTheStoreEndsToo) {
  auto two = Watch(1);
  const auto cut = [&](bool value) {
    absl::MutexLock lock(&table_.mutex);
    table_.cut = value;
  };
  cut(true);
  EXPECT_THAT(AwaitEnded(1)[0], AllOf(HasSubstr("rank 0"), HasSubstr("rendezvous store"),
                                      HasSubstr("not answered for 400ms")));
  two.reset();  // does not wait for the request
}

TEST_F(RankWatchTest, AStoreThatIsGoneIsItsKeepersDeath) {
  auto two = Watch(1);
  {
    absl::MutexLock lock(&table_.mutex);
    table_.gone = true;
  }
  EXPECT_THAT(two->Explain(absl::InternalError("connection reset")),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("rank 0"), HasSubstr("rendezvous store"))));
}

}  // namespace
}  // namespace op3d
