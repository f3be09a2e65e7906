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
  const auto take = [&] {
    for (int64_t i = next++; i < count; i = next++) {
      absl::Status done = CheckInterrupt();
      if (done.ok()) done = work(i);
      if (done.ok()) continue;
      absl::MutexLock lock(&mutex);
      status.Update(done);
      next = count;
    }
  };
  std::vector<std::thread> others;
  for (int64_t i = 1; i < std::min<int64_t>(threads, count); ++i) others.emplace_back(take);
  take();
  for (std::thread& other : others) other.join();
  return status;
}

}  // namespace op3d
