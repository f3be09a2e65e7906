#include "results/record/statistics.h"

#include <gmock/gmock.h>

#include <cmath>

#include "results/record/record.h"

namespace op3d::results {
namespace {

TEST(StatisticsTest, StudentQuantilesAreThoseOfTheTables) {
  EXPECT_NEAR(StudentQuantile(0.975, 1), 12.7062047, 1e-6);
  EXPECT_NEAR(StudentQuantile(0.975, 2), 4.30265273, 1e-7);
  EXPECT_NEAR(StudentQuantile(0.975, 8), 2.30600414, 1e-7);
  EXPECT_NEAR(StudentQuantile(0.975, 1e7), 1.95996, 1e-4);
  EXPECT_NEAR(StudentQuantile(0.95, 4), 2.13184679, 1e-7);
  EXPECT_NEAR(StudentQuantile(0.025, 2), -4.30265273, 1e-7);
  EXPECT_NEAR(StudentQuantile(0.5, 3), 0, 1e-9);
}

TEST(StatisticsTest, MeanAndVariance) {
  EXPECT_EQ(Mean({}), 0);
  EXPECT_DOUBLE_EQ(Mean({1, 2, 6}), 3);
  EXPECT_EQ(SampleVariance({5}), 0);
  EXPECT_DOUBLE_EQ(SampleVariance({1, 2, 6}), 7);
  const ShareInterval interval = StudentInterval({1, 2, 6});
  EXPECT_NEAR(interval.low, 3 - 4.30265273 * std::sqrt(7.0 / 3), 1e-6);
  EXPECT_NEAR(interval.high, 3 + 4.30265273 * std::sqrt(7.0 / 3), 1e-6);
}

TEST(StatisticsTest, WilsonsIntervalIsThatOfTheTextbook) {
  // 81 of 263: Newcombe 1998, table I.
  EXPECT_NEAR(WilsonInterval(81.0 / 263, 263).low, 0.2553, 1e-4);
  EXPECT_NEAR(WilsonInterval(81.0 / 263, 263).high, 0.3662, 1e-4);
  EXPECT_NEAR(WilsonInterval(0, 20).low, 0, 1e-12);
  EXPECT_NEAR(WilsonInterval(0, 20).high, 0.1611, 1e-4);
  EXPECT_NEAR(WilsonInterval(1, 20).high, 1, 1e-12);
  EXPECT_EQ(WilsonInterval(0.5, 0).high, 1);
}

TEST(StatisticsTest, AMeanOverSeedsHasBothSourcesOfChance) {
  const ShareInterval one = MeanInterval({0.9}, 270);
  EXPECT_EQ(one.low, WilsonInterval(0.9, 270).low);
  // With equal seeds only the videos count.
  const ShareInterval equal = MeanInterval({0.9, 0.9}, 270);
  EXPECT_NEAR(equal.high - 0.9, 1.959964 * std::sqrt(0.09 / 270), 1e-6);
  const ShareInterval spread = MeanInterval({0.89, 0.90, 0.91}, 270);
  const double videos = (0.89 * 0.11 + 0.09 + 0.91 * 0.09) / 3 / 270;
  EXPECT_NEAR(spread.high - 0.9,
              std::sqrt(4.30265273 * 4.30265273 * 0.0001 / 3 + 1.959964 * 1.959964 * videos), 1e-6);
  EXPECT_EQ(MeanInterval({0.2, 1.0}, 10).high, 1);
}

// A test whose videos are right where `ranks` is 0.
TestResult MakeTest(const std::vector<int64_t>& ranks, bool keep = true) {
  TestResult test;
  test.set_videos(static_cast<int>(ranks.size()));
  int right = 0;
  for (const int64_t rank : ranks) right += rank == 0;
  test.set_top1(static_cast<double>(right) / static_cast<double>(ranks.size()));
  if (keep) test.set_right(PackRight(ranks));
  return test;
}

TEST(StatisticsTest, VideosAreComparedInPairsWhereTheyAreKnown) {
  // Differences 1, 0, 0, -1: mean 0, sample variance 2 / 3.
  const TestResult a = MakeTest({0, 0, 1, 1}), b = MakeTest({1, 0, 1, 0});
  EXPECT_NEAR(VideoVariance({{&a, &b}}), 2.0 / 3 / 4, 1e-12);
  EXPECT_EQ(VideoVariance({{&a, &a}}), 0);
  // Unknown: as if independent.
  const TestResult c = MakeTest({0, 0, 1, 1}, false);
  EXPECT_NEAR(VideoVariance({{&a, &c}}), 2 * 0.25 / 4, 1e-12);
  EXPECT_EQ(VideoVariance({}), 0);
}

TEST(StatisticsTest, SeedsAndVideosInATwoWayTable) {
  const TestResult a = MakeTest({0, 0, 1, 1}), b = MakeTest({1, 0, 1, 0}),
                   c = MakeTest({0, 0, 0, 1});
  // With one seed only the videos count.
  EXPECT_EQ(MeanDifferenceVariance({{&a, &b}}), VideoVariance({{&a, &b}}));
  // Rows 1 0 0 -1 and 1 0 1 -1: differences 0 and 1/4, means of columns 1 0 1/2 -1 (variance
  // 2.1875 / 3), residuals -1/8 and 3/8 from either sign: 2 * (3 / 64 + 9 / 64) / 3 = 1 / 8.
  const double expected = (2.1875 / 3) / 4 + (1.0 / 32) / 2 - (1.0 / 8) / (2 * 4);
  EXPECT_NEAR(MeanDifferenceVariance({{&a, &b}, {&c, &b}}), expected, 1e-12);
  // Without the right videos the two variances are added.
  const TestResult d = MakeTest({0, 0, 0, 1}, false);
  EXPECT_NEAR(MeanDifferenceVariance({{&a, &b}, {&d, &b}}),
              (0.125 + (0.75 * 0.25 + 0.25) / 4) / 2 + (1.0 / 32) / 2, 1e-12);
}

}  // namespace
}  // namespace op3d::results
