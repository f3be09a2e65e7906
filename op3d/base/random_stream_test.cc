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

TEST(RandomStreamTest, BetaHasItsMeanVarianceAndQuarters) {
  for (const double alpha : {0.2, 0.8, 1.0, 3.0}) {
    RandomStream stream(1, "beta", {static_cast<int64_t>(10 * alpha)});
    constexpr int kCount = 40000;
    double sum = 0, squares = 0;
    int below = 0;
    for (int i = 0; i < kCount; ++i) {
      const double x = stream.Beta(alpha);
      ASSERT_GE(x, 0);
      ASSERT_LE(x, 1);
      sum += x;
      squares += (x - 0.5) * (x - 0.5);
      below += x < 0.25;
    }
    EXPECT_NEAR(sum / kCount, 0.5, 0.01) << alpha;
    EXPECT_NEAR(squares / kCount, 1 / (4 * (2 * alpha + 1)), 0.005) << alpha;
    // The regularised incomplete beta function at 1/4: closed forms for 1 and 3.
    if (alpha == 1) {
      EXPECT_NEAR(below / double{kCount}, 0.25, 0.01);
    }
    if (alpha == 3) {
      EXPECT_NEAR(below / double{kCount}, 10 / 64.0 - 15 / 256.0 + 6 / 1024.0, 0.01);
    }
  }
}

}  // namespace
}  // namespace op3d
