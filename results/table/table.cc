#include "results/table/table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "results/record/format.h"
#include "results/record/headline.h"
#include "results/record/record.h"
#include "results/record/roles.h"
#include "results/table/published.h"

namespace op3d::results {
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

// `settings`: DecisiveSettings() of the record.
ResultRow MakeRow(const NamedRecord& named, const RecipeResult& recipe, const std::string& settings,
                  const std::vector<std::string>& groups) {
  ResultRow row;
  row.recipe = RowTitle(recipe);
  row.recipe_name = recipe.name();
  row.role = recipe.role();
  row.network = named.record.settings().network().name();
  row.run = named.name;
  row.seed = named.record.settings().seed();
  row.settings = settings;
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

// The median of the existing values (the mean of the middle two if their number is even)
// or their mean.
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
  row.settings = rows[0]->settings;
  for (const ResultRow* one : rows) {
    if (row.not_official.empty()) row.not_official = one->not_official;
  }
  for (const auto figure : kFigures) {
    row.*figure = MiddleOf(rows, [figure](const ResultRow& one) { return one.*figure; });
  }
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

// Whether rows are of one recipe by their role, network and name.  If a run has only one row with a
// role, the role identifies it: the best of the fixed schedules may differ from seed to seed.
bool IsSameKind(const ResultRow& a, const ResultRow& b) {
  const bool by_name = a.role == RecipeResult::ROLE_UNSPECIFIED ||
                       a.role == RecipeResult::HAND_TUNED || a.role == RecipeResult::FIXED;
  return a.role == b.role && a.network == b.network && (!by_name || a.recipe_name == b.recipe_name);
}

// Whether rows with different seeds or splits are the same recipe: also of runs with equal settings.
bool IsSameRecipe(const ResultRow& a, const ResultRow& b) {
  return IsSameKind(a, b) && a.settings == b.settings;
}

// One sentence if several seeds have no common mean because their runs had other settings.
std::string DifferentSettings(const std::vector<ResultRow>& rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      const bool counted = rows[i].top1.has_value() && rows[k].top1.has_value() &&
                           !rows[i].edited && !rows[k].edited;
      if (!counted || rows[i].seed == rows[k].seed || !IsSameKind(rows[i], rows[k]) ||
          IsSameRecipe(rows[i], rows[k])) {
        continue;
      }
      return absl::StrCat(rows[k].run, " and ", rows[i].run,
                          " differ in more settings than the seed (./bazelw run //results:compare "
                          "shows which): only runs with equal settings have a common mean.");
    }
  }
  return "";
}

// One row for each recipe that was tested with several seeds.
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

// One sentence for each seed that several runs have of one planned recipe.
std::vector<std::string> RepeatedSeeds(const std::vector<ResultRow>& rows) {
  const auto is_planned = [](const ResultRow& row) {
    return row.role == RecipeResult::PLANNED_MODEL || row.role == RecipeResult::PUBLISHED_MODEL ||
           (row.role == RecipeResult::ROLE_UNSPECIFIED && !row.chosen_on.empty());
  };
  std::vector<std::string> sentences;
  for (size_t i = 0; i < rows.size(); ++i) {
    const ResultRow& row = rows[i];
    if (!row.top1.has_value() || row.edited || !is_planned(row)) continue;
    const auto first = std::find_if(rows.begin(), rows.begin() + i, [&](const ResultRow& other) {
      return other.top1.has_value() && !other.edited && IsSameRecipe(other, row) &&
             other.seed == row.seed;
    });
    if (first == rows.begin() + i) continue;
    sentences.push_back(absl::StrCat(first->run, " and ", row.run, " both have seed ",
                                     row.seed.value_or(0), " of \"", row.recipe,
                                     "\": a seed counts once, as ", first->run, " has it."));
  }
  return sentences;
}

