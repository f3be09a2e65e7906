#include "results/report_results.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "op3d/base/progress.h"
#include "results/format.h"
#include "results/headline.h"
#include "results/html_table.h"
#include "results/plan_svg.h"
#include "results/report_search.h"
#include "results/svg.h"

namespace op3d {
namespace {

using ClassResults = google::protobuf::RepeatedPtrField<TestResult::ClassResult>;

// More classes than these are folded away.
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

HtmlCell BarCell(const RecipeResult& recipe, int index, bool groups, const std::string& name) {
  const TestResult::ClassResult* row = Find(RowsOf(recipe, groups), name);
  if (row == nullptr || row->videos() == 0) return Words("no videos");
  return Bar(Share(*row), RecipeColour(index), absl::StrCat(FormatPercent(Share(*row), 0), " %"));
}

// Bars of the named classes or groups, a column a recipe.
std::string BarTable(const RunRecord& record, bool groups, absl::Span<const std::string> names) {
  std::vector<std::string> columns = {groups ? "group" : "class", "videos"};
  for (const RecipeResult& recipe : record.recipes()) columns.push_back(recipe.title());
  HtmlTable table(columns);
  for (const std::string& name : names) {
    const TestResult::ClassResult* first = Find(RowsOf(record.recipes(0), groups), name);
    std::vector<HtmlCell> cells = {Words(name),
                                   Figure(first == nullptr ? "" : FormatCount(first->videos()))};
    for (int i = 0; i < record.recipes_size(); ++i) {
      cells.push_back(BarCell(record.recipes(i), i, groups, name));
    }
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

std::vector<HtmlCell> RecipeCells(const RecipeResult& recipe, bool with_heads,
                                  const std::vector<std::string>& groups) {
  std::vector<HtmlCell> cells = {Words(recipe.title()), Figure(FormatCount(recipe.epochs())),
                                 Figure(FormatCount(recipe.frames()))};
  const TestResult& test = recipe.test();
  if (!recipe.has_test()) {
    cells.push_back(Words("not tested yet"));
    return cells;
  }
  cells.push_back(Figure(Views(test)));
  cells.push_back(Figure(absl::StrCat(FormatPercent(test.top1()), " \xC2\xB1 ",
                                      FormatPercent(StandardError(test.top1(), test.videos())))));
  cells.push_back(Figure(FormatPercent(test.top3())));
  cells.push_back(Figure(FormatPercent(test.top5())));
  cells.push_back(Figure(FormatPercent(test.mean_class_accuracy())));
  for (const std::string& name : groups) {
    const TestResult::ClassResult* group = Find(test.groups(), name);
    cells.push_back(Figure(group == nullptr ? "" : FormatPercent(Share(*group))));
  }
  for (int head = 0; with_heads && head < 2; ++head) {
    cells.push_back(
        Figure(head < test.head_top1_size() ? FormatPercent(test.head_top1(head)) : ""));
  }
  cells.push_back(Figure(FormatSeconds(recipe.train_seconds())));
  return cells;
}

}  // namespace

std::string RecipesSection(const RunRecord& record) {
  if (record.recipes().empty()) return "";
  std::vector<std::string> groups = Names(record.recipes(0).test().groups());
  bool with_heads = false;
  for (const RecipeResult& recipe : record.recipes()) {
    with_heads = with_heads || recipe.test().head_top1_size() > 0;
  }
  std::vector<std::string> columns = {"recipe",     "epochs",     "frames trained", "views",
                                      "top\u20111", "top\u20113", "top\u20115",     "mean class"};
  columns.insert(columns.end(), groups.begin(), groups.end());
  if (with_heads) columns.insert(columns.end(), {"temporal", "spatial"});
  columns.push_back("training");
  HtmlTable table(columns);
  const RecipeResult* planned = PlannedRecipe(record);
  for (const RecipeResult& recipe : record.recipes()) {
    table.AddRow(RecipeCells(recipe, with_heads, groups), &recipe == planned);
  }
  return absl::StrCat(
      "<section>\n<h2>Planned against hand-tuned</h2>\n", table.ToHtml(),
      "<p class=\"note\">Shares in percent; \xC2\xB1 is one standard error over the test videos. "
      "Frames trained: clips times frames of a clip, the measure of equal compute. Views: clips x "
      "crops. Groups and the two heads alone: top-1.</p>\n</section>\n");
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
      table.AddRow(
          {Words(search.graph().pool()), Figure(absl::StrFormat("%.4f", search.plan().value())),
           Words(FormatPlan(search.plan()))},
          search.plan().pool() == record.plan().pool());
    }
    absl::StrAppend(&html, "<p>The better of the pools' plans:</p>\n", table.ToHtml());
  }
  return absl::StrCat(html, "</section>\n");
}

std::string ClassesSection(const RunRecord& record) {
  if (record.recipes().empty() || record.recipes(0).test().classes().empty()) return "";
  const TestResult& first = record.recipes(0).test();
  std::string html = "<section>\n<h2>Per class</h2>\n";
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
    absl::StrAppend(&html,
                    "<p>The classes where the plan gains most over the hand-tuned recipe, and then "
                    "those where it loses most:</p>\n",
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

}  // namespace op3d
