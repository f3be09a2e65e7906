#include "op3d/train/settings/schedule.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

absl::Status CheckWarmup(int warmup_epochs, const ScheduleSpan& span) {
  if (warmup_epochs >= 0 && warmup_epochs <= span.epochs) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("a warm-up of ", warmup_epochs,
                                                 " epochs in a state of ", span.epochs,
                                                 "; it must be in [0, ", span.epochs, "]"));
}

absl::Status CheckSteps(const StepSettings& settings) {
  if (!(settings.factor() > 0 && settings.factor() <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat("a learning rate that falls by the factor ",
                                                   settings.factor(),
                                                   "; the factor must be in (0, 1]"));
  }
  int before = -1;
  for (const int epoch : settings.epochs()) {
    if (epoch <= before) {
      return absl::InvalidArgumentError(absl::StrCat("the learning rate falls at epoch ", epoch,
                                                     " after epoch ", before,
                                                     "; the epochs must rise and be at least 0"));
    }
    before = epoch;
  }
  return absl::OkStatus();
}

absl::Status CheckFinal(absl::string_view what, double low, double learning_rate) {
  if (low >= 0 && low <= learning_rate) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, " ends at the learning rate ", low,
                                                 "; it must be in [0, ", learning_rate,
                                                 "], which is where it starts"));
}

double WarmUp(double rate, int64_t position, int64_t length) {
  return rate / 100 * (1 + 99 * static_cast<double>(position) / static_cast<double>(length));
}

}  // namespace

Schedule::Schedule(const ScheduleSettings& settings, double learning_rate, const ScheduleSpan& span)
    : settings_(settings), rate_(learning_rate), span_(span) {}

absl::StatusOr<Schedule> Schedule::Make(const ScheduleSettings& settings, double learning_rate,
                                        const ScheduleSpan& span) {
  if (!(learning_rate > 0) || !std::isfinite(learning_rate)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the learning rate is ", learning_rate, "; it must be above 0 and finite"));
  }
  if (settings.kind_case() != ScheduleSettings::KIND_NOT_SET && span.epochs < 1) {
    return absl::InvalidArgumentError(
        "a learning rate that changes over a state needs to know how many epochs the state lasts; "
        "give the state its number of epochs, or leave the rate constant");
  }
  if (settings.has_cosine()) {
    OP3D_RETURN_IF_ERROR(CheckWarmup(settings.cosine().warmup_epochs(), span));
    OP3D_RETURN_IF_ERROR(
        CheckFinal("the cosine", settings.cosine().final_learning_rate(), learning_rate));
  } else if (settings.has_linear()) {
    OP3D_RETURN_IF_ERROR(CheckWarmup(settings.linear().warmup_epochs(), span));
    OP3D_RETURN_IF_ERROR(
        CheckFinal("the line", settings.linear().final_learning_rate(), learning_rate));
  } else if (settings.has_one_minus_sqrt()) {
    OP3D_RETURN_IF_ERROR(CheckWarmup(settings.one_minus_sqrt().warmup_epochs(), span));
    OP3D_RETURN_IF_ERROR(
        CheckFinal("1 - sqrt", settings.one_minus_sqrt().final_learning_rate(), learning_rate));
  } else if (settings.has_step()) {
    OP3D_RETURN_IF_ERROR(CheckWarmup(settings.step().warmup_epochs(), span));
    OP3D_RETURN_IF_ERROR(CheckSteps(settings.step()));
  }
  return Schedule(settings, learning_rate, span);
}

double Schedule::CosineAt(int64_t position, int64_t length) const {
  const double low = settings_.cosine().final_learning_rate();
  const double share = static_cast<double>(position) / static_cast<double>(length);
  return low + (rate_ - low) * (1 + std::cos(3.141592653589793 * share)) / 2;
}

double Schedule::FallingAt(int64_t step, int warmup_epochs, double low,
                           double (*fallen)(double)) const {
  const int64_t warmup = warmup_epochs * span_.steps_per_epoch;
  if (step < warmup) return WarmUp(rate_, step, warmup);
  const int64_t length = span_.epochs * span_.steps_per_epoch - warmup;
  // Past the end the rate is that at the end.
  const double done = std::min(1.0, static_cast<double>(step - warmup) / static_cast<double>(length));
  return rate_ + (low - rate_) * fallen(done);
}

double Schedule::Rate(int64_t step) const {
  if (settings_.has_cosine()) {
    const CosineSettings& cosine = settings_.cosine();
    const int64_t unit = cosine.released() ? span_.accumulation : 1;
    const int64_t steps_per_epoch = span_.steps_per_epoch * unit;
    const int64_t warmup = cosine.warmup_epochs() * steps_per_epoch;
    const int64_t rest = span_.epochs * steps_per_epoch - warmup;
    if (cosine.released()) {
      const int64_t micro = (step + 1) * unit - 1;
      if (micro <= warmup) return warmup == 0 ? rate_ : WarmUp(rate_, micro, warmup);
      return CosineAt(micro - warmup - 1, rest);
    }
    return step < warmup ? WarmUp(rate_, step, warmup) : CosineAt(step - warmup, rest);
  }
  if (settings_.has_linear()) {
    const LinearSettings& line = settings_.linear();
    return FallingAt(step, line.warmup_epochs(), line.final_learning_rate(),
                     [](double done) { return done; });
  }
  if (settings_.has_one_minus_sqrt()) {
    const OneMinusSqrtSettings& root = settings_.one_minus_sqrt();
    return FallingAt(step, root.warmup_epochs(), root.final_learning_rate(),
                     [](double done) { return std::sqrt(done); });
  }
  if (!settings_.has_step()) return rate_;
  const int64_t warmup = settings_.step().warmup_epochs() * span_.steps_per_epoch;
  if (step < warmup) return WarmUp(rate_, step, warmup);
  double rate = rate_;
  for (const int epoch : settings_.step().epochs()) {
    if (step >= epoch * span_.steps_per_epoch) rate *= settings_.step().factor();
  }
  return rate;
}

}  // namespace op3d
