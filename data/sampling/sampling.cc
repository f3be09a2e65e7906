#include "data/sampling/sampling.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace op3d::data {
namespace {

bool IsShort(const ClipShape& shape, int64_t video_frames) { return video_frames < Span(shape); }

std::vector<int64_t> ShortVideoFrames(const ClipShape& shape, int64_t video_frames,
                                      LoaderSettings::OnShortVideo on_short_video) {
  std::vector<int64_t> frames;
  if (video_frames < 1) return frames;
  frames.reserve(shape.length());
  for (int segment = 0; segment < shape.segments; ++segment) {
    for (int i = 0; i < shape.frames_per_segment; ++i) {
      const int64_t frame = int64_t{i} * shape.stride;
      frames.push_back(on_short_video == LoaderSettings::LOOP ? frame % video_frames
                                                              : std::min(frame, video_frames - 1));
    }
  }
  return frames;
}

// The frames of a long enough video whose segment i is moved by `shift`(i) from its first position.
template <typename Shift>
std::vector<int64_t> LongVideoFrames(const ClipShape& shape, int64_t video_frames, Shift shift) {
  const int64_t part = video_frames / shape.segments;
  const int64_t room = video_frames - Span(shape);
  std::vector<int64_t> frames;
  frames.reserve(shape.length());
  for (int segment = 0; segment < shape.segments; ++segment) {
    const int64_t first = part >= Span(shape) ? segment * part : segment * room / shape.segments;
    const int64_t start = first + shift(segment);
    for (int i = 0; i < shape.frames_per_segment; ++i) {
      frames.push_back(start + int64_t{i} * shape.stride);
    }
  }
  return frames;
}

}  // namespace

int64_t Span(const ClipShape& shape) {
  return int64_t{shape.frames_per_segment} * int64_t{shape.stride};
}

absl::Status CheckClipShape(const ClipShape& shape) {
  constexpr int64_t kLongest = 1'000'000;
  if (shape.segments < 1 || shape.frames_per_segment < 1 || shape.stride < 1) {
    return absl::InvalidArgumentError(absl::StrCat("a clip of ", shape.segments, " segments of ",
                                                   shape.frames_per_segment, " frames at stride ",
                                                   shape.stride, ": each must be at least 1"));
  }
  // Check each factor first, because their product may not fit into 64 bits.
  if (shape.segments > kLongest || shape.frames_per_segment > kLongest || shape.stride > kLongest ||
      Span(shape) > kLongest || Span(shape) * shape.segments > kLongest) {
    return absl::InvalidArgumentError(
        absl::StrCat("a clip of ", shape.segments, " segments of ", shape.frames_per_segment,
                     " frames at stride ", shape.stride, " spans more than ", kLongest, " frames"));
  }
  return absl::OkStatus();
}

int64_t TrainDrawLimit(const ClipShape& shape, int64_t video_frames) {
  if (IsShort(shape, video_frames)) return 0;
  const int64_t part = video_frames / shape.segments;
  if (part >= Span(shape)) return part - Span(shape);
  return (video_frames - Span(shape)) / shape.segments;
}

std::vector<int64_t> TrainFramesOfDraws(const ClipShape& shape, int64_t video_frames,
                                        LoaderSettings::OnShortVideo on_short_video,
                                        absl::Span<const int64_t> draws) {
  if (IsShort(shape, video_frames)) return ShortVideoFrames(shape, video_frames, on_short_video);
  return LongVideoFrames(shape, video_frames, [&](int segment) { return draws[segment]; });
}

std::vector<int64_t> TrainFrames(const ClipShape& shape, int64_t video_frames,
                                 LoaderSettings::OnShortVideo on_short_video,
                                 RandomStream* stream) {
  const int64_t limit = TrainDrawLimit(shape, video_frames);
  std::vector<int64_t> draws(shape.segments);
  for (int64_t& draw : draws) draw = stream->UniformInt(limit + 1);
  return TrainFramesOfDraws(shape, video_frames, on_short_video, draws);
}

std::vector<int64_t> TestFrames(const ClipShape& shape, int64_t video_frames, int clip, int clips,
                                LoaderSettings::OnShortVideo on_short_video) {
  if (IsShort(shape, video_frames)) return ShortVideoFrames(shape, video_frames, on_short_video);
  const int64_t part = video_frames / shape.segments;
  // Only one division at the end: floor(floor(room / n) k / K) would be another number.
  const int64_t shift =
      part >= Span(shape) ? (part - Span(shape)) * clip / clips
                          : (video_frames - Span(shape)) * clip / (int64_t{shape.segments} * clips);
  return LongVideoFrames(shape, video_frames, [shift](int) { return shift; });
}

std::vector<int64_t> CentreFrames(const ClipShape& shape, int64_t video_frames,
                                  LoaderSettings::OnShortVideo on_short_video) {
  return TestFrames(shape, video_frames, /*clip=*/1, /*clips=*/2, on_short_video);
}

}  // namespace op3d::data
