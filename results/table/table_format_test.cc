#include "results/table/table_format.h"

#include <nlohmann/json.hpp>

#include "op3d/base/testing/status_matchers.h"
#include "results/table/published.h"
#include "results/testing/fixture_record.h"

namespace op3d::results {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A short miniature: two recipes, two groups.
std::vector<ResultTable> Miniature() {
  RunRecord record = MakeFixtureRecord();
  record.mutable_recipes()->RemoveLast();
  record.mutable_recipes(0)->set_title("planned|, \"cs\"");
  for (RecipeResult& recipe : *record.mutable_recipes()) {
    recipe.mutable_test()->mutable_groups()->RemoveLast();
  }
  record.mutable_recipes(1)->mutable_test()->set_top5(0.123456);
  return MakeTables({{"run-1", record}}, PublishedFigures());
}

std::vector<ResultTable> Full() {
  PublishedFigures figures;
  PublishedFigure* figure = figures.add_figures();
  figure->set_benchmark("kinetics600");
  figure->set_source("A paper");
  figure->set_top1_percent(82.7);
  figure->set_role(PublishedFigure::REPRODUCE);
  figure->set_recipe("planned");
  figure->add_networks("dg_p3d_resnet50");
  figure->set_tolerance_points(1);
  figure->set_tolerance_reason("chance.");
  figure = figures.add_figures();
  figure->set_benchmark("kinetics600");
  figure->set_title("Another network");
  figure->set_source("Its paper");
  figure->set_top1_percent(81.5);
  figure->set_role(PublishedFigure::CONTEXT);
  RunRecord record = MakeFullFixtureRecord("kinetics600", 0.81);
  record.mutable_recipes()->DeleteSubrange(1, 2);
  record.mutable_recipes(0)->mutable_test()->clear_head_top1();
  return MakeTables({{"run-1", record}}, figures);
}

// The expected texts below were checked by a person; a line of a table is a line here, however
// long.

TEST(TableFormatTest, TextOfAMiniature) {
  EXPECT_EQ(RenderTables(Miniature(), TableFormat::kText), R"(Kinetics-400, miniature scale

recipe                                     network           seed  epochs   frames  views  top-1  top-3  top-5  mean class  appearance  short  temporal  spatial   training  run
planned|, "cs"                             dg_p3d_miniature     1      33  280,800   10x3   93.3   98.0   99.3        93.3        87.8   95.0      92.2     92.9       55 s  run-1
hand-tuned: 16-frame cosine, equal frames  dg_p3d_miniature     1      65  280,800   20x3   86.3   95.9   12.3        86.3        95.6   98.3      85.2     85.9  1 min 2 s  run-1

Synthetic video and a small network: these figures show that the pipeline works, say nothing about real video, and are never compared with published ones.
Plan chosen on videos held out from the training list: run-1.
Shares in percent; views are clips x crops; columns of groups and heads: top-1.
)");
}

TEST(TableFormatTest, TextOfFullScale) {
  EXPECT_EQ(RenderTables(Full(), TableFormat::kText), R"(Kinetics-600, full scale

recipe           network          seed  epochs   frames  views  top-1  top-3  top-5  mean class  training  published  difference  tolerance  verdict  source     run
planned          dg_p3d_resnet50     1      33  280,800   10x3   81.0   98.0   99.3        93.3      55 s       82.7        -1.7        1.0  below    A paper    run-1
Another network                                                                                                 81.5                                  Its paper

Tolerance, in points: chance.
Plan chosen on videos held out from the training list: run-1.
Shares in percent; views are clips x crops; columns of groups and heads: top-1.
)");
}

TEST(TableFormatTest, Markdown) {
  EXPECT_EQ(RenderTables(Miniature(), TableFormat::kMarkdown), R"(### Kinetics-400, miniature scale

| recipe | network | seed | epochs | frames | views | top-1 | top-3 | top-5 | mean class | appearance | short | temporal | spatial | training | run |
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|
| planned\|, "cs" | dg_p3d_miniature | 1 | 33 | 280,800 | 10x3 | 93.3 | 98.0 | 99.3 | 93.3 | 87.8 | 95.0 | 92.2 | 92.9 | 55 s | run-1 |
| hand-tuned: 16-frame cosine, equal frames | dg_p3d_miniature | 1 | 65 | 280,800 | 20x3 | 86.3 | 95.9 | 12.3 | 86.3 | 95.6 | 98.3 | 85.2 | 85.9 | 1 min 2 s | run-1 |

Synthetic video and a small network: these figures show that the pipeline works, say nothing about real video, and are never compared with published ones.
Plan chosen on videos held out from the training list: run-1.
Shares in percent; views are clips x crops; columns of groups and heads: top-1.
)");
}

TEST(TableFormatTest, RowsWithRoles) {
  RunRecord record = MakeRolesFixtureRecord();
  record.mutable_recipes()->DeleteSubrange(1, 4);
  for (RecipeResult& recipe : *record.mutable_recipes()) {
    recipe.mutable_test()->clear_head_top1();
    recipe.mutable_test()->mutable_groups()->DeleteSubrange(0, 2);
  }
  EXPECT_EQ(RenderTables(MakeTables({{"run-1", record}}, PublishedFigures()), TableFormat::kText),
            R"(Kinetics-400, miniature scale

recipe                       network           seed  epochs     frames  frames, search included  views  top-1  95 % of top-1  top-3  top-5  mean class  long   training  run
planned: the search's model  dg_p3d_miniature     1      33    280,800                1,684,800   10x3   95.9   92.9 to 97.7   98.6   99.2        95.9  95.0  1 min 0 s  run-1
best of the fixed schedules  dg_p3d_miniature     1      33    280,800                1,684,800   10x3   93.3   89.7 to 95.7   97.8   98.7        93.3  91.7  1 min 0 s  run-1
one long run                 dg_p3d_miniature     1      33  1,684,800                1,684,800   10x3   94.8   91.5 to 96.9   98.3   99.0        94.8  95.0  1 min 0 s  run-1

Synthetic video and a small network: these figures show that the pipeline works, say nothing about real video, and are never compared with published ones.
Plan chosen on videos held out from the training list: run-1.
Frames, search included: all frames used to get the model; for the best of the fixed schedules those of all schedules. 95 % of top-1: over test videos, of several seeds over videos and seeds.
Left out: 9 rows of single fixed schedules; //results:table -- --all shows them.
Shares in percent; views are clips x crops; columns of groups and heads: top-1.
)");
  TableOptions options;
  options.all = true;
  const std::vector<ResultTable> all = MakeTables({{"run-1", record}}, PublishedFigures(), options);
  EXPECT_THAT(RenderTables(all, TableFormat::kText), HasSubstr("\nfixed: us 8x4, rate / 16 "));
  EXPECT_THAT(RenderTables(all, TableFormat::kText), Not(HasSubstr("Left out:")));
  EXPECT_THAT(
      RenderTables(all, TableFormat::kCsv),
      HasSubstr(
          ",seed,epochs,frames,\"frames, search included\",views,top-1,top-1 from,top-1 to,"));
  const auto json =
      nlohmann::json::parse(RenderTables(all, TableFormat::kJson), nullptr, false)["rows"][1];
  EXPECT_EQ(json["role"], "best_fixed");
  EXPECT_EQ(json["total_frames"], 6 * json["frames"].get<int64_t>());
  EXPECT_LT(json["top1_interval"][0], json["top1"]);
  EXPECT_GT(json["top1_interval"][1], json["top1"]);
}

TEST(TableFormatTest, CsvHasEveryDigitAndQuotes) {
  EXPECT_EQ(
      RenderTables(Miniature(), TableFormat::kCsv),
      R"(benchmark,scale,recipe,network,seed,epochs,frames,views,top-1,top-3,top-5,mean class,appearance,short,temporal,spatial,training,run,chosen on
kinetics400,miniature,"planned|, ""cs""",dg_p3d_miniature,1,33,280800,10x3,93.3333333333,98,99.3333333333,93.3333333333,87.7777777778,95,92.2333333333,92.9333333333,55.4,run-1,videos held out from the training list
kinetics400,miniature,"hand-tuned: 16-frame cosine, equal frames",dg_p3d_miniature,1,65,280800,20x3,86.2962962963,95.8888888889,12.3456,86.2962962963,95.5555555556,98.3333333333,85.1962962963,85.8962962963,62.4,run-1,
)");
  EXPECT_EQ(
      RenderTables(Full(), TableFormat::kCsv),
      R"(benchmark,scale,recipe,network,seed,epochs,frames,views,top-1,top-3,top-5,mean class,training,published,difference,tolerance,verdict,source,run,chosen on
kinetics600,full,planned,dg_p3d_resnet50,1,33,280800,10x3,81,98,99.3333333333,93.3333333333,55.4,82.7,-1.7,1,below,A paper,run-1,videos held out from the training list
kinetics600,full,Another network,,,,,,,,,,,81.5,,,,Its paper,,
)");
}

TEST(TableFormatTest, JsonIsOneObjectALine) {
  std::vector<ResultTable> tables = Miniature();
  tables.push_back(Full()[0]);
  const std::string text = RenderTables(tables, TableFormat::kJson);
  const size_t line = text.find('\n');
  ASSERT_EQ(text.find('\n', line + 1), text.size() - 1);
  const auto first = nlohmann::json::parse(text.substr(0, line), nullptr, false);
  EXPECT_EQ(first["scale"], "miniature");
  EXPECT_EQ(first["rows"][0]["recipe"], "planned");
  EXPECT_EQ(first["rows"][0]["groups"]["appearance"], 79.0 / 90);
  EXPECT_EQ(first["rows"][1]["top5"], 0.123456);
  EXPECT_EQ(first["rows"][0]["chosen_on"], "videos held out from the training list");
  EXPECT_TRUE(first["rows"][1]["chosen_on"].is_null());
  EXPECT_EQ(first["rows"][0].count("published_percent"), 0u);
  const auto second = nlohmann::json::parse(text.substr(line + 1), nullptr, false);
  EXPECT_EQ(second["scale"], "full");
  EXPECT_EQ(second["rows"][0]["published_percent"], 82.7);
  EXPECT_EQ(second["rows"][0]["verdict"], "below");
  EXPECT_EQ(second["context"][0]["title"], "Another network");
}

TEST(TableFormatTest, SaysWhatChoseThePlan) {
  RunRecord held_out = MakeFixtureRecord(), published = held_out, given = held_out;
  published.mutable_settings()->mutable_search()->set_search_split(SearchSettings::PUBLISHED);
  given.clear_searches();
  const std::string text =
      RenderTables(MakeTables({{"a", held_out}, {"b", published}, {"c", given}, {"d", held_out}},
                              *LoadPublishedFigures()),
                   TableFormat::kText);
  EXPECT_THAT(text, HasSubstr("\nPlan chosen on videos held out from the training list: a, d.\n"));
  EXPECT_THAT(text,
              HasSubstr("\nPlan chosen on the evaluation list, which is also the test list: b.\n"));
  EXPECT_THAT(text, HasSubstr("\nPlan given, not searched: c.\n"));
}

TEST(TableFormatTest, TwoTablesAreKeptApart) {
  std::vector<ResultTable> tables = Miniature();
  tables.push_back(Full()[0]);
  EXPECT_THAT(RenderTables(tables, TableFormat::kCsv), HasSubstr("\n\nbenchmark,scale,recipe"));
  EXPECT_THAT(RenderTables(tables, TableFormat::kText),
              HasSubstr("\n\nKinetics-600, full scale\n"));
}

TEST(TableFormatTest, UnknownFigureIsBlank) {
  RunRecord record = MakeFullFixtureRecord("hmdb51", 0.7);
  record.mutable_recipes(0)->clear_test();
  const std::string text =
      RenderTables(MakeTables({{"r", record}}, *LoadPublishedFigures()), TableFormat::kCsv);
  EXPECT_THAT(text,
              HasSubstr("hmdb51,full,planned,dg_p3d_resnet50,1,33,280800,,,,,,,,55.4,,,,,,r"));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
  EXPECT_THAT(text, StartsWith("benchmark,scale,recipe"));
}

TEST(TableFormatTest, Formats) {
  ASSERT_OK_AND_ASSIGN(const TableFormat format, ParseTableFormat("csv"));
  EXPECT_EQ(format, TableFormat::kCsv);
  EXPECT_THAT(ParseTableFormat("xml"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("text, markdown, csv, json")));
}

}  // namespace
}  // namespace op3d::results
