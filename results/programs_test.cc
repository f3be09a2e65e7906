// Tests the programs as a user calls them: their output and exit codes.
#include <gmock/gmock.h>

#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/io/subprocess.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "planner/graphs/pool.h"
#include "planner/search/search.h"
#include "planner/testing/scripted_runner.h"
#include "results/record/record.h"
#include "results/testing/fixture_record.h"

namespace op3d::results {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Ended {
  int code = -1;
  // stdout and stderr.
  std::string output;
};

Ended Call(const std::string& program, const std::string& arguments) {
  static int calls = 0;
  SubprocessOptions options;
  options.command = {"/bin/sh", "-c", absl::StrCat(*RunfilePath(program), " ", arguments)};
  options.log = JoinPath(TestFolder(absl::StrCat("call", ++calls)), "log");
  const std::unique_ptr<Subprocess> child = *Subprocess::Start(options);
  const int code = child->Wait();
  return {code, *ReadFile(options.log)};
}

std::string WriteRun(const std::string& name, uint64_t seed) {
  const std::string folder = TestFolder(name);
  RunRecord record = MakeFixtureRecord();
  record.mutable_settings()->set_seed(seed);
  EXPECT_THAT(WriteRecord(folder, record), IsOk());
  return folder;
}

TEST(ProgramsTest, CompareEndsWith0Or1Or2) {
  const std::string a = WriteRun("a", 1), b = WriteRun("b", 1), c = WriteRun("c", 2);
  const auto compare = [](const std::string& words) {
    return Call("results/compare/compare", words);
  };
  const Ended equal = compare(absl::StrCat(a, " ", b));
  EXPECT_EQ(equal.code, 0) << equal.output;
  EXPECT_THAT(equal.output, HasSubstr("The runs are equal within the tolerances"));
  const Ended differ = compare(absl::StrCat(a, " ", c));
  EXPECT_EQ(differ.code, 1);
  EXPECT_THAT(differ.output, HasSubstr("settings > seed: 1 against 2"));
  EXPECT_THAT(compare(absl::StrCat("--json ", a, " ", c)).output, HasSubstr("{\"equal\":false"));
  EXPECT_EQ(compare(a).code, 2);
  EXPECT_EQ(compare(absl::StrCat(a, " ", a, "/none")).code, 2);
  EXPECT_EQ(compare(absl::StrCat(a, " ", b, " --share_tolerance=-1")).code, 2);
  // These records have no scores files, only checksums.
  const Ended exact = compare(absl::StrCat(a, " ", b, " --exact"));
  EXPECT_EQ(exact.code, 0);
  EXPECT_THAT(exact.output, HasSubstr("equal in every bit"));
  EXPECT_THAT(exact.output, HasSubstr("the checksums of scores and weights were compared"));
  EXPECT_THAT(WriteFileAtomically(JoinPath(a, "scores.safetensors"), "x"), IsOk());
  EXPECT_THAT(WriteFileAtomically(JoinPath(b, "scores.safetensors"), "x"), IsOk());
  EXPECT_EQ(compare(absl::StrCat(a, " ", b)).code, 2);
}

TEST(ProgramsTest, TableReadsRecordsAndFindsRuns) {
  const std::string run = WriteRun("run-7", 1);
  const Ended table = Call("results/table/table", absl::StrCat(run, " --format=markdown"));
  EXPECT_EQ(table.code, 0) << table.output;
  EXPECT_THAT(table.output,
              AllOf(HasSubstr("### Kinetics-400, miniature scale"), HasSubstr("| run-7 |")));
  EXPECT_EQ(Call("results/table/table", run + "/none").code, 2);
  EXPECT_EQ(Call("results/table/table", run + " --format=pdf").code, 2);
  ASSERT_THAT(WriteRecord(run, MakeRolesFixtureRecord()), IsOk());
  EXPECT_EQ(Call("results/table/table", run).output.find("fixed: cs 16"), std::string::npos);
  EXPECT_THAT(Call("results/table/table", run + " --all").output, HasSubstr("fixed: cs 16"));

  const std::string workspace = TestFolder("workspace");
  ASSERT_EQ(::setenv("BUILD_WORKSPACE_DIRECTORY", workspace.c_str(), 1), 0);
  const Ended none = Call("results/table/table", "");
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.output, HasSubstr("no recorded run under"));
  ASSERT_THAT(MakeFolders(workspace + "/results/runs/good"), IsOk());
  ASSERT_THAT(MakeFolders(workspace + "/results/runs/unfinished"), IsOk());
  ASSERT_THAT(MakeFolders(workspace + "/results/runs/broken"), IsOk());
  ASSERT_THAT(WriteRecord(workspace + "/results/runs/good", MakeFixtureRecord()), IsOk());
  ASSERT_THAT(WriteFileAtomically(workspace + "/results/runs/broken/record.textproto", "plan"),
              IsOk());
  const Ended found = Call("results/table/table", "");
  EXPECT_EQ(found.code, 0);
  EXPECT_THAT(found.output,
              AllOf(HasSubstr("1 recorded run under"), HasSubstr("unfinished has no record yet"),
                    HasSubstr("left out:"), HasSubstr("planned")));
  ASSERT_EQ(::unsetenv("BUILD_WORKSPACE_DIRECTORY"), 0);
}

