#include "data/synthetic/scene/background.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace op3d::data {
namespace {

constexpr double kTurn = 6.283185307179586;

}  // namespace

Background::Grating Background::DrawGrating(Scene scene, double direction, double contrast,
                                            RandomStream* stream) {
  const bool checks = scene == Scene::kChecks;
  const double wavelength = checks ? stream->Uniform(10.0, 16.0) : stream->Uniform(8.0, 24.0);
  const double amplitude =
      stream->Uniform(0.04, 0.10) * (scene == Scene::kBars ? 1.6 : 1.0) * contrast;
  Grating grating;
  grating.along_x = kTurn / wavelength * std::cos(direction);
  grating.along_y = kTurn / wavelength * std::sin(direction);
  grating.drift = kTurn / wavelength * stream->Uniform(-0.5, 0.5);
  grating.phase = kTurn * stream->Uniform();
  grating.colour = DrawColour(0.4, 1.0, stream);
  for (float& channel : grating.colour) channel *= static_cast<float>(amplitude);
  return grating;
}

Background Background::Draw(Scene scene, double contrast, RandomStream* stream) {
  Background background;
  background.scene_ = scene;
  background.base_ = DrawColour(0.2, 0.45, stream);
  // The direction of the waves: vertical bars are horizontal waves.
  const double tilt = stream->Uniform(-0.15, 0.15);
  std::array<double, 2> directions;
  for (int i = 0; i < 2; ++i) {
    const double any = kTurn * stream->Uniform();
    const double near = stream->Uniform(-0.15, 0.15);
    directions[i] = scene == Scene::kPlain  ? any
                    : scene == Scene::kBars ? near
                                            : tilt + i * kTurn / 4;
  }
  for (int i = 0; i < 2; ++i) {
    background.gratings_[i] = DrawGrating(scene, directions[i], contrast, stream);
  }
  return background;
}

void Background::Add(const Grating& grating, int frame, Canvas* canvas) const {
  // sin(a + b) = sin a cos b + cos a sin b: sines are computed for columns and rows, not per pixel.
  std::vector<float> sine(canvas->width), cosine(canvas->width);
  for (int x = 0; x < canvas->width; ++x) {
    sine[x] = static_cast<float>(std::sin(x * grating.along_x));
    cosine[x] = static_cast<float>(std::cos(x * grating.along_x));
  }
  for (int y = 0; y < canvas->height; ++y) {
    const double rest = y * grating.along_y - frame * grating.drift + grating.phase;
    const float row_sine = static_cast<float>(std::sin(rest));
    const float row_cosine = static_cast<float>(std::cos(rest));
    Colour* row = &canvas->at(0, y);
    for (int x = 0; x < canvas->width; ++x) {
      float wave = sine[x] * row_cosine + cosine[x] * row_sine;
      if (scene_ == Scene::kChecks) wave = wave < 0.0f ? -1.0f : 1.0f;
      for (int channel = 0; channel < 3; ++channel) {
        row[x][channel] += wave * grating.colour[channel];
      }
    }
  }
}

void Background::Paint(int frame, Canvas* canvas) const {
  std::fill(canvas->pixels.begin(), canvas->pixels.end(), base_);
  for (const Grating& grating : gratings_) Add(grating, frame, canvas);
}

}  // namespace op3d::data