// The mean over splits of one recipe; `splits` holds the rows of each split.
ResultRow SplitsRow(const std::vector<std::vector<const ResultRow*>>& splits) {
  // For several seeds of a split their mean.
  std::vector<ResultRow> means;
  for (const std::vector<const ResultRow*>& rows : splits) {
    ResultRow row = *rows[0];
    for (const auto figure : kFigures) {
      std::vector<std::optional<double>> values;
      for (const ResultRow* one : rows) values.push_back(one->*figure);
      row.*figure = Middle(values, /*mean=*/true);
    }
    means.push_back(std::move(row));
  }
  const ResultRow& first = means[0];
  ResultRow row;
  const bool one_title =
      absl::c_all_of(means, [&](const ResultRow& one) { return one.recipe == first.recipe; });
  row.recipe = absl::StrCat(one_title ? first.recipe : RoleTitle(first.role), ", mean of ",
                            means.size(), " splits");
  row.recipe_name = first.recipe_name;
  row.role = first.role;
  row.network = first.network;
  row.clips = first.clips;
  row.crops = first.crops;
  for (const auto figure : kFigures) {
    std::vector<std::optional<double>> values;
    for (const ResultRow& one : means) values.push_back(one.*figure);
    row.*figure = Middle(values, /*mean=*/true);
  }
  std::vector<double> top1;
  for (size_t i = 0; i < means.size(); ++i) {
    top1.push_back(*means[i].top1);
    for (const ResultRow* one : splits[i]) {
      if (row.not_official.empty()) row.not_official = one->not_official;
    }
  }
  row.deviation = std::sqrt(SampleVariance(top1));
  row.range = ShareInterval{*absl::c_min_element(top1), *absl::c_max_element(top1)};
  return row;
}

// The rows of `table` that are the same recipe as `row` and count in a mean.
std::vector<const ResultRow*> SameRecipe(const ResultTable& table, const ResultRow& row) {
  std::vector<const ResultRow*> same;
  for (const ResultRow& other : table.rows) {
    // A row over seeds has no seed: its members count instead.
    if (!other.edited && other.top1.has_value() && other.seed.has_value() &&
        IsSameRecipe(other, row) &&
        absl::c_none_of(same, [&](const ResultRow* one) { return one->seed == other.seed; })) {
      same.push_back(&other);
    }
  }
  return same;
}

// The means over the splits of `tables`, which have one benchmark and scale.
ResultTable SplitsTable(const std::vector<const ResultTable*>& tables) {
  ResultTable table;
  table.benchmark = tables[0]->benchmark;
  table.scale = tables[0]->scale;
  for (const ResultTable* split : tables) table.splits.push_back(split->split);
  std::vector<const ResultRow*> seen;
  for (const ResultRow& row : tables[0]->rows) {
    if (row.role == RecipeResult::FIXED ||
        absl::c_any_of(seen, [&](const ResultRow* one) { return IsSameRecipe(*one, row); })) {
      continue;
    }
    seen.push_back(&row);
    std::vector<std::vector<const ResultRow*>> splits;
    for (const ResultTable* split : tables) splits.push_back(SameRecipe(*split, row));
    if (absl::c_any_of(splits, [](const auto& rows) { return rows.empty(); })) continue;
    table.rows.push_back(SplitsRow(splits));
  }
  return table;
}

