#include "data/transform/rand_augment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "data/transform/testing/test_picture.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"

namespace op3d::data {
namespace {

constexpr int kWidth = 37, kHeight = 29;

// The picture for which testdata/rand_augment_cases.json was computed, by an implementation of the
// arithmetic in plain numpy that equals every picture of the released programs.
std::vector<uint8_t> Picture() {
  std::vector<uint8_t> pixels;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      for (int c = 0; c < 3; ++c) {
        pixels.push_back(static_cast<uint8_t>(x * 7 + y * 13 + c * 29 + x * y % 31 * 5));
      }
    }
  }
  return pixels;
}

TEST(RandAugmentTest, EveryOperationEqualsTheGoldenChecksums) {
  const auto path = RunfilePath("data/transform/testdata/rand_augment_cases.json");
  const auto cases = nlohmann::json::parse(ReadFile(*path).value(), nullptr, false);
  ASSERT_EQ(cases.size(), 16 * 5 * 2);
  for (const auto& row : cases) {
    const auto operation = static_cast<AugmentOperation>(row[0].get<int>());
    AugmentStep step = MakeAugmentStep(operation, row[1]);
    step.sign = row[2];
    step.centre_x = 20.25;
    step.centre_y = 3.5;
    std::vector<uint8_t> pixels = Picture();
    if (operation == AugmentOperation::kAutoContrast) {  // something to stretch
      for (uint8_t& byte : pixels) byte = static_cast<uint8_t>(60 + byte / 2);
    }
    ApplyAugment(step, kWidth, kHeight, &pixels);
    const absl::string_view bytes(reinterpret_cast<const char*>(pixels.data()), pixels.size());
    EXPECT_EQ(Crc32(bytes), row[3].get<uint32_t>()) << row.dump();
  }
}

TEST(RandAugmentTest, DrawsEveryOperationBothWaysAndNothingElse) {
  RandomStream stream(1, "test", {});
  std::set<AugmentOperation> operations;
  int backwards = 0;
  const std::vector<AugmentStep> steps = DrawRandAugment(1000, 27, 100, 50, &stream);
  ASSERT_EQ(steps.size(), 1000);
  for (const AugmentStep& step : steps) {
    operations.insert(step.operation);
    EXPECT_EQ(step.value, MakeAugmentStep(step.operation, 27).value);
    EXPECT_TRUE(step.sign == 1 || step.sign == -1);
    EXPECT_TRUE(step.centre_x >= 0 && step.centre_x < 100);
    EXPECT_TRUE(step.centre_y >= 0 && step.centre_y < 50);
    backwards += step.sign < 0;
  }
  EXPECT_EQ(operations.size(), kAugmentOperations);
  EXPECT_NEAR(backwards, 500, 80);
}

TEST(RandAugmentTest, RangesEndWhereTheProtocolSays) {
  EXPECT_EQ(MakeAugmentStep(AugmentOperation::kRotate, 30).value, 30);
  EXPECT_EQ(MakeAugmentStep(AugmentOperation::kSolarize, 15).value, 128);
  EXPECT_NEAR(MakeAugmentStep(AugmentOperation::kTranslateX, 30).value, 0.4464, 1e-12);
  EXPECT_EQ(MakeAugmentStep(AugmentOperation::kInvert, 30).value, 0);
}

// With one row or one column, no operation accesses pixels outside.
TEST(RandAugmentTest, SmallestPicturesAreSafe) {
  for (const auto& [width, height] : {std::pair<int, int>{1, 1}, {1, 5}, {5, 1}, {2, 2}}) {
    for (int i = 0; i < kAugmentOperations; ++i) {
      AugmentStep step = MakeAugmentStep(static_cast<AugmentOperation>(i), 30);
      RgbImage image = TestPicture(width, height, 3);
      for (const int sign : {1, -1}) {
        step.sign = sign;
        step.centre_x = width;
        step.centre_y = height;
        ApplyAugment(step, width, height, &image.pixels);
      }
    }
  }
}

}  // namespace
}  // namespace op3d::data
