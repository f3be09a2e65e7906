#include "results/compare/compare.h"

#include <functional>
#include <nlohmann/json.hpp>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/sha256.h"
#include "op3d/base/testing/status_matchers.h"
#include "results/record/record.h"
#include "results/testing/fixture_record.h"

namespace op3d::results {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

ComparisonOptions Exact() {
  ComparisonOptions options;
  options.exact = true;
  return options;
}

// A run's folder with a record and 4 scores.
std::string WriteRun(const std::string& name, RunRecord record, float last_score) {
  const std::string folder = TestFolder(name);
  const std::vector<float> scores = {1, 2, 3, last_score};
  const absl::string_view data(reinterpret_cast<const char*>(scores.data()), 16);
  const std::string bytes =
      *SerializeSafetensors({{"planned.scores", DType::kF32, {2, 2}, data}}, {});
  EXPECT_THAT(WriteFileAtomically(JoinPath(folder, "scores.safetensors"), bytes), IsOk());
  for (RecipeResult& recipe : *record.mutable_recipes()) {
    recipe.mutable_test()->set_scores_crc32(Crc32(bytes));
    recipe.mutable_test()->set_scores_sha256(Sha256(bytes));
  }
  EXPECT_THAT(WriteRecord(folder, record), IsOk());
  return folder;
}

TEST(CompareTest, EqualRunsSaySoWithCounts) {
  RunRecord other = MakeFixtureRecord();
  other.mutable_environment()->set_host("elsewhere");
  const std::string a = WriteRun("a", MakeFixtureRecord(), 4), b = WriteRun("b", other, 4);
  ASSERT_OK_AND_ASSIGN(const RunComparison comparison, CompareRuns(a, b, Exact()));
  EXPECT_THAT(comparison.differences, IsEmpty());
  EXPECT_EQ(comparison.recipes, 3);
  EXPECT_EQ(comparison.edges, 28);
  EXPECT_GT(comparison.curve_points, 200);
  EXPECT_EQ(comparison.scores, 4);
  const std::string text = DescribeComparison(comparison);
  EXPECT_THAT(text, StartsWith("The runs are equal in every bit: "));
  EXPECT_THAT(text, HasSubstr("3 recipes and 28 edges"));
  EXPECT_THAT(text, HasSubstr("and 4 scores were compared."));
  EXPECT_THAT(DescribeComparison(*CompareRuns(a, b, {})),
              StartsWith("The runs are equal within the tolerances: "));
}

TEST(CompareTest, FilesServeAsWellAsFolders) {
  const std::string a = WriteRun("a", MakeFixtureRecord(), 4);
  ASSERT_OK_AND_ASSIGN(const RunComparison comparison,
                       CompareRuns(a, JoinPath(a, "record.textproto"), Exact()));
  EXPECT_THAT(comparison.differences, IsEmpty());
  EXPECT_EQ(comparison.scores, 4);
}

TEST(CompareTest, DifferencesAreListedInWords) {
  RunRecord other = MakeFixtureRecord();
  other.mutable_plan()->mutable_steps(0)->set_epochs(12);
  const std::string a = WriteRun("a", MakeFixtureRecord(), 4), b = WriteRun("b", other, 7);
  ASSERT_OK_AND_ASSIGN(const RunComparison comparison, CompareRuns(a, b, {}));
  const std::string text = DescribeComparison(comparison);
  EXPECT_THAT(text, StartsWith("The runs differ in 2 places ("));
  EXPECT_THAT(text, HasSubstr("\n  plan > step 1 > epochs: 11 against 12 (differs by 1, "
                              "allowed 0)\n"));
  EXPECT_THAT(text, HasSubstr("\n  scores.safetensors > tensor 'planned.scores': 4 against 7 "
                              "(at [1, 1]; 1 of 4 numbers differ by up to 3, allowed 0.05)\n"));
  EXPECT_THAT(DescribeComparison(comparison, 1), HasSubstr("and 1 more"));
}

TEST(CompareTest, JsonIsOneLine) {
  const std::string a = WriteRun("a", MakeFixtureRecord(), 4);
  const std::string b = WriteRun("b", MakeFixtureRecord(), 7);
  const std::string text = ComparisonJson(*CompareRuns(a, b, {}));
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(text, nullptr, false);
  EXPECT_EQ(json["equal"], false);
  EXPECT_EQ(json["exact"], false);
  EXPECT_EQ(json["differences"][0]["a"], "4");
  EXPECT_EQ(json["compared"]["edges"], 28);
  EXPECT_TRUE(json["not_compared"].empty());
}

TEST(CompareTest, MissingScoresAreSaidWhenNotExact) {
  const std::string a = WriteRun("a", MakeFixtureRecord(), 4);
  const std::string b = WriteRun("b", MakeFixtureRecord(), 4);
  ASSERT_THAT(RemoveFile(JoinPath(b, "scores.safetensors")), IsOk());
  ASSERT_OK_AND_ASSIGN(const RunComparison comparison, CompareRuns(a, b, {}));
  EXPECT_THAT(comparison.differences, IsEmpty());
  EXPECT_EQ(comparison.scores, 0);
  EXPECT_THAT(DescribeComparison(comparison), HasSubstr("Not compared: scores.safetensors: "));
}

// Rewrites the record of a run without its scores file, like committed records.
std::string WithoutScores(
    const std::string& run, const std::function<void(TestResult*)>& change = [](TestResult*) {}) {
  RunRecord record = *ReadRecord(run);
  for (RecipeResult& recipe : *record.mutable_recipes()) change(recipe.mutable_test());
  EXPECT_THAT(WriteRecord(run, record), IsOk());
  EXPECT_THAT(RemoveFile(JoinPath(run, "scores.safetensors")), IsOk());
  return run;
}

TEST(CompareTest, ExactGoesByChecksumsWhereScoresAreMissing) {
  const std::string a = WriteRun("a", MakeFixtureRecord(), 4);
  const std::string kept = WriteRun("kept", MakeFixtureRecord(), 4);
  const std::string b = WithoutScores(WriteRun("b", MakeFixtureRecord(), 4));
  const std::string other = WithoutScores(WriteRun("c", MakeFixtureRecord(), 7));
  WithoutScores(a);
  for (const std::string& run : {b, kept}) {
    ASSERT_OK_AND_ASSIGN(const RunComparison comparison, CompareRuns(a, run, Exact()));
    EXPECT_THAT(comparison.differences, IsEmpty());
    EXPECT_EQ(comparison.files_by_checksum, 1);
    const std::string text = DescribeComparison(comparison);
    EXPECT_THAT(text, StartsWith("The runs are equal in every bit: "));
    EXPECT_THAT(text, HasSubstr("and the checksums of scores and weights were compared."));
  }
  ASSERT_OK_AND_ASSIGN(const RunComparison comparison, CompareRuns(a, other, Exact()));
  // CRC-32 and SHA-256 of three recipes.
  ASSERT_EQ(comparison.differences.size(), 6u);
  EXPECT_THAT(comparison.differences[1].place, HasSubstr("test > scores sha256"));
}

TEST(CompareTest, OldRecordsHaveTheirCrc32) {
  const std::string a = WithoutScores(WriteRun("a", MakeFixtureRecord(), 4),
                                      [](TestResult* test) { test->clear_scores_sha256(); });
  const std::string same = WriteRun("same", MakeFixtureRecord(), 4);
  const std::string other = WriteRun("other", MakeFixtureRecord(), 7);
  ASSERT_OK_AND_ASSIGN(const RunComparison equal, CompareRuns(a, same, Exact()));
  EXPECT_THAT(equal.differences, IsEmpty());
  ASSERT_OK_AND_ASSIGN(const RunComparison unequal, CompareRuns(a, other, Exact()));
  EXPECT_EQ(unequal.differences.size(), 3u);
  const std::string none =
      WithoutScores(WriteRun("none", MakeFixtureRecord(), 4), [](TestResult* test) {
        test->clear_scores_sha256();
        test->clear_scores_crc32();
      });
  EXPECT_THAT(CompareRuns(none, same, Exact()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("state no checksum of it")));
}

TEST(CompareTest, ExactChecksTheFileAgainstItsRecord) {
  const std::string a = WriteRun("a", MakeFixtureRecord(), 4);
  // Equal files and equal records, but the records name other files.
  RunRecord record = *ReadRecord(a);
  for (RecipeResult& recipe : *record.mutable_recipes()) {
    recipe.mutable_test()->clear_scores_sha256();
    recipe.mutable_test()->set_scores_crc32(7);
  }
  ASSERT_THAT(WriteRecord(a, record), IsOk());
  ASSERT_OK_AND_ASSIGN(const RunComparison comparison, CompareRuns(a, a, Exact()));
  ASSERT_EQ(comparison.differences.size(), 2u);
  EXPECT_EQ(comparison.differences[0].place, "scores.safetensors of A");
  EXPECT_EQ(comparison.differences[0].b, "00000007");
}

TEST(CompareTest, UnreadableRecordsAreNamed) {
  const std::string a = WriteRun("a", MakeFixtureRecord(), 4);
  EXPECT_THAT(CompareRuns(a, a + "/none", {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/none")));
}

TEST(CompareTest, OtherDatasetsAndScalesAreSaidFirst) {
  const std::string a = TestFolder("set_a"), b = TestFolder("set_b");
  RunRecord record = MakeFixtureRecord();
  ASSERT_THAT(WriteRecord(a, record), IsOk());
  record.mutable_settings()->set_benchmark("hmdb51");
  ASSERT_THAT(WriteRecord(b, record), IsOk());
  ASSERT_OK_AND_ASSIGN(RunComparison runs, CompareRuns(a, b, ComparisonOptions()));
  EXPECT_THAT(
      DescribeComparison(runs),
      StartsWith("A is a run on Kinetics-400 and B one on HMDB51: their figures say nothing "
                 "about each other.\nThe runs differ in 1 place"));
  EXPECT_THAT(ComparisonJson(runs), HasSubstr("\"other_set\":\"A is a run on Kinetics-400"));
  record.mutable_settings()->set_benchmark("kinetics400");
  record.mutable_settings()->set_scale(BenchmarkSettings::FULL);
  ASSERT_THAT(WriteRecord(b, record), IsOk());
  ASSERT_OK_AND_ASSIGN(runs, CompareRuns(a, b, ComparisonOptions()));
  EXPECT_THAT(DescribeComparison(runs),
              HasSubstr("A is a run at miniature scale and B one at full scale: their figures say "
                        "nothing about each other.\n"));
}

}  // namespace
}  // namespace op3d::results
