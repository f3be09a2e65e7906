#include "results/report/comparison_page.h"

#include <string>
#include <vector>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "results/testing/fixture_record.h"
#include "results/testing/markup_checker.h"

namespace op3d::results {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::vector<NamedRecord> TwoSeeds() {
  NamedRecord one = {"run-1", MakeRolesFixtureRecord()}, two = {"run <2>", one.record};
  two.record.mutable_settings()->set_seed(2);
  TestResult* test = two.record.mutable_recipes(0)->mutable_test();
  test->set_top1(243.0 / 270);
  return {one, two};
}

TEST(ComparisonPageTest, RunsStandSideBySide) {
  const std::vector<NamedRecord> runs = TwoSeeds();
  ASSERT_THAT(CheckComparable(runs), IsOk());
  const std::string page = RenderComparison(runs);
  EXPECT_EQ(MarkupProblem(page), "");
  for (const char* part :
       {"Kinetics-400: 2 runs side by side", "run &lt;2&gt;", "Cost against accuracy",
        "The Pareto front", "Plans", "Performance along the plans",
        "edges that several runs trained", "Settings that differ",
        "<td>seed</td><td>1</td><td>2</td>", "95\u00A0% of the mean",
        // The mean of 95.9 and 90.0.
        "<td class=\"figure\">95.9</td><td class=\"figure\">90.0</td><td "
        "class=\"figure\">93.0</td>",
        "synthetic video and a small network"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  for (const char* fetch : {"http", "src=", "href=", "url(", "<script", "<link"}) {
    EXPECT_THAT(page, Not(HasSubstr(fetch)));
  }
}

TEST(ComparisonPageTest, AMeanNeedsRunsThatDifferInTheSeedAlone) {
  std::vector<NamedRecord> runs = TwoSeeds();
  const auto why = [&] { return RenderComparison(runs); };
  runs[1].record.mutable_settings()->set_seed(1);
  EXPECT_THAT(why(), AllOf(HasSubstr("No mean over the runs: A and B have the same seed, 1, and a "
                                     "seed counts once."),
                           Not(HasSubstr("95\u00A0% of the mean"))));
  runs[1].record.mutable_settings()->set_seed(2);
  runs[1].record.mutable_settings()->mutable_network()->set_dropout(0.5);
  EXPECT_THAT(why(), HasSubstr("A and B differ in more settings than the seed."));
  runs = TwoSeeds();
  runs[1].record.mutable_dataset()->mutable_lists(2)->set_crc32(7);
  EXPECT_THAT(why(), HasSubstr("A and B were tested on different videos."));
  runs = TwoSeeds();
  runs[1].check.faults = {"top-1 is odd"};
  EXPECT_THAT(why(),
              AllOf(HasSubstr("No mean over the runs: B was edited."),
                    HasSubstr("edited by hand or damaged"), HasSubstr("run &lt;2&gt; (edited)")));
}

TEST(ComparisonPageTest, RunsThatDoNotGoTogetherAreRefused) {
  std::vector<NamedRecord> runs = TwoSeeds();
  const auto refused = [&](const std::string& sentence) {
    EXPECT_THAT(WriteComparison(TestFolder("refused"), runs),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(sentence)));
  };
  runs[1].record = runs[0].record;
  refused(
      "run-1 and run <2> are the same run, of seed 1; a seed counts once, so leave one of them "
      "out");
  runs[1].record.mutable_settings()->set_benchmark("hmdb51");
  refused(
      "run-1 is a run on Kinetics-400 and run <2> one on HMDB51: their figures say nothing about "
      "each other; give runs of one dataset and scale, or use //results:table, which makes a table "
      "of each");
  runs = TwoSeeds();
  runs[1].record.mutable_settings()->set_scale(BenchmarkSettings::FULL);
  refused("run-1 is a run at miniature scale and run <2> one at full scale: their figures say ");
  runs.pop_back();
  refused("at least two runs");
}

TEST(ComparisonPageTest, UnfinishedRunsAreShown) {
  std::vector<NamedRecord> runs = TwoSeeds();
  runs[1].record.clear_recipes();
  runs[1].record.clear_plan();
  runs[1].record.clear_searches();
  const std::string folder = TestFolder("unfinished");
  ASSERT_THAT(WriteComparison(folder, runs), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string page, ReadFile(folder + "/comparison.html"));
  EXPECT_EQ(MarkupProblem(page), "");
  EXPECT_THAT(page, HasSubstr("not tested"));
}

}  // namespace
}  // namespace op3d::results
