#include "data/transform/colour.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "data/transform/testing/test_picture.h"

namespace op3d::data {
namespace {

using testing::ElementsAre;
using Pixels = std::vector<uint8_t>;

Pixels Picture() { return TestPicture(48, 37, 8).pixels; }

int PlainLuma(const uint8_t* p) {
  return (19595 * p[0] + 38470 * p[1] + 7471 * p[2] + 32768) / 65536;
}

uint8_t PlainMix(int other, float factor, int value) {
  const float product = factor * static_cast<float>(value - other);
  const float mixed = static_cast<float>(other) + product;
  return mixed <= 0 ? 0 : mixed >= 255 ? 255 : static_cast<uint8_t>(mixed);
}

TEST(ColourTest, BrightnessMixesWithBlack) {
  for (const float factor : {0.0f, 0.6f, 0.83f, 1.0f, 1.17f, 1.4f}) {
    Pixels pixels = Picture();
    const Pixels before = pixels;
    AdjustBrightness(factor, absl::MakeSpan(pixels));
    for (size_t i = 0; i < pixels.size(); ++i) {
      ASSERT_EQ(pixels[i], PlainMix(0, factor, before[i]));
    }
  }
}

TEST(ColourTest, ContrastMixesWithTheMeanLuma) {
  for (const float factor : {0.6f, 0.77f, 1.0f, 1.31f, 1.4f}) {
    Pixels pixels = Picture();
    const Pixels before = pixels;
    int64_t sum = 0, count = 0;
    for (size_t i = 0; i < before.size(); i += 3, ++count) sum += PlainLuma(&before[i]);
    const int mean = static_cast<int>((2 * sum + count) / (2 * count));
    AdjustContrast(factor, absl::MakeSpan(pixels));
    for (size_t i = 0; i < pixels.size(); ++i) {
      ASSERT_EQ(pixels[i], PlainMix(mean, factor, before[i]));
    }
  }
}

TEST(ColourTest, SaturationMixesWithThePixelsLuma) {
  for (const float factor : {0.0f, 0.6f, 0.9f, 1.25f, 1.4f}) {
    Pixels pixels = Picture();
    const Pixels before = pixels;
    AdjustSaturation(factor, absl::MakeSpan(pixels));
    for (size_t i = 0; i < pixels.size(); ++i) {
      ASSERT_EQ(pixels[i], PlainMix(PlainLuma(&before[i / 3 * 3]), factor, before[i]));
    }
  }
}

TEST(ColourTest, GreyIsLumaInAllChannels) {
  Pixels pixels = {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 255, 255, 255};
  MakeGrey(absl::MakeSpan(pixels));
  EXPECT_THAT(pixels,
              ElementsAre(76, 76, 76, 150, 150, 150, 29, 29, 29, 18, 18, 18, 255, 255, 255));
}

// Pillow's conversions as in its C code, which mixes single and double precision.
void PlainHue(int step, uint8_t* p) {
  const int high = std::max({p[0], p[1], p[2]}), low = std::min({p[0], p[1], p[2]});
  if (high == low) return;
  const float range = high - low;
  const float rc = (high - p[0]) / range, gc = (high - p[1]) / range, bc = (high - p[2]) / range;
  float h = p[0] == high ? bc - gc : p[1] == high ? 2.0 + rc - bc : 4.0 + gc - rc;
  h = std::fmod(h / 6.0 + 1.0, 1.0);
  const int hue = (std::clamp(static_cast<int>(h * 255.0), 0, 255) + step + 256) % 256;
  const int s = std::clamp(static_cast<int>(range / static_cast<float>(high) * 255.0), 0, 255);
  if (s == 0) {
    p[0] = p[1] = p[2] = high;
    return;
  }
  const int sector = static_cast<int>(std::floor(hue * 6.0 / 255.0));
  const float f = hue * 6.0 / 255.0 - sector;
  const float fs = s / 255.0;
  auto near = [](double v) { return std::clamp(static_cast<int>(std::floor(v + 0.5)), 0, 255); };
  const int mixed[3] = {near(high * (1.0 - fs)), near(high * (1.0 - fs * f)),
                        near(high * (1.0 - fs * (1.0 - f)))};
  const int order[6][3] = {{3, 2, 0}, {1, 3, 0}, {0, 3, 2}, {0, 1, 3}, {2, 0, 3}, {3, 0, 1}};
  for (int c = 0; c < 3; ++c) {
    const int which = order[sector % 6][c];
    p[c] = static_cast<uint8_t>(which == 3 ? high : mixed[which]);
  }
}

TEST(ColourTest, HueEqualsThePlainArithmetic) {
  for (const double turns : {-0.5, -0.1, -0.037, 0.0, 0.004, 0.05, 0.1, 0.5}) {
    Pixels pixels = Picture();
    Pixels plain = pixels;
    AdjustHue(turns, absl::MakeSpan(pixels));
    for (size_t i = 0; i < plain.size(); i += 3) PlainHue(static_cast<int>(turns * 255), &plain[i]);
    EXPECT_EQ(pixels, plain) << turns;
  }
}

TEST(ColourTest, AThirdOfATurnMovesRedToGreen) {
  Pixels pixels = {200, 0, 0, 77, 77, 77};
  AdjustHue(1.0 / 3.0, absl::MakeSpan(pixels));
  EXPECT_THAT(pixels, ElementsAre(0, 200, 0, 77, 77, 77));
}

TEST(ColourTest, NothingToDoOnNoPixels) {
  Pixels none;
  AdjustBrightness(2, absl::MakeSpan(none));
  AdjustContrast(2, absl::MakeSpan(none));
  AdjustSaturation(2, absl::MakeSpan(none));
  AdjustHue(0.1, absl::MakeSpan(none));
  MakeGrey(absl::MakeSpan(none));
  EXPECT_TRUE(none.empty());
}

}  // namespace
}  // namespace op3d::data
