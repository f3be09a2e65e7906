#include "results/report/mistakes.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/eval/scores/video_scores.h"
#include "results/testing/fixture_record.h"
#include "results/testing/markup_checker.h"

namespace op3d::results {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Four videos, two views, three classes.  Right: the first and the last.  The second is taken for
// "c" with the higher probability, the third for "a".
TestScores FourVideos() {
  TestScores scores;
  scores.heads = 1;
  scores.videos = 4;
  scores.clips = 2;
  scores.crops = 1;
  scores.classes = 3;
  scores.scores = {3, 0, 0, 1, 0, 0,   // a
                   0, 0, 5, 0, 0, 5,   // b as c
                   1, 0, 0, 1, 0, 0,   // c as a
                   0, 2, 0, 0, 2, 1};  // b
  for (int video = 0; video < 4; ++video) {
    for (int c = 0; c < 3; ++c) {
      const float* views = &scores.scores[video * 6];
      scores.head_scores.push_back((views[c] + views[3 + c]) / 2);
    }
  }
  scores.labels = {0, 1, 2, 1};
  scores.names = {"one", "two <2>", "three", "four"};
  scores.class_names = {"a", "b & b", "c"};
  return scores;
}

// A record of one row with these scores.
RunRecord RecordOf(const std::string& folder, const TestScores& scores) {
  EXPECT_THAT(WriteFileAtomically(JoinPath(folder, "scores.safetensors"),
                                  *MergeRows({{"planned", *SerializeTestScores(scores)}})),
              IsOk());
  RunRecord record = MakeFixtureRecord();
  record.mutable_recipes()->DeleteSubrange(1, record.recipes_size() - 1);
  record.mutable_recipes(0)->mutable_test()->set_videos(static_cast<int>(scores.videos));
  return record;
}

TEST(MistakesTest, TheLeastLikelyComesFirst) {
  const std::string folder = TestFolder("mistakes");
  const RunRecord record = RecordOf(folder, FourVideos());
  ASSERT_OK_AND_ASSIGN(const std::optional<Mistakes> mistakes, ReadMistakes(folder, record, ""));
  ASSERT_TRUE(mistakes.has_value());
  EXPECT_EQ(mistakes->videos, 4);
  EXPECT_THAT(mistakes->confusion, ElementsAre(1, 0, 0, 0, 1, 1, 1, 0, 0));
  ASSERT_EQ(mistakes->wrong.size(), 2u);
  const WrongVideo& worst = mistakes->wrong[0];
  EXPECT_EQ(worst.name, "two <2>");
  EXPECT_EQ(worst.own, 1);
  EXPECT_EQ(worst.predicted, 2);
  // 1 / (2 + e^5).
  EXPECT_NEAR(worst.own_probability, 0.0066488, 1e-6);
  EXPECT_NEAR(worst.top[0].second, 0.98670, 1e-5);
  EXPECT_THAT(NamesOf(*mistakes, 24), ElementsAre("two <2>", "three"));
  EXPECT_THAT(NamesOf(*mistakes, 1), ElementsAre("two <2>"));
}

TEST(MistakesTest, VideosThatFailAlikeTakeTurns) {
  const std::string folder = TestFolder("alike");
  TestScores scores = FourVideos();
  // "b" three times as "c", each less wrong than the one before, then "c" as "a".
  scores.labels = {1, 1, 1, 2};
  scores.scores = {0, 0, 9, 0, 0, 9, 0, 0, 8, 0, 0, 8, 0, 0, 7, 0, 0, 7, 1, 0, 0, 1, 0, 0};
  const RunRecord record = RecordOf(folder, scores);
  ASSERT_OK_AND_ASSIGN(const std::optional<Mistakes> mistakes, ReadMistakes(folder, record, ""));
  ASSERT_TRUE(mistakes.has_value());
  std::vector<std::string> names;
  for (const WrongVideo& wrong : mistakes->wrong) names.push_back(wrong.name);
  EXPECT_THAT(names, ElementsAre("one", "two <2>", "four", "three"));
}

TEST(MistakesTest, SectionsShowThemEscaped) {
  const std::string folder = TestFolder("sections");
  const RunRecord record = RecordOf(folder, FourVideos());
  ASSERT_OK_AND_ASSIGN(std::optional<Mistakes> mistakes, ReadMistakes(folder, record, "planned"));
  ASSERT_TRUE(mistakes.has_value());
  mistakes->wrong[0].strip = "\xFF\xD8jpeg";
  const std::string html = WrongVideosSection(*mistakes, 1);
  EXPECT_EQ(MarkupProblem(html), "");
  for (const char* part :
       {"2 of 4 videos are wrong; the 1 worst", "two &lt;2&gt;", "<b>b &amp; b</b>, taken for",
        "data:image/jpeg;base64,/9hqcGVn", "c 98.7\xC2\xA0%", "<b>b &amp; b 0.7\xC2\xA0%</b>"}) {
    EXPECT_THAT(html, HasSubstr(part));
  }
  EXPECT_THAT(html, Not(HasSubstr("three")));
  const std::string all = WrongVideosSection(*mistakes, 24);
  EXPECT_THAT(all, HasSubstr("all of them"));
  const std::string confusion = ConfusionSection(*mistakes);
  EXPECT_EQ(MarkupProblem(confusion), "");
  EXPECT_THAT(confusion, HasSubstr("<td>b &amp; b</td><td>c</td><td class=\"figure\">1</td>"
                                   "<td class=\"figure\">50.0\xC2\xA0%</td>"));
  mistakes->wrong.clear();
  EXPECT_EQ(WrongVideosSection(*mistakes, 24), "");
}

TEST(MistakesTest, ScoresThatAreMissingOrOfAnotherRunAreSaid) {
  const std::string folder = TestFolder("other");
  RunRecord record = RecordOf(folder, FourVideos());
  EXPECT_THAT(ReadMistakes(folder, record, "no_such_row").status(),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("the run has no scores of a row 'no_such_row'; it has planned")));
  record.mutable_recipes(0)->mutable_test()->set_videos(5);
  EXPECT_THAT(ReadMistakes(folder, record, "").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has the scores of 4 videos, but the record says 5")));
  ASSERT_OK_AND_ASSIGN(std::string bytes, ReadFile(JoinPath(folder, "scores.safetensors")));
  ASSERT_THAT(WriteFileAtomically(JoinPath(folder, "scores.safetensors"),
                                  bytes.substr(0, bytes.size() - 9)),
              IsOk());
  EXPECT_THAT(ReadMistakes(folder, record, "").status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("scores.safetensors")));
  ASSERT_THAT(RemoveFile(JoinPath(folder, "scores.safetensors")), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::optional<Mistakes> none, ReadMistakes(folder, record, ""));
  EXPECT_FALSE(none.has_value());
}

}  // namespace
}  // namespace op3d::results
