#include "data/synthetic/rendering.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "op3d/base/status_matchers.h"

namespace op3d {
namespace {

VideoClass Upwards() { return {"up", "short", {Look::kDisc}, {Scene::kPlain}, {{Motion::kUp}}}; }

std::vector<RgbImage> Frames(const Rendering& rendering) {
  std::vector<RgbImage> frames;
  EXPECT_THAT(rendering.Render([&](const RgbImage& image) {
    frames.push_back(image);
    return absl::OkStatus();
  }),
              IsOk());
  return frames;
}

// The middle of the bright pixels, as an angle on the torus' height; backgrounds and distractors
// are darker than an actor.
double HeightAngle(const RgbImage& image) {
  double sine = 0.0, cosine = 0.0;
  for (int i = 0; i < image.width * image.height; ++i) {
    const int brightness = image.pixels[i * 3] + image.pixels[i * 3 + 1] + image.pixels[i * 3 + 2];
    if (brightness < 3 * 165) continue;
    const double angle = 2 * std::acos(-1.0) * (i / image.width) / (image.height + kTorusMargin);
    sine += std::sin(angle);
    cosine += std::cos(angle);
  }
  return std::atan2(sine, cosine);
}

TEST(RenderingTest, TheActorMovesAsItsClassSays) {
  for (int i = 0; i < 5; ++i) {
    const Rendering rendering(Upwards(), VideoShape{}, RandomStream(3, "video", {i}));
    const std::vector<RgbImage> frames = Frames(rendering);
    ASSERT_EQ(frames.size(), 96);
    double risen = 0.0;
    for (int frame = 4; frame < 96; frame += 4) {
      const double turn = HeightAngle(frames[frame - 4]) - HeightAngle(frames[frame]);
      risen += std::remainder(turn, 2 * std::acos(-1.0)) / (2 * std::acos(-1.0)) * 54;
    }
    // 92 frames of 0.8 to 1.6 pixels; 8: the wobble, and what the edges cut off.
    EXPECT_GE(risen, 0.8 * 92 - 8) << i;
    EXPECT_LE(risen, 1.6 * 92 + 8) << i;
  }
}

TEST(RenderingTest, IsTheSameEveryTime) {
  const Rendering rendering(Upwards(), {32, 24, 5}, RandomStream(3, "video", {1}));
  const std::vector<RgbImage> once = Frames(rendering);
  const std::vector<RgbImage> again = Frames(rendering);
  const std::vector<RgbImage> other =
      Frames(Rendering(Upwards(), {32, 24, 5}, RandomStream(3, "video", {2})));
  ASSERT_EQ(once.size(), 5);
  for (int frame = 0; frame < 5; ++frame) {
    EXPECT_EQ(once[frame].pixels, again[frame].pixels);
    EXPECT_NE(once[frame].pixels, other[frame].pixels);
  }
}

TEST(RenderingTest, HasNoise) {
  VideoClass still = Upwards();
  const std::vector<RgbImage> frames =
      Frames(Rendering(still, {64, 48, 2}, RandomStream(3, "video", {1})));
  int changed = 0;
  for (size_t i = 0; i < frames[0].pixels.size(); ++i) {
    changed += frames[0].pixels[i] != frames[1].pixels[i];
  }
  EXPECT_GT(changed, static_cast<int>(frames[0].pixels.size() / 2));
}

TEST(RenderingTest, EndsWhenTheSinkSaysSo) {
  const Rendering rendering(Upwards(), VideoShape{}, RandomStream(3, "video", {1}));
  int calls = 0;
  EXPECT_THAT(rendering.Render([&](const RgbImage&) {
    return ++calls == 2 ? absl::AbortedError("enough") : absl::OkStatus();
  }),
              StatusIs(absl::StatusCode::kAborted, "enough"));
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace op3d
