// The time of a run in seconds, by activity; transforms are summed over loader threads.
#ifndef OP3D_BASE_ACTIVITY_SECONDS_H_
#define OP3D_BASE_ACTIVITY_SECONDS_H_

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace op3d {

struct ActivitySeconds {
  // transform: frames to clips; wait: time in which the network waits for clips; forward (also
  // scoring); backward; step: the optimiser's update.
  double transform = 0, wait = 0, forward = 0, backward = 0, step = 0;

  void operator+=(const ActivitySeconds& other) {
    transform += other.transform;
    wait += other.wait;
    forward += other.forward;
    backward += other.backward;
    step += other.step;
  }

  void operator-=(const ActivitySeconds& other) {
    transform -= other.transform;
    wait -= other.wait;
    forward -= other.forward;
    backward -= other.backward;
    step -= other.step;
  }
};

// Adds the time since its last call, or since its construction, to one of them.
//
//   Stopwatch watch;
//   Load();   watch.Lap(&seconds.wait);
//   Train();  watch.Lap(&seconds.forward);
class Stopwatch {
 public:
  void Lap(double* seconds) {
    const absl::Time now = absl::Now();
    *seconds += absl::ToDoubleSeconds(now - last_);
    last_ = now;
  }

 private:
  absl::Time last_ = absl::Now();
};

}  // namespace op3d

#endif  // OP3D_BASE_ACTIVITY_SECONDS_H_
