// Decides when an edge has been trained long enough, and which of its epochs is kept.
//
//   OP3D_ASSIGN_OR_RETURN(StoppingDecision decision, DecideStop(curve, rule, 20));
//   if (decision.stop) Use(decision.epochs);
//
// The published rule, with T = attempt_epochs: no fit before T epochs are trained; from then on fit
// after every epoch and stop as soon as the number of trained epochs is at least knee + T; keep the
// knee.  The others are described in plan.proto; planner/README.md says what each costs and risks.
// In addition there is a bound, so that an edge whose curve has no knee cannot go on for ever.
#ifndef OP3D_PLANNER_KNEE_STOPPING_RULE_H_
#define OP3D_PLANNER_KNEE_STOPPING_RULE_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "planner/graphs/plan.pb.h"
#include "planner/knee/knee_estimator.h"

namespace op3d::planner {

struct StoppingDecision {
  bool stop = false;
  // The fit of all points so far; not set if the rule makes none.  Polished (knee_estimator.h)
  // if the knee is about to decide or is kept.
  std::optional<Knee> knee;

  // The following fields are set if `stop`.
  EdgeOutcome::Ending ending = EdgeOutcome::ENDING_UNSPECIFIED;
  // Epochs kept, in [0, epochs trained]: min(knee, epochs trained); without a fit the first of the
  // best measured epochs.
  int epochs = 0;
  // The curve's value at the epochs kept; without a fit the measurement there.
  double score = 0;
};

// `performance[k]` was measured after epoch k; point 0 must be there.  `max_epochs`, at
// least 1, is the bound; the bounds in `rule` are ignored.
//
// `to_beat`: the highest score of a finished edge into the same state, for a rule with `race`.
//
// At the bound (epochs trained >= max_epochs) the ending is the rule's own if the rule also says
// stop, otherwise BOUND.  If the bound comes before T epochs there is no fit.
//
// InvalidArgument for a rule as in ValidateStoppingRule(), or for a NaN or an infinity, naming its
// epoch.  Thread-safe.
absl::StatusOr<StoppingDecision> DecideStop(absl::Span<const double> performance,
                                            const StoppingRule& rule, int max_epochs,
                                            std::optional<double> to_beat = std::nullopt);

// Why the training of this edge has collapsed, as a sentence; "" = it has not.  It has collapsed if
// its last two epochs are at chance level, `chance` (0 = unknown), although its source or an
// earlier epoch was well above:
//
//   highest - chance >= 0.2   and   both - chance <= 0.1 (highest - chance)
//
// So an edge that is still learning from the initial weights has not collapsed; and with two
// classes, where chance level is near the best score, the result is always "".  Thread-safe.
std::string DescribeCollapse(absl::Span<const double> performance, double chance);

// The published rule with T = `attempt_epochs`, without bounds.
StoppingRule PublishedRule(int attempt_epochs);

// InvalidArgument, naming field and value: attempt_epochs or one of the two bounds below 1, or a
// setting of the method or of race out of its range.
absl::Status ValidateStoppingRule(const StoppingRule& rule);

// The terms of the rule's function.
CurveTerms TermsOf(const StoppingRule& rule);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_KNEE_STOPPING_RULE_H_
