#include "results/report/report_sections.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "op3d/base/progress.h"
#include "op3d/base/textproto.h"
#include "results/picture/curves_svg.h"
#include "results/picture/graph_svg.h"
#include "results/picture/plan_svg.h"
#include "results/picture/svg.h"
#include "results/record/format.h"
#include "results/record/headline.h"
#include "results/record/roles.h"
#include "results/record/statistics.h"
#include "results/report/html_table.h"
#include "results/report/page.h"

namespace op3d::results {

// ---------------------------------------------------------------- searches

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

// Pictures in a row, as many as fit.
std::string PanelsHtml(const char* style, const std::vector<Svg>& pictures) {
  std::string html = absl::StrCat("<div class=\"", style, "\">\n");
  for (const Svg& picture : pictures) html += picture.ToInline();
  return absl::StrCat(html, "</div>\n");
}

}  // namespace

std::string PlanHtml(const Plan& plan) {
  return absl::StrCat("<div class=\"broad\">", DrawPlan(plan).ToInline(),
                      "</div>\n<div class=\"narrow\">", DrawPlan(plan, /*in_row=*/2).ToInline(),
                      "</div>\n");
}

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
                      "</p>\n", FailureList(search), PictureHtml(DrawGraph(search)),
                      NodeTable(search), "<h3>Performance of every edge</h3>\n",
                      PanelsHtml("panels symbols", DrawCurveLegend()),
                      PanelsHtml("panels", DrawPanels(search)), EdgeTable(search), "</section>\n");
}

// ---------------------------------------------------------------- results

