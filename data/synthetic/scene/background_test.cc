#include "data/synthetic/scene/background.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace op3d::data {
namespace {

constexpr int kWidth = 64;
constexpr int kHeight = 48;

Canvas Paint(Scene scene, int index, int frame) {
  RandomStream stream(9, "background", {index});
  const Background background = Background::Draw(scene, 1.0, &stream);
  Canvas canvas(kWidth, kHeight);
  background.Paint(frame, &canvas);
  return canvas;
}

// Mean absolute difference of neighbouring pixels.
double Change(Canvas* canvas, int dx, int dy) {
  double sum = 0.0;
  for (int y = 0; y + dy < kHeight; ++y) {
    for (int x = 0; x + dx < kWidth; ++x) {
      sum += std::abs(canvas->at(x + dx, y + dy)[1] - canvas->at(x, y)[1]);
    }
  }
  return sum / ((kWidth - dx) * (kHeight - dy));
}

TEST(BackgroundTest, StaysDark) {
  for (int i = 0; i < 20; ++i) {
    for (const Scene scene : {Scene::kPlain, Scene::kBars, Scene::kChecks}) {
      for (const Colour& colour : Paint(scene, i, 40).pixels) {
        for (const float channel : colour) {
          // The range 0.2 to 0.45, extended by twice the amplitude 0.1 (bars: 0.16).
          EXPECT_GE(channel, 0.2 - 2 * 0.16 - 1e-5);
          EXPECT_LE(channel, 0.45 + 2 * 0.16 + 1e-5);
        }
      }
    }
  }
}

TEST(BackgroundTest, BarsStandUpright) {
  for (int i = 0; i < 20; ++i) {
    Canvas canvas = Paint(Scene::kBars, i, 0);
    EXPECT_GT(Change(&canvas, 1, 0), 3.0 * Change(&canvas, 0, 1));
  }
}

TEST(BackgroundTest, ChecksHaveFourColours) {
  for (int i = 0; i < 20; ++i) {
    std::set<int> colours;
    for (const Colour& colour : Paint(Scene::kChecks, i, 0).pixels) {
      colours.insert(static_cast<int>(std::lround(colour[1] * 1e4f)));
    }
    EXPECT_LE(colours.size(), 4);
    EXPECT_GE(colours.size(), 3);
  }
}

TEST(BackgroundTest, DriftsSlowly) {
  Canvas first = Paint(Scene::kPlain, 1, 0);
  Canvas next = Paint(Scene::kPlain, 1, 1);
  double change = 0.0;
  for (size_t i = 0; i < first.pixels.size(); ++i) {
    change = std::max<double>(change, std::abs(first.pixels[i][0] - next.pixels[i][0]));
  }
  EXPECT_GT(change, 0.0);
  // Half a pixel of a wave of 8: 0.39 rad, of amplitude 0.1, for each of two.
  EXPECT_LT(change, 2 * 0.1 * 0.4);
}

}  // namespace
}  // namespace op3d::data
