#include "results/table/sweep_table.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "results/record/record.h"
#include "results/testing/fixture_record.h"

namespace op3d::results {
namespace {

using testing::HasSubstr;

SweepRun RunOf(uint64_t seed, double model, double fixed, uint32_t videos = 1) {
  RunRecord record;
  record.mutable_settings()->set_seed(seed);
  DatasetReport::List& list = *record.mutable_dataset()->add_lists();
  list.set_name("evaluation");
  list.set_crc32(videos);
  RecipeResult& row = *record.add_recipes();
  row.set_role(RecipeResult::PLANNED_MODEL);
  row.set_total_frames(1000 * static_cast<int64_t>(seed));
  row.mutable_test()->set_top1(model);
  RecipeResult& other = *record.add_recipes();
  other.set_role(RecipeResult::BEST_FIXED);
  other.mutable_test()->set_top1(fixed);
  return {"", record};
}

Sweep Variants(const std::vector<std::string>& names) {
  Sweep sweep;
  sweep.set_benchmark("kinetics400");
  for (const std::string& name : names) {
    sweep.add_variants()->set_name(name);
    sweep.mutable_variants()->rbegin()->set_title(absl::StrCat("net ", name));
  }
  return sweep;
}

TEST(SweepTableTest, MeansAndPairedDifferences) {
  SweepRuns runs;
  runs.sweep = Variants({"a", "b", "none", "c"});
  // Of b from a: +10 and +12 points, with one degree of freedom 11 +- 12.706.  Of b from its best
  // fixed: +10 and +22 points, 16 +- 12.706 * 6.
  runs.runs = {{RunOf(1, 0.5, 0.4), RunOf(2, 0.6, 0.6)},
               {RunOf(1, 0.6, 0.5), RunOf(2, 0.72, 0.5)},
               {},
               {RunOf(3, 0.9, 0.9)}};
  EXPECT_EQ(RenderSweep(runs, TableFormat::kText),
            "variant  what is different  runs  search's model  best fixed  model - best fix"
            "ed (95 %)       model - a (95 %)  frames, search included\n"
            "a        net a                 2            55.0        50.0      +5.0 (-58.5 "
            "to +68.5)                                           1,500\n"
            "b        net b                 2            66.0        50.0     +16.0 (-60.2 "
            "to +92.2)  +11.0 (-1.7 to +23.7)                    1,500\n"
            "c        net c                 1            90.0        90.0                  "
            "     +0.0                                           3,000\n");
  EXPECT_THAT(RenderSweep(runs, TableFormat::kMarkdown),
              HasSubstr("| b | net b | 2 | 66.0 | 50.0 | +16.0 (-60.2 to +92.2) | "
                        "+11.0 (-1.7 to +23.7) | 1,500 |\n"));
  EXPECT_THAT(RenderSweep(runs, TableFormat::kCsv), HasSubstr("\nc,net c,1,90,90,,,0,,,,,,3000\n"));
  EXPECT_THAT(RenderSweep(runs, TableFormat::kJson),
              HasSubstr(R"("difference_from_best_fixed":{"mean":0.0,"interval":null},)"
                        R"("difference_from_first":null,"total_frames":3000.0})"));
}

TEST(SweepTableTest, PairsHaveTheSameVideosAndSeed) {
  SweepRuns runs;
  runs.sweep = Variants({"a", "b"});
  // Splits with one seed: 1 with 1, 2 with 2.
  runs.runs = {{RunOf(1, 0.5, 0.5, 1), RunOf(1, 0.8, 0.8, 2)},
               {RunOf(1, 0.9, 0.9, 2), RunOf(1, 0.6, 0.6, 1)}};
  EXPECT_THAT(RenderSweep(runs, TableFormat::kText), HasSubstr("+10.0 (+10.0 to +10.0)"));
}

TEST(SweepTableTest, ReadsTheFolderOfASweep) {
  const std::string folder = TestFolder("sweep");
  EXPECT_THAT(ReadSweepRuns(folder).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("has no sweep.textproto")));
  const Sweep sweep = Variants({"a", "b"});
  ASSERT_THAT(WriteTextproto(JoinPath(folder, kSweepFile), sweep), IsOk());
  EXPECT_THAT(ReadSweepRuns(folder).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no variant")));
  for (const char* run : {"a/seed1", "a/seed2", "b"}) {
    const std::string path = JoinPath(folder, run);
    ASSERT_THAT(MakeFolders(path), IsOk());
    ASSERT_THAT(WriteRecord(path, MakeRolesFixtureRecord()), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const SweepRuns runs, ReadSweepRuns(folder));
  ASSERT_EQ(runs.runs.size(), 2);
  EXPECT_EQ(runs.runs[0].size(), 2);
  EXPECT_EQ(runs.runs[0][1].folder, "a/seed2");
  EXPECT_EQ(runs.runs[1].size(), 1);
  const std::string path = JoinPath(folder, "b/record.textproto");
  ASSERT_OK_AND_ASSIGN(std::string text, ReadFile(path));
  const size_t at = text.find("seed: 1");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 7, "seed: 2");
  ASSERT_THAT(WriteFileAtomically(path, text), IsOk());
  EXPECT_THAT(ReadSweepRuns(folder).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("edited by hand")));
}

}  // namespace
}  // namespace op3d::results
