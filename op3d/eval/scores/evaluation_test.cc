#include "op3d/eval/scores/evaluation.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Three videos, two clips of one crop, three classes, two heads.
TestScores Rgb() {
  TestScores test;
  test.heads = 2, test.videos = 3, test.clips = 2, test.crops = 1, test.classes = 3;
  test.scores = {4, 0, 0, 0, 1, 0,                // a: the means are 2, 0.5, 0: right
                 0, 3, 0, 0, 3, 0,                // b: taken for class 1
                 0, 0, 0, 0, 9, 8};               // c: 0, 4.5, 4: predicted 1, its label is second
  test.head_scores = {5, 0, 0, 0, 5, 0, 0, 0, 5,  // the first head is right in 2 of 3
                      0, 5, 0, 0, 5, 0, 0, 5, 0};  // the second head in none
  test.labels = {0, 0, 2};
  test.names = {"a", "b,\"1\"", "c"};
  test.class_names = {"run", "jump, high", "sit"};
  test.listed = 5, test.missing = 1, test.broken = 1;
  return test;
}

TEST(EvaluationTest, FiguresTextAndJson) {
  ASSERT_OK_AND_ASSIGN(const Evaluation evaluation, Evaluate({Rgb()}, {}));
  EXPECT_DOUBLE_EQ(evaluation.metrics.top1, 1.0 / 3);
  EXPECT_DOUBLE_EQ(evaluation.head_top1[0], 2.0 / 3);
  EXPECT_EQ(evaluation.head_top1[1], 0);
  const std::string text = EvaluationText(evaluation);
  EXPECT_THAT(text, AllOf(HasSubstr("3 videos of 5 listed (1 missing, 1 broken), 2 clips x 1 crops "
                                    "each, mean of logits\n"),
                          HasSubstr("top-1 33.33 % [0.00, 100.00]"), HasSubstr("95 % intervals"),
                          HasSubstr("each single head: 66.67 %, 0.00 %"),
                          HasSubstr("CHOSEN ON THESE LABELS: top-1 33.33 % with k = 1")));
  const json row = json::parse(EvaluationJson(evaluation));
  EXPECT_DOUBLE_EQ(row["top1"], 1.0 / 3);
  EXPECT_EQ(row["views"], 2);
  EXPECT_EQ(row["intervals"]["top1"][1], 1);
  EXPECT_EQ(row["best_top_k_clips_chosen_on_labels"]["top1_by_k"].size(), 2);
  EvaluationOptions without;
  without.bootstrap.samples = 0;
  ASSERT_OK_AND_ASSIGN(const Evaluation bare, Evaluate({Rgb()}, without));
  EXPECT_THAT(EvaluationText(bare), AllOf(HasSubstr("top-1 33.33 %   top-3"), Not(HasSubstr("["))));
  EXPECT_EQ(json::parse(EvaluationJson(bare)).count("intervals"), 0);
}

TEST(EvaluationTest, ScoresThatAreNotFiniteAreAnError) {
  for (const float value : {NAN, INFINITY}) {
    TestScores test = Rgb();
    test.scores[4] = value;
    EXPECT_THAT(Evaluate({Rgb(), test}, {}).status(),
                StatusIs(absl::StatusCode::kInternal, HasSubstr("1 of 18 scores are NaN")));
  }
  EvaluationOptions overflow;
  overflow.weights = {1e308, 1e308};
  EXPECT_THAT(Evaluate({Rgb(), Rgb()}, overflow).status(),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("sums of the streams' scores")));
}