namespace {

using ClassResults = google::protobuf::RepeatedPtrField<TestResult::ClassResult>;

// If there are more classes than this, they are folded.
constexpr int kShownClasses = 30;
constexpr int kLargestChanges = 10;

double Share(const TestResult::ClassResult& row) {
  return row.videos() > 0 ? static_cast<double>(row.correct()) / row.videos() : 0;
}

const TestResult::ClassResult* Find(const ClassResults& rows, const std::string& name) {
  for (const TestResult::ClassResult& row : rows) {
    if (row.name() == name) return &row;
  }
  return nullptr;
}

const ClassResults& RowsOf(const RecipeResult& recipe, bool groups) {
  return groups ? recipe.test().groups() : recipe.test().classes();
}

// All rows except the single fixed schedules.
std::vector<int> ShownRows(const RunRecord& record) {
  std::vector<int> rows;
  for (int i = 0; i < record.recipes_size(); ++i) {
    if (record.recipes(i).role() != RecipeResult::FIXED) rows.push_back(i);
  }
  return rows;
}

HtmlCell BarCell(const RecipeResult& recipe, int index, bool groups, const std::string& name) {
  const TestResult::ClassResult* row = Find(RowsOf(recipe, groups), name);
  if (row == nullptr || row->videos() == 0) return WordsCell("no videos");
  return Bar(Share(*row), SeriesColour(index), absl::StrCat(FormatPercent(Share(*row), 0), " %"));
}

// Bars of the named classes or groups, one column per recipe.
std::string BarTable(const RunRecord& record, bool groups, absl::Span<const std::string> names) {
  std::vector<std::string> columns = {groups ? "group" : "class", "videos"};
  const std::vector<int> shown = ShownRows(record);
  for (const int i : shown) columns.push_back(RowTitle(record.recipes(i)));
  HtmlTable table(columns);
  for (const std::string& name : names) {
    const TestResult::ClassResult* first =
        Find(RowsOf(record.recipes(shown.empty() ? 0 : shown[0]), groups), name);
    std::vector<HtmlCell> cells = {
        WordsCell(name), FigureCell(first == nullptr ? "" : FormatCount(first->videos()))};
    for (const int i : shown) cells.push_back(BarCell(record.recipes(i), i, groups, name));
    table.AddRow(std::move(cells));
  }
  return table.ToHtml();
}

std::vector<std::string> Names(const ClassResults& rows) {
  std::vector<std::string> names;
  for (const TestResult::ClassResult& row : rows) names.push_back(row.name());
  return names;
}

// The classes where the plan and its baseline differ most, gains first.
std::vector<std::string> LargestChanges(const RecipeResult& planned, const RecipeResult& baseline) {
  std::vector<std::pair<double, std::string>> changes;
  for (const TestResult::ClassResult& row : planned.test().classes()) {
    const TestResult::ClassResult* other = Find(baseline.test().classes(), row.name());
    if (other != nullptr) changes.emplace_back(Share(*other) - Share(row), row.name());
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  const int count = static_cast<int>(changes.size());
  for (int i = 0; i < count; ++i) {
    if (i < kLargestChanges || i >= count - kLargestChanges) names.push_back(changes[i].second);
  }
  return names;
}

std::string Views(const TestResult& test) {
  return absl::StrCat(test.clips(), " x ", test.crops());
}

// The columns of a table of recipes.
struct RecipeColumns {
  bool roles = false;
  bool heads = false;
  std::vector<std::string> groups;
};

std::vector<HtmlCell> RecipeCells(const RecipeResult& recipe, const RecipeColumns& shown) {
  std::vector<HtmlCell> cells = {WordsCell(RowTitle(recipe)),
                                 FigureCell(FormatCount(recipe.epochs())),
                                 FigureCell(FormatCount(recipe.frames()))};
  if (shown.roles) cells.push_back(FigureCell(FormatCount(TotalFrames(recipe))));
  const TestResult& test = recipe.test();
  if (!recipe.has_test()) {
    cells.push_back(WordsCell("not tested yet"));
    return cells;
  }
  cells.push_back(FigureCell(Views(test)));
  if (shown.roles) {
    const ShareInterval interval = WilsonInterval(test.top1(), test.videos());
    cells.push_back(FigureCell(FormatPercent(test.top1())));
    cells.push_back(FigureCell(
        absl::StrCat(FormatPercent(interval.low), " to ", FormatPercent(interval.high))));
  } else {
    cells.push_back(
        FigureCell(absl::StrCat(FormatPercent(test.top1()), " \xC2\xB1 ",
                                FormatPercent(StandardError(test.top1(), test.videos())))));
  }
  cells.push_back(FigureCell(FormatPercent(test.top3())));
  cells.push_back(FigureCell(FormatPercent(test.top5())));
  cells.push_back(FigureCell(FormatPercent(test.mean_class_accuracy())));
  for (const std::string& name : shown.groups) {
    const TestResult::ClassResult* group = Find(test.groups(), name);
    cells.push_back(FigureCell(group == nullptr ? "" : FormatPercent(Share(*group))));
  }
  for (int head = 0; shown.heads && head < 2; ++head) {
    cells.push_back(
        FigureCell(head < test.head_top1_size() ? FormatPercent(test.head_top1(head)) : ""));
  }
  cells.push_back(FigureCell(FormatSeconds(recipe.train_seconds())));
  return cells;
}

HtmlTable RecipeTable(const RecipeColumns& shown) {
  std::vector<std::string> columns = {"recipe", "epochs", "frames trained"};
  if (shown.roles) columns.push_back("frames, search included");
  columns.insert(columns.end(), {"views", "top\u20111"});
  if (shown.roles) columns.push_back("95 % of top\u20111");
  columns.insert(columns.end(), {"top\u20113", "top\u20115", "mean class"});
  columns.insert(columns.end(), shown.groups.begin(), shown.groups.end());
  if (shown.heads) columns.insert(columns.end(), {"temporal", "spatial"});
  columns.push_back("training");
  return HtmlTable(columns);
}

std::string HeldOutText(const RecipeResult::Candidate& candidate) {
  if (candidate.has_held_out()) return absl::StrFormat("%.4f", candidate.held_out());
  return candidate.failure().empty() ? "" : absl::StrCat("failed: ", candidate.failure());
}

// The candidates from which a row's model was chosen.
std::string CandidatesTable(const RecipeResult& recipe) {
  HtmlTable table({"candidate", "frames", "score on held-out videos", "trained by"});
  for (const RecipeResult::Candidate& candidate : recipe.candidates()) {
    table.AddRow({WordsCell(candidate.title()), FigureCell(FormatCount(candidate.frames())),
                  FigureCell(HeldOutText(candidate)), WordsCell(candidate.plan())},
                 candidate.chosen());
  }
  std::string taken = recipe.model().empty() ? "" : absl::StrCat("; the model: ", recipe.model());
  if (recipe.has_held_out()) {
    absl::StrAppend(&taken, taken.empty() ? "; the model" : "", ", ",
                    absl::StrFormat("%.4f", recipe.held_out()), " on held-out videos");
  }
  return absl::StrCat("<details><summary>", EscapeXml(RowTitle(recipe)), ": chosen among ",
                      recipe.candidates_size(), EscapeXml(taken), "</summary>\n", table.ToHtml(),
                      "</details>\n");
}

}  // namespace

std::string RecipesSection(const RunRecord& record) {
  if (record.recipes().empty()) return "";
  RecipeColumns shown;
  shown.roles = HasRoles(record);
  shown.groups = Names(record.recipes(0).test().groups());
  for (const RecipeResult& recipe : record.recipes()) {
    shown.heads = shown.heads || recipe.test().head_top1_size() > 0;
  }
  HtmlTable table = RecipeTable(shown), fixed = table;
  const RecipeResult* planned = PlannedRecipe(record);
  std::string choices;
  int single = 0;
  for (const RecipeResult& recipe : record.recipes()) {
    const bool alone = recipe.role() == RecipeResult::FIXED;
    (alone ? fixed : table).AddRow(RecipeCells(recipe, shown), &recipe == planned);
    single += alone ? 1 : 0;
    if (!recipe.candidates().empty()) choices += CandidatesTable(recipe);
  }
  std::string html = absl::StrCat(
      "<section>\n<h2>", shown.roles ? "Planned against its rivals" : "Planned against hand-tuned",
      "</h2>\n", table.ToHtml(), choices);
  if (single > 0) {
    absl::StrAppend(&html, "<details><summary>Each of the ", single,
                    " fixed schedules, tested</summary>\n", fixed.ToHtml(), "</details>\n");
  }
  return absl::StrCat(
      html, "<p class=\"note\">Shares in percent; ",
      shown.roles ? "95 % of top-1 is Wilson's interval over the test videos. "
                  : "\xC2\xB1 is one standard error over the test videos. ",
      "Frames trained: clips times frames of a clip, the measure of equal compute",
      shown.roles ? "; search included: all frames used to get the model. " : ". ",
      "Views: clips x crops. Groups and the two heads alone: top-1.</p>\n</section>\n");
}

std::string PlanSection(const RunRecord& record) {
  if (record.plan().steps().empty()) return "";
  std::string html = absl::StrCat("<section>\n<h2>The plan</h2>\n", PlanHtml(record.plan()));
  if (!record.plan().source().empty()) {
    absl::StrAppend(&html,
                    "<p>A plan that was given, not searched: ", EscapeXml(record.plan().source()),
                    "</p>\n");
  }
  if (record.searches_size() > 1) {
    HtmlTable table({"pool", "value", "frames @ learning rate x epochs"});
    for (const SearchOutcome& search : record.searches()) {
      table.AddRow({WordsCell(search.graph().pool()),
                    FigureCell(absl::StrFormat("%.4f", search.plan().value())),
                    WordsCell(FormatPlan(search.plan()))},
                   search.plan().pool() == record.plan().pool());
    }
    absl::StrAppend(&html, "<p>The better of the pools' plans:</p>\n", table.ToHtml());
  }
  return absl::StrCat(html, "</section>\n");
}

std::string ClassesSection(const RunRecord& record) {
  const std::vector<int> shown = ShownRows(record);
  if (shown.empty() || record.recipes(shown[0]).test().classes().empty()) return "";
  const TestResult& first = record.recipes(shown[0]).test();
  // With many rows the bars must be narrow to fit on one page.
  std::string html = absl::StrCat("<section", shown.size() > 4 ? " style=\"--bar:40px\"" : "",
                                  ">\n<h2>Per class</h2>\n");
  if (!first.groups().empty()) {
    absl::StrAppend(&html, BarTable(record, /*groups=*/true, Names(first.groups())));
  }
  const std::vector<std::string> names = Names(first.classes());
  const std::string all = BarTable(record, /*groups=*/false, names);
  if (static_cast<int>(names.size()) <= kShownClasses) {
    return absl::StrCat(html, all, "</section>\n");
  }
  const RecipeResult* planned = PlannedRecipe(record);
  const RecipeResult* baseline = BaselineRecipe(record);
  if (planned != nullptr && baseline != nullptr) {
    absl::StrAppend(&html, "<p>The classes where the plan gains most over ",
                    HasRoles(record) ? "the strongest rival" : "the hand-tuned recipe",
                    ", and then those where it loses most:</p>\n",
                    BarTable(record, /*groups=*/false, LargestChanges(*planned, *baseline)));
  }
  return absl::StrCat(html, "<details><summary>All ", names.size(), " classes</summary>\n", all,
                      "</details>\n</section>\n");
}

std::string SearchesSection(const RunRecord& record) {
  std::string html;
  for (const SearchOutcome& search : record.searches())
    absl::StrAppend(&html, SearchSection(search));
  return html;
}

// ---------------------------------------------------------------- the run

namespace {

struct TimePart {
  const char* name;
  double seconds;
  const char* colour;
};

std::vector<TimePart> TimeParts(const TimeSplit& time) {
  return {{"decode", time.decode(), kPurple}, {"transform", time.transform(), kOrange},
          {"forward", time.forward(), kSky},  {"backward", time.backward(), kBlue},
          {"update", time.step(), kGreen},    {"fit and plan", time.fit(), kVermilion}};
}

std::string ListItems(const google::protobuf::RepeatedPtrField<std::string>& items) {
  std::string html = "<ul>\n";
  for (const std::string& item : items) {
    absl::StrAppend(&html, "<li>", EscapeXml(item), "</li>\n");
  }
  return absl::StrCat(html, "</ul>\n");
}

std::string OfficialCount(const DatasetReport::List& list) {
  return list.official() > 0 ? FormatCount(list.official()) : "";
}

}  // namespace

std::string NotesSection(const RunRecord& record) {
  if (record.notes().empty()) return "";
  return absl::StrCat("<section>\n<h2>Notes</h2>\n", ListItems(record.notes()), "</section>\n");
}

std::string DatasetSection(const RunRecord& record) {
  if (record.dataset().lists().empty()) return "";
  HtmlTable table({"list", "official", "listed", "used", "missing", "broken", "checksum"});
  google::protobuf::RepeatedPtrField<std::string> examples;
  for (const DatasetReport::List& list : record.dataset().lists()) {
    const std::string name = list.videos_file().empty()
                                 ? list.name()
                                 : absl::StrCat(list.name(), " (", list.videos_file(), ")");
    table.AddRow({WordsCell(name), FigureCell(OfficialCount(list)),
                  FigureCell(FormatCount(list.listed())), FigureCell(FormatCount(list.used())),
                  FigureCell(FormatCount(list.missing())), FigureCell(FormatCount(list.broken())),
                  FigureCell(absl::StrFormat("%08x", list.crc32()))});
    for (const std::string& example : list.examples()) {
      *examples.Add() = absl::StrCat(list.name(), ": ", example);
    }
  }
  std::string html =
      absl::StrCat("<section>\n<h2>Dataset</h2>\n<p>", FormatCount(record.dataset().classes_size()),
                   " classes; videos of each list:</p>\n", table.ToHtml());
  if (!record.dataset().copy().empty()) {
    absl::StrAppend(&html, "<p>Read from a copy of the dataset, made as <code>",
                    EscapeXml(record.dataset().copy()), "</code>.</p>\n");
  }
  if (!examples.empty()) {
    absl::StrAppend(&html, "<p>The first missing or broken ones:</p>\n", ListItems(examples));
  }
  return absl::StrCat(html, "</section>\n");
}

std::string TimeSection(const RunRecord& record) {
  if (!record.has_time()) return "";
  const std::vector<TimePart> parts = TimeParts(record.time());
  double sum = 0;
  for (const TimePart& part : parts) sum += part.seconds;
  std::string html = "<section>\n<h2>Where the time went</h2>\n";
  if (sum > 0) {
    std::string bar, legend;
    for (const TimePart& part : parts) {
      const double share = part.seconds / sum;
      absl::StrAppend(&bar, "<span style=\"width:", absl::StrFormat("%.2f", 100 * share),
                      "%;background:", part.colour, "\"></span>");
      absl::StrAppend(&legend, "<li><span class=\"swatch\" style=\"background:", part.colour,
                      "\"></span>", part.name, " <b>", FormatPercent(share, 1), " %</b> (",
                      FormatSeconds(part.seconds), ")</li>\n");
    }
    absl::StrAppend(&html, "<div class=\"stack\">", bar, "</div>\n<ul class=\"legend\">\n", legend,
                    "</ul>\n");
  }
  if (record.has_effort()) {
    HtmlTable table({"part of the run", "frames", "job hours"});
    const std::pair<const char*, const Effort*> rows[] = {
        {"search", &record.effort().search()},
        {"training of recipes and rivals", &record.effort().training()},
        {"tests", &record.effort().test()}};
    for (const auto& [name, effort] : rows) {
      table.AddRow({WordsCell(name), FigureCell(FormatCount(effort->frames())),
                    FigureCell(absl::StrFormat("%.3f", effort->job_seconds() / 3600))});
    }
    absl::StrAppend(&html, table.ToHtml());
  }
  return absl::StrCat(html, "<p class=\"note\">Summed over threads. The run itself took ",
                      FormatSeconds(record.time().wall()), "; it held at most ",
                      FormatCount(static_cast<int64_t>(record.time().peak_memory_mib())),
                      " MiB of memory.</p>\n</section>\n");
}

std::string EnvironmentSection(const RunRecord& record) {
  if (!record.has_environment()) return "";
  const Environment& environment = record.environment();
  HtmlTable table({"", ""});
  table.AddRow({WordsCell("started"), WordsCell(environment.started())});
  table.AddRow({WordsCell("finished"), WordsCell(environment.finished())});
  if (environment.resumed() > 0) {
    table.AddRow({WordsCell("resumed"), WordsCell(absl::StrCat(environment.resumed(), " times"))});
  }
  table.AddRow(
      {WordsCell("commit"),
       WordsCell(absl::StrCat(environment.commit(),
                              environment.modified() ? ", with changes that are not in it" : ""))});
  table.AddRow({WordsCell("host"), WordsCell(environment.host())});
  const ProcessorModel& processor = environment.processor();
  std::string model = environment.cpu();
  if (environment.has_processor()) {
    absl::StrAppend(&model, " (", processor.vendor(), ", family ", processor.family(), ", model ",
                    processor.model(), ", stepping ", processor.stepping(), ")");
  }
  table.AddRow({WordsCell("processor"),
                WordsCell(absl::StrCat(model, ", ", environment.cores(), " cores"))});
  if (!environment.arithmetic().empty()) {
    table.AddRow({WordsCell("arithmetic"), WordsCell(environment.arithmetic())});
  }
  table.AddRow({WordsCell("device, threads"),
                WordsCell(absl::StrCat(environment.device(), ", ", environment.threads()))});
  if (environment.jobs() > 0) {
    table.AddRow({WordsCell("jobs"),
                  WordsCell(absl::StrCat(environment.jobs(), " children at once",
                                         environment.launcher().empty() ? "" : ", started by ",
                                         environment.launcher()))});
  }
  if (!environment.gpus().empty()) {
    table.AddRow({WordsCell("GPUs"), WordsCell(absl::StrCat(absl::StrJoin(environment.gpus(), ", "),
                                                            ", driver ", environment.driver()))});
  }
  table.AddRow({WordsCell("libraries"), WordsCell(absl::StrJoin(environment.libraries(), ", "))});
  std::string binaries;
  for (const Environment::Binary& binary : environment.binaries()) {
    absl::StrAppend(&binaries, binary.file(), " ", binary.build_id(), "\n");
  }
  return absl::StrCat("<section>\n<h2>Environment</h2>\n", table.ToHtml(),
                      binaries.empty() ? ""
                                       : absl::StrCat("<details><summary>Build identifiers of the "
                                                      "program and its libraries</summary>\n<pre>",
                                                      EscapeXml(binaries), "</pre></details>\n"),
                      "</section>\n");
}

std::string SettingsSection(const RunRecord& record) {
  HtmlTable derived({"chosen from the data", "value", "why"});
  for (const BenchmarkSettings::Derived& line : record.settings().derived()) {
    derived.AddRow({WordsCell(line.field()), WordsCell(line.value()), WordsCell(line.reason())});
  }
  return absl::StrCat(
      "<section>\n<h2>Settings</h2>\n<p>Network ", EscapeXml(record.settings().network().name()),
      ", seed ", record.settings().seed(), ".</p>\n", derived.ToHtml(),
      "<details><summary>All settings, as resolved</summary>\n<pre>",
      EscapeXml(PrintTextproto(record.settings())), "</pre></details>\n</section>\n");
}

}  // namespace op3d::results
