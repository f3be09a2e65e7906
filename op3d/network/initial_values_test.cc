#include "op3d/network/initial_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace op3d {
namespace {

using ::testing::Each;

std::vector<float> Values(const StateEntry& entry, uint64_t seed = 1) {
  std::vector<float> values(static_cast<size_t>(ElementCount(entry)), -7);
  FillInitialValues(entry, seed, absl::MakeSpan(values));
  return values;
}

TEST(InitialValuesTest, ConvolutionsAreKaimingNormalByFanOut) {
  const StateEntry entry{"conv", {64, 32, 1, 3, 3}, EntryKind::kConvolutionWeight, 288};
  const std::vector<float> values = Values(entry);
  double sum = 0, squares = 0, fourth = 0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
    fourth += value * value * value * value;
  }
  const double count = static_cast<double>(values.size());
  const double variance = 2.0 / (64 * 9);
  // 18,432 draws: 5 standard errors.
  EXPECT_NEAR(sum / count, 0, 5 * std::sqrt(variance / count));
  EXPECT_NEAR(squares / count / variance, 1, 5 * std::sqrt(2 / count));
  EXPECT_NEAR(fourth / count / (variance * variance), 3, 5 * std::sqrt(96 / count));
}

TEST(InitialValuesTest, DependOnSeedAndNameAlone) {
  const StateEntry entry{"conv", {3, 5, 1, 1, 1}, EntryKind::kConvolutionWeight, 5};
  StateEntry other = entry;
  other.name = "conv2";
  EXPECT_EQ(Values(entry), Values(entry));
  EXPECT_NE(Values(entry), Values(entry, 2));
  EXPECT_NE(Values(entry), Values(other));
}

TEST(InitialValuesTest, LinearLayersAreUniform) {
  const std::vector<float> values =
      Values({"fc.weight", {100, 16}, EntryKind::kLinearWeight, /*fan_in=*/16});
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  EXPECT_GE(*low, -0.25f);
  EXPECT_LE(*high, 0.25f);
  EXPECT_NEAR(*high - *low, 0.5, 0.01);
}

TEST(InitialValuesTest, NormsStartAsIdentityAndContextsAtZero) {
  EXPECT_THAT(Values({"w", {8}, EntryKind::kNormWeight}), Each(1.0f));
  EXPECT_THAT(Values({"v", {8}, EntryKind::kRunningVariance}), Each(1.0f));
  EXPECT_THAT(Values({"b", {8}, EntryKind::kNormBias}), Each(0.0f));
  EXPECT_THAT(Values({"m", {8}, EntryKind::kRunningMean}), Each(0.0f));
  EXPECT_THAT(Values({"fc2.weight", {8, 4}, EntryKind::kZeroLinearWeight, 4}), Each(0.0f));
}

}  // namespace
}  // namespace op3d
