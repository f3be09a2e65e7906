#include "planner/knee/stopping_rule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "planner/knee/knee_interval.h"

namespace op3d::planner {
namespace {

// The number of resampled curves that decide whether the knee is passed.
constexpr int kResamples = 100;
constexpr double kDefaultConfidence = 0.9;
// One more than the five unknowns.
constexpr int kLeastFitEpochs = 6;
// For DescribeCollapse().  The first is five times the noise of a measurement on 150 videos.
constexpr double kWellAbove = 0.2;
constexpr double kShareLeft = 0.1;

absl::Status CheckFinite(absl::Span<const double> performance) {
  for (size_t epoch = 0; epoch < performance.size(); ++epoch) {
    if (std::isfinite(performance[epoch])) continue;
    return absl::InvalidArgumentError(absl::StrCat("the performance of epoch ", epoch, " is ",
                                                   performance[epoch], ", not a finite number"));
  }
  return absl::OkStatus();
}

// Checks attempt_epochs and what the method needs; not the bounds.
absl::Status CheckMethod(const StoppingRule& rule) {
  OP3D_RETURN_IF_ERROR(RequireAtLeast("stopping rule: attempt_epochs", rule.attempt_epochs(), 1));
  if (rule.method() == StoppingRule::PLATEAU && rule.race()) {
    return absl::InvalidArgumentError(
        "stopping rule: race needs a fit, but PLATEAU makes none; use KNEE or KNEE_INTERVAL");
  }
  if (rule.method() != StoppingRule::KNEE_INTERVAL && !rule.race()) return absl::OkStatus();
  OP3D_RETURN_IF_ERROR(Require(rule.confidence() >= 0 && rule.confidence() < 1,
                               "stopping rule: confidence", rule.confidence(), "in [0, 1)"));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("stopping rule: negligible_gain", rule.negligible_gain(), 0));
  return Require(rule.first_fit_epochs() == 0 || rule.first_fit_epochs() >= kLeastFitEpochs,
                 "stopping rule: first_fit_epochs", rule.first_fit_epochs(),
                 absl::StrCat("at least ", kLeastFitEpochs, ", or 0 for attempt_epochs"));
}

int FirstFit(const StoppingRule& rule) {
  const bool interval = rule.method() == StoppingRule::KNEE_INTERVAL || rule.race();
  const bool own = interval && rule.first_fit_epochs() > 0;
  return own ? std::min(rule.first_fit_epochs(), rule.attempt_epochs()) : rule.attempt_epochs();
}

// The bootstrap's decision for an edge that the published rule does not end yet.
absl::StatusOr<EdgeOutcome::Ending> AskInterval(absl::Span<const double> performance,
                                                const Knee& knee, const StoppingRule& rule,
                                                int max_epochs, std::optional<double> to_beat) {
  const bool interval_ends = rule.method() == StoppingRule::KNEE_INTERVAL;
  const bool races = rule.race() && to_beat.has_value();
  if (!interval_ends && !races) return EdgeOutcome::ENDING_UNSPECIFIED;
  // If the fit itself says otherwise, the bootstrap, which is drawn around it, is not needed.
  const int trained = static_cast<int>(performance.size()) - 1;
  const int ahead = rule.attempt_epochs();
  const auto at = [&knee](int epoch) { return Evaluate(knee.curve, epoch); };
  const double gain =
      knee.epoch <= trained ? 0 : at(std::min(knee.epoch, trained + ahead)) - at(trained);
  const double highest = at(std::min(knee.epoch, std::max(trained, max_epochs)));
  const bool may_end = interval_ends && gain <= rule.negligible_gain();
  const bool may_lose = races && highest < *to_beat;
  if (!may_end && !may_lose) return EdgeOutcome::ENDING_UNSPECIFIED;
  KneeBootstrapOptions options;
  options.confidence = rule.confidence() > 0 ? rule.confidence() : kDefaultConfidence;
  options.resamples = kResamples;
  options.terms = TermsOf(rule);
  options.ahead = ahead;
  options.last = std::min(max_epochs, kHorizon - 1);
  OP3D_ASSIGN_OR_RETURN(const KneeInterval interval, BootstrapKnee(performance, knee, options));
  if (interval_ends && interval.gain <= rule.negligible_gain()) return EdgeOutcome::INTERVAL_PASSED;
  const double score = at(std::min(knee.epoch, trained));
  // An edge that already has the best score cannot lose, whatever the bootstrap says.
  if (races && interval.highest < *to_beat && score < *to_beat) return EdgeOutcome::OUTPACED;
  return EdgeOutcome::ENDING_UNSPECIFIED;
}

// Without a fit: keeps the best measured epoch.
void KeepBestMeasured(absl::Span<const double> performance, EdgeOutcome::Ending ending,
                      StoppingDecision* decision) {
  const auto best = std::max_element(performance.begin(), performance.end());
  decision->stop = true;
  decision->ending = ending;
  decision->epochs = static_cast<int>(best - performance.begin());
  decision->score = *best;
}

StoppingDecision DecidePlateau(absl::Span<const double> performance, int patience, int max_epochs) {
  const int trained = static_cast<int>(performance.size()) - 1;
  StoppingDecision decision;
  KeepBestMeasured(performance, EdgeOutcome::PLATEAU_PASSED, &decision);
  if (trained - decision.epochs >= patience) return decision;
  if (trained < max_epochs) return StoppingDecision();
  decision.ending = EdgeOutcome::BOUND;
  return decision;
}

}  // namespace

