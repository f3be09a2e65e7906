// The learning rate of each step of a state: constant, cosine, linear, 1 - sqrt, or decreasing in
// steps; all but the first after a linear warm-up.
//
//   OP3D_ASSIGN_OR_RETURN(const Schedule schedule, Schedule::Make(settings, 0.04, span));
//   Use(schedule.Rate(step));             // step in [0, epochs * steps_per_epoch)
//
// With W the warm-up's steps, K the number of steps after it, r the state's rate, f the final one
// and x = (step - W) / K in [0, 1):
//   warm-up     r / 100 (1 + 99 step / W)       step < W
//   cosine      f + (r - f) (1 + cos(pi x)) / 2
//   linear      r + (f - r) x
//   1 - sqrt    r + (f - r) sqrt(x)
//   steps       r factor^n, n the number of milestones reached
// The released trainer's cosine runs over micro-batches i, and an update uses the rate of its last
// one: r / 100 (1 + 99 i / W) for i <= W, then the cosine at i - W - 1.
#ifndef OP3D_TRAIN_SETTINGS_SCHEDULE_H_
#define OP3D_TRAIN_SETTINGS_SCHEDULE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "op3d/train/settings/state.pb.h"

namespace op3d {

// The length of a state, as far as its schedule needs it.
struct ScheduleSpan {
  // 0 if the schedule is constant and the length is unknown.
  int epochs = 0;
  // Updates per epoch, and micro-batches per update.
  int64_t steps_per_epoch = 0;
  int accumulation = 1;
};

// Immutable.
class Schedule {
 public:
  // InvalidArgument for a rate that is not positive, a rate that changes in a state without a
  // number of epochs, a warm-up longer than the state, a final rate outside [0, rate], milestones
  // that do not increase, or a factor outside (0, 1].
  static absl::StatusOr<Schedule> Make(const ScheduleSettings& settings, double learning_rate,
                                       const ScheduleSpan& span);

  // The learning rate of update `step`, counted from the state's first.
  double Rate(int64_t step) const;

 private:
  Schedule(const ScheduleSettings& settings, double learning_rate, const ScheduleSpan& span);
  double CosineAt(int64_t position, int64_t length) const;
  // After the warm-up, from the state's rate to `low`; `fallen` maps the share of the state that is
  // done, in [0, 1], to the share of the fall.
  double FallingAt(int64_t step, int warmup_epochs, double low, double (*fallen)(double)) const;

  ScheduleSettings settings_;
  double rate_;
  ScheduleSpan span_;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_SETTINGS_SCHEDULE_H_
