#include "results/report/report_search.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "results/picture/curves_svg.h"
#include "results/picture/graph_svg.h"
#include "results/picture/svg.h"
#include "results/record/format.h"
#include "results/report/html_table.h"

namespace op3d::results {
namespace {

constexpr char kArrow[] = " \xE2\x86\x92 ";
// The number of unknowns of the fit.
constexpr int kUnknowns = 5;

std::string Score(double score) { return absl::StrFormat("%.4f", score); }

std::string KneeText(const EdgeOutcome& edge) {
  if (!edge.has_knee()) return "";
  const KneeEstimate& knee = edge.knee();
  if (!knee.has_interval()) return absl::StrCat(knee.knee());
  return absl::StrCat(knee.knee(), " (", knee.interval().low(), " to ", knee.interval().high(),
                      ")");
}

// Standard deviation of the measured points around the fit; negative if there is none.
double Spread(const EdgeOutcome& edge) {
  const int free = edge.curve_size() - kUnknowns;
  if (!edge.has_knee() || free < 1) return -1;
  return std::sqrt(edge.knee().residual() / free);
}

// The trained edges into a state that did not fail, the best first, among equal ones the one listed
// first.
std::vector<const EdgeOutcome*> WaysInto(const SearchOutcome& search, const std::string& state) {
  std::vector<const EdgeOutcome*> ways;
  for (const EdgeOutcome& edge : search.edges()) {
    if (edge.to() == state && edge.failure().empty()) ways.push_back(&edge);
  }
  std::stable_sort(ways.begin(), ways.end(), [](const EdgeOutcome* a, const EdgeOutcome* b) {
    return a->score() > b->score();
  });
  return ways;
}

std::string Margin(const std::vector<const EdgeOutcome*>& ways) {
  if (ways.size() < 2) return "the only way";
  const double margin = ways[0]->score() - ways[1]->score();
  return margin > 0 ? Score(margin) : "a tie: listed first";
}

std::string NodeTable(const SearchOutcome& search) {
  HtmlTable table({"state", "clip, learning rate", "value", "best incoming edge",
                   "other incoming edges", "wins by", "spread of the points"});
  for (const StateSettings& state : search.graph().states()) {
    const std::vector<const EdgeOutcome*> ways = WaysInto(search, state.name());
    if (ways.empty()) continue;
    const std::string best =
        absl::StrCat(ways[0]->from(), ways[0]->epochs() == 0 ? ", skipped" : "");
    std::vector<std::string> others;
    for (size_t i = 1; i < ways.size(); ++i) {
      others.push_back(absl::StrCat(ways[i]->from(), " ", Score(ways[i]->score())));
    }
    const double spread = Spread(*ways[0]);
    const auto& path = search.plan().path();
    table.AddRow(
        {WordsCell(state.name()),
         WordsCell(absl::StrCat(FormatClip(state), ", ", FormatNumber(state.learning_rate()))),
         FigureCell(Score(ways[0]->score())), WordsCell(best),
         WordsCell(absl::StrJoin(others, ", ")), FigureCell(Margin(ways)),
         FigureCell(spread < 0 ? "" : Score(spread))},
        std::find(path.begin(), path.end(), state.name()) != path.end());
  }
  const std::string html = table.ToHtml();
  if (html.empty()) return "";
  return absl::StrCat(
      "<h3>Who won each state</h3>\n<div class=\"wide\">", html,
      "</div>\n<p class=\"note\">The value of a state is the score of its best incoming edge: the "
      "fitted curve at the epoch that was kept. Spread: standard deviation of the measured "
      "points around the winner's curve; a lead far below it may be chance. States of the "
      "plan's path are highlighted.</p>\n");
}

std::string EdgeTable(const SearchOutcome& search) {
  HtmlTable table(
      {"edge", "epochs trained", "knee (95 % interval)", "epochs kept", "score", "how it ended"});
  for (const EdgeOutcome& edge : search.edges()) {
    const bool scored = edge.failure().empty();
    table.AddRow({WordsCell(absl::StrCat(edge.from(), kArrow, edge.to())),
                  FigureCell(absl::StrCat(std::max(edge.curve_size() - 1, 0))),
                  FigureCell(KneeText(edge)), FigureCell(scored ? absl::StrCat(edge.epochs()) : ""),
                  FigureCell(scored ? Score(edge.score()) : ""), WordsCell(DescribeEnding(edge))},
                 OnPath(search.plan(), edge));
  }
  return absl::StrCat("<details><summary>All edges as a table</summary>\n", table.ToHtml(),
                      "</details>\n");
}

// One line for each edge that failed and each state that no edge reaches.
std::string FailureList(const SearchOutcome& search) {
  std::string html;
  for (const EdgeOutcome& edge : search.edges()) {
    if (edge.ending() != EdgeOutcome::FAILED) continue;
    absl::StrAppend(
        &html, "<li>",
        EscapeXml(absl::StrCat(edge.from(), kArrow, edge.to(), " failed: ", edge.failure())),
        "</li>\n");
  }
  for (const std::string& state : search.unreached()) {
    absl::StrAppend(&html, "<li>", EscapeXml(state), "</li>\n");
  }
  return html.empty() ? "" : absl::StrCat("<ul class=\"note\">\n", html, "</ul>\n");
}

}  // namespace

std::string DescribeRule(const StoppingRule& rule) {
  const std::string attempt = FormatEpochs(rule.attempt_epochs());
  std::string text;
  switch (rule.method()) {
    case StoppingRule::PLATEAU:
      text = absl::StrCat("until ", attempt, " in a row were no better than the best one");
      break;
    case StoppingRule::KNEE_INTERVAL:
      text = absl::StrCat("until ", attempt,
                          " past the knee of the fitted curve, or until the knee's interval says "
                          "that little is left to gain");
      break;
    default:
      text = absl::StrCat("until ", attempt, " past the knee of the fitted curve");
  }
  if (rule.race()) {
    absl::StrAppend(&text, ", or until it cannot catch up with another edge into its state");
  }
  return text;
}

// How the search chose what to train, and for how long.
std::string DescribeSearch(const SearchOutcome& search) {
  const TransitionGraph& graph = search.graph();
  if (!graph.rounds().empty()) {
    return absl::StrCat("Trained in ", graph.rounds_size(), " rounds: ", search.edges_size(),
                        " edges of ", graph.transitions_size(),
                        ".  Edges of a round have equally many frames; after each round the states "
                        "reached are ranked, and the next round's edges go to the best.");
  }
  const StoppingRule& rule = search.rule();
  return absl::StrCat("Every arrow was trained once: epoch by epoch ", DescribeRule(rule),
                      ", at most ", FormatEpochs(rule.max_epochs_from_initial()),
                      " from the initial weights and ", FormatEpochs(rule.max_epochs()),
                      " elsewhere.");
}

std::string SearchSection(const SearchOutcome& search) {
  return absl::StrCat("<section class=\"search\">\n<h2>Search of pool ",
                      EscapeXml(search.graph().pool()), "</h2>\n<p>", DescribeSearch(search),
                      "</p>\n", FailureList(search), DrawGraph(search).ToInline(),
                      NodeTable(search), "<h3>Performance of every edge</h3>\n",
                      DrawCurves(search).ToInline(), EdgeTable(search), "</section>\n");
}

}  // namespace op3d::results
