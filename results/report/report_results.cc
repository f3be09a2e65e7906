#include "results/report/report_results.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "op3d/base/progress.h"
#include "results/picture/plan_svg.h"
#include "results/picture/svg.h"
#include "results/record/format.h"
#include "results/record/headline.h"
#include "results/record/roles.h"
#include "results/record/statistics.h"
#include "results/report/html_table.h"
#include "results/report/report_search.h"

namespace op3d::results {
namespace {

using ClassResults = google::protobuf::RepeatedPtrField<TestResult::ClassResult>;

// If there are more classes than this, they are folded.
constexpr int kShownClasses = 30;
constexpr int kLargestChanges = 10;
constexpr const char* kRecipeColours[] = {kBlue, kOrange, kGreen, kPurple, kSky};

const char* RecipeColour(int recipe) { return kRecipeColours[recipe % 5]; }

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
  return Bar(Share(*row), RecipeColour(index), absl::StrCat(FormatPercent(Share(*row), 0), " %"));
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
  std::string html =
      absl::StrCat("<section>\n<h2>The plan</h2>\n", DrawPlan(record.plan()).ToInline());
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

}  // namespace op3d::results
