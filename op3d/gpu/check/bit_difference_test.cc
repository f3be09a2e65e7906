#include "op3d/gpu/check/bit_difference.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace op3d::gpu {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(BitDifferenceTest, EqualBitsAreNothing) {
  const at::Tensor a = at::randn({3, 5});
  EXPECT_THAT(BitDifference(a, a.clone()), IsEmpty());
  EXPECT_THAT(BitDifference(a.t().contiguous().t(), a), IsEmpty());
  const at::Tensor nan = at::full({2}, std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(BitDifference(nan, nan.clone()), IsEmpty());
  EXPECT_THAT(BitDifference(at::empty({0}), at::empty({0})), IsEmpty());
}

TEST(BitDifferenceTest, SaysHowManyDifferAndTheFirst) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf, at::kDouble, at::kInt}) {
    const at::Tensor a = at::full({2, 4}, 8, type), b = a.clone();
    a[0][3] = 4;
    a[1][2] = 7;
    EXPECT_EQ(BitDifference(a, b),
              "2 of 8 numbers differ, the first is number 3: 4 instead of 8; by at most 4")
        << type;
  }
}

TEST(BitDifferenceTest, ShowsBitsThatNumbersHide) {
  EXPECT_EQ(BitDifference(at::full({1}, -0.0), at::full({1}, 0.0)),
            "1 of 1 numbers differ, the first is number 0: -0 instead of 0; by at most 0");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(BitDifference(at::full({1}, -nan), at::full({1}, nan)),
              HasSubstr("(0xffc00000) instead of nan (0x7fc00000)"));
}

TEST(BitDifferenceTest, ShapeTypeAndPresenceCount) {
  EXPECT_EQ(BitDifference(at::ones({2, 3}), at::ones({6})), "Float [2, 3] instead of Float [6]");
  EXPECT_EQ(BitDifference(at::ones({2}), at::ones({2}, at::kHalf)),
            "Float [2] instead of Half [2]");
  EXPECT_THAT(BitDifference({}, {}), IsEmpty());
  EXPECT_EQ(BitDifference(at::ones({2}), {}), "there is a tensor instead of none");
}

TEST(BitDifferenceTest, NamesThePairs) {
  const at::Tensor one = at::ones({1}), two = one * 2;
  EXPECT_THAT(BitDifferences({{"rows", one, one}, {"mean", two, two}}), IsEmpty());
  EXPECT_EQ(BitDifferences({{"rows", one, one}, {"mean", two, one}}),
            "mean: 1 of 1 numbers differ, the first is number 0: 2 instead of 1; by at most 1");
}

}  // namespace
}  // namespace op3d::gpu
