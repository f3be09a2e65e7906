// Jobs that a background thread does one after another, for example writing files while the
// caller continues.
//
//   BackgroundQueue queue;
//   OP3D_RETURN_IF_ERROR(queue.Add([path, bytes] { return WriteFileAtomically(path, bytes); }));
//   ...
//   OP3D_RETURN_IF_ERROR(queue.Flush());                    // now it is on the disk
#ifndef OP3D_BASE_THREAD_BACKGROUND_QUEUE_H_
#define OP3D_BASE_THREAD_BACKGROUND_QUEUE_H_

#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace op3d {

// Thread-safe.
class BackgroundQueue {
 public:
  // The largest number of waiting jobs, without the running one; Add() blocks while it is reached.
  explicit BackgroundQueue(int most_waiting = 2);
  // Finishes all added jobs first.
  ~BackgroundQueue();
  BackgroundQueue(const BackgroundQueue&) = delete;
  BackgroundQueue& operator=(const BackgroundQueue&) = delete;

  // Adds a job at the end.  After the first error of a job, every later call returns that error,
  // and no further job is started.
  absl::Status Add(std::function<absl::Status()> job);

  // Waits until all jobs are done.
  absl::Status Flush();

 private:
  void Work();

  const int most_waiting_;
  absl::Mutex mutex_;
  std::deque<std::function<absl::Status()>> jobs_ ABSL_GUARDED_BY(mutex_);
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace op3d

#endif  // OP3D_BASE_THREAD_BACKGROUND_QUEUE_H_
