#include "planner/stopping_rule.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

absl::Status CheckFinite(absl::Span<const double> performance) {
  for (size_t epoch = 0; epoch < performance.size(); ++epoch) {
    if (std::isfinite(performance[epoch])) continue;
    return absl::InvalidArgumentError(absl::StrCat("the performance of epoch ", epoch, " is ",
                                                   performance[epoch], ", not a finite number"));
  }
  return absl::OkStatus();
}

absl::Status CheckAtLeastOne(absl::string_view field, int value) {
  if (value >= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("stopping rule: ", field, " is ", value, ", but must be at least 1"));
}

}  // namespace

absl::StatusOr<StoppingDecision> DecideStop(absl::Span<const double> performance,
                                            int attempt_epochs, int max_epochs) {
  if (performance.empty()) {
    return absl::InvalidArgumentError("a curve without its point 0, the score before training");
  }
  OP3D_RETURN_IF_ERROR(CheckAtLeastOne("attempt_epochs", attempt_epochs));
  OP3D_RETURN_IF_ERROR(CheckAtLeastOne("the bound on epochs", max_epochs));
  OP3D_RETURN_IF_ERROR(CheckFinite(performance));
  const int trained = static_cast<int>(performance.size()) - 1;
  StoppingDecision decision;
  if (trained < attempt_epochs) {
    if (trained < max_epochs) return decision;
    const auto best = std::max_element(performance.begin(), performance.end());
    decision.stop = true;
    decision.ending = EdgeOutcome::BOUND;
    decision.epochs = static_cast<int>(best - performance.begin());
    decision.score = *best;
    return decision;
  }
  OP3D_ASSIGN_OR_RETURN(decision.knee, EstimateKnee(performance));
  const bool passed = trained - attempt_epochs >= decision.knee->epoch;
  if (!passed && trained < max_epochs) return decision;
  decision.stop = true;
  decision.ending = passed ? EdgeOutcome::KNEE_PASSED : EdgeOutcome::BOUND;
  decision.epochs = std::min(decision.knee->epoch, trained);
  decision.score = Evaluate(decision.knee->curve, decision.epochs);
  return decision;
}

absl::Status ValidateStoppingRule(const StoppingRule& rule) {
  OP3D_RETURN_IF_ERROR(CheckAtLeastOne("attempt_epochs", rule.attempt_epochs()));
  OP3D_RETURN_IF_ERROR(CheckAtLeastOne("max_epochs_from_initial", rule.max_epochs_from_initial()));
  return CheckAtLeastOne("max_epochs", rule.max_epochs());
}

}  // namespace op3d
