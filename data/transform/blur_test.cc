#include "data/transform/blur.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data/transform/testing/test_picture.h"

namespace op3d::data {
namespace {

// One box blur of a line of values `step` bytes apart, with every sum computed directly.
void PlainBox(float radius, int count, int step, uint8_t* line) {
  const int r = static_cast<int>(radius);
  const int64_t weight = static_cast<int64_t>(static_cast<float>(1 << 24) / (radius * 2 + 1));
  const int64_t edge = ((1 << 24) - (r * 2 + 1) * weight) / 2;
  std::vector<int64_t> in(count);
  for (int i = 0; i < count; ++i) in[i] = line[i * step];
  for (int i = 0; i < count; ++i) {
    auto at = [&](int k) { return in[std::clamp(k, 0, count - 1)]; };
    int64_t sum = 1 << 23;
    for (int k = i - r; k <= i + r; ++k) sum += weight * at(k);
    sum += edge * (at(i - r - 1) + at(i + r + 1));
    line[i * step] = static_cast<uint8_t>(sum >> 24);
  }
}

void PlainBlur(float sigma, RgbImage* image) {
  const float variance = sigma * sigma / 3.0f;
  const float length = static_cast<float>(std::sqrt(12.0 * double{variance} + 1.0));
  const float whole = static_cast<float>(std::floor((double{length} - 1) / 2));
  const float part = (2.0f * whole + 1.0f) * (whole * (whole + 1.0f) - 3.0f * variance) /
                     (6.0f * (variance - (whole + 1.0f) * (whole + 1.0f)));
  const float radius = whole + part;
  const int row = image->width * 3;
  for (int pass = 0; pass < 3; ++pass) {
    for (int y = 0; y < image->height; ++y) {
      for (int c = 0; c < 3; ++c) {
        PlainBox(radius, image->width, 3, &image->pixels[y * row + c]);
      }
    }
  }
  for (int pass = 0; pass < 3; ++pass) {
    for (int i = 0; i < row; ++i) PlainBox(radius, image->height, row, &image->pixels[i]);
  }
}

TEST(BlurTest, EqualsThePlainArithmetic) {
  for (const float sigma : {0.1f, 0.35f, 0.5f, 0.9f, 1.0f, 1.37f, 2.0f, 7.5f}) {
    for (const auto& [width, height] : {std::pair(40, 31), std::pair(1, 9), std::pair(3, 1)}) {
      RgbImage image = TestPicture(width, height, 5);
      RgbImage plain = image;
      PlainBlur(sigma, &plain);
      Blur(sigma).Apply(width, height, image.pixels.data());
      EXPECT_EQ(image.pixels, plain.pixels) << sigma << " on " << width << "x" << height;
    }
  }
}

TEST(BlurTest, SpreadsAPointByAboutSigma) {
  RgbImage image = {41, 41, std::vector<uint8_t>(41 * 41 * 3, 0)};
  for (int c = 0; c < 3; ++c) image.pixels[(20 * 41 + 20) * 3 + c] = 255;
  Blur blur(2.0f);
  blur.Apply(41, 41, image.pixels.data());
  double sum = 0, spread = 0;
  for (int y = 0; y < 41; ++y) {
    for (int x = 0; x < 41; ++x) {
      const double value = image.pixels[(y * 41 + x) * 3];
      sum += value;
      spread += value * (x - 20) * (x - 20);
    }
  }
  // Rounding to bytes after each of six passes changes the sum of a faint picture.
  EXPECT_NEAR(sum, 255, 60);
  EXPECT_NEAR(std::sqrt(spread / sum), 2.0, 0.15);
}

TEST(BlurTest, NoSigmaNoChange) {
  const RgbImage image = TestPicture(20, 10, 6);
  for (const float sigma : {0.0f, -1.0f, std::nanf("")}) {
    RgbImage blurred = image;
    Blur(sigma).Apply(20, 10, blurred.pixels.data());
    EXPECT_EQ(blurred.pixels, image.pixels);
  }
}

TEST(BlurTest, OneBlurForPicturesOfSeveralSizes) {
  Blur blur(1.2f);
  for (const int size : {30, 8, 50}) {
    RgbImage image = TestPicture(size, size, 7), plain = image;
    PlainBlur(1.2f, &plain);
    blur.Apply(size, size, image.pixels.data());
    EXPECT_EQ(image.pixels, plain.pixels);
  }
}

}  // namespace
}  // namespace op3d::data
