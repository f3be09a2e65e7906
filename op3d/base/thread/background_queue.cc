#include "op3d/base/thread/background_queue.h"

#include <utility>

namespace op3d {

BackgroundQueue::BackgroundQueue(int most_waiting)
    : most_waiting_(most_waiting), thread_([this] { Work(); }) {}

BackgroundQueue::~BackgroundQueue() {
  {
    absl::MutexLock lock(&mutex_);
    ending_ = true;
  }
  thread_.join();
}

absl::Status BackgroundQueue::Add(std::function<absl::Status()> job) {
  absl::MutexLock lock(&mutex_);
  const auto room = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return static_cast<int>(jobs_.size()) < most_waiting_ || !status_.ok();
  };
  mutex_.Await(absl::Condition(&room));
  if (status_.ok()) jobs_.push_back(std::move(job));
  return status_;
}

absl::Status BackgroundQueue::Flush() {
  absl::MutexLock lock(&mutex_);
  const auto idle = [this]()
                        ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return jobs_.empty() && !busy_; };
  mutex_.Await(absl::Condition(&idle));
  return status_;
}

void BackgroundQueue::Work() {
  for (;;) {
    std::function<absl::Status()> job;
    {
      absl::MutexLock lock(&mutex_);
      const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return !jobs_.empty() || ending_;
      };
      mutex_.Await(absl::Condition(&ready));
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      busy_ = true;
    }
    const absl::Status status = job();
    job = nullptr;  // what it holds is freed outside the lock
    absl::MutexLock lock(&mutex_);
    busy_ = false;
    status_.Update(status);
    if (!status_.ok()) jobs_.clear();
  }
}

}  // namespace op3d
