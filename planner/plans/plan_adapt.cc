#include "planner/plans/plan_adapt.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "planner/plans/plan_io.h"

namespace op3d::planner {
namespace {

// Shares `total` in proportion to the steps' epochs: every step gets one, and each further one goes
// to the step that is farthest below its share.  Among equal ones the first.
std::vector<int> ShareEpochs(const Plan& plan, int total) {
  const double before = TotalEpochs(plan);
  std::vector<int> epochs(plan.steps_size(), 1);
  const auto missing = [&](int i) { return total * (plan.steps(i).epochs() / before) - epochs[i]; };
  for (int left = total - plan.steps_size(); left > 0; --left) {
    int most = 0;
    for (int i = 1; i < plan.steps_size(); ++i) {
      if (missing(i) > missing(most) + 1e-9) most = i;
    }
    ++epochs[most];
  }
  return epochs;
}

// Scales the epochs and the final rate of a schedule.
void AdaptSchedule(double epochs_factor, double rate_factor, ScheduleSettings* schedule) {
  const auto scaled = [&](int epochs) {
    return epochs == 0 ? 0 : std::max(1, static_cast<int>(std::lround(epochs * epochs_factor)));
  };
  const auto adapt = [&](auto* kind) {
    kind->set_final_learning_rate(kind->final_learning_rate() * rate_factor);
    kind->set_warmup_epochs(scaled(kind->warmup_epochs()));
  };
  switch (schedule->kind_case()) {
    case ScheduleSettings::kCosine:
      adapt(schedule->mutable_cosine());
      break;
    case ScheduleSettings::kLinear:
      adapt(schedule->mutable_linear());
      break;
    case ScheduleSettings::kOneMinusSqrt:
      adapt(schedule->mutable_one_minus_sqrt());
      break;
    case ScheduleSettings::kStep: {
      StepSettings& step = *schedule->mutable_step();
      step.set_warmup_epochs(scaled(step.warmup_epochs()));
      int last = -1;
      for (int32_t& epoch : *step.mutable_epochs()) {
        // They must increase.
        epoch = last = std::max(last + 1, scaled(epoch));
      }
      break;
    }
    case ScheduleSettings::KIND_NOT_SET:
      break;
  }
}

int ClipsPerStep(const StateSettings& state) { return state.batch_size() * state.accumulation(); }

// What the adaptation asks for; the plan's own where it asks for nothing.
int WantedClipsPerStep(const StateSettings& state, const PlanAdaptation& adaptation) {
  if (adaptation.clips_per_step > 0) return adaptation.clips_per_step;
  if (adaptation.videos == 0) return ClipsPerStep(state);
  return std::min(ClipsPerStep(state), std::max(1, adaptation.videos / kLeastStepsPerEpoch));
}

// Keeps the batch of one pass, which memory bounds, unless it is too large; changes how many of
// them make a step.  Returns the factor of the clips per step.
double AdaptBatch(int wanted, StateSettings* state) {
  const int before = ClipsPerStep(*state);
  if (wanted == before) return 1;
  const int batch = std::min(state->batch_size(), wanted);
  state->set_batch_size(batch);
  state->set_accumulation(std::max(1, wanted / batch));
  return static_cast<double>(ClipsPerStep(*state)) / before;
}

}  // namespace

absl::StatusOr<AdaptedPlan> AdaptPlan(const Plan& plan, const PlanAdaptation& adaptation) {
  OP3D_RETURN_IF_ERROR(ValidatePlan(plan));
  OP3D_RETURN_IF_ERROR(RequireIn("epochs", adaptation.epochs, 0, 100000));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("clips_per_step", adaptation.clips_per_step, 0));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("videos", adaptation.videos, 0));
  if (adaptation.epochs == 0 && adaptation.clips_per_step == 0 && adaptation.videos == 0) {
    return absl::InvalidArgumentError(
        "nothing to adapt the plan to: give a number of epochs, a dataset or clips per step");
  }
  if (adaptation.epochs > 0 && adaptation.epochs < plan.steps_size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(adaptation.epochs, " epochs are fewer than the plan's ", plan.steps_size(),
                     " steps, each of which needs one; give more, or take steps out of the plan"));
  }
  AdaptedPlan adapted;
  adapted.plan = plan;
  const int before = TotalEpochs(plan);
  const int total = adaptation.epochs == 0 ? before : adaptation.epochs;
  const std::vector<int> epochs = ShareEpochs(plan, total);
  if (total != before) {
    adapted.notes.push_back(
        absl::StrCat(total, " epochs instead of ", before, ": every state keeps its share"));
  }
  for (int i = 0; i < plan.steps_size(); ++i) {
    Plan::Step& step = *adapted.plan.mutable_steps(i);
    StateSettings& state = *step.mutable_state();
    const int clips = ClipsPerStep(state);
    const double factor = AdaptBatch(WantedClipsPerStep(state, adaptation), &state);
    state.set_learning_rate(state.learning_rate() * factor);
    const double epochs_factor = static_cast<double>(epochs[i]) / step.epochs();
    step.set_epochs(epochs[i]);
    AdaptSchedule(epochs_factor, factor, state.mutable_schedule());
    if (state.schedule().kind_case() == ScheduleSettings::KIND_NOT_SET) state.clear_schedule();
    if (factor == 1) continue;
    adapted.notes.push_back(absl::StrCat(state.name(), ": ", ClipsPerStep(state),
                                         " clips a step instead of ", clips, ", so the rate is ",
                                         state.learning_rate(), " instead of ",
                                         plan.steps(i).state().learning_rate()));
  }
  adapted.plan.clear_value();
  adapted.plan.set_source(absl::StrCat("adapted, not searched or measured",
                                       plan.source().empty() ? "" : "; from: ", plan.source()));
  return adapted;
}

}  // namespace op3d::planner
