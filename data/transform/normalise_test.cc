#include "data/transform/normalise.h"

#include <nlohmann/json.hpp>

#include "data/transform/pixel_rows.h"
#include "data/transform/testing/test_picture.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using nlohmann::json;

TEST(NormaliseTest, MeetsTheGoldenValuesExactly) {
  ASSERT_OK_AND_ASSIGN(const std::string path,
                       RunfilePath("data/transform/testdata/golden_cases.json"));
  const json cases = json::parse(*ReadFile(path), nullptr, false)["normalised"];
  ASSERT_EQ(cases.size(), 18);
  for (const json& c : cases) {
    for (int channel = 0; channel < 3; ++channel) {
      EXPECT_EQ(NormaliseTable()[channel][c["byte"].get<int>()],
                static_cast<float>(c["rgb"][channel].get<double>()));
    }
  }
}

TEST(NormaliseTest, WritesPlanesOfABox) {
  const RgbImage image = TestPicture(13, 9, 1);
  const Box box = {2, 3, 7, 5};
  constexpr int64_t kStride = 100;
  for (const bool mirror : {false, true}) {
    std::vector<float> out(3 * kStride, -99.0f);
    Normalise(image.pixels.data(), 13, box, mirror, out.data(), kStride);
    for (int c = 0; c < 3; ++c) {
      for (int i = 0; i < kStride; ++i) {
        float want = -99.0f;  // nothing is written past the end of a plane
        if (i < 35) {
          const int y = 3 + i / 7;
          const int x = mirror ? 2 + 6 - i % 7 : 2 + i % 7;
          want = NormaliseTable()[c][image.pixels[(y * 13 + x) * 3 + c]];
        }
        ASSERT_EQ(out[c * kStride + i], want) << c << " " << i;
      }
    }
  }
}

TEST(NormaliseTest, FlowIsAroundAHalfAndTurnsWithTheMirror) {
  // x, y and an unused byte, for two pixels.
  const uint8_t pixels[] = {255, 128, 0, 51, 0, 0};
  const auto value = [](float byte) { return (byte / 255 - 0.5f) / 0.229f; };
  float out[6];
  NormaliseFlow(pixels, 2, {0, 0, 2, 1}, /*mirror=*/false, out, /*plane_stride=*/2);
  EXPECT_THAT(out, testing::ElementsAre(value(255), value(51), value(128), value(0), 0, 0));
  NormaliseFlow(pixels, 2, {0, 0, 2, 1}, /*mirror=*/true, out, /*plane_stride=*/2);
  EXPECT_THAT(out, testing::ElementsAre(value(204), value(0), value(0), value(128), 0, 0));
}

}  // namespace
}  // namespace op3d::data
