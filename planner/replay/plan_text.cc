#include "planner/replay/plan_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "op3d/base/progress.h"
#include "planner/plans/plan_io.h"
#include "planner/search/dynamic_programming.h"

namespace op3d::planner {
namespace {

struct Spent {
  double seconds = 0;
  // In training order, including the current edge.
  int at_bound = 0;
  int failed = 0, unreached = 0;
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
    if (!outcome) continue;
    cost.at_bound += outcome->ending() == EdgeOutcome::BOUND;
    cost.failed += outcome->ending() == EdgeOutcome::FAILED;
    cost.unreached += outcome->ending() == EdgeOutcome::UNREACHED;
  }
  return cost;
}

// Seconds per frame so far, times the frames that remain at most.
double SecondsAtWorst(const SearchProgress& progress) {
  double seconds = 0, frames = 0;
  for (int edge : progress.index().training_order) {
    const int target = progress.index().edges[edge].to;
    const int trained = std::max<int>(0, static_cast<int>(progress.curve(edge).size()) - 1);
    seconds += SecondsOf(progress.curve(edge));
    frames += trained * FramesPerClip(progress.graph().states(target - 1));
  }
  return frames == 0 ? 0 : seconds / frames * progress.frames_to_go();
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

// "S0-A: epoch 3: the performance is nan ..." for every edge that failed, then the states that no
// edge reaches; one per line.
std::string FormatFailures(const SearchProgress& progress) {
  std::string text;
  for (const auto& outcome : progress.outcomes()) {
    if (!outcome || outcome->ending() != EdgeOutcome::FAILED) continue;
    absl::StrAppend(&text, "failed: ", outcome->from(), "-", outcome->to(), ", ",
                    outcome->failure(), "\n");
  }
  for (const int node : progress.unreached()) {
    absl::StrAppend(&text, progress.DescribeUnreached(node), "\n");
  }
  return text;
}

// "S0 -> A (5 epochs) -> B (skipped)".
std::string FormatWay(const SearchProgress& progress, int node) {
  const GraphIndex& index = progress.index();
  const int winner = WinningEdge(index, progress.scores(), node);
  if (winner == kNoEdge) return NodeName(progress.graph(), node);
  const int epochs = progress.scores()[winner]->epochs;
  return absl::StrCat(
      FormatWay(progress, index.edges[winner].from), " -> ", NodeName(progress.graph(), node),
      epochs == 0 ? " (skipped)"
                  : absl::StrCat(" (", epochs, epochs == 1 ? " epoch)" : " epochs)"));
}

// The best plan, or as long as no final state has a value, the best path to any state.
std::string FormatBest(const SearchProgress& progress) {
  const GraphIndex& index = progress.index();
  const auto best_of = [&](const std::vector<int>& nodes) {
    int best = kNoEdge;
    for (const int node : nodes) {
      const int winner = WinningEdge(index, progress.scores(), node);
      if (winner == kNoEdge) continue;
      if (best == kNoEdge || progress.scores()[winner]->score > progress.scores()[best]->score) {
        best = winner;
      }
    }
    return best;
  };
  std::vector<int> all;
  for (int node = 1; node < index.nodes; ++node) all.push_back(node);
  const int plan = best_of(index.finals);
  const int best = plan != kNoEdge ? plan : best_of(all);
  if (best == kNoEdge) return "";
  const bool last_word = plan != kNoEdge && progress.next_edge() == kNoEdge;
  return absl::StrFormat("%s: value %.4f, %s\n",
                         last_word         ? "best plan"
                         : plan != kNoEdge ? "best plan so far"
                                           : "no plan yet; best state so far",
                         progress.scores()[best]->score, FormatWay(progress, index.edges[best].to));
}

std::string FormatNode(const SearchProgress& progress, int node) {
  const GraphIndex& index = progress.index();
  const int winner = WinningEdge(index, progress.scores(), node);
  std::string text = absl::StrFormat("%s  %s at %g\n", NodeName(progress.graph(), node),
                                     ClipText(progress.graph().states(node - 1)),
                                     progress.graph().states(node - 1).learning_rate());
  for (const int edge : index.incoming[node]) {
    const auto& outcome = progress.outcomes()[edge];
    if (!outcome || outcome->failure().empty()) continue;
    absl::StrAppendFormat(&text, "    %-8s %s%s\n", outcome->from(),
                          outcome->ending() == EdgeOutcome::FAILED ? "failed: " : "",
                          outcome->failure());
  }
  const auto& unreached = progress.unreached();
  if (std::count(unreached.begin(), unreached.end(), node) > 0) {
    return absl::StrCat(text, "    ", progress.DescribeUnreached(node), "\n");
  }
  if (winner == kNoEdge) {
    const auto& ways = index.incoming[node];
    const bool dropped = std::all_of(ways.begin(), ways.end(),
                                     [&](int way) { return progress.dropped(way); });
    return absl::StrCat(text, dropped ? "    not trained: the rounds took other edges\n"
                                      : "    nothing trained yet\n");
  }
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

std::string ClipText(const StateSettings& state) {
  std::string text = state.segments() == 1 ? absl::StrCat(state.frames_per_segment(), " frames")
                                           : absl::StrCat(state.segments(), " x ",
                                                          state.frames_per_segment(), " frames");
  if (state.stride() > 1) absl::StrAppend(&text, " / ", state.stride());
  if (state.crop() > 0) absl::StrAppend(&text, " @ ", state.crop());
  return text;
}

std::string PlanText(const Plan& plan) {
  std::string text = absl::StrFormat("%s plan, %d epochs", plan.pool(), TotalEpochs(plan));
  if (plan.value() != 0) absl::StrAppendFormat(&text, ", value %.4f", plan.value());
  absl::StrAppend(&text, "\n");
  for (const Plan::Step& step : plan.steps()) {
    const StateSettings& state = step.state();
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
  std::string counts = absl::StrCat(cost.at_bound, " at the bound");
  if (cost.failed > 0) absl::StrAppend(&counts, ", ", cost.failed, " failed");
  if (cost.unreached > 0) absl::StrAppend(&counts, ", ", cost.unreached, " not reached");
  std::string text = absl::StrFormat("%s search: %d of %d edges finished (%s), %d epochs trained",
                                     progress.graph().pool(), progress.edges_finished(),
                                     progress.edges_total(), counts, progress.epochs_trained());
  // A record need not have either.
  if (cost.seconds > 0) absl::StrAppend(&text, " in ", FormatSeconds(cost.seconds));
  if (progress.processes() > 0) {
    absl::StrAppend(&text, ", ", progress.processes(),
                    progress.processes() == 1 ? " process" : " processes");
  }
  absl::StrAppend(&text, "\n");
  absl::StrAppend(&text, FormatFailures(progress), FormatBest(progress));
  if (progress.hopeless()) {
    return absl::StrCat(text, "ended: ", progress.Outcome().status().message(), "\n");
  }
  const int edge = progress.next_edge();
  if (edge == kNoEdge) return text + "done\n";
  const auto& curve = progress.curve(edge);
  absl::StrAppend(&text, "next: ", EdgeName(progress.graph().transitions(edge)));
  if (!curve.empty()) {
    // Edges with a fixed length are not measured after every epoch; point 0 is the source's value.
    size_t measured = curve.size() - 1;
    while (measured > 0 && curve[measured].unmeasured()) --measured;
    // The last epoch of an edge may be trained without its end being known yet.
    absl::StrAppendFormat(&text, ", epoch %d of at most %d, performance %.4f",
                          std::min(static_cast<int>(curve.size()), progress.max_epochs(edge)),
                          progress.max_epochs(edge), curve[measured].performance());
  }
  const int to_go = progress.epochs_at_worst() - progress.epochs_trained();
  absl::StrAppendFormat(&text, "\nat most %d more epochs", to_go);
  const double seconds = SecondsAtWorst(progress);
  if (seconds > 0) absl::StrAppend(&text, ", about ", FormatSeconds(seconds));
  return text + "\n";
}

std::string FormatReplay(const Replay& replay) {
  std::string text = PlanText(replay.plan);
  if (!replay.untrained.empty()) {
    absl::StrAppend(&text, "never trained, so not used: ", absl::StrJoin(replay.untrained, ", "),
                    "\n");
  }
  if (!replay.failed.empty()) {
    absl::StrAppend(&text, "failed, so not used: ", absl::StrJoin(replay.failed, ", "), "\n");
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
  absl::StrAppendFormat(
      &text, "cost: %d edges, %d epochs%s\n", progress.edges_finished() - cost.unreached,
      progress.epochs_trained(),
      cost.seconds > 0 ? absl::StrCat(", ", FormatSeconds(cost.seconds)) : "");
  if (cost.at_bound > 0) {
    absl::StrAppendFormat(&text,
                          "%d of %d edges ended at the bound on epochs: their result depends "
                          "on it as much as on the knee\n",
                          cost.at_bound, progress.edges_finished() - cost.unreached);
  }
  const auto outcome = progress.Outcome();
  if (outcome.ok()) return text + PlanText(outcome->plan());
  return absl::StrCat(text, outcome.status().message(), "\n", FormatBest(progress));
}

}  // namespace op3d::planner
