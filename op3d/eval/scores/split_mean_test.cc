#include "op3d/eval/scores/split_mean.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// A test of `videos` videos named after the split, of which `right` are right; two classes.
Evaluation Split(int split, int videos, int right) {
  TestScores test;
  test.heads = test.clips = test.crops = 1, test.classes = 2, test.videos = videos;
  for (int video = 0; video < videos; ++video) {
    test.names.push_back(absl::StrCat("split", split, "_", video));
    test.labels.push_back(video % 2);
    const float own = video < right ? 1.0f : -1.0f;
    for (int c = 0; c < 2; ++c) test.scores.push_back(c == video % 2 ? own : -own);
  }
  test.head_scores = test.scores;
  return *Evaluate({test}, EvaluationOptions());
}

TEST(SplitMeanTest, SplitsCountEqually) {
  ASSERT_OK_AND_ASSIGN(const SplitMean mean,
                       MeanOverSplits({Split(1, 10, 8), Split(2, 20, 18), Split(3, 10, 10)}));
  EXPECT_THAT(mean.videos, ElementsAre(10, 20, 10));
  EXPECT_NEAR(mean.top1.mean, 0.9, 1e-12);  // not 36 of 40's own weighting by videos
  EXPECT_NEAR(mean.top1.deviation, 0.1, 1e-12);
  EXPECT_DOUBLE_EQ(mean.top1.low, 0.8);
  EXPECT_DOUBLE_EQ(mean.top1.high, 1);
  const std::string text = SplitMeanText(mean);
  EXPECT_THAT(text, HasSubstr("split 2: top-1 90.00 % of 20 videos\n"));
  EXPECT_THAT(text, HasSubstr("\ntop-1 90.00 % +- 10.00 (80.00 to 100.00)\n"));
  const auto json = nlohmann::json::parse(SplitMeanJson(mean), nullptr, false);
  EXPECT_EQ(json["splits"], 3);
  EXPECT_NEAR(json["top1"]["deviation"], 0.1, 1e-12);
}

TEST(SplitMeanTest, MeasuresHaveNoMeanOverClasses) {
  Metrics first, second;
  first.videos = second.videos = 10;
  first.top1 = 0.5, second.top1 = 0.7;
  ASSERT_OK_AND_ASSIGN(const SplitMean mean, MeanOverMeasures({first, second}));
  const std::string text = SplitMeanText(mean);
  EXPECT_THAT(text, HasSubstr("\ntop-1 60.00 % +- 14.14 (50.00 to 70.00)\n"));
  EXPECT_THAT(text, Not(HasSubstr("class accuracy")));
  EXPECT_FALSE(nlohmann::json::parse(SplitMeanJson(mean)).contains("mean_class_accuracy"));
  EXPECT_THAT(MeanOverMeasures({first}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("needs two")));
}

TEST(SplitMeanTest, AFileOfEachSplit) {
  EXPECT_EQ(OfSplit("a/split{split}/w{split}", 2), "a/split2/w2");
  EXPECT_EQ(OfSplit("a", 2), "a");
}

TEST(SplitMeanTest, NonsenseIsRefused) {
  const auto refused = [](absl::Span<const Evaluation> splits, const char* why) {
    EXPECT_THAT(MeanOverSplits(splits).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why)));
  };
  refused({Split(1, 4, 2)}, "needs two");
  refused({Split(1, 4, 2), Split(1, 4, 3)}, "splits 1 and 2 were tested on the same videos");
  Evaluation other = Split(2, 4, 2);
  other.test.classes = 3;
  refused({Split(1, 4, 2), other}, "split 1 has 2 classes, split 2 3");
  other = Split(2, 4, 2);
  other.labelled = false;
  refused({Split(1, 4, 2), other}, "split 2 has no labels");
}

}  // namespace
}  // namespace op3d
