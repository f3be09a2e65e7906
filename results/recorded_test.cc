// Tests the runs in the repository, and adding one.
#include <gmock/gmock.h>

#include <filesystem>
#include <string>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "results/compare/record_comparison.h"
#include "results/record/compact_record.h"
#include "results/record/record.h"
#include "results/record/roles.h"
#include "results/testing/fixture_record.h"
#include "results/verdict/recorded_runs.h"

namespace op3d::results {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(RecordedTest, EveryRecordedRunIsAValidFinishedRecord) {
  ASSERT_OK_AND_ASSIGN(const std::string folder, RunfilePath("results/recorded"));
  int runs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    ASSERT_OK_AND_ASSIGN(const RunRecord record, ReadRecord(entry.path().string()));
    EXPECT_GT(record.recipes_size(), 0) << entry.path();
    for (const RecipeResult& recipe : record.recipes()) EXPECT_GT(recipe.test().videos(), 0);
    EXPECT_EQ(record.settings().scale() == BenchmarkSettings::MINIATURE,
              entry.path().string().find("_miniature") != std::string::npos)
        << entry.path();
    if (HasRoles(record)) {
      EXPECT_LT(std::filesystem::file_size(entry.path() / "record.textproto"), kMostKeptBytes)
          << entry.path() << ": write it with ./bazelw run //results:keep -- RUN";
    }
    ++runs;
  }
  EXPECT_GT(runs, 0);
}

TEST(RecordedTest, EveryRunOfASweepHasAllItsSeeds) {
  ASSERT_OK_AND_ASSIGN(const std::string readme, RunfilePath("results/README.md"));
  ASSERT_OK_AND_ASSIGN(const RecordedRuns recorded,
                       ReadRecordedRuns(std::filesystem::path(readme).parent_path().string()));
  for (const auto& [name, sweep] : recorded.sweeps) {
    for (const std::vector<SweepRun>& runs : sweep.runs) {
      if (runs.empty()) continue;
      EXPECT_EQ(runs.size(), 3) << name << " " << runs[0].folder;
    }
  }
}

TEST(RecordedTest, TheReadmeShowsThem) {
  ASSERT_OK_AND_ASSIGN(const std::string readme, RunfilePath("results/README.md"));
  ASSERT_OK_AND_ASSIGN(const RecordedRuns recorded,
                       ReadRecordedRuns(std::filesystem::path(readme).parent_path().string()));
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(readme));
  ASSERT_OK_AND_ASSIGN(const std::string again, ReplaceRecordedSection(text, recorded));
  EXPECT_EQ(text, again) << "run ./bazelw run //results:keep";
}

TEST(RecordedTest, NamesSayWhatWasRun) {
  BenchmarkSettings settings;
  settings.set_benchmark("hmdb51");
  settings.set_scale(BenchmarkSettings::MINIATURE);
  settings.set_seed(3);
  EXPECT_EQ(KeptName(settings), "hmdb51_miniature_seed3");
  settings.set_benchmark("../mine");
  settings.set_scale(BenchmarkSettings::FULL);
  settings.mutable_dataset()->mutable_train()->set_list("train0{split}.txt");
  settings.mutable_dataset()->set_split(2);
  EXPECT_EQ(KeptName(settings), ".._mine_split2_seed3");
}

