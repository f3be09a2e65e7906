#include "data/transform/crop.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using nlohmann::json;

json GoldenCases(const char* kind) {
  const auto path = RunfilePath("data/transform/testdata/golden_cases.json");
  if (!path.ok()) return json();
  return json::parse(*ReadFile(*path), nullptr, /*allow_exceptions=*/false)[kind];
}

TEST(CropTest, MeetsTheGoldenSizes) {
  const json cases = GoldenCases("crop_boxes");
  ASSERT_EQ(cases.size(), 32);
  for (const json& c : cases) {
    const Box box = SizedCropBox(c["width"], c["height"], c["area_share"], c["ratio"]);
    EXPECT_EQ(box, (Box{0, 0, c["crop_width"], c["crop_height"]})) << c;
  }
}

TEST(CropTest, MeetsTheGoldenFallbacks) {
  const json cases = GoldenCases("fallback_crop_boxes");
  ASSERT_EQ(cases.size(), 8);
  for (const json& c : cases) {
    EXPECT_EQ(FallbackCropBox(c["width"], c["height"]),
              (Box{c["left"], c["top"], c["crop_width"], c["crop_height"]}))
        << c;
  }
}

TEST(CropTest, CentreRoundsHalvesToEven) {
  for (const auto& [difference, offset] :
       {std::pair(0, 0), {1, 0}, {2, 1}, {3, 2}, {5, 2}, {7, 4}}) {
    EXPECT_EQ(CropBox(CropPlace::kCentre, 20 + difference, 20, 20), (Box{offset, 0, 20, 20}));
    EXPECT_EQ(CropBox(CropPlace::kCentre, 20, 20 + difference, 20), (Box{0, offset, 20, 20}));
  }
  EXPECT_EQ(CropBox(CropPlace::kTopLeft, 48, 36, 32), (Box{0, 0, 32, 32}));
  EXPECT_EQ(CropBox(CropPlace::kBottomRight, 48, 36, 32), (Box{16, 4, 32, 32}));
}

TEST(CropTest, RandomBoxesKeepTheirPromises) {
  double mean_area = 0, mean_left = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    RandomStream stream(1, "crop_test", {i});
    const Box box = RandomResizedCropBox(340, 256, 0.2, 0.6, &stream);
    ASSERT_TRUE(box.left >= 0 && box.top >= 0);
    ASSERT_TRUE(box.left + box.width <= 340 && box.top + box.height <= 256);
    const double area = static_cast<double>(box.width) * box.height / (340 * 256);
    const double ratio = static_cast<double>(box.width) / box.height;
    // With one pixel of rounding in each direction.
    ASSERT_TRUE(area > 0.195 && area < 0.607) << area;
    ASSERT_TRUE(ratio > 0.74 && ratio < 1.35) << ratio;
    mean_area += area / kDraws;
    mean_left += static_cast<double>(box.left) / (340 - box.width) / kDraws;
  }
  // Nearly all draws fit here, so the mean is that of the uniform distribution, and so is that of
  // the position; their errors are 0.002 and 0.005.
  EXPECT_NEAR(mean_area, 0.4, 0.01);
  EXPECT_NEAR(mean_left, 0.5, 0.02);
}

TEST(CropTest, FallsBackWhereNothingFits) {
  RandomStream stream(1, "narrow", {});
  EXPECT_EQ(RandomResizedCropBox(1000, 10, 0.9, 1.0, &stream), FallbackCropBox(1000, 10));
  RandomStream one(1, "one", {});
  EXPECT_EQ(RandomResizedCropBox(1, 1, 0.2, 1.0, &one), (Box{0, 0, 1, 1}));
}

}  // namespace
}  // namespace op3d::data
