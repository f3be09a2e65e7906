#include "op3d/gpu/kernels/row_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "op3d/base/random_stream.h"
#include "op3d/gpu/kernels/cpu_driver.h"

namespace op3d::gpu {
namespace {

std::vector<float> Values(int64_t count, uint64_t seed, double middle = 0) {
  RandomStream stream(seed, "values", {});
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = static_cast<float>(middle + stream.Uniform(-1, 1));
  return values;
}

std::vector<Bf16> Narrow(const std::vector<float>& values) {
  std::vector<Bf16> narrow(values.size());
  for (size_t i = 0; i < values.size(); ++i) Store(values[i], &narrow[i]);
  return narrow;
}

TEST(Bf16Test, RoundsHalvesToEvenAndKeepsSpecialValues) {
  const auto round = [](float value) {
    Bf16 narrow;
    Store(value, &narrow);
    return ToFloat(narrow);
  };
  EXPECT_EQ(round(1.0f), 1.0f);
  EXPECT_EQ(round(1.0f + 1.0f / 256), 1.0f);               // halfway, to even
  EXPECT_EQ(round(1.0f + 3.0f / 256), 1.0f + 4.0f / 256);  // halfway, to even
  EXPECT_EQ(round(-1.0f - 1.1f / 256), -1.0f - 2.0f / 256);
  EXPECT_EQ(round(INFINITY), INFINITY);
  EXPECT_TRUE(std::isnan(round(std::nanf(""))));
}

TEST(DivideTest, IsExactInBothWidths) {
  for (const int64_t i : {int64_t{0}, int64_t{41}, (int64_t{1} << 32) - 1, int64_t{1} << 40}) {
    for (const int64_t divisor : {int64_t{1}, int64_t{7}, int64_t{1} << 33}) {
      int64_t rest;
      EXPECT_EQ(Divide(i, divisor, &rest), i / divisor);
      EXPECT_EQ(rest, i % divisor);
    }
  }
}

struct Sizes {
  int64_t groups, rows, channels;
};

// One row, one channel, not divisible by a tile's 32 channels, more rows than a tile has, none.
const std::vector<Sizes> kSizes = {{1, 1, 1},   {3, 5, 33}, {2, 1030, 40},
                                   {1, 513, 8}, {0, 4, 8},  {2, 0, 8}};

TEST(ColumnSumsTest, EqualsALoopAtEveryEdge) {
  for (const auto& [groups, rows, channels] : kSizes) {
    const std::vector<float> x = Values(groups * rows * channels, 1);
    const TileShape shape = MakeTileShape(groups, rows, channels);
    std::vector<double> partial(static_cast<size_t>(shape.partials(1)));
    RunTilesOnCpu(ColumnSums<PlainSum<float>>{{x.data(), channels}, shape, partial.data()});
    std::vector<float> means(static_cast<size_t>(groups * channels));
    const double factor = 1.0 / std::max<int64_t>(rows, 1);
    RunPointsOnCpu(ScaledTotals{partial.data(), shape, factor, means.data()});
    for (int64_t i = 0; i < groups * channels; ++i) {
      double sum = 0;
      for (int64_t row = 0; row < rows; ++row) {
        sum += x[((i / channels) * rows + row) * channels + i % channels];
      }
      EXPECT_NEAR(means[i], sum * factor, 1e-6) << rows << " rows, " << channels << " channels";
    }
  }
}

TEST(ColumnSumsTest, ManyRowsHaveAtMost128Tiles) {
  EXPECT_EQ(MakeTileShape(1, 1'000'000, 64).chunks, 128);
  EXPECT_EQ(MakeTileShape(1, 512, 64).chunks, 1);
  EXPECT_EQ(MakeTileShape(1, 513, 65).tiles(), 2 * 3);
}

TEST(NormStatisticsTest, KeepsTheVarianceOfALargeMean) {
  constexpr int64_t kRows = 700;
  const std::vector<float> x = Values(kRows, 2, /*middle=*/3000);
  const TileShape shape = MakeTileShape(1, kRows, 1);
  std::vector<double> partial(static_cast<size_t>(shape.partials(2)));
  RunTilesOnCpu(ColumnSums<NormMoments<float>>{{x.data(), 1}, shape, partial.data()});
  const float weight = 1, bias = 0;
  float mean, inverse, scale, offset;
  RunPointsOnCpu(NormStatistics<float>{partial.data(), shape, x.data(), &weight, &bias, 0.1f, 0,
                                       nullptr, nullptr, &mean, &inverse, &scale, &offset});
  double average = 0, variance = 0;
  for (const float value : x) average += value / double{kRows};
  for (const float value : x) variance += (value - average) * (value - average) / kRows;
  EXPECT_NEAR(mean, average, 1e-3);
  EXPECT_NEAR(inverse, 1 / std::sqrt(variance), 1e-5);
}

TEST(SumRowsTest, PacksGiveTheBitsOfSingleNumbers) {
  constexpr int64_t kRows = 6, kChannels = 16, kCount = kRows * kChannels;
  alignas(16) Bf16 a[kCount], b[kCount], wide[kCount], single[kCount];
  const std::vector<Bf16> values = Narrow(Values(2 * kCount, 4));
  std::copy_n(values.begin(), kCount, a);
  std::copy_n(values.begin() + kCount, kCount, b);
  const std::vector<float> context = Values(2 * kChannels, 5);
  RunPointsOnCpu(SumRows<Bf16, kWidePack<Bf16>>{a, b, context.data(), wide, kRows, kChannels,
                                                kRows / 2, true});
  RunPointsOnCpu(SumRows<Bf16, 1>{a, b, context.data(), single, kRows, kChannels, kRows / 2, true});
  for (int64_t i = 0; i < kCount; ++i) {
    EXPECT_EQ(wide[i].bits, single[i].bits);
    const float sum = ToFloat(a[i]) + ToFloat(b[i]) +
                      context[i / kChannels / (kRows / 2) * kChannels + i % kChannels];
    EXPECT_LE(std::abs(ToFloat(wide[i]) - std::max(sum, 0.0f)), std::abs(sum) / 256);
  }
}

TEST(ReluTest, KeepsANan) { EXPECT_TRUE(std::isnan(Relu(std::nanf("")))); }

}  // namespace
}  // namespace op3d::gpu
