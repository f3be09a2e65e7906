#include "results/report/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "results/picture/curves_svg.h"
#include "results/picture/graph_svg.h"
#include "results/picture/svg.h"
#include "results/record/format.h"
#include "results/record/headline.h"
#include "results/report/page.h"
#include "results/report/report_sections.h"

namespace op3d::results {
namespace {

std::string Subtitle(const RunRecord& record) {
  std::string text =
      absl::StrCat(ScaleText(record.settings().scale()), ",",
                   SplitText(OfficialSplit(record.settings().dataset())),
                   OfficialSplit(record.settings().dataset()) > 0 ? "," : "", " network ",
                   record.settings().network().name(), ", seed ", record.settings().seed());
  if (!record.environment().started().empty()) {
    absl::StrAppend(&text, ", ", record.environment().started());
  }
  return text;
}

std::string HeadlineBox(const std::string& headline, const std::string& note) {
  return absl::StrCat("<div class=\"headline\"><p>", EscapeXml(headline),
                      "</p>\n<p class=\"note\">", EscapeXml(note), "</p></div>\n");
}

// The plan with the highest value, the first among equals; null if none is found yet.
const Plan* BestPlan(absl::Span<const SearchOutcome> searches) {
  const Plan* best = nullptr;
  for (const SearchOutcome& search : searches) {
    if (search.plan().path().empty()) continue;
    if (best == nullptr || search.plan().value() > best->value()) best = &search.plan();
  }
  return best;
}

}  // namespace

std::string RenderReport(const RunRecord& record, const ReportExtras& extras) {
  const RecordCheck& check = extras.check;
  const std::string verdict =
      check.Edited() ? HeadlineBox("This record was edited by hand or damaged: no verdict",
                                   absl::StrCat(absl::StrJoin(check.faults, ". "), "."))
                     : HeadlineBox(Headline(record), Caution(record));
  std::string mistakes;
  if (extras.mistakes.has_value() && !check.Edited()) {
    mistakes = absl::StrCat(WrongVideosSection(*extras.mistakes, extras.shown_wrong),
                            ConfusionSection(*extras.mistakes));
  }
  return RenderPage(
      absl::StrCat(BenchmarkTitle(record.settings().benchmark(), record.settings().scale()),
                   ": optimization planning"),
      Subtitle(record),
      absl::StrCat(verdict, NotesSection(record), RecipesSection(record), PlanSection(record),
                   mistakes, ClassesSection(record), SearchesSection(record),
                   DatasetSection(record), TimeSection(record), EnvironmentSection(record),
                   SettingsSection(record)));
}

absl::Status WriteReport(const std::string& folder, const RunRecord& record,
                         const ReportExtras& extras) {
  OP3D_RETURN_IF_ERROR(WriteFileAtomically(JoinPath(folder, "curves.svg"),
                                           DrawSearches(record.searches()).ToFile()));
  return WriteFileAtomically(JoinPath(folder, "report.html"), RenderReport(record, extras));
}

absl::StatusOr<std::vector<std::string>> WritePoolPictures(const std::string& folder,
                                                           const RunRecord& record,
                                                           const std::string& pool) {
  for (const SearchOutcome& search : record.searches()) {
    if (search.graph().pool() != pool) continue;
    const std::string curves = JoinPath(folder, absl::StrCat("curves_", pool, ".svg"));
    google::protobuf::RepeatedPtrField<SearchOutcome> alone;
    *alone.Add() = search;
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(curves, DrawSearches(alone).ToFile()));
    const std::string graph = JoinPath(folder, absl::StrCat("graph_", pool, ".svg"));
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(graph, DrawGraph(search).ToFile()));
    return std::vector<std::string>{curves, graph};
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--pool=", pool, ": the run in ", folder, " has not searched such a pool"));
}

std::string RenderSearches(absl::Span<const SearchOutcome> searches, int edges) {
  RunRecord record;
  int finished = 0, at_bound = 0, epochs = 0, failed = 0, unreached = 0;
  for (const SearchOutcome& search : searches) {
    *record.add_searches() = search;
    for (const EdgeOutcome& edge : search.edges()) {
      ++finished;
      failed += edge.ending() == EdgeOutcome::FAILED;
      unreached += edge.ending() == EdgeOutcome::UNREACHED;
      at_bound += edge.ending() == EdgeOutcome::BOUND;
      epochs += std::max(0, edge.curve_size() - 1);
    }
  }
  std::string headline = "No plan yet";
  if (const Plan* const best = BestPlan(searches); best != nullptr) {
    *record.mutable_plan() = *best;
    headline = best->steps().empty() ? "Plan: the initial weights; every state was skipped"
                                     : absl::StrCat("Plan: ", FormatPlan(*best),
                                                    " (frames @ learning rate x epochs)");
    absl::StrAppend(&headline, ", value ", absl::StrFormat("%.4f", best->value()));
  }
  const std::string done =
      finished == edges
          ? absl::StrCat("All ", edges, failed > 0 ? " edges are done" : " edges are trained")
          : absl::StrCat(finished, " of ", edges,
                         " edges are trained so far; the rest may change the plan");
  std::string note = absl::StrCat(done, "; ", FormatEpochs(epochs), " in all.");
  if (failed > 0) {
    absl::StrAppend(&note, " ", failed, failed == 1 ? " edge" : " edges", " failed in training");
    if (unreached > 0) {
      absl::StrAppend(&note, ", so no edge leads to ", unreached, " more");
    }
    absl::StrAppend(&note, ".");
  }
  if (at_bound > 0) {
    absl::StrAppend(&note, " ", at_bound, at_bound == 1 ? " edge" : " edges",
                    " ended at the bound on epochs, not at the knee: the result depends on the "
                    "bound as much as on the curve.");
  }
  return RenderPage(
      "Search for a plan", done,
      absl::StrCat(HeadlineBox(headline, note), PlanSection(record), SearchesSection(record)));
}

absl::Status WriteSearches(const std::string& folder, absl::Span<const SearchOutcome> searches,
                           int edges) {
  const google::protobuf::RepeatedPtrField<SearchOutcome> all(searches.begin(), searches.end());
  OP3D_RETURN_IF_ERROR(
      WriteFileAtomically(JoinPath(folder, "curves.svg"), DrawSearches(all).ToFile()));
  return WriteFileAtomically(JoinPath(folder, "report.html"), RenderSearches(searches, edges));
}

}  // namespace op3d::results