TEST(ProgramsTest, VerdictEndsWith0WhateverTheGoalsAnd2WhereItCannotSay) {
  const std::string workspace = TestFolder("verdicts");
  const std::string good = workspace + "/results/recorded/good";
  ASSERT_THAT(MakeFolders(good), IsOk());
  ASSERT_THAT(MakeFolders(workspace + "/results/recorded/old"), IsOk());
  ASSERT_THAT(WriteRecord(good, MakeRolesFixtureRecord()), IsOk());
  ASSERT_THAT(WriteRecord(workspace + "/results/recorded/old", MakeFixtureRecord()), IsOk());
  const Ended named = Call("results/verdict/verdict", good);
  EXPECT_EQ(named.code, 0) << named.output;
  EXPECT_THAT(named.output,
              AllOf(HasSubstr("yes: the planned model minus the best of the fixed"),
                    HasSubstr("no: its 95 % interval"), HasSubstr("5 of 6 goals are reached")));
  ASSERT_EQ(::setenv("BUILD_WORKSPACE_DIRECTORY", workspace.c_str(), 1), 0);
  const Ended found = Call("results/verdict/verdict", "--json");
  EXPECT_EQ(found.code, 0) << found.output;
  EXPECT_THAT(found.output, HasSubstr("{\"sets\":1,\"seeds\":1,"));
  ASSERT_THAT(RemoveFile(good + "/record.textproto"), IsOk());
  const Ended empty = Call("results/verdict/verdict", "");
  EXPECT_EQ(empty.code, 2);
  EXPECT_THAT(empty.output, HasSubstr("has no record yet"));
  ASSERT_THAT(WriteRecord(good, MakeFixtureRecord()), IsOk());
  const Ended old = Call("results/verdict/verdict", "");
  EXPECT_EQ(old.code, 2);
  EXPECT_THAT(old.output, HasSubstr("none of the 2 records under"));
  ASSERT_EQ(::unsetenv("BUILD_WORKSPACE_DIRECTORY"), 0);
  EXPECT_EQ(Call("results/verdict/verdict", good).code, 2);
  EXPECT_EQ(Call("results/verdict/verdict", good + "/none").code, 2);
}

TEST(ProgramsTest, AnEditedRecordIsCalledSoAndGetsNoVerdict) {
  const std::string whole = TestFolder("whole"), edited = TestFolder("edited");
  for (const std::string& folder : {whole, edited}) {
    ASSERT_THAT(WriteRecord(folder, MakeRolesFixtureRecord()), IsOk());
  }
  RunRecord record;
  ASSERT_THAT(ReadTextproto(RecordPath(edited), &record), IsOk());
  record.mutable_settings()->set_seed(2);
  record.mutable_recipes(0)->mutable_test()->set_top1(1);
  ASSERT_THAT(WriteTextproto(RecordPath(edited), record), IsOk());
  const std::string words = absl::StrCat(whole, " ", edited);
  const auto says = HasSubstr("edited was edited by hand or damaged and gets no verdict:");

  const Ended table = Call("results/table/table", words);
  EXPECT_EQ(table.code, 1);
  EXPECT_THAT(table.output, AllOf(says, HasSubstr("edited (edited)")));
  const Ended verdict = Call("results/verdict/verdict", words);
  EXPECT_EQ(verdict.code, 1);
  EXPECT_THAT(verdict.output, AllOf(says, HasSubstr("Left out: edited: edited by hand"),
                                    HasSubstr("(1 set with 1 seed each")));
  EXPECT_EQ(Call("results/verdict/verdict", edited).code, 2);
  const Ended compare = Call("results/compare/compare", words);
  EXPECT_EQ(compare.code, 1);
  EXPECT_EQ(Call("results/compare/compare", absl::StrCat(edited, " ", edited)).code, 2);
  EXPECT_THAT(compare.output, AllOf(HasSubstr("B was edited by hand or damaged"),
                                    HasSubstr("No verdict: the records differ in 2 places")));
  EXPECT_THAT(Call("results/compare/compare", "--json " + words).output,
              HasSubstr("{\"equal\":null"));
  const Ended report = Call("programs/report", edited);
  EXPECT_EQ(report.code, 1);
  EXPECT_THAT(report.output, says);
  ASSERT_OK_AND_ASSIGN(const std::string page, ReadFile(edited + "/report.html"));
  EXPECT_THAT(page, AllOf(HasSubstr("This record was edited by hand or damaged: no verdict"),
                          Not(HasSubstr("the strongest rival"))));
}

