#include "results/verdict/verdict.h"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "op3d/base/testing/status_matchers.h"
#include "results/record/record.h"
#include "results/testing/fixture_record.h"

namespace op3d::results {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kPlan = 1000;

void AddRow(RecipeResult::Role role, double top1, int64_t total_frames, RunRecord* record) {
  RecipeResult* row = record->add_recipes();
  row->set_name(RecipeResult::Role_Name(role));
  row->set_role(role);
  row->set_frames(kPlan);
  row->set_total_frames(total_frames);
  row->mutable_test()->set_videos(100);
  row->mutable_test()->set_top1(top1);
}

// A miniature's run whose planned model cost `cost` times its plan.
NamedRecord MakeRun(const std::string& set, uint64_t seed, double planned, double best,
                    double cost = 5) {
  NamedRecord named;
  named.name = absl::StrCat(set, "-", seed);
  named.record.mutable_settings()->set_benchmark(set);
  named.record.mutable_settings()->set_scale(BenchmarkSettings::MINIATURE);
  named.record.mutable_settings()->set_seed(seed);
  const int64_t total = std::llround(cost * kPlan);
  AddRow(RecipeResult::PLANNED_MODEL, planned, total, &named.record);
  AddRow(RecipeResult::BEST_FIXED, best, total, &named.record);
  return named;
}

double Binomial(double share) { return share * (1 - share) / 100; }

TEST(VerdictTest, SetsCountOnceHoweverManySeedsTheyHave) {
  const std::vector<NamedRecord> records = {
      MakeRun("hmdb51", 1, 0.80, 0.78), MakeRun("hmdb51", 2, 0.84, 0.78),
      MakeRun("ucf101", 1, 0.90, 0.90), MakeRun("kinetics400", 1, 0.95, 0.93, 8)};
  ASSERT_OK_AND_ASSIGN(const Verdict verdict, ComputeVerdict(records));
  ASSERT_EQ(verdict.sets.size(), 3u);
  EXPECT_EQ(verdict.runs, 4);
  EXPECT_EQ(verdict.seeds, 1);
  EXPECT_EQ(verdict.sets[0].name, "HMDB51 miniature");
  EXPECT_EQ(verdict.sets[0].seeds, 2);
  EXPECT_NEAR(verdict.sets[0].difference, 0.04, 1e-12);
  // Means of the sets 4, 2 and 0 points: t with 2 degrees of freedom, standard deviation 2.
  EXPECT_NEAR(verdict.mean_difference, 0.02, 1e-12);
  const double half = 4.30265273 * 0.02 / std::sqrt(3);
  EXPECT_NEAR(verdict.interval.low, 0.02 - half, 1e-8);
  EXPECT_NEAR(verdict.interval.high, 0.02 + half, 1e-8);
  EXPECT_NEAR(verdict.cost_ratio, 6, 1e-12);
  EXPECT_NEAR(verdict.largest_cost_ratio, 8, 1e-12);
  EXPECT_FALSE(verdict.long_run_difference.has_value());
}

TEST(VerdictTest, ASetsErrorHasVideosAndSeeds) {
  ASSERT_OK_AND_ASSIGN(const Verdict verdict, ComputeVerdict({MakeRun("hmdb51", 1, 0.80, 0.83),
                                                              MakeRun("hmdb51", 2, 0.84, 0.85)}));
  const double videos = (Binomial(0.80) + Binomial(0.83) + Binomial(0.84) + Binomial(0.85)) / 2;
  const double seeds = 0.0002 / 2;  // of -0.03 and -0.01
  const double error = std::sqrt(videos + seeds);
  EXPECT_NEAR(verdict.sets[0].error, error, 1e-12);
  EXPECT_NEAR(verdict.worst_set_z, -0.02 / error, 1e-9);
  // One set: its own error.
  EXPECT_NEAR(verdict.interval.low, -0.02 - 1.96 * error, 1e-9);
  EXPECT_THAT(verdict.interval_method, HasSubstr("the one set"));
}

TEST(VerdictTest, SplitsHaveVideosOfTheirOwn) {
  std::vector<NamedRecord> records = {MakeRun("mine", 1, 0.80, 0.78),
                                      MakeRun("mine", 2, 0.84, 0.78),
                                      MakeRun("mine", 1, 0.90, 0.90)};
  for (size_t i = 0; i < records.size(); ++i) {
    DatasetReport::List* list = records[i].record.mutable_dataset()->add_lists();
    list->set_name("evaluation");
    list->set_crc32(i < 2 ? 1 : 2);
  }
  ASSERT_OK_AND_ASSIGN(const Verdict verdict, ComputeVerdict(records));
  ASSERT_EQ(verdict.sets.size(), 1u);
  EXPECT_EQ(verdict.sets[0].runs, 3);
  EXPECT_EQ(verdict.sets[0].seeds, 2);
  const double spread = 0.0008;  // of 0.02 and 0.06
  const double first = (Binomial(0.80) + Binomial(0.84)) / 2 + Binomial(0.78) + spread / 2;
  const double second = 2 * Binomial(0.90) + spread;
  EXPECT_NEAR(verdict.sets[0].error, std::sqrt(first * 4 / 9 + second / 9), 1e-12);
}

TEST(VerdictTest, OnesOwnDataIsNoMiniature) {
  NamedRecord own = MakeRun("ucf101", 1, 0.9, 0.8);
  own.record.mutable_settings()->clear_scale();
  ASSERT_OK_AND_ASSIGN(const Verdict verdict,
                       ComputeVerdict({own, MakeRun("ucf101", 1, 0.7, 0.8)}));
  ASSERT_EQ(verdict.sets.size(), 2u);
  EXPECT_EQ(verdict.sets[1].name, "ucf101");
}

TEST(VerdictTest, WhereTheRightVideosAreKnownOnlyTheOthersCount) {
  NamedRecord named = {"fixture", MakeRolesFixtureRecord()};
  ASSERT_OK_AND_ASSIGN(const Verdict paired, ComputeVerdict({named}));
  for (RecipeResult& recipe : *named.record.mutable_recipes()) recipe.mutable_test()->clear_right();
  ASSERT_OK_AND_ASSIGN(const Verdict unpaired, ComputeVerdict({named}));
  EXPECT_LT(paired.sets[0].error, unpaired.sets[0].error);
  EXPECT_NEAR(paired.mean_difference, 7.0 / 270, 1e-12);
  EXPECT_NEAR(*paired.long_run_difference, 3.0 / 270, 1e-12);
  EXPECT_NEAR(*paired.published_difference, 11.0 / 270, 1e-12);
  EXPECT_NEAR(paired.cost_ratio, 6, 1e-12);
  EXPECT_NEAR(paired.sets[0].rival_frames, 1, 1e-12);
}

TEST(VerdictTest, ThePublishedMethodCountsInTheRunsThatHaveIt) {
  std::vector<NamedRecord> records = {MakeRun("hmdb51", 1, 0.80, 0.78),
                                      MakeRun("hmdb51", 2, 0.84, 0.78)};
  AddRow(RecipeResult::PUBLISHED_MODEL, 0.75, 8 * kPlan, &records[1].record);
  ASSERT_OK_AND_ASSIGN(const Verdict verdict, ComputeVerdict(records));
  EXPECT_NEAR(*verdict.sets[0].published, 0.09, 1e-12);
  EXPECT_EQ(verdict.sets[0].published_runs, 1);
  EXPECT_THAT(DescribeVerdict(verdict),
              HasSubstr("The published method was run in 1 of 2 runs of HMDB51 miniature"));
}

TEST(VerdictTest, LongRunsCountWhereEveryRunOfTheSetHasThem) {
  std::vector<NamedRecord> records = {MakeRun("hmdb51", 1, 0.80, 0.78),
                                      MakeRun("hmdb51", 2, 0.84, 0.78),
                                      MakeRun("ucf101", 1, 0.90, 0.90)};
  AddRow(RecipeResult::LONG_RUN, 0.79, 5 * kPlan, &records[0].record);
  AddRow(RecipeResult::LONG_RUN, 0.91, 5 * kPlan, &records[2].record);
  AddRow(RecipeResult::PUBLISHED_AGAIN, 0.85, 9 * kPlan, &records[2].record);
  ASSERT_OK_AND_ASSIGN(Verdict verdict, ComputeVerdict(records));
  EXPECT_FALSE(verdict.sets[0].long_run.has_value());
  EXPECT_NEAR(*verdict.long_run_difference, -0.01, 1e-12);
  EXPECT_NEAR(*verdict.published_difference, 0.05, 1e-12);
  // The search's model if there is one.
  AddRow(RecipeResult::PUBLISHED_MODEL, 0.88, 8 * kPlan, &records[2].record);
  ASSERT_OK_AND_ASSIGN(verdict, ComputeVerdict(records));
  EXPECT_NEAR(*verdict.published_difference, 0.02, 1e-12);
}

TEST(VerdictTest, RowsOfOneRunMayComeFromSeveralRecords) {
  NamedRecord planned = MakeRun("hmdb51", 1, 0.80, 0.78), published = planned;
  published.name = "published";
  published.record.mutable_recipes()->DeleteSubrange(0, 1);
  AddRow(RecipeResult::PUBLISHED_MODEL, 0.70, 8 * kPlan, &published.record);
  ASSERT_OK_AND_ASSIGN(const Verdict verdict, ComputeVerdict({planned, published}));
  EXPECT_EQ(verdict.runs, 1);
  EXPECT_NEAR(*verdict.published_difference, 0.10, 1e-12);
  published.record.mutable_recipes(0)->mutable_test()->set_top1(0.5);
  EXPECT_THAT(ComputeVerdict({planned, published}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("records hmdb51-1 and published both have the row BEST_FIXED of "
                                 "HMDB51 miniature, seed 1")));
}

TEST(VerdictTest, UnusableRecordsAreNamed) {
  NamedRecord half = MakeRun("hmdb51", 1, 0.80, 0.78);
  half.record.mutable_recipes()->RemoveLast();
  const NamedRecord old = {"old", MakeFixtureRecord()};
  EXPECT_THAT(ComputeVerdict({half, old}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("old: its rows have no roles; hmdb51-1 (HMDB51 miniature, seed "
                                 "1): no tested row BEST_FIXED")));
  EXPECT_THAT(ComputeVerdict({}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no record")));
  ASSERT_OK_AND_ASSIGN(const Verdict verdict,
                       ComputeVerdict({half, MakeRun("ucf101", 1, 0.9, 0.8)}));
  EXPECT_THAT(verdict.left_out,
              ElementsAre("hmdb51-1 (HMDB51 miniature, seed 1): no tested row BEST_FIXED"));
  EXPECT_THAT(DescribeVerdict(verdict), HasSubstr("Left out: hmdb51-1"));
  NamedRecord other = MakeRun("hmdb51", 1, 0.80, 0.78);
  other.record.mutable_recipes(1)->mutable_test()->set_videos(99);
  EXPECT_THAT(ComputeVerdict({other}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tested on 99 videos")));
}

TEST(VerdictTest, SaysEachGoalInASentence) {
  std::vector<NamedRecord> records;
  int index = 0;
  for (const char* set : {"hmdb51", "ucf101", "kinetics400"}) {
    for (const int seed : {1, 2, 3}) {
      records.push_back(MakeRun(set, seed, 0.90 + 0.002 * index, 0.88));
      AddRow(RecipeResult::LONG_RUN, 0.91, 5 * kPlan, &records.back().record);
      AddRow(RecipeResult::PUBLISHED_MODEL, 0.85, 8 * kPlan, &records.back().record);
    }
    ++index;
  }
  records[0].record.mutable_recipes(1)->set_total_frames(4 * kPlan);
  ASSERT_OK_AND_ASSIGN(Verdict verdict, ComputeVerdict(records));
  // The text was checked by a person.
  EXPECT_EQ(DescribeVerdict(verdict),
            R"(The planned model minus each rival, points of top-1

set                      runs  seeds  best fixed  error      z  long run  published   cost
HMDB51 miniature            3      3        +2.0    4.4    0.5      -1.0       +5.0    5.0
Kinetics-400 miniature      3      3        +2.4    4.4    0.5      -0.6       +5.4    5.0
UCF101 miniature            3      3        +2.2    4.4    0.5      -0.8       +5.2    5.0

best fixed, long run, published: the mean over runs.  error: the standard error of the first, over
videos and seeds.  z: best fixed / error.  cost: frames of search and plan / frames of the plan.

yes: the planned model minus the best of the fixed schedules is +2.2 points in the mean over 3 sets; the goal is at least +1.0.
yes: its 95 % interval is +1.7 to +2.7 points (Student's t over the means of 3 sets); the goal is above 0.
yes: the worst set, HMDB51 miniature, is +0.5 standard errors from a tie; the goal is no set below -1.
no: the planned model minus one long run is -0.8 points in the mean over 3 sets; the goal is at least 0, missed by 0.8 points.
yes: the planned model minus the published method is +5.2 points in the mean and +5.0 on the worst of 3 sets; the goal is above 0 on every set.
yes: search and plan took 5.0 times the frames of the plan on average over sets, 5.0 on the most expensive; the goal is at most 6.
Not at equal total frames: on HMDB51 miniature the fixed schedules had 80 % of the frames of search and plan.
5 of 6 goals are reached; not: long run difference (3 sets with 3 seeds each; the goals are meant for 9 with 3).
)");
  records.resize(1);
  records[0].record.mutable_recipes(0)->mutable_test()->set_top1(0.7);
  records[0].record.mutable_recipes(0)->set_total_frames(9 * kPlan);
  records[0].record.mutable_recipes()->DeleteSubrange(2, 1);
  ASSERT_OK_AND_ASSIGN(verdict, ComputeVerdict(records));
  const std::string text = DescribeVerdict(verdict);
  for (const char* part :
       {"no: the planned model minus the best of the fixed schedules is -18.0 points",
        "at least +1.0, missed by 19.0 points.\n",
        "no: the worst set, HMDB51 miniature, is -3.2 standard errors from a tie",
        "no set below -1, missed by 2.2.\n", "\nopen: the planned model minus one long run",
        "above 0 on every set, missed on HMDB51 miniature.\n", "at most 6, missed by 3.0.\n",
        "\n0 of 6 goals are reached; not: mean difference, interval, worst set z, "}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(VerdictTest, NoChanceLeftIsNoDivisionByZero) {
  ASSERT_OK_AND_ASSIGN(const Verdict level, ComputeVerdict({MakeRun("hmdb51", 1, 1, 1)}));
  EXPECT_EQ(level.worst_set_z, 0);
  ASSERT_OK_AND_ASSIGN(const Verdict all, ComputeVerdict({MakeRun("hmdb51", 1, 1, 0)}));
  EXPECT_EQ(all.worst_set_z, 100);
  EXPECT_THAT(VerdictJson(all), Not(HasSubstr("nan")));
}

TEST(VerdictTest, JsonHasTheKeysThatProgramsRead) {
  ASSERT_OK_AND_ASSIGN(const Verdict verdict, ComputeVerdict({MakeRun("hmdb51", 1, 0.80, 0.78),
                                                              MakeRun("ucf101", 1, 0.9, 0.9)}));
  const auto json = nlohmann::json::parse(VerdictJson(verdict), nullptr, false);
  EXPECT_EQ(json["sets"], 2);
  EXPECT_EQ(json["seeds"], 1);
  EXPECT_NEAR(json["mean_difference"].get<double>(), 0.01, 1e-12);
  EXPECT_EQ(json["interval"].size(), 2u);
  EXPECT_LT(json["interval"][0], 0.01);
  EXPECT_EQ(json["worst_set_z"], 0);
  EXPECT_EQ(json["cost_ratio"], 5);
  EXPECT_TRUE(json["long_run_difference"].is_null());
  EXPECT_TRUE(json["published_difference"].is_null());
  EXPECT_EQ(json["by_set"][0]["set"], "HMDB51 miniature");
  EXPECT_EQ(json["goals"].size(), 6u);
  EXPECT_EQ(json["goals"][5]["reached"], true);
  EXPECT_TRUE(json["goals"][3]["reached"].is_null());
}

}  // namespace
}  // namespace op3d::results
