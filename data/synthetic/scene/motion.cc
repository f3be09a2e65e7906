#include "data/synthetic/scene/motion.h"

#include <algorithm>
#include <cmath>

namespace op3d::data {
namespace {

constexpr double kTurn = 6.283185307179586;

}  // namespace

double Trajectory::Wobble::At(int frame) const {
  return amplitude * std::sin(kTurn * (frame / period + phase));
}

Trajectory::Wobble Trajectory::DrawWobble(RandomStream* stream) {
  Wobble wobble;
  wobble.amplitude = stream->Uniform(0.0, 3.0);
  wobble.period = stream->Uniform(40.0, 80.0);
  wobble.phase = stream->Uniform();
  return wobble;
}

Trajectory::Segment Trajectory::DrawSegment(Motion motion, RandomStream* stream) {
  Segment segment = {motion, 0, 0};
  switch (motion) {
    case Motion::kUp:
    case Motion::kDown:
    case Motion::kLeft:
    case Motion::kRight:
      segment.speed = stream->Uniform(0.8, 1.6);
      break;
    case Motion::kFast:
      segment.period = stream->Uniform(5.5, 8.5);
      segment.amplitude = stream->Uniform(3.0, 6.0);
      break;
    case Motion::kSlow:
      segment.period = stream->Uniform(13.0, 20.0);
      segment.amplitude = stream->Uniform(5.0, 9.0);
      break;
    case Motion::kGrow:
    case Motion::kShrink:
      segment.period = stream->Uniform(18.0, 30.0);
      break;
  }
  return segment;
}

Trajectory Trajectory::Draw(absl::Span<const Motion> motions, const VideoShape& shape,
                            RandomStream* stream) {
  Trajectory path;
  path.x_ = shape.width * stream->Uniform(0.3, 0.7);
  path.y_ = shape.height * stream->Uniform(0.3, 0.7);
  path.wobble_x_ = DrawWobble(stream);
  path.wobble_y_ = DrawWobble(stream);
  const int change = static_cast<int>(std::lround(shape.frames * stream->Uniform(0.35, 0.65)));
  for (const Motion motion : motions) path.segments_.push_back(DrawSegment(motion, stream));
  path.segments_.back().end = shape.frames;
  if (motions.size() > 1) path.segments_.front().end = path.segments_.back().start = change;
  return path;
}

void Trajectory::Apply(const Segment& segment, int frame, Pose* pose) {
  const bool now = frame >= segment.start && frame < segment.end;
  const double elapsed = std::max(0, std::min(frame, segment.end) - segment.start);
  // A shake or a change of size ends where it began; a movement remains.
  const double shake = now ? segment.amplitude * std::sin(kTurn * elapsed / segment.period) : 0.0;
  const double ramp = now ? std::fmod(elapsed / segment.period, 1.0) : 0.5;
  switch (segment.motion) {
    case Motion::kUp:
      pose->y -= segment.speed * elapsed;
      break;
    case Motion::kDown:
      pose->y += segment.speed * elapsed;
      break;
    case Motion::kLeft:
      pose->x -= segment.speed * elapsed;
      break;
    case Motion::kRight:
      pose->x += segment.speed * elapsed;
      break;
    case Motion::kFast:
    case Motion::kSlow:
      pose->x += shake;
      break;
    case Motion::kGrow:
      pose->scale *= 0.55 + 0.9 * ramp;
      break;
    case Motion::kShrink:
      pose->scale *= 1.45 - 0.9 * ramp;
      break;
  }
}

Pose Trajectory::At(int frame) const {
  Pose pose = {x_ + wobble_x_.At(frame), y_ + wobble_y_.At(frame), 1.0};
  for (const Segment& segment : segments_) Apply(segment, frame, &pose);
  return pose;
}

}  // namespace op3d::data
