#include "op3d/eval/scores/silent_failure.h"

#include <cmath>

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(SilentFailureTest, AllVideosInOneClass) {
  const std::vector<int64_t> labels = {0, 1, 2, 0};
  EXPECT_THAT(DescribeOneClass({1, 1, 1, 1}, labels, {"a", "b", "c"}),
              AllOf(HasSubstr("warning: all 4 videos were given class 'b'"), HasSubstr("width")));
  EXPECT_THAT(DescribeOneClass({1, 1, 1, 1}, labels, {}), HasSubstr("given class 1:"));
  EXPECT_EQ(DescribeOneClass({1, 1, 1, 0}, labels, {}), "");
  EXPECT_EQ(DescribeOneClass({1, 1, 1, 1}, {2, 2, 2, 2}, {}), "");  // a list of one class
  EXPECT_EQ(DescribeOneClass({1, 1, 1}, {0, 1, 2}, {}), "");        // may be chance
  EXPECT_EQ(DescribeOneClass({}, {}, {}), "");
  // Without labels only a larger number of videos is suspicious.
  EXPECT_EQ(DescribeOneClass({1, 1, 1, 1}, {-1, -1, -1, -1}, {}), "");
  const std::vector<int64_t> many(10, 1), unknown(10, -1);
  EXPECT_THAT(DescribeOneClass(many, unknown, {}), HasSubstr("all 10 videos"));
}

TEST(SilentFailureTest, ALossAtTheLevelOfGuessing) {
  const double guessing = std::log(9);
  EXPECT_NEAR((TrainedLoss{1, 2, 9}).guessing(), 2 * guessing, 1e-12);
  EXPECT_THAT(DescribeNothingLearnt("state S1", {2 * guessing, 2, 9}),
              AllOf(HasSubstr("warning: state S1 ended with a training loss of 4.394"),
                    HasSubstr("learning rate")));
  EXPECT_THAT(DescribeNothingLearnt("state S1", {5, 2, 9}), HasSubstr("learned nothing"));
  EXPECT_EQ(DescribeNothingLearnt("state S1", {0.97 * 2 * guessing, 2, 9}), "");
  // For one head the same loss is not guessing.
  EXPECT_EQ(DescribeNothingLearnt("state S1", {0.97 * guessing, 1, 9}), "");
  EXPECT_EQ(DescribeNothingLearnt("state S1", {0, 2, 9}), "");  // not known
}

TEST(SilentFailureTest, TrainedWellAndTestedAtChance) {
  // A real case: a loss of 0.04 with 9 classes, one video in nine right.
  EXPECT_THAT(DescribeMisfit({0.04, 2, 9}, 0.111, 90),
              AllOf(HasSubstr("warning: top-1 is 11.1 % of 90 videos"), HasSubstr("0.040"),
                    HasSubstr("BatchNorm statistics"), HasSubstr("learning rate")));
  EXPECT_THAT(DescribeMisfit({0.04, 2, 9}, 0, 90), HasSubstr("top-1 is 0.0 %"));
  EXPECT_EQ(DescribeMisfit({0.04, 2, 9}, 0.3, 90), "");  // generalises badly, but above chance
  EXPECT_EQ(DescribeMisfit({4.2, 2, 9}, 0.111, 90), "");  // has not learnt: another message
  EXPECT_EQ(DescribeMisfit({0.04, 2, 9}, 0.111, 9), "");  // too few videos to tell
  EXPECT_EQ(DescribeMisfit({0, 2, 9}, 0.111, 90), "");    // loss not known
  EXPECT_EQ(DescribeMisfit({0.04, 2, 1}, 1, 90), "");
}

}  // namespace
}  // namespace op3d
