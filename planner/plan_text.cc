#include "planner/plan_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "op3d/base/progress.h"
#include "planner/dynamic_programming.h"
#include "planner/plan_io.h"

namespace op3d {
namespace {

struct Spent {
  double seconds = 0;
  // In training order; the edge in work included.
  int at_bound = 0;
};

double SecondsOf(const std::vector<CurvePoint>& curve) {
  double seconds = 0;
  for (const CurvePoint& point : curve) {
    seconds += point.train_seconds() + point.evaluation_seconds();
  }
  return seconds;
}

Spent SpentOn(const SearchProgress& progress) {
  Spent cost;
  for (int edge : progress.index().training_order) {
    cost.seconds += SecondsOf(progress.curve(edge));
  }
  for (const auto& outcome : progress.outcomes()) {
    cost.at_bound += outcome && outcome->ending() == EdgeOutcome::BOUND ? 1 : 0;
  }
  return cost;
}

// Seconds of a frame so far, x the frames of the open edges at their bounds.
double SecondsAtWorst(const SearchProgress& progress) {
  double seconds = 0, frames = 0, frames_to_go = 0;
  for (int edge : progress.index().training_order) {
    const int target = progress.index().edges[edge].to;
    const int trained = std::max<int>(0, static_cast<int>(progress.curve(edge).size()) - 1);
    const double clip = FramesPerClip(progress.graph().states(target - 1));
    seconds += SecondsOf(progress.curve(edge));
    frames += trained * clip;
    if (progress.outcomes()[edge]) continue;
    frames_to_go += std::max(0, progress.max_epochs(edge) - trained) * clip;
  }
  return frames == 0 ? 0 : seconds / frames * frames_to_go;
}

std::string FormatEdge(const SearchProgress& progress, int edge, bool wins) {
  const EdgeScore& score = *progress.scores()[edge];
  const EdgeOutcome& outcome = *progress.outcomes()[edge];
  std::string line =
      absl::StrFormat("  %s %-8s %.4f  keeps epoch %d of %d", wins ? "*" : " ", outcome.from(),
                      score.score, score.epochs, static_cast<int>(progress.curve(edge).size()) - 1);
  if (score.epochs == 0) absl::StrAppend(&line, ", the state is skipped");
  if (outcome.knee().has_interval()) {
    absl::StrAppendFormat(&line, ", knee %d (%d to %d)", outcome.knee().knee(),
                          outcome.knee().interval().low(), outcome.knee().interval().high());
  }
  if (outcome.ending() == EdgeOutcome::BOUND) absl::StrAppend(&line, ", ended at the bound");
  return line + "\n";
}

std::string FormatNode(const SearchProgress& progress, int node) {
  const GraphIndex& index = progress.index();
  const int winner = WinningEdge(index, progress.scores(), node);
  std::string text = absl::StrFormat("%s  %s at %g\n", NodeName(progress.graph(), node),
                                     ClipText(progress.graph().states(node - 1)),
                                     progress.graph().states(node - 1).learning_rate());
  if (winner == kNoEdge) return text + "    nothing trained yet\n";
  double second = -1;
  bool rivals = false;
  for (int edge : index.incoming[node]) {
    if (!progress.scores()[edge]) continue;
    absl::StrAppend(&text, FormatEdge(progress, edge, edge == winner));
    if (edge == winner) continue;
    second =
        rivals ? std::max(second, progress.scores()[edge]->score) : progress.scores()[edge]->score;
    rivals = true;
  }
  if (!rivals) return text;
  const double lead = progress.scores()[winner]->score - second;
  const std::string& from = NodeName(progress.graph(), index.edges[winner].from);
  return text + (lead > 0 ? absl::StrFormat("    %s wins by %.4f\n", from, lead)
                          : absl::StrFormat("    a tie: %s is listed first\n", from));
}

}  // namespace

std::string ClipText(const State& state) {
  std::string text = state.segments() == 1 ? absl::StrCat(state.frames_per_segment(), " frames")
                                           : absl::StrCat(state.segments(), " x ",
                                                          state.frames_per_segment(), " frames");
  if (state.stride() > 1) absl::StrAppend(&text, " / ", state.stride());
  return text;
}

std::string PlanText(const Plan& plan) {
  std::string text = absl::StrFormat("%s plan, %d epochs", plan.pool(), TotalEpochs(plan));
  if (plan.value() != 0) absl::StrAppendFormat(&text, ", value %.4f", plan.value());
  absl::StrAppend(&text, "\n");
  for (const Plan::Step& step : plan.steps()) {
    const State& state = step.state();
    absl::StrAppendFormat(&text, "  %-4s %-14s lr %-8g %3d epochs  batch %d x %d%s\n", state.name(),
                          ClipText(state), state.learning_rate(), step.epochs(), state.batch_size(),
                          state.accumulation(),
                          state.frozen_batch_norm() ? "  BatchNorm frozen" : "");
  }
  if (!plan.path().empty())
    absl::StrAppend(&text, "path: ", absl::StrJoin(plan.path(), " -> "), "\n");
  if (!plan.source().empty()) absl::StrAppend(&text, "source: ", plan.source(), "\n");
  return text;
}

std::string FormatStatus(const SearchProgress& progress) {
  const Spent cost = SpentOn(progress);
  std::string text = absl::StrFormat(
      "%s search: %d of %d edges finished (%d at the bound), %d epochs trained in %s, %d %s\n",
      progress.graph().pool(), progress.edges_finished(), progress.edges_total(), cost.at_bound,
      progress.epochs_trained(), FormatSeconds(cost.seconds), progress.processes(),
      progress.processes() == 1 ? "process" : "processes");
  const int edge = progress.next_edge();
  if (edge == kNoEdge) return text + "done\n";
  const auto& curve = progress.curve(edge);
  absl::StrAppend(&text, "next: ", EdgeName(progress.graph().transitions(edge)));
  if (!curve.empty()) {
    absl::StrAppendFormat(&text, ", epoch %d of at most %d, performance %.4f",
                          static_cast<int>(curve.size()), progress.max_epochs(edge),
                          curve.back().performance());
  }
  const int to_go = progress.epochs_at_worst() - progress.epochs_trained();
  absl::StrAppendFormat(&text, "\nat worst %d epochs to go", to_go);
  const double seconds = SecondsAtWorst(progress);
  if (seconds > 0) absl::StrAppend(&text, ", about ", FormatSeconds(seconds));
  return text + "\n";
}

std::string FormatReplay(const Replay& replay) {
  std::string text = PlanText(replay.plan);
  if (!replay.untrained.empty()) {
    absl::StrAppend(
        &text, "never trained, so not looked at: ", absl::StrJoin(replay.untrained, ", "), "\n");
  }
  if (!replay.unfinished.empty()) {
    absl::StrAppend(&text, "the rule wants more epochs than were recorded: ",
                    absl::StrJoin(replay.unfinished, ", "), "\n");
  }
  const bool seconds = std::any_of(replay.front.begin(), replay.front.end(),
                                   [](const PricedState& state) { return state.seconds > 0; });
  absl::StrAppendFormat(&text,
                        "value against cost (a plan that ends in the state):\n  %-6s %-7s %s%s\n",
                        "state", "value", "epochs x frames of a clip", seconds ? "  time" : "");
  for (const PricedState& state : replay.front) {
    absl::StrAppendFormat(&text, "  %-6s %.4f  %-25d%s\n", state.state, state.value, state.frames,
                          seconds ? absl::StrCat("  ", FormatSeconds(state.seconds)) : "");
  }
  return text;
}

std::string FormatExplanation(const SearchProgress& progress) {
  std::string text;
  for (int node = 1; node < progress.index().nodes; ++node) {
    if (progress.index().reachable[node]) absl::StrAppend(&text, FormatNode(progress, node));
  }
  const Spent cost = SpentOn(progress);
  absl::StrAppendFormat(&text, "cost: %d edges, %d epochs, %s\n", progress.edges_finished(),
                        progress.epochs_trained(), FormatSeconds(cost.seconds));
  if (cost.at_bound > 0) {
    absl::StrAppendFormat(&text,
                          "%d of %d edges ended at the bound on epochs: there it decides as much "
                          "as the knee\n",
                          cost.at_bound, progress.edges_finished());
  }
  const auto outcome = progress.Outcome();
  return text + (outcome.ok() ? PlanText(outcome->plan())
                              : absl::StrCat(outcome.status().message(), "\n"));
}

}  // namespace op3d
