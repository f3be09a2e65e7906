#include "op3d/base/random_stream.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace op3d {
namespace {

TEST(RandomStreamTest, HashIsFnv1a64) { EXPECT_EQ(Fnv1a64("input"), 0x1ebbae8f5810b65bu); }

TEST(RandomStreamTest, SameNameSameNumbersOtherNameOthers) {
  std::set<uint64_t> firsts;
  for (const uint64_t seed : {1, 2}) {
    for (const char* purpose : {"crop", "flip"}) {
      for (const int64_t index : {0, 1}) {
        RandomStream a(seed, purpose, {index, 7}), b(seed, purpose, {index, 7});
        const uint64_t first = a();
        EXPECT_EQ(first, b());
        firsts.insert(first);
        firsts.insert(RandomStream(seed, purpose, {7, index})());
      }
    }
  }
  EXPECT_EQ(firsts.size(), 16);
}

TEST(RandomStreamTest, UniformIntHasNoBias) {
  RandomStream stream(1, "test", {});
  int counts[3] = {};
  for (int i = 0; i < 30000; ++i) ++counts[stream.UniformInt(3)];
  // Standard deviation of a count: sqrt(30000 * 1/3 * 2/3) = 82; five of them.
  for (const int count : counts) EXPECT_NEAR(count, 10000, 410);
}

TEST(RandomStreamTest, UniformAndGaussianHaveTheirMoments) {
  RandomStream stream(1, "moments", {});
  double sum = 0, normal_sum = 0, normal_squares = 0;
  const int n = 100000;
  for (int i = 0; i < n; ++i) {
    const double u = stream.Uniform(2, 4), g = stream.Gaussian();
    ASSERT_GE(u, 2);
    ASSERT_LT(u, 4);
    sum += u;
    normal_sum += g;
    normal_squares += g * g;
  }
  EXPECT_NEAR(sum / n, 3, 0.01);          // 5 sigma = 5 * 0.577 / sqrt(n)
  EXPECT_NEAR(normal_sum / n, 0, 0.016);  // 5 / sqrt(n)
  EXPECT_NEAR(normal_squares / n, 1, 0.0225);
}

TEST(RandomStreamTest, PermutationHoldsEachNumberOnce) {
  std::vector<int64_t> order = RandomStream(3, "order", {0}).Permutation(100);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[i], i);
  EXPECT_TRUE(RandomStream(3, "order", {0}).Permutation(0).empty());
}

}  // namespace
}  // namespace op3d
