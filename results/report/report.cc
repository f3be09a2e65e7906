#include "results/report/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "results/picture/curves_svg.h"
#include "results/picture/svg.h"
#include "results/record/format.h"
#include "results/record/headline.h"
#include "results/report/report_sections.h"

namespace op3d::results {
namespace {

// $0: the title; $1: what stands below it; $2: the page itself.
constexpr char kPage[] = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$0</title>
<style>
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #1f2933; line-height: 1.5;
  font: 15px/1.5 Helvetica, Arial, "Liberation Sans", sans-serif; }
main { max-width: 1160px; margin: 0 auto; padding: 36px 28px 60px; }
h1 { font-size: 28px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 20px; margin: 44px 0 12px; padding-bottom: 6px; border-bottom: 1px solid #d5dbe1; }
h3 { font-size: 16px; margin: 24px 0 8px; }
p { margin: 8px 0; max-width: 80ch; }
ul { margin: 8px 0; padding-left: 22px; max-width: 90ch; }
li { margin: 3px 0; }
.subtitle, .note { color: #52606d; }
.note { font-size: 13px; }
.headline { margin: 18px 0 0; padding: 10px 20px; background: #f5f7f9;
  border-left: 4px solid #0072B2; font-size: 20px; font-weight: 600; }
.headline p { max-width: 90ch; }
.headline .note { font-weight: 400; font-size: 15px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 12px 0; font-size: 14px; }
th, td { padding: 6px 14px 6px 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid #e4e8ec; }
th { color: #52606d; font-size: 13px; font-weight: 600; vertical-align: bottom; }
td:first-child { min-width: 150px; }
.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th.figure { white-space: normal; }
tr.strong td { font-weight: 600; background: #f5f7f9; }
.bar { display: inline-block; width: var(--bar, 150px); height: 12px; margin-right: 6px; background: #e9edf0;
  border-radius: 2px; }
.bar > span { display: block; height: 12px; border-radius: 2px; }
.stack { display: flex; height: 30px; border-radius: 4px; overflow: hidden; margin: 12px 0; }
.stack > span { border-right: 1px solid #fff; }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 24px; }
.swatch { display: inline-block; width: 12px; height: 12px; margin-right: 6px; border-radius: 2px; }
svg { display: block; margin: 12px 0; }
details { margin: 10px 0; }
summary { cursor: pointer; color: #0067a3; }
pre { font: 12.5px/1.45 "DejaVu Sans Mono", Menlo, Consolas, monospace; background: #f5f7f9;
  padding: 14px; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
* { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
@media print {
  @page { margin: 14mm; }
  body { font-size: 11px; }
  main { padding: 0; max-width: none; }
  h2, h3 { break-after: avoid; }
  table, .headline, .stack { break-inside: avoid; }
  table { font-size: 10px; }
  th, td { padding-right: 8px; }
  .bar { width: min(90px, var(--bar, 90px)); }
}
</style>
</head>
<body>
<main>
<h1>$0</h1>
<p class="subtitle">$1</p>
$2</main>
</body>
</html>
)html";

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

std::string Page(const std::string& title, const std::string& subtitle, const std::string& body) {
  return absl::Substitute(kPage, EscapeXml(title), EscapeXml(subtitle), body);
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

std::string RenderReport(const RunRecord& record, const RecordCheck& check) {
  const std::string verdict =
      check.Edited() ? HeadlineBox("This record was edited by hand or damaged: no verdict",
                                   absl::StrCat(absl::StrJoin(check.faults, ". "), "."))
                     : HeadlineBox(Headline(record), Caution(record));
  return Page(
      absl::StrCat(BenchmarkTitle(record.settings().benchmark(), record.settings().scale()),
                   ": optimization planning"),
      Subtitle(record),
      absl::StrCat(verdict, NotesSection(record), RecipesSection(record), PlanSection(record),
                   ClassesSection(record), SearchesSection(record), DatasetSection(record),
                   TimeSection(record), EnvironmentSection(record), SettingsSection(record)));
}

absl::Status WriteReport(const std::string& folder, const RunRecord& record,
                         const RecordCheck& check) {
  OP3D_RETURN_IF_ERROR(WriteFileAtomically(JoinPath(folder, "curves.svg"),
                                           DrawSearches(record.searches()).ToFile()));
  return WriteFileAtomically(JoinPath(folder, "report.html"), RenderReport(record, check));
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
  return Page(
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
