#include "op3d/eval/scores/confidence.h"

#include <cmath>
#include <vector>

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::HasSubstr;

// `right` of `videos` videos are right, with two classes in turn; the wrong ones have rank 2.
struct Case {
  Case(int64_t videos, int64_t right) {
    for (int64_t i = 0; i < videos; ++i) {
      labels.push_back(i % 2);
      const bool first = i < right;
      scores.values.push_back((i % 2 == 0) == first ? 1 : 0);
      scores.values.push_back((i % 2 == 0) == first ? 0 : 1);
    }
    scores.videos = videos, scores.classes = 2;
    metrics = *ComputeMetrics(scores, labels);
  }
  VideoScores scores;
  std::vector<int64_t> labels;
  Metrics metrics;
};

TEST(ConfidenceTest, AllRightIsSure) {
  const Case all(20, 20);
  ASSERT_OK_AND_ASSIGN(const MetricIntervals sure, BootstrapIntervals(all.metrics, all.labels, {}));
  EXPECT_EQ(sure.top1.low, 1);
  EXPECT_EQ(sure.top1.high, 1);
  EXPECT_EQ(sure.mean_class_accuracy.low, 1);
}

// The number of right videos in a sample is binomial; for n p (1 - p) = 75 its normal approximation
// is accurate to one video, and 4000 samples give the quantile to about one more.
TEST(ConfidenceTest, TheIntervalIsTheBinomials) {
  const Case some(400, 300);
  BootstrapOptions options;
  options.samples = 4000;
  ASSERT_OK_AND_ASSIGN(const MetricIntervals sure,
                       BootstrapIntervals(some.metrics, some.labels, options));
  const double deviation = std::sqrt(0.75 * 0.25 / 400);
  EXPECT_NEAR(sure.top1.low, 0.75 - 1.96 * deviation, 2.0 / 400);
  EXPECT_NEAR(sure.top1.high, 0.75 + 1.96 * deviation, 2.0 / 400);
  EXPECT_EQ(sure.top3.low, 1);
  // With two classes of 200 it is nearly the same for the mean of both.
  EXPECT_NEAR(sure.mean_class_accuracy.low, sure.top1.low, 2.0 / 400);
  options.level = 0.5;
  ASSERT_OK_AND_ASSIGN(const MetricIntervals half,
                       BootstrapIntervals(some.metrics, some.labels, options));
  EXPECT_NEAR(half.top1.low, 0.75 - 0.6745 * deviation, 2.0 / 400);
}

TEST(ConfidenceTest, TheSeedAloneDecides) {
  const Case some(50, 20);
  const auto low = [&](uint64_t seed) {
    BootstrapOptions options;
    options.samples = 7;
    options.level = 0.9;
    options.seed = seed;
    return BootstrapIntervals(some.metrics, some.labels, options)->top1.low;
  };
  EXPECT_EQ(low(1), low(1));
  EXPECT_NE(low(1), low(2));
}

TEST(ConfidenceTest, BadInputIsNamed) {
  const Case some(4, 2);
  const auto status = [&](int samples, double level, std::vector<int64_t> labels) {
    return BootstrapIntervals(some.metrics, labels, {samples, level, 0}).status();
  };
  const auto invalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(status(0, 0.9, some.labels), StatusIs(invalid, HasSubstr("0 samples")));
  EXPECT_THAT(status(9, 1, some.labels), StatusIs(invalid, HasSubstr("level 1")));
  EXPECT_THAT(status(9, std::nan(""), some.labels), StatusIs(invalid, HasSubstr("level nan")));
  EXPECT_THAT(status(9, 0.9, {0}), StatusIs(invalid, HasSubstr("1 labels")));
  EXPECT_THAT(status(9, 0.9, {0, 1, 0, 2}), StatusIs(invalid, HasSubstr("label 2")));
}

}  // namespace
}  // namespace op3d
