// A progress bar on stderr for long work: share, rate, time left.
//
//   Progress progress("scan", 19906, "videos");
//   for (...) progress.Add(1);
//
// On a terminal it redraws one line at most ten times a second; otherwise (a log file) it writes
// one line at most every ten seconds, so that logs stay short.  Thread-safe.
#ifndef OP3D_BASE_PROGRESS_H_
#define OP3D_BASE_PROGRESS_H_

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace op3d {

class Progress {
 public:
  // `total` in `unit`s; 0 if unknown.
  Progress(absl::string_view task, int64_t total, absl::string_view unit);
  // Ends the line with the final count and the elapsed time.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Add(int64_t count);
  // Work of an earlier process: it counts for the share, not for the rate.
  void AddEarlier(int64_t count);
  // For work that turns out shorter than estimated.
  void SetTotal(int64_t total);
  // A few words after the bar ("loss 1.23").
  void Note(absl::string_view note);

  // From now on bars and lines are left out: in a child of a run that shows its own.
  static void Silence();

  // Prints a line above the bar, which is drawn again below it.
  static void Print(absl::string_view line);
  // Removes a bar from the terminal, for text that others print; the next Add draws it again.
  static void ClearLine();

 private:
  void Draw(bool last) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string task_;
  const std::string unit_;
  const absl::Time start_;
  absl::Mutex mutex_;
  int64_t total_ ABSL_GUARDED_BY(mutex_);
  int64_t done_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t earlier_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string note_ ABSL_GUARDED_BY(mutex_);
  absl::Time next_ ABSL_GUARDED_BY(mutex_);
};

// "1.2 s", "12 s", "3 min 5 s", "2 h 10 min", "12 days".
std::string FormatSeconds(double seconds);

// The text of a bar: "scan  [#####.....]  50 %  100/200 videos  20.0/s  5 s left  note".  `earlier`
// of the `done` were done before the `seconds` began.
std::string ProgressLine(absl::string_view task, int64_t done, int64_t earlier, int64_t total,
                         absl::string_view unit, double seconds, absl::string_view note);

}  // namespace op3d

#endif  // OP3D_BASE_PROGRESS_H_
