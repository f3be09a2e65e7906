#include "data/synthetic/scene/rendering.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
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

// The middle of the bright pixels, as an angle on the height of the torus; backgrounds and
// distractors are darker than an actor.
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
    const Rendering rendering(Upwards(), VideoShape{}, VideoStyle{}, RandomStream(3, "video", {i}));
    const std::vector<RgbImage> frames = Frames(rendering);
    ASSERT_EQ(frames.size(), 96);
    double risen = 0.0;
    for (int frame = 4; frame < 96; frame += 4) {
      const double turn = HeightAngle(frames[frame - 4]) - HeightAngle(frames[frame]);
      risen += std::remainder(turn, 2 * std::acos(-1.0)) / (2 * std::acos(-1.0)) * 54;
    }
    // 92 frames of 0.8 to 1.6 pixels; 8 for the wobble and what the edges hide.
    EXPECT_GE(risen, 0.8 * 92 - 8) << i;
    EXPECT_LE(risen, 1.6 * 92 + 8) << i;
  }
}

TEST(RenderingTest, IsTheSameEveryTime) {
  const Rendering rendering(Upwards(), {32, 24, 5}, VideoStyle{}, RandomStream(3, "video", {1}));
  const std::vector<RgbImage> once = Frames(rendering);
  const std::vector<RgbImage> again = Frames(rendering);
  const std::vector<RgbImage> other =
      Frames(Rendering(Upwards(), {32, 24, 5}, VideoStyle{}, RandomStream(3, "video", {2})));
  ASSERT_EQ(once.size(), 5);
  for (int frame = 0; frame < 5; ++frame) {
    EXPECT_EQ(once[frame].pixels, again[frame].pixels);
    EXPECT_NE(once[frame].pixels, other[frame].pixels);
  }
}

TEST(RenderingTest, HasNoise) {
  VideoClass still = Upwards();
  const std::vector<RgbImage> frames =
      Frames(Rendering(still, {64, 48, 2}, VideoStyle{}, RandomStream(3, "video", {1})));
  int changed = 0;
  for (size_t i = 0; i < frames[0].pixels.size(); ++i) {
    changed += frames[0].pixels[i] != frames[1].pixels[i];
  }
  EXPECT_GT(changed, static_cast<int>(frames[0].pixels.size() / 2));
}

TEST(RenderingTest, TheActorIsThereInOneSpanAlone) {
  VideoStyle style;
  style.min_presence = 0.3;
  style.max_presence = 0.45;
  for (int i = 0; i < 5; ++i) {
    const Rendering rendering(Upwards(), VideoShape{}, style, RandomStream(3, "video", {i}));
    const int present = rendering.end_present() - rendering.first_present();
    EXPECT_GE(present, 28);
    EXPECT_LE(present, 44);
    const std::vector<RgbImage> frames = Frames(rendering);
    for (int frame = 0; frame < 96; ++frame) {
      int bright = 0;
      for (int p = 0; p < 64 * 48; ++p) {
        const uint8_t* pixel = &frames[frame].pixels[p * 3];
        bright += pixel[0] + pixel[1] + pixel[2] > 3 * 165;
      }
      // A disc of radius 7 covers 150 pixels; noise alone makes only a few as bright.
      if (frame >= rendering.first_present() && frame < rendering.end_present()) {
        // Near the edge of the frame less of it is visible.
        if (frame == rendering.first_present()) {
          EXPECT_GE(bright, 100) << frame;
        }
      } else {
        EXPECT_LE(bright, 40) << frame;
      }
    }
  }
}

TEST(RenderingTest, TheStyleMakesNoiseAndWavesStronger) {
  // With the same draws, the brightness varies more from frame to frame, at the same positions.
  const auto spread = [](double noise, double contrast) {
    VideoStyle style;
    style.noise = noise;
    style.contrast = contrast;
    const std::vector<RgbImage> frames =
        Frames(Rendering(Upwards(), {64, 48, 2}, style, RandomStream(3, "video", {1})));
    double sum = 0.0, squares = 0.0, change = 0.0;
    const size_t count = frames[0].pixels.size();
    for (size_t i = 0; i < count; ++i) {
      sum += frames[0].pixels[i];
      squares += static_cast<double>(frames[0].pixels[i]) * frames[0].pixels[i];
      change += std::abs(frames[0].pixels[i] - frames[1].pixels[i]);
    }
    return std::make_pair(squares / count - sum / count * sum / count, change / count);
  };
  EXPECT_GT(spread(1.0, 2.0).first, spread(1.0, 1.0).first);
  EXPECT_GT(spread(2.0, 1.0).second, 1.5 * spread(1.0, 1.0).second);
}

TEST(RenderingTest, EndsWhenTheSinkSaysSo) {
  const Rendering rendering(Upwards(), VideoShape{}, VideoStyle{}, RandomStream(3, "video", {1}));
  int calls = 0;
  EXPECT_THAT(rendering.Render([&](const RgbImage&) {
    return ++calls == 2 ? absl::AbortedError("enough") : absl::OkStatus();
  }),
              StatusIs(absl::StatusCode::kAborted, "enough"));
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace op3d::data