absl::StatusOr<StoppingDecision> DecideStop(absl::Span<const double> performance,
                                            const StoppingRule& rule, int max_epochs,
                                            std::optional<double> to_beat) {
  if (performance.empty()) {
    return absl::InvalidArgumentError("a curve without its point 0, the score before training");
  }
  OP3D_RETURN_IF_ERROR(CheckMethod(rule));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("stopping rule: the bound on epochs", max_epochs, 1));
  OP3D_RETURN_IF_ERROR(CheckFinite(performance));
  const int trained = static_cast<int>(performance.size()) - 1;
  if (rule.method() == StoppingRule::PLATEAU) {
    return DecidePlateau(performance, rule.attempt_epochs(), max_epochs);
  }
  StoppingDecision decision;
  if (trained < FirstFit(rule)) {
    if (trained >= max_epochs) KeepBestMeasured(performance, EdgeOutcome::BOUND, &decision);
    return decision;
  }
  // Accurate to the last digit if it decides or is kept.
  OP3D_ASSIGN_OR_RETURN(decision.knee, EstimateKnee(performance, TermsOf(rule), /*polish=*/false));
  const int passed = trained - rule.attempt_epochs();
  if (passed + 1 < decision.knee->epoch) {
    OP3D_ASSIGN_OR_RETURN(decision.ending,
                          AskInterval(performance, *decision.knee, rule, max_epochs, to_beat));
    const bool ends = decision.ending != EdgeOutcome::ENDING_UNSPECIFIED || trained >= max_epochs;
    if (!ends) return decision;
  }
  OP3D_ASSIGN_OR_RETURN(decision.knee, EstimateKnee(performance, TermsOf(rule)));
  if (passed >= decision.knee->epoch) {
    decision.ending = EdgeOutcome::KNEE_PASSED;
  } else if (decision.ending == EdgeOutcome::ENDING_UNSPECIFIED) {
    OP3D_ASSIGN_OR_RETURN(decision.ending,
                          AskInterval(performance, *decision.knee, rule, max_epochs, to_beat));
  }
  if (decision.ending == EdgeOutcome::ENDING_UNSPECIFIED) {
    if (trained < max_epochs) return decision;
    decision.ending = EdgeOutcome::BOUND;
  }
  decision.stop = true;
  decision.epochs = std::min(decision.knee->epoch, trained);
  decision.score = Evaluate(decision.knee->curve, decision.epochs);
  return decision;
}

std::string DescribeCollapse(absl::Span<const double> performance, double chance) {
  const int trained = static_cast<int>(performance.size()) - 1;
  if (trained < 2) return "";
  const auto highest = std::max_element(performance.begin(), performance.end());
  const double learnt = *highest - chance;
  const double better = std::max(performance[trained - 1], performance[trained]) - chance;
  // A NaN is another failure.
  if (!(learnt >= kWellAbove && better <= kShareLeft * learnt)) return "";
  const auto best = highest - performance.begin();
  return absl::StrFormat(
      "epochs %d and %d score %.4f and %.4f, %s, after %.4f %s: training has collapsed; lower the "
      "state's learning rate, or do not freeze its BatchNorm",
      trained - 1, trained, performance[trained - 1], performance[trained],
      chance > 0 ? absl::StrFormat("no better than guessing (%.4f)", chance) : "next to nothing",
      *highest, best == 0 ? "before training" : absl::StrCat("at epoch ", best));
}

StoppingRule PublishedRule(int attempt_epochs) {
  StoppingRule rule;
  rule.set_attempt_epochs(attempt_epochs);
  rule.set_max_epochs_from_initial(std::numeric_limits<int>::max());
  rule.set_max_epochs(std::numeric_limits<int>::max());
  return rule;
}

absl::Status ValidateStoppingRule(const StoppingRule& rule) {
  OP3D_RETURN_IF_ERROR(CheckMethod(rule));
  OP3D_RETURN_IF_ERROR(
      RequireAtLeast("stopping rule: max_epochs_from_initial", rule.max_epochs_from_initial(), 1));
  return RequireAtLeast("stopping rule: max_epochs", rule.max_epochs(), 1);
}

CurveTerms TermsOf(const StoppingRule& rule) {
  CurveTerms terms;
  terms.decay = rule.function() != StoppingRule::QUADRATIC;
  terms.linear = rule.function() != StoppingRule::EXPONENTIAL;
  terms.square =
      rule.function() == StoppingRule::FULL || rule.function() == StoppingRule::QUADRATIC;
  return terms;
}

}  // namespace op3d::planner