void AddPublished(const PublishedFigures& figures, ResultTable* table) {
  // Neither a miniature nor a user's own data is ever shown next to published figures.
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

// The test lists that were used for each split of a benchmark and scale.
using TestsOfSplit = std::map<std::tuple<std::string, int, int>, std::set<uint32_t>>;

TestsOfSplit TestsOfSplits(absl::Span<const NamedRecord> records) {
  TestsOfSplit tests;
  for (const NamedRecord& named : records) {
    const BenchmarkSettings& settings = named.record.settings();
    const uint32_t videos = TestVideos(named.record);
    if (videos == 0 || named.check.Edited()) continue;
    tests[{settings.benchmark(), settings.scale(), OfficialSplit(settings.dataset())}].insert(
        videos);
  }
  return tests;
}

// The tables; after the last split of a benchmark and scale comes that of the means over them.
std::vector<ResultTable> WithMeansOverSplits(std::vector<ResultTable> tables,
                                             const TestsOfSplit& tests) {
  const auto same_set = [](const ResultTable& a, const ResultTable& b) {
    return a.benchmark == b.benchmark && a.scale == b.scale && a.split > 0 && b.split > 0;
  };
  std::vector<ResultTable> means;
  for (size_t i = 0; i < tables.size(); ++i) {
    std::vector<const ResultTable*> splits;
    bool first = true;
    for (size_t k = 0; k < tables.size(); ++k) {
      if (!same_set(tables[i], tables[k])) continue;
      first = first && k >= i;
      splits.push_back(&tables[k]);
    }
    if (!first || splits.size() < 2) continue;
    std::sort(splits.begin(), splits.end(),
              [](const ResultTable* a, const ResultTable* b) { return a->split < b->split; });
    // A user's own data may have other videos under the same name and split.
    std::set<int> numbers;
    std::set<uint32_t> videos;
    size_t lists = 0;
    for (const ResultTable* split : splits) {
      numbers.insert(split->split);
      const auto found = tests.find({split->benchmark, split->scale, split->split});
      if (found == tests.end()) continue;
      videos.insert(found->second.begin(), found->second.end());
      lists += found->second.size();
    }
    std::string why;
    if (numbers.size() < splits.size()) why = "one split was tested on several lists of videos";
    if (videos.size() < lists) {
      why = "two splits were tested on the same videos, so one is not what it says";
    }
    if (!why.empty()) {
      tables[i].warnings.push_back(absl::StrCat("No mean over splits: ", why, "."));
      continue;
    }
    ResultTable mean = SplitsTable(splits);
    if (!mean.rows.empty()) means.push_back(std::move(mean));
  }
  for (ResultTable& mean : means) {
    size_t last = 0;
    for (size_t k = 0; k < tables.size(); ++k) {
      if (tables[k].benchmark == mean.benchmark && tables[k].scale == mean.scale) last = k;
    }
    tables.insert(tables.begin() + static_cast<std::ptrdiff_t>(last) + 1, std::move(mean));
  }
  return tables;
}

}  // namespace

bool HasRoles(const ResultTable& table) {
  return absl::c_any_of(
      table.rows, [](const ResultRow& row) { return row.role != RecipeResult::ROLE_UNSPECIFIED; });
}

std::vector<ResultTable> MakeTables(absl::Span<const NamedRecord> records,
                                    const PublishedFigures& figures, const TableOptions& options) {
  std::vector<ResultTable> tables;
  // Groups first, because every row has a place for each.
  for (const NamedRecord& named : records) {
    AddGroups(named.record, FindTable(named.record, &tables));
  }
  for (const NamedRecord& named : records) {
    ResultTable* table = FindTable(named.record, &tables);
    if (named.check.Edited()) {
      table->warnings.push_back(DescribeEdit(named.name, named.check));
    } else if (!named.check.not_official.empty()) {
      table->warnings.push_back(absl::StrCat(
          named.name, " is not compared with published figures: ", named.check.not_official, "."));
    }
    const std::string settings = DecisiveSettings(named.record);
    for (const RecipeResult& recipe : named.record.recipes()) {
      if (recipe.role() == RecipeResult::FIXED && !options.all) {
        ++table->hidden;
      } else {
        table->rows.push_back(MakeRow(named, recipe, settings, table->groups));
      }
    }
  }
  for (ResultTable& table : tables) {
    std::string different = DifferentSettings(table.rows);
    if (!different.empty()) table.warnings.push_back(std::move(different));
    for (std::string& sentence : RepeatedSeeds(table.rows)) {
      table.warnings.push_back(std::move(sentence));
    }
    for (ResultRow& row : SeedsRows(table.rows)) table.rows.push_back(std::move(row));
  }
  tables = WithMeansOverSplits(std::move(tables), TestsOfSplits(records));
  for (ResultTable& table : tables) AddPublished(figures, &table);
  return tables;
}

}  // namespace op3d::results
