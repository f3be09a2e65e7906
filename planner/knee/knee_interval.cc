#include "planner/knee/knee_interval.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "planner/knee/decay_grid.h"

namespace op3d::planner {
namespace {

absl::Status CheckOptions(absl::Span<const double> performance,
                          const KneeBootstrapOptions& options) {
  OP3D_RETURN_IF_ERROR(Require(options.confidence > 0 && options.confidence < 1, "the confidence",
                               options.confidence, "in (0, 1)"));
  if (options.resamples < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("an interval needs at least 2 resamples, got ", options.resamples));
  }
  OP3D_RETURN_IF_ERROR(RequireAtLeast("the number of epochs to look ahead", options.ahead, 0));
  if (performance.size() < 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        "an interval needs the performance of at least 2 epochs, got ", performance.size()));
  }
  for (size_t epoch = 0; epoch < performance.size(); ++epoch) {
    if (std::isfinite(performance[epoch])) continue;
    return absl::InvalidArgumentError(absl::StrCat("the performance of epoch ", epoch, " is ",
                                                   performance[epoch], ", not a finite number"));
  }
  return absl::OkStatus();
}

// The fit's residuals, scaled to those of the true curve.
std::vector<double> Residuals(absl::Span<const double> performance, const Knee& knee,
                              const CurveTerms& terms) {
  const double points = static_cast<double>(performance.size());
  const double unknowns = 1 + 2 * terms.decay + terms.linear + terms.square;
  const double widening = points > unknowns + 1 ? std::sqrt(points / (points - unknowns)) : 1;
  std::vector<double> residuals(performance.size());
  for (size_t k = 0; k < performance.size(); ++k) {
    residuals[k] = widening * (performance[k] - Evaluate(knee.curve, static_cast<double>(k)));
  }
  return residuals;
}

}  // namespace

absl::StatusOr<KneeInterval> BootstrapKnee(absl::Span<const double> performance, const Knee& knee,
                                           const KneeBootstrapOptions& options) {
  if (absl::Status status = CheckOptions(performance, options); !status.ok()) return status;
  const int points = static_cast<int>(performance.size()), trained = points - 1;
  std::vector<double> residuals = Residuals(performance, knee, options.terms);
  std::vector<double> fitted(points), curve(points);
  double scale = 0, widest = 0;
  for (int k = 0; k < points; ++k) {
    fitted[k] = Evaluate(knee.curve, k);
    scale = std::max(scale, std::abs(performance[k]));
    widest = std::max(widest, std::abs(residuals[k]));
  }
  const auto gain_of = [&](const PerformanceCurve& fit, int highest) {
    if (highest <= trained) return 0.0;
    return Evaluate(fit, std::min(highest, trained + options.ahead)) - Evaluate(fit, trained);
  };
  const auto highest_of = [&](const PerformanceCurve& fit, int highest) {
    return Evaluate(fit, std::min(highest, std::max(trained, options.last)));
  };
  // An exact curve has no residuals to draw.
  if (widest <= 1e-12 * scale) {
    return KneeInterval{knee.epoch, knee.epoch, gain_of(knee.curve, knee.epoch),
                        highest_of(knee.curve, knee.epoch)};
  }
  for (int k = 0; k < points; ++k) fitted[k] /= scale, residuals[k] /= scale;

  const DecayGrid grid(points, options.terms);
  std::vector<int> knees(options.resamples);
  std::vector<double> gains(options.resamples), tops(options.resamples);
  for (int i = 0; i < options.resamples; ++i) {
    RandomStream stream(options.seed, "planner.bootstrap", {i});
    for (int k = 0; k < points; ++k) curve[k] = fitted[k] + residuals[stream.UniformInt(points)];
    const PerformanceCurve fit = grid.Fit(curve);
    knees[i] = HighestEpochOfBent(fit);
    gains[i] = gain_of(fit, knees[i]);
    tops[i] = highest_of(fit, knees[i]);
  }
  std::sort(knees.begin(), knees.end());
  std::sort(gains.begin(), gains.end());
  std::sort(tops.begin(), tops.end());
  // The same number of knees is cut off at each end.
  const double out = 1 - options.confidence;
  const int cut = static_cast<int>(std::floor(out / 2 * options.resamples));
  const int cut_gains = static_cast<int>(std::floor(out * options.resamples));
  KneeInterval interval;
  interval.low = knees[cut];
  interval.high = knees[options.resamples - 1 - cut];
  interval.gain = scale * gains[options.resamples - 1 - cut_gains];
  interval.highest = scale * tops[options.resamples - 1 - cut_gains];
  return interval;
}

}  // namespace op3d::planner