TEST(ProgramsTest, RecordedRunsAreReadByName) {
  ASSERT_OK_AND_ASSIGN(const std::string recorded, RunfilePath("results/recorded"));
  const std::string name = "hmdb51_miniature_split1_seed1", page = TestFolder("page");
  for (const std::string& word :
       {name, recorded + "/" + name, recorded + "/" + name + "/record.textproto"}) {
    const Ended table = Call("results/table/table", word);
    EXPECT_EQ(table.code, 0) << table.output;
    EXPECT_THAT(table.output, HasSubstr(name));
    ASSERT_THAT(RemoveFile(page + "/report.html"), IsOk());
    const Ended report = Call("programs/report", absl::StrCat(word, " --output_dir=", page));
    EXPECT_EQ(report.code, 0) << report.output;
    EXPECT_TRUE(FileExists(page + "/report.html"));
  }
  EXPECT_EQ(Call("results/compare/compare", absl::StrCat(name, " ", name)).code, 0);
  const Ended none = Call("results/table/table", "no_such_run");
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.output, AllOf(HasSubstr("there is no run"), HasSubstr(name)));
  // Several runs with a folder are one page.
  const std::string two = "hmdb51_miniature_split1_seed2";
  const Ended both = Call("programs/report", absl::StrCat(name, " ", two, " --output_dir=", page));
  EXPECT_EQ(both.code, 0) << both.output;
  EXPECT_TRUE(FileExists(page + "/comparison.html"));
  const Ended twice =
      Call("programs/report", absl::StrCat(name, " ", name, " --output_dir=", page));
  EXPECT_EQ(twice.code, 2);
  EXPECT_THAT(twice.output, HasSubstr("are the same run, of seed 1; a seed counts once"));
  const Ended other =
      Call("programs/report", absl::StrCat(name, " tennis7_seed1 --output_dir=", page));
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.output, HasSubstr("is a run at miniature scale and tennis7_seed1 one on own "
                                      "data: their figures say nothing about each other"));
  const Ended row =
      Call("programs/report", absl::StrCat(name, " ", two, " --row=long_run --output_dir=", page));
  EXPECT_EQ(row.code, 2);
  EXPECT_THAT(row.output, HasSubstr("--row is for pages of single runs"));
}

TEST(ProgramsTest, ReportRendersAgain) {
  const std::string run = WriteRun("run-8", 1);
  const Ended report = Call("programs/report", run);
  EXPECT_EQ(report.code, 0) << report.output;
  EXPECT_THAT(report.output, HasSubstr("run-8/report.html"));
  EXPECT_TRUE(FileExists(run + "/report.html"));
  EXPECT_TRUE(FileExists(run + "/curves.svg"));
  EXPECT_EQ(Call("programs/report", "").code, 2);
  EXPECT_EQ(Call("programs/report", run + "/none").code, 2);
  EXPECT_EQ(Call("programs/report", run + " --nonsense").code, 2);
}

// A search that stops in the middle, as with a full disk.
class FullDiskRunner : public planner::ScriptedRunner {
 public:
  FullDiskRunner()
      : planner::ScriptedRunner(
            [](const EdgeTask&, int epoch) { return 0.1 * std::min(3, epoch); }) {}
  absl::StatusOr<CurvePoint> TrainEpoch(const EdgeTask& task, int epoch) override {
    if (trained == 20) return absl::ResourceExhaustedError("no space left on the device");
    return planner::ScriptedRunner::TrainEpoch(task, epoch);
  }
};

TEST(ProgramsTest, ReportExplainsASearchDoneOrUnderWay) {
  const std::string folder = TestFolder("searched");
  planner::SearchOptions options;
  options.folder = folder + "/journal/cs";
  StoppingRule rule;
  rule.set_attempt_epochs(2);
  rule.set_max_epochs_from_initial(4);
  rule.set_max_epochs(4);
  FullDiskRunner half;
  EXPECT_FALSE(
      planner::Search(planner::MakePool(planner::PoolOptions()), rule, &half, options).ok());
  const Ended begun = Call("programs/report", folder);
  EXPECT_EQ(begun.code, 0) << begun.output;
  ASSERT_OK_AND_ASSIGN(const std::string begun_page, ReadFile(folder + "/report.html"));
  EXPECT_THAT(begun_page, HasSubstr("of 14 edges are trained so far"));

  planner::ScriptedRunner whole(
      [](const EdgeTask&, int epoch) { return 0.1 * std::min(3, epoch); });
  ASSERT_THAT(planner::Search(planner::MakePool(planner::PoolOptions()), rule, &whole, options),
              IsOk());
  const Ended done = Call("programs/report", folder);
  EXPECT_EQ(done.code, 0) << done.output;
  ASSERT_OK_AND_ASSIGN(const std::string done_page, ReadFile(folder + "/report.html"));
  EXPECT_THAT(done_page, AllOf(HasSubstr("All 14 edges"), HasSubstr("Who won each state")));
  EXPECT_TRUE(FileExists(folder + "/curves.svg"));
  EXPECT_EQ(Call("programs/report", folder + " --pool=cs").code, 0);
  EXPECT_TRUE(FileExists(folder + "/curves_cs.svg"));
  EXPECT_TRUE(FileExists(folder + "/graph_cs.svg"));
  EXPECT_EQ(Call("programs/report", folder + " --pool=us").code, 2);
}

}  // namespace
}  // namespace op3d::results
