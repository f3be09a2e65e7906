#include "data/synthetic/scene/rendering.h"

#include <algorithm>
#include <cmath>

#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr double kTurn = 6.283185307179586;

template <typename T>
const T& Choose(const std::vector<T>& from, RandomStream* stream) {
  return from[stream->UniformInt(static_cast<int64_t>(from.size()))];
}

// Approximately normal with mean 0 and standard deviation 1, from one draw: the sum of four 16-bit
// numbers (the variance of a sum of n is n / 12 of a number's squared range).
float QuickGaussian(RandomStream* stream) {
  const uint64_t bits = (*stream)();
  const int64_t sum = static_cast<int64_t>((bits & 0xffff) + (bits >> 16 & 0xffff) +
                                           (bits >> 32 & 0xffff) + (bits >> 48));
  constexpr double kDeviation = 65536.0 * 0.5773502691896258;  // sqrt(4 / 12)
  return static_cast<float>((static_cast<double>(sum) - 131070.0) / kDeviation);
}

uint8_t ToByte(float value) {
  return static_cast<uint8_t>(std::clamp(value, 0.0f, 1.0f) * 255.0f + 0.5f);
}

}  // namespace

Rendering::Distractor Rendering::DrawDistractor(const VideoShape& shape, RandomStream* stream) {
  Distractor distractor;
  distractor.figure.look = stream->Bernoulli(0.5) ? Look::kDisc : Look::kSquare;
  distractor.figure.radius = stream->Uniform(2.0, 3.5);
  distractor.figure.angle = kTurn * stream->Uniform();
  distractor.figure.colour = DrawColour(0.0, 0.7, stream);
  distractor.x = shape.width * stream->Uniform();
  distractor.y = shape.height * stream->Uniform();
  const double speed = stream->Uniform(0.0, 1.2);
  const double direction = kTurn * stream->Uniform();
  distractor.speed_x = speed * std::cos(direction);
  distractor.speed_y = speed * std::sin(direction);
  return distractor;
}

Rendering::Rendering(const VideoClass& video_class, const VideoShape& shape,
                     const VideoStyle& style, RandomStream stream)
    : shape_(shape), noise_stream_(stream) {
  background_ = Background::Draw(Choose(video_class.scenes, &stream), style.contrast, &stream);
  const int64_t distractors = 1 + stream.UniformInt(2);
  for (int64_t i = 0; i < distractors; ++i) {
    distractors_.push_back(DrawDistractor(shape, &stream));
  }
  actor_.look = Choose(video_class.looks, &stream);
  actor_.radius = stream.Uniform(7.0, 10.0);
  actor_.angle = stream.Uniform(-0.35, 0.35);
  actor_.colour = DrawColour(0.7, 1.0, &stream);
  VideoShape present = shape;
  if (style.min_presence < 1.0) {
    const double share = stream.Uniform(style.min_presence, style.max_presence);
    present.frames = std::max(1, static_cast<int>(std::lround(share * shape.frames)));
    first_present_ = static_cast<int>(stream.UniformInt(shape.frames - present.frames + 1));
  }
  end_present_ = first_present_ + present.frames;
  trajectory_ = Trajectory::Draw(Choose(video_class.motions, &stream), present, &stream);
  flicker_ = stream.Uniform(0.0, 0.08);
  flicker_period_ = stream.Uniform(10.0, 50.0);
  flicker_phase_ = stream.Uniform();
  noise_ = stream.Uniform(0.01, 0.04) * style.noise;
  noise_stream_ = stream;
}

void Rendering::Finish(int frame, const Canvas& canvas, RandomStream* noise,
                       RgbImage* image) const {
  const float brightness = static_cast<float>(
      1.0 + flicker_ * std::sin(kTurn * (frame / flicker_period_ + flicker_phase_)));
  uint8_t* out = image->pixels.data();
  for (const Colour& colour : canvas.pixels) {
    const float grey = static_cast<float>(noise_) * QuickGaussian(noise);
    for (const float channel : colour) *out++ = ToByte(channel * brightness + grey);
  }
}

absl::Status Rendering::Render(absl::FunctionRef<absl::Status(const RgbImage&)> sink) const {
  RandomStream noise = noise_stream_;
  Canvas canvas(shape_.width, shape_.height);
  RgbImage image;
  image.width = shape_.width;
  image.height = shape_.height;
  image.pixels.resize(canvas.pixels.size() * 3);
  for (int frame = 0; frame < shape_.frames; ++frame) {
    background_.Paint(frame, &canvas);
    for (const Distractor& distractor : distractors_) {
      distractor.figure.Paint({distractor.x + frame * distractor.speed_x,
                               distractor.y + frame * distractor.speed_y, 1.0},
                              &canvas);
    }
    if (frame >= first_present_ && frame < end_present_) {
      actor_.Paint(trajectory_.At(frame - first_present_), &canvas);
    }
    Finish(frame, canvas, &noise, &image);
    OP3D_RETURN_IF_ERROR(sink(image));
  }
  return absl::OkStatus();
}

}  // namespace op3d::data