TEST(EvaluationTest, AListWithoutLabelsHasPredictionsAlone) {
  TestScores test = Rgb();
  test.labels = {-1, -1, -1};
  ASSERT_OK_AND_ASSIGN(const Evaluation evaluation, Evaluate({test}, {}));
  EXPECT_FALSE(evaluation.labelled);
  EXPECT_THAT(evaluation.predicted, ElementsAre(0, 1, 1));
  EXPECT_THAT(EvaluationText(evaluation),
              AllOf(HasSubstr("no labels: only predictions"), HasSubstr("\na   run   2\n"),
                    HasSubstr("\nc   jump, high   4.5\n"), Not(HasSubstr("top-1"))));
  const json row = json::parse(EvaluationJson(evaluation));
  EXPECT_EQ(row.count("top1"), 0);
  ASSERT_EQ(row["predictions"].size(), 3);
  EXPECT_EQ(row["predictions"][2]["name"], "c");
  EXPECT_EQ(row["predictions"][2]["top"][0]["name"], "jump, high");
  EXPECT_EQ(row["predictions"][2]["top"][1]["label"], 2);
  EXPECT_EQ(row["predictions"][2]["top"][1]["score"], 4);
  EXPECT_EQ(VideoCsv(evaluation),
            "name,label,class,predicted,predicted_class,rank,score,predicted_score\n"
            "a,,,0,run,,,2\n\"b,\"\"1\"\"\",,,1,\"jump, high\",,,3\nc,,,1,\"jump, high\",,,4.5\n");
  test.labels = {-1, 0, 1};
  EXPECT_THAT(Evaluate({test}, {}), StatusIs(absl::StatusCode::kInvalidArgument,
                                             HasSubstr("1 of 3 videos have no label")));
}

TEST(EvaluationTest, TablesOfClassesVideosAndConfusion) {
  ASSERT_OK_AND_ASSIGN(const Evaluation evaluation, Evaluate({Rgb()}, {}));
  EXPECT_EQ(ClassCsv(evaluation),
            "label,name,videos,correct,accuracy,most_taken_for,taken\n"
            "0,run,2,1,0.500000,\"jump, high\",1\n"
            "1,\"jump, high\",0,0,,,0\n"
            "2,sit,1,0,0.000000,\"jump, high\",1\n");
  EXPECT_EQ(VideoCsv(evaluation),
            "name,label,class,predicted,predicted_class,rank,score,predicted_score\n"
            "a,0,run,0,run,1,2,2\n"
            "\"b,\"\"1\"\"\",0,run,1,\"jump, high\",2,0,3\n"
            "c,2,sit,1,\"jump, high\",2,4,4.5\n");
  EXPECT_EQ(ConfusionCsv(evaluation),
            "class,run,\"jump, high\",sit\nrun,1,1,0\n\"jump, high\",0,0,0\nsit,0,1,0\n");
}

TEST(EvaluationTest, StreamsAreAddedByTheirWeights) {
  TestScores flow = Rgb();
  flow.clips = 1;
  flow.scores = {0, 0, 0, 4, 0, 0, 0, 0, 1};
  flow.head_scores.resize(9);
  flow.heads = 1;
  EvaluationOptions options;
  ASSERT_OK_AND_ASSIGN(const Evaluation one, Evaluate({Rgb(), flow}, options));
  EXPECT_THAT(one.scores.values, ElementsAre(2, 0.5, 0, 4, 3, 0, 0, 4.5, 5));
  EXPECT_EQ(one.metrics.top1, 1);
  EXPECT_FALSE(one.top_k_clips.has_value());
  options.weights = {1, 0.5};
  ASSERT_OK_AND_ASSIGN(const Evaluation half, Evaluate({Rgb(), flow}, options));
  EXPECT_DOUBLE_EQ(half.metrics.top1, 1.0 / 3);
  EXPECT_THAT(EvaluationText(half), HasSubstr("sum of 2 scores with weights 1, 0.5\n"));
  options.weights = {1};
  EXPECT_THAT(Evaluate({Rgb(), flow}, options).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1 weights for 2")));
}

TEST(EvaluationTest, ProbabilitiesAreTheMeanOfSoftmax) {
  EvaluationOptions options;
  options.probabilities = true;
  ASSERT_OK_AND_ASSIGN(const Evaluation evaluation, Evaluate({Rgb()}, options));
  // Video a: softmax of {4, 0, 0} and {0, 1, 0}.
  const double e4 = std::exp(4.0), e1 = std::exp(1.0);
  EXPECT_NEAR(evaluation.scores.values[0], (e4 / (e4 + 2) + 1 / (e1 + 2)) / 2, 1e-12);
  EXPECT_THAT(EvaluationText(evaluation), HasSubstr("mean of probabilities"));
}

TEST(EvaluationTest, NoScoresAreAnError) {
  EXPECT_THAT(Evaluate({}, {}).status(), StatusIs(absl::StatusCode::kInvalidArgument, testing::_));
  EXPECT_THAT(Evaluate({TestScores()}, {}).status(), StatusIs(absl::StatusCode::kInvalidArgument, testing::_));
}

}  // namespace
}  // namespace op3d
