#include "op3d/base/thread/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "op3d/base/thread/interrupt.h"

namespace op3d {

absl::Status InParallel(int threads, int64_t count, absl::FunctionRef<absl::Status(int64_t)> work) {
  std::atomic<int64_t> next{0};
  absl::Mutex mutex;
  absl::Status status;
  OnThreads(std::min<int64_t>(threads, count), [&](int64_t) {
    for (int64_t i = next++; i < count; i = next++) {
      absl::Status done = CheckInterrupt();
      if (done.ok()) done = work(i);
      if (done.ok()) continue;
      absl::MutexLock lock(&mutex);
      status.Update(done);
      next = count;
    }
  });
  return status;
}

void OnThreads(int64_t threads, absl::FunctionRef<void(int64_t)> work) {
  std::vector<std::thread> others;
  for (int64_t i = 1; i < threads; ++i) others.emplace_back(work, i);
  work(0);
  for (std::thread& other : others) other.join();
}

}  // namespace op3d
