#include "results/table.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "results/format.h"
#include "results/headline.h"
#include "results/published.h"
#include "results/record.h"
#include "results/roles.h"

namespace op3d {
namespace {

std::optional<double> Share(const google::protobuf::RepeatedPtrField<TestResult::ClassResult>& rows,
                            const std::string& name) {
  for (const TestResult::ClassResult& row : rows) {
    if (row.name() == name && row.videos() > 0) {
      return static_cast<double>(row.correct()) / row.videos();
    }
  }
  return std::nullopt;
}

void FillTest(const TestResult& test, const std::vector<std::string>& groups, ResultRow* row) {
  row->clips = test.clips();
  row->crops = test.crops();
  row->videos = test.videos();
  row->top1 = test.top1();
  row->top3 = test.top3();
  row->top5 = test.top5();
  row->mean_class_accuracy = test.mean_class_accuracy();
  for (const std::string& group : groups) row->groups.push_back(Share(test.groups(), group));
  for (const double top1 : test.head_top1()) row->heads.push_back(top1);
}

void Judge(const PublishedFigure& figure, ResultRow* row) {
  row->published = figure.top1_percent();
  row->tolerance = figure.tolerance_points();
  row->source = figure.source();
  if (!row->top1.has_value()) return;
  if (row->edited || !row->not_official.empty()) {
    row->verdict = row->edited ? "none: edited" : "none: not official";
    return;
  }
  row->difference = 100 * *row->top1 - figure.top1_percent();
  row->verdict = *row->difference > *row->tolerance    ? "above"
                 : *row->difference < -*row->tolerance ? "below"
                                                       : "reproduced";
}

bool IsPlanned(const RunRecord& record, const RecipeResult& recipe) {
  return recipe.role() == RecipeResult::ROLE_UNSPECIFIED
             ? &recipe == PlannedRecipe(record)
             : recipe.role() == RecipeResult::PLANNED_MODEL ||
                   recipe.role() == RecipeResult::PLANNED_AGAIN ||
                   recipe.role() == RecipeResult::PUBLISHED_MODEL ||
                   recipe.role() == RecipeResult::PUBLISHED_AGAIN;
}

std::string ChosenOn(const RunRecord& record, const RecipeResult& recipe) {
  if (!IsPlanned(record, recipe)) return "";
  if (record.searches().empty()) return "a given plan";
  return record.settings().search().search_split() == SearchSettings::PUBLISHED
             ? "the evaluation list"
             : "videos held out from the training list";
}

ResultRow MakeRow(const NamedRecord& named, const RecipeResult& recipe,
                  const std::vector<std::string>& groups) {
  ResultRow row;
  row.recipe = RowTitle(recipe);
  row.recipe_name = recipe.name();
  row.role = recipe.role();
  row.network = named.record.settings().network().name();
  row.run = named.name;
  row.seed = named.record.settings().seed();
  row.epochs = recipe.epochs();
  row.frames = recipe.frames();
  row.train_seconds = recipe.train_seconds();
  row.chosen_on = ChosenOn(named.record, recipe);
  row.edited = named.check.Edited();
  row.not_official = named.check.not_official;
  if (row.edited) row.run += " (edited)";
  if (recipe.has_test()) FillTest(recipe.test(), groups, &row);
  if (row.role != RecipeResult::ROLE_UNSPECIFIED) {
    row.total_frames = TotalFrames(recipe);
    if (row.top1.has_value()) row.interval = WilsonInterval(*row.top1, row.videos);
  }
  return row;
}

// Of the values that are there, the median (the mean of the middle two where their number is even)
// or the mean.
std::optional<double> Middle(const std::vector<std::optional<double>>& values, bool mean) {
  std::vector<double> known;
  for (const std::optional<double>& value : values) {
    if (value.has_value()) known.push_back(*value);
  }
  if (known.empty()) return std::nullopt;
  if (mean) return Mean(known);
  std::sort(known.begin(), known.end());
  return (known[(known.size() - 1) / 2] + known[known.size() / 2]) / 2;
}

template <typename Get>
std::optional<double> MiddleOf(const std::vector<const ResultRow*>& rows, Get get) {
  std::vector<std::optional<double>> values;
  for (const ResultRow* row : rows) values.push_back(get(*row));
  return Middle(values, rows[0]->role != RecipeResult::ROLE_UNSPECIFIED);
}

ResultRow SeedsRow(const std::vector<const ResultRow*>& rows) {
  const bool mean = rows[0]->role != RecipeResult::ROLE_UNSPECIFIED;
  ResultRow row;
  const bool one_title =
      absl::c_all_of(rows, [&](const ResultRow* one) { return one->recipe == rows[0]->recipe; });
  row.recipe = absl::StrCat(one_title || !mean ? rows[0]->recipe : RoleTitle(rows[0]->role),
                            mean ? ", mean of " : ", median of ", rows.size(), " seeds");
  row.recipe_name = rows[0]->recipe_name;
  row.role = rows[0]->role;
  row.network = rows[0]->network;
  for (const ResultRow* one : rows) {
    if (row.not_official.empty()) row.not_official = one->not_official;
  }
  row.top1 = MiddleOf(rows, [](const ResultRow& one) { return one.top1; });
  row.top3 = MiddleOf(rows, [](const ResultRow& one) { return one.top3; });
  row.top5 = MiddleOf(rows, [](const ResultRow& one) { return one.top5; });
  row.mean_class_accuracy =
      MiddleOf(rows, [](const ResultRow& one) { return one.mean_class_accuracy; });
  for (size_t i = 0; i < rows[0]->groups.size(); ++i) {
    row.groups.push_back(MiddleOf(rows, [i](const ResultRow& one) {
      return i < one.groups.size() ? one.groups[i] : std::nullopt;
    }));
  }
  if (!mean) return row;
  std::vector<double> shares;
  int videos = rows[0]->videos;
  for (const ResultRow* one : rows) {
    shares.push_back(*one->top1);
    videos = std::min(videos, one->videos);
  }
  row.interval = MeanInterval(shares, videos);
  return row;
}

// Of different seeds.  A role that one row of a run has is the recipe: the best of the fixed
// schedules may be another one with each seed.
bool IsSameRecipe(const ResultRow& a, const ResultRow& b) {
  const bool by_name = a.role == RecipeResult::ROLE_UNSPECIFIED ||
                       a.role == RecipeResult::HAND_TUNED || a.role == RecipeResult::FIXED;
  return a.role == b.role && a.network == b.network && (!by_name || a.recipe_name == b.recipe_name);
}

// A row for each recipe that was tested with several seeds.
std::vector<ResultRow> SeedsRows(const std::vector<ResultRow>& rows) {
  std::vector<std::vector<const ResultRow*>> families;
  for (const ResultRow& row : rows) {
    if (!row.top1.has_value() || row.edited) continue;
    const auto found = std::find_if(families.begin(), families.end(), [&](const auto& family) {
      return IsSameRecipe(*family[0], row);
    });
    if (found == families.end()) {
      families.push_back({&row});
    } else if (std::none_of(found->begin(), found->end(),
                            [&](const ResultRow* member) { return member->seed == row.seed; })) {
      found->push_back(&row);
    }
  }
  std::vector<ResultRow> middle;
  for (const auto& family : families) {
    if (family.size() > 1) middle.push_back(SeedsRow(family));
  }
  return middle;
}

void AddPublished(const PublishedFigures& figures, ResultTable* table) {
  // Neither a miniature nor one's own data ever stands beside published figures.
  if (table->scale != BenchmarkSettings::FULL) return;
  for (ResultRow& row : table->rows) {
    const PublishedFigure* figure =
        FigureToReproduce(figures, table->benchmark, row.network, row.recipe_name);
    if (figure == nullptr) continue;
    Judge(*figure, &row);
    table->tolerance_reason = figure->tolerance_reason();
  }
  for (const PublishedFigure& figure : figures.figures()) {
    if (figure.benchmark() == table->benchmark && figure.role() == PublishedFigure::CONTEXT) {
      table->context.push_back(figure);
    }
  }
}

void AddGroups(const RunRecord& record, ResultTable* table) {
  for (const RecipeResult& recipe : record.recipes()) {
    for (const TestResult::ClassResult& group : recipe.test().groups()) {
      std::vector<std::string>& groups = table->groups;
      if (std::find(groups.begin(), groups.end(), group.name()) == groups.end()) {
        groups.push_back(group.name());
      }
    }
  }
}

ResultTable* FindTable(const RunRecord& record, std::vector<ResultTable>* tables) {
  const BenchmarkSettings& settings = record.settings();
  const int split = OfficialSplit(settings.dataset());
  const uint32_t test_videos = settings.scale() == BenchmarkSettings::OWN ? TestVideos(record) : 0;
  for (ResultTable& table : *tables) {
    if (table.benchmark == settings.benchmark() && table.scale == settings.scale() &&
        table.split == split && table.test_videos == test_videos) {
      return &table;
    }
  }
  tables->emplace_back();
  tables->back().benchmark = settings.benchmark();
  tables->back().scale = settings.scale();
  tables->back().split = split;
  tables->back().test_videos = test_videos;
  return &tables->back();
}

}  // namespace

bool HasRoles(const ResultTable& table) {
  return absl::c_any_of(
      table.rows, [](const ResultRow& row) { return row.role != RecipeResult::ROLE_UNSPECIFIED; });
}

std::vector<ResultTable> MakeTables(absl::Span<const NamedRecord> records,
                                    const PublishedFigures& figures, const TableOptions& options) {
  std::vector<ResultTable> tables;
  // Groups first: every row has a place for each.
  for (const NamedRecord& named : records) {
    AddGroups(named.record, FindTable(named.record, &tables));
  }
  for (const NamedRecord& named : records) {
    ResultTable* table = FindTable(named.record, &tables);
    if (named.check.Edited()) {
      table->warnings.push_back(DescribeEdit(named.name, named.check));
    } else if (!named.check.not_official.empty()) {
      table->warnings.push_back(absl::StrCat(
          named.name, " is not held against published figures: ", named.check.not_official, "."));
    }
    for (const RecipeResult& recipe : named.record.recipes()) {
      if (recipe.role() == RecipeResult::FIXED && !options.all) {
        ++table->hidden;
      } else {
        table->rows.push_back(MakeRow(named, recipe, table->groups));
      }
    }
  }
  for (ResultTable& table : tables) {
    for (ResultRow& row : SeedsRows(table.rows)) table.rows.push_back(std::move(row));
    AddPublished(figures, &table);
  }
  return tables;
}

}  // namespace op3d
