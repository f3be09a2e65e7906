#include "results/table/table.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/base/testing/status_matchers.h"
#include "results/table/published.h"
#include "results/table/table_format.h"
#include "results/testing/fixture_record.h"

namespace op3d::results {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

PublishedFigures Figures() { return *LoadPublishedFigures(); }

TEST(TableTest, MiniatureAndFullScaleNeverShareATable) {
  const std::vector<ResultTable> tables =
      MakeTables({{"small", MakeFixtureRecord()},
                  {"large", MakeFullFixtureRecord("kinetics400", 0.8)},
                  {"small again", MakeFixtureRecord()}},
                 Figures());
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(tables[0].scale, BenchmarkSettings::MINIATURE);
  EXPECT_EQ(tables[0].rows.size(), 6u);
  EXPECT_TRUE(tables[0].context.empty());
  for (const ResultRow& row : tables[0].rows) EXPECT_FALSE(row.published.has_value());
  EXPECT_EQ(tables[1].scale, BenchmarkSettings::FULL);
  EXPECT_EQ(tables[1].rows.size(), 3u);
}

RunRecord OwnRecord(uint32_t test_videos) {
  RunRecord record = MakeFullFixtureRecord("kinetics400", 0.8);
  record.mutable_settings()->set_scale(BenchmarkSettings::OWN);
  for (DatasetReport::List& list : *record.mutable_dataset()->mutable_lists()) {
    if (list.name() == "evaluation") list.set_crc32(test_videos);
  }
  return record;
}

// A part of a published dataset may have the same name.
TEST(TableTest, OnesOwnDataStandsBesideTheSameTestVideosAlone) {
  const std::vector<ResultTable> tables =
      MakeTables({{"published", MakeFullFixtureRecord("kinetics400", 0.8)},
                  {"mine", OwnRecord(7)},
                  {"another list", OwnRecord(8)},
                  {"mine again", OwnRecord(7)}},
                 Figures());
  ASSERT_EQ(tables.size(), 3u);
  EXPECT_EQ(tables[1].scale, BenchmarkSettings::OWN);
  EXPECT_EQ(tables[1].rows.size(), 2 * tables[2].rows.size());
  EXPECT_TRUE(tables[1].context.empty());
  for (const ResultRow& row : tables[1].rows) {
    EXPECT_FALSE(row.published.has_value());
    EXPECT_EQ(row.verdict, "");
  }
  const std::string text = RenderTables({tables[1]}, TableFormat::kText);
  EXPECT_THAT(text, HasSubstr("kinetics400, own data\n"));
  EXPECT_THAT(text, HasSubstr("no published figures for these videos"));
  EXPECT_THAT(text, testing::Not(HasSubstr("Synthetic")));
  EXPECT_THAT(RenderTables({tables[1]}, TableFormat::kJson), HasSubstr("\"scale\":\"own\""));
}

TEST(TableTest, SplitsNeverShareATable) {
  std::vector<NamedRecord> records;
  for (const int split : {0, 2, 1}) {
    RunRecord record = MakeFixtureRecord();
    record.mutable_settings()->set_benchmark("ucf101");
    record.mutable_settings()->mutable_dataset()->mutable_train()->set_list(
        "ucfTrainTestlist/trainlist0{split}.txt");
    record.mutable_settings()->mutable_dataset()->set_split(split);
    records.push_back({absl::StrCat("run ", split), record});
  }
  const std::vector<ResultTable> tables = MakeTables(records, Figures());
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(tables[0].split, 1);  // 0 stands for the first
  EXPECT_EQ(tables[0].rows.size(), 2 * tables[1].rows.size());
  EXPECT_EQ(tables[1].split, 2);
  EXPECT_THAT(RenderTables(tables, TableFormat::kText), HasSubstr("UCF101 split 2, miniature"));
  EXPECT_THAT(RenderTables(tables, TableFormat::kCsv), HasSubstr("\nucf101 split 2,miniature"));
  EXPECT_THAT(RenderTables(tables, TableFormat::kJson), HasSubstr("\"split\""));
}

TEST(TableTest, AMiniatureIsNotHeldAgainstFiguresWhateverItsNetwork) {
  RunRecord record = MakeFixtureRecord();
  record.mutable_settings()->mutable_network()->set_name("dg_p3d_resnet50");
  const std::vector<ResultTable> tables = MakeTables({{"run", record}}, Figures());
  EXPECT_FALSE(tables[0].rows[0].published.has_value());
  EXPECT_EQ(tables[0].rows[0].verdict, "");
}

TEST(TableTest, VerdictsAtAndBeyondTheTolerance) {
  const auto planned = [](double top1) {
    return MakeTables({{"run", MakeFullFixtureRecord("kinetics400", top1)}}, Figures())[0].rows[0];
  };
  EXPECT_EQ(planned(0.805).verdict, "reproduced");
  EXPECT_EQ(planned(0.798).verdict, "reproduced");
  EXPECT_EQ(planned(0.79).verdict, "below");
  EXPECT_EQ(planned(0.82).verdict, "above");
  const ResultRow row = planned(0.79);
  EXPECT_EQ(row.published, 80.5);
  EXPECT_NEAR(*row.difference, -1.5, 1e-9);
  EXPECT_EQ(row.tolerance, 1.0);
  EXPECT_THAT(row.source, HasSubstr("ICML 2021"));
}

TEST(TableTest, UnknownFiguresStayBlank) {
  const std::vector<ResultTable> tables =
      MakeTables({{"run", MakeFullFixtureRecord("ucf101", 0.9)}}, Figures());
  EXPECT_FALSE(tables[0].rows[0].published.has_value());
  EXPECT_EQ(tables[0].rows[0].verdict, "");
  EXPECT_TRUE(tables[0].context.empty());
  // A hand-tuned row has no published figure even where the planned one has.
  EXPECT_FALSE(MakeTables({{"run", MakeFullFixtureRecord("kinetics400", 0.8)}}, Figures())[0]
                   .rows[1]
                   .published.has_value());
}

TEST(TableTest, RecipesWithoutATestHaveARowWithoutFigures) {
  RunRecord record = MakeFullFixtureRecord("kinetics400", 0.8);
  record.mutable_recipes(0)->clear_test();
  const std::vector<ResultTable> tables = MakeTables({{"run", record}}, Figures());
  EXPECT_FALSE(tables[0].rows[0].top1.has_value());
  EXPECT_EQ(tables[0].rows[0].published, 80.5);
  EXPECT_EQ(tables[0].rows[0].verdict, "");
}

TEST(TableTest, GroupsAreNamedInTheOrderOfTheRecords) {
  RunRecord other = MakeFixtureRecord();
  for (RecipeResult& recipe : *other.mutable_recipes()) {
    recipe.mutable_test()->mutable_groups(2)->set_name("very long");
  }
  const std::vector<ResultTable> tables =
      MakeTables({{"a", MakeFixtureRecord()}, {"b", other}}, Figures());
  EXPECT_THAT(tables[0].groups, ElementsAre("appearance", "short", "long", "very long"));
  EXPECT_TRUE(tables[0].rows[0].groups[2].has_value());
  EXPECT_FALSE(tables[0].rows[0].groups[3].has_value());
  EXPECT_FALSE(tables[0].rows[3].groups[2].has_value());
}

TEST(TableTest, RowsWithRolesHaveAllFramesAndAnInterval) {
  const RunRecord record = MakeRolesFixtureRecord();
  const ResultTable table = MakeTables({{"run", record}}, Figures())[0];
  EXPECT_TRUE(HasRoles(table));
  ASSERT_EQ(table.rows.size(), 7u);
  EXPECT_EQ(table.hidden, 9);
  const ResultRow& model = table.rows[0];
  EXPECT_EQ(model.recipe, "planned: the search's model");
  EXPECT_EQ(model.total_frames, 6 * *model.frames);
  EXPECT_EQ(model.chosen_on, "videos held out from the training list");
  EXPECT_EQ(table.rows[4].recipe, "hand-tuned: 64-frame cosine");
  EXPECT_EQ(table.rows[4].chosen_on, "");
  // Wilson's interval of 259 of 270.
  EXPECT_NEAR(model.interval->low, 0.928532, 1e-6);
  EXPECT_NEAR(model.interval->high, 0.977101, 1e-6);
  TableOptions options;
  options.all = true;
  const ResultTable whole = MakeTables({{"run", record}}, Figures(), options)[0];
  EXPECT_EQ(whole.rows.size(), 16u);
  EXPECT_EQ(whole.hidden, 0);
}

TEST(TableTest, SeedsOfRowsWithRolesHaveAMean) {
  std::vector<NamedRecord> records;
  for (const double top1 : {0.90, 0.94, 0.95}) {
    RunRecord record = MakeRolesFixtureRecord();
    record.mutable_settings()->set_seed(records.size() + 1);
    record.mutable_recipes(0)->mutable_test()->set_top1(top1);
    // The best fixed schedule differs from seed to seed.
    record.mutable_recipes(5)->set_name(absl::StrCat("best_fixed_", records.size()));
    record.mutable_recipes(5)->set_title(absl::StrCat("best of 9: number ", records.size()));
    records.push_back({"run", record});
  }
  const ResultTable table = MakeTables(records, Figures())[0];
  ASSERT_EQ(table.rows.size(), 4u * 7);
  EXPECT_EQ(table.rows[3 * 7 + 5].recipe, "best of the fixed schedules, mean of 3 seeds");
  const ResultRow& mean = table.rows[3 * 7];
  EXPECT_EQ(mean.recipe, "planned: the search's model, mean of 3 seeds");
  EXPECT_NEAR(*mean.top1, 0.93, 1e-12);
  EXPECT_EQ(mean.interval->low, MeanInterval({0.90, 0.94, 0.95}, 270).low);
  EXPECT_THAT(table.warnings, IsEmpty());

  // With another budget it is another experiment.
  records[2].name = "other";
  records[2].record.mutable_settings()->mutable_sgd()->set_momentum(0.5);
  const ResultTable two = MakeTables(records, Figures())[0];
  EXPECT_EQ(two.rows[3 * 7].recipe, "planned: the search's model, mean of 2 seeds");
  EXPECT_NEAR(*two.rows[3 * 7].top1, 0.92, 1e-12);
  EXPECT_THAT(two.warnings, ElementsAre(HasSubstr("run and other differ in more settings")));
}

// A run on one of the splits of a dataset with several.
NamedRecord OnSplit(int split, uint64_t seed, double top1) {
  RunRecord record = MakeRolesFixtureRecord();
  record.mutable_settings()->set_seed(seed);
  record.mutable_settings()->mutable_dataset()->mutable_evaluation()->set_list("test{split}.txt");
  record.mutable_settings()->mutable_dataset()->set_split(split);
  record.mutable_dataset()->mutable_lists(2)->set_crc32(100 + split);
  record.mutable_recipes(0)->mutable_test()->set_top1(top1);
  return {absl::StrCat("split", split), record};
}

TEST(TableTest, SplitsHaveAMeanWithItsSpread) {
  // Split 2 has two seeds, which count as one.
  std::vector<NamedRecord> records = {OnSplit(2, 1, 0.80), OnSplit(1, 1, 0.75), OnSplit(3, 1, 0.95),
                                      OnSplit(2, 2, 0.90)};
  std::vector<ResultTable> tables = MakeTables(records, Figures());
  ASSERT_EQ(tables.size(), 4u);
  const ResultTable& mean = tables[3];
  EXPECT_THAT(mean.splits, ElementsAre(1, 2, 3));
  ASSERT_EQ(mean.rows.size(), 7u);
  EXPECT_EQ(mean.rows[0].recipe, "planned: the search's model, mean of 3 splits");
  EXPECT_NEAR(*mean.rows[0].top1, 0.85, 1e-12);
  EXPECT_NEAR(*mean.rows[0].deviation, 0.1, 1e-12);
  EXPECT_NEAR(mean.rows[0].range->low, 0.75, 1e-12);
  EXPECT_NEAR(mean.rows[0].range->high, 0.95, 1e-12);
  const std::string text = RenderTables({mean}, TableFormat::kText);
  EXPECT_THAT(text, HasSubstr("Kinetics-400 mean of splits 1, 2, 3, miniature scale"));
  EXPECT_THAT(text, HasSubstr("85.0       10.0    75.0     95.0"));
  EXPECT_THAT(RenderTables({mean}, TableFormat::kJson), HasSubstr("\"splits\":[1,2,3]"));
  EXPECT_THAT(RenderTables({mean}, TableFormat::kCsv),
              HasSubstr("kinetics400 mean of splits 1, 2"));

  // Another network, an edited record or a single split give no mean.
  records.pop_back();
  std::vector<NamedRecord> other = records;
  other[1].record.mutable_settings()->mutable_network()->set_name("dg_p3d_resnet50");
  EXPECT_EQ(MakeTables(other, Figures()).size(), 3u);
  other = records;
  other[1].check.faults = {"top1 is odd"};
  EXPECT_EQ(MakeTables(other, Figures()).size(), 3u);
  EXPECT_EQ(MakeTables({records[0]}, Figures()).size(), 1u);
  // A split that was tested on another split's videos is not counted.
  records[1].record.mutable_dataset()->mutable_lists(2)->set_crc32(103);
  tables = MakeTables(records, Figures());
  EXPECT_EQ(tables.size(), 3u);
  EXPECT_THAT(tables[0].warnings, ElementsAre(HasSubstr("No mean over splits: two splits were "
                                                        "tested on the same videos")));
}

TEST(TableTest, SeveralSeedsGetAMedianAndItIsJudged) {
  std::vector<NamedRecord> records;
  for (const double top1 : {0.78, 0.80, 0.81, 0.83}) {
    RunRecord record = MakeFullFixtureRecord("kinetics400", top1);
    record.mutable_settings()->set_seed(records.size() + 1);
    records.push_back({"run", record});
  }
  const ResultTable table = MakeTables(records, Figures())[0];
  ASSERT_EQ(table.rows.size(), 12u + 3u);
  const ResultRow& median = table.rows[12];
  EXPECT_EQ(median.recipe, "planned, median of 4 seeds");
  EXPECT_NEAR(*median.top1, 0.805, 1e-12);
  EXPECT_EQ(median.verdict, "reproduced");
  EXPECT_FALSE(median.seed.has_value());
  // The same seed twice is one run recorded twice, not two.
  const ResultTable twice = MakeTables({records[0], {"copy", records[0].record}}, Figures())[0];
  EXPECT_EQ(twice.rows.size(), 6u);
  EXPECT_THAT(twice.warnings, ElementsAre("run and copy both have seed 1 of \"planned\": a seed "
                                          "counts once, as run has it."));
  EXPECT_THAT(table.warnings, IsEmpty());
}

}  // namespace
}  // namespace op3d::results
