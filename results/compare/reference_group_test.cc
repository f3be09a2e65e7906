#include "results/compare/reference_group.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "results/record/named_records.h"
#include "results/record/record.h"
#include "results/testing/fixture_record.h"

namespace op3d::results {
namespace {

using testing::HasSubstr;

NamedRecord Reached(uint64_t seed, double model, double fixed) {
  NamedRecord named;
  named.name = absl::StrCat("run", seed);
  named.record.mutable_settings()->set_seed(seed);
  RecipeResult& row = *named.record.add_recipes();
  row.set_name("planned_model");
  row.set_title("the model");
  row.set_role(RecipeResult::PLANNED_MODEL);
  row.mutable_test()->set_top1(model);
  RecipeResult& best = *named.record.add_recipes();
  // Another schedule is best with another seed.
  best.set_name(absl::StrCat("fixed_", seed));
  best.set_role(RecipeResult::BEST_FIXED);
  best.mutable_test()->set_top1(fixed);
  return named;
}

TEST(ReferenceGroupTest, TheLimitIsThatOfStudent) {
  const std::vector<NamedRecord> group = {Reached(1, 0.90, 0.5), Reached(2, 0.92, 0.5),
                                          Reached(3, 0.94, 0.5)};
  ASSERT_OK_AND_ASSIGN(GroupTest test, TestAgainstGroup(Reached(4, 0.86, 0.5), group));
  ASSERT_EQ(test.rows.size(), 2);
  // t(0.95, 2) = 2.91999, s = 0.02: 0.92 - 2.91999 x 0.02 x sqrt(4 / 3).
  EXPECT_NEAR(test.rows[0].limit, 0.852565, 1e-5);
  EXPECT_NEAR(test.rows[0].mean, 0.92, 1e-12);
  // Without spread the mean itself is the limit.
  EXPECT_NEAR(test.rows[1].limit, 0.5, 1e-12);
  EXPECT_TRUE(test.passes());
  ASSERT_OK_AND_ASSIGN(test, TestAgainstGroup(Reached(4, 0.84, 0.5), group));
  EXPECT_FALSE(test.passes());
  EXPECT_THAT(DescribeGroupTest(test),
              testing::AllOf(HasSubstr("1.3 points too low"), HasSubstr("does not pass: 1 of 2")));
}

TEST(ReferenceGroupTest, AGroupHasItsMeansAndIntervals) {
  std::vector<NamedRecord> runs = {Reached(3, 0.94, 0.5), Reached(1, 0.90, 0.5),
                                   Reached(2, 0.92, 0.5)};
  for (NamedRecord& run : runs) {
    for (RecipeResult& row : *run.record.mutable_recipes()) row.mutable_test()->set_videos(100);
    run.record.mutable_recipes(0)->set_total_frames(1000 * run.record.settings().seed());
  }
  ASSERT_OK_AND_ASSIGN(const SeedGroup group, MakeSeedGroup(runs));
  ASSERT_EQ(group.runs_size(), 3);
  EXPECT_EQ(group.runs(0).folder(), "run1");
  EXPECT_EQ(group.runs(2).seed(), 3);
  EXPECT_EQ(group.runs(2).record_sha256(), RecordSha256(runs[0].record));
  EXPECT_EQ(group.test_videos(), 100);
  ASSERT_EQ(group.rows_size(), 2);
  const SeedGroup::Row& model = group.rows(0);
  EXPECT_THAT(model.top1(), testing::ElementsAre(0.90, 0.92, 0.94));
  EXPECT_NEAR(model.mean(), 0.92, 1e-12);
  EXPECT_EQ(model.total_frames(), 2000);
  // t(0.975, 2) = 4.30265; of the seeds 4.30265^2 x 0.02^2 / 3, of the videos
  // 1.95996^2 x 0.0733333 / 100 (the mean of p (1 - p)).
  EXPECT_NEAR(model.low(), 0.92 - 0.072701, 1e-5);
  EXPECT_NEAR(model.high(), 0.92 + 0.072701, 1e-5);
  EXPECT_THAT(DescribeSeedGroup(group), HasSubstr("92.0   84.7 to  99.3"));
  runs[0] = runs[1];
  EXPECT_THAT(MakeSeedGroup(runs),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("the same seed, 1")));
}

TEST(ReferenceGroupTest, AGroupHoldsWhileItsRecordsAreTheSame) {
  const std::string folder = TestFolder("group");
  std::vector<std::string> paths;
  for (const uint64_t seed : {1, 2}) {
    RunRecord record = MakeRolesFixtureRecord();
    record.mutable_settings()->set_seed(seed);
    paths.push_back(JoinPath(folder, absl::StrCat("seed", seed)));
    ASSERT_THAT(MakeFolders(paths.back()), IsOk());
    ASSERT_THAT(WriteRecord(paths.back(), record), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(std::vector<NamedRecord> runs, ReadNamedRecords(paths));
  ASSERT_OK_AND_ASSIGN(const SeedGroup group, MakeSeedGroup(runs));
  const std::string file = JoinPath(folder, kGroupFile);
  ASSERT_THAT(WriteTextproto(file, group), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::vector<NamedRecord> read, ReadSeedGroup(file));
  EXPECT_EQ(read.size(), 2);
  // A run is not tested against itself.
  EXPECT_THAT(TestAgainstGroup(runs[0], read).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("itself in the group")));
  // Frames of a row that states none of its own search are all its frames.
  for (const SeedGroup::Row& row : group.rows()) EXPECT_GT(row.total_frames(), 0) << row.title();
  runs[1].record.add_notes("another");
  ASSERT_THAT(WriteRecord(paths[1], runs[1].record), IsOk());
  EXPECT_THAT(ReadSeedGroup(file).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has another record")));
}

TEST(ReferenceGroupTest, WhatIsNoGroupIsASentence) {
  const NamedRecord candidate = Reached(9, 0.9, 0.5);
  const auto refused = [&](const std::vector<NamedRecord>& group, const char* why) {
    EXPECT_THAT(TestAgainstGroup(candidate, group).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why)));
  };
  refused({Reached(1, 0.9, 0.5)}, "1 reference runs given");
  refused({Reached(1, 0.9, 0.5), Reached(1, 0.8, 0.5)}, "the same seed, 1");
  refused({Reached(1, 0.9, 0.5), candidate}, "is itself in the group");
  NamedRecord other = Reached(2, 0.9, 0.5);
  other.record.mutable_settings()->mutable_network()->set_name("i3d_resnet50");
  refused({Reached(1, 0.9, 0.5), other}, "run2 and run1 differ in more settings than the seed");
  other = Reached(2, 0.9, 0.5);
  DatasetReport::List& list = *other.record.mutable_dataset()->add_lists();
  list.set_name("evaluation");
  list.set_crc32(7);
  refused({Reached(1, 0.9, 0.5), other}, "not tested on the same videos");
  other = Reached(2, 0.9, 0.5);
  NamedRecord third = Reached(1, 0.9, 0.5);
  for (NamedRecord* one : {&other, &third}) {
    for (RecipeResult& row : *one->record.mutable_recipes()) row.clear_test();
  }
  refused({third, other}, "no tested row that all references have");
}

}  // namespace
}  // namespace op3d::results