TEST(RecordedTest, KeepingARunWritesItCompactlyWithItsLists) {
  const std::string folder = TestFolder("keep"), run = folder + "/run";
  ASSERT_THAT(MakeFolders(run), IsOk());
  RunRecord record = MakeRolesFixtureRecord();
  record.mutable_dataset()->mutable_lists(1)->set_videos_file("search_held_out.tsv");
  ASSERT_THAT(WriteRecord(run, record), IsOk());
  ASSERT_THAT(WriteFileAtomically(run + "/search_held_out.tsv", "a\n"), IsOk());
  ASSERT_OK_AND_ASSIGN(const Kept kept, KeepRun(run, folder + "/recorded", ""));
  EXPECT_EQ(kept.path, folder + "/recorded/kinetics400_miniature_seed1");
  EXPECT_LT(kept.bytes, kMostKeptBytes);
  EXPECT_GT(kept.bytes, 10000);
  ASSERT_OK_AND_ASSIGN(const RunRecord read, ReadRecord(kept.path));
  ComparisonOptions exact;
  exact.exact = true;
  EXPECT_THAT(CompareRecords(read, record, exact), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const std::string list, ReadFile(kept.path + "/search_held_out.tsv"));
  EXPECT_EQ(list, "a\n");

  // The same run again replaces it, one on other videos does not.
  EXPECT_THAT(KeepRun(run, folder + "/recorded", ""), IsOk());
  record.mutable_dataset()->mutable_lists(2)->set_crc32(7);
  ASSERT_THAT(WriteRecord(run, record), IsOk());
  EXPECT_THAT(KeepRun(run, folder + "/recorded", ""),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("give this one another name")));
  EXPECT_THAT(KeepRun(run, folder + "/recorded", "other"), IsOk());

  for (const char* name : {"..", "a/b"}) {
    EXPECT_THAT(KeepRun(run, folder + "/recorded", name),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("bare name")));
  }
  record.clear_recipes();
  ASSERT_THAT(WriteRecord(run, record), IsOk());
  EXPECT_THAT(KeepRun(run, folder + "/recorded", "x"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nothing has been tested")));
  EXPECT_FALSE(FolderExists(folder + "/recorded/x"));
}

TEST(RecordedTest, KeepingASweepWritesItsFinishedRunsAndShowsItsTable) {
  const std::string folder = TestFolder("keep_sweep"), sweep = folder + "/runs";
  ASSERT_THAT(MakeFolders(sweep + "/i3d/seed1"), IsOk());
  ASSERT_THAT(MakeFolders(folder + "/recorded"), IsOk());
  EXPECT_THAT(KeepSweep(sweep, folder + "/sweeps", "networks"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("has no sweep.textproto")));
  Sweep variants;
  variants.set_benchmark("kinetics400");
  for (const char* name : {"i3d", "p3d"}) variants.add_variants()->set_name(name);
  ASSERT_THAT(WriteTextproto(sweep + "/sweep.textproto", variants), IsOk());
  ASSERT_THAT(WriteRecord(sweep + "/i3d/seed1", MakeRolesFixtureRecord()), IsOk());
  EXPECT_THAT(KeepSweep(sweep, folder + "/sweeps", ".."),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("bare name")));
  ASSERT_OK_AND_ASSIGN(const Kept kept, KeepSweep(sweep, folder + "/sweeps", "networks"));
  EXPECT_GT(kept.bytes, 10000);
  EXPECT_THAT(ReadRecord(folder + "/sweeps/networks/i3d/seed1").status(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RecordedRuns recorded, ReadRecordedRuns(folder));
  EXPECT_THAT(recorded.runs, IsEmpty());
  ASSERT_EQ(recorded.sweeps.size(), 1);
  const std::string text = RecordedSection(recorded);
  EXPECT_THAT(text, HasSubstr("The sweep [networks](sweeps/networks) over "));
  EXPECT_THAT(text, HasSubstr("\n| i3d |"));
  // p3d has no run.
  EXPECT_THAT(text, Not(HasSubstr("\n| p3d |")));
}

TEST(RecordedTest, TheSectionHasALineARunAndTheVerdict) {
  const NamedRecord old = {"old", MakeFixtureRecord()},
                    with_roles = {"run", MakeRolesFixtureRecord()};
  const std::string both = RecordedSection({{old, with_roles}, {}});
  EXPECT_THAT(both, HasSubstr("\n| run | seed | videos | planned: model | planned: again | "
                              "published: model | published: again | best fixed | one long run | "
                              "hand-tuned | cost |\n"));
  EXPECT_THAT(both, HasSubstr("\n| [old](recorded/old) | 1 | 270 | | | | 93.3 | | | 95.6 | |\n"));
  EXPECT_THAT(both, HasSubstr("\n| [run](recorded/run) | 1 | 270 | 95.9 | 94.1 | 91.9 | 91.5 | "
                              "93.3 | 94.8 | 92.6 | 6.0 |\n"));
  EXPECT_THAT(both, AllOf(HasSubstr("goals are reached"), Not(HasSubstr("Left out"))));
  EXPECT_THAT(both, Not(HasSubstr("Full scale")));
  const NamedRecord full = {"full", MakeFullFixtureRecord("kinetics400", 0.8)};
  EXPECT_THAT(RecordedSection({{old, full}, {}}),
              HasSubstr("\nFull scale:\n\n| run | seed | videos | published: again | hand-tuned "
                        "|\n|---|---:|---:|---:|---:|\n| [full](recorded/full) "));
  const std::string one = RecordedSection({{old}, {}});
  EXPECT_THAT(one, HasSubstr("\n| run | seed | videos | published: again | hand-tuned |\n"));
  EXPECT_THAT(one, HasSubstr("There is no verdict: no run has rows with roles."));

  ASSERT_OK_AND_ASSIGN(const std::string text,
                       ReplaceRecordedSection("a\n" + both + "z\n", {{old}, {}}));
  EXPECT_EQ(text, "a\n" + one + "z\n");
  EXPECT_THAT(ReplaceRecordedSection("a\n", {{old}, {}}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("//results:keep")));
}

}  // namespace
}  // namespace op3d::results
