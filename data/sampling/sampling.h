// Which frames of a video make a clip, in whole numbers.
//
//   const ClipShape shape = {/*segments=*/4, /*frames_per_segment=*/4, /*stride=*/1};
//   RandomStream stream(seed, "train.clip", {epoch, video});
//   const std::vector<int64_t> frames =
//       TrainFrames(shape, 96, LoaderSettings::REPEAT_LAST, &stream);      // 16 numbers in [0, 96)
//
// Let L = frames_per_segment * stride (a segment's span), D the number of frames of the video, n
// the number of segments, q = floor(D / n).
//   training  q >= L: segment i starts at random{0..q-L} + i q
//             D >= L: segment i starts at random{0..floor((D-L)/n)} + floor(i (D-L) / n)
//   clip k of K in a test
//             q >= L: floor((q-L) k / K) + i q
//             D >= L: floor((D-L) k / (n K)) + floor(i (D-L) / n)
//   D < L: every segment starts at 0; past the end, the last frame is repeated or the video starts
//          again (OnShortVideo).
// Source: the released reader of the paper, with exact quotients instead of its floating-point
// ones.  A segment counts as L = frames * stride frames long although it ends after
// (frames - 1) * stride + 1: a video of 127 frames is "short" for 64 frames at stride 2, but
// neither rule for short videos changes its clip.
#ifndef OP3D_DATA_SAMPLING_SAMPLING_H_
#define OP3D_DATA_SAMPLING_SAMPLING_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "data/datasets/dataset.pb.h"
#include "op3d/base/random_stream.h"

namespace op3d::data {

// A clip: `segments` runs of `frames_per_segment` frames, `stride` frames apart.  With one
// segment the frames are consecutive.
struct ClipShape {
  int segments = 1;
  int frames_per_segment = 16;
  int stride = 1;
  // The number of frames of the clip.
  int length() const { return segments * frames_per_segment; }
};

// The number of frames of the video that one segment covers; a video with fewer is short (see
// above).
int64_t Span(const ClipShape& shape);

// InvalidArgument unless all three are at least 1 and the clip spans at most a million frames.
absl::Status CheckClipShape(const ClipShape& shape);

// The functions below return length() frame numbers from 0, in [0, video_frames), segment
// after segment.  They need a shape that passed CheckClipShape and a video of at least one frame;
// for a video without frames the result is empty.  Pure and thread-safe.

// A training clip; draws one number per segment from `stream`.
std::vector<int64_t> TrainFrames(const ClipShape& shape, int64_t video_frames,
                                 LoaderSettings::OnShortVideo on_short_video, RandomStream* stream);

// How far each segment of a training clip may be moved: its draw is in [0, limit], inclusive.
int64_t TrainDrawLimit(const ClipShape& shape, int64_t video_frames);

// The training clip for given draws, one per segment, each in [0, TrainDrawLimit].
std::vector<int64_t> TrainFramesOfDraws(const ClipShape& shape, int64_t video_frames,
                                        LoaderSettings::OnShortVideo on_short_video,
                                        absl::Span<const int64_t> draws);

// Clip `clip` of `clips` in a test, 0 <= clip < clips.
std::vector<int64_t> TestFrames(const ClipShape& shape, int64_t video_frames, int clip, int clips,
                                LoaderSettings::OnShortVideo on_short_video);

// The one clip of the search's measure: each segment in the middle of its range, that is, the
// second of two test clips (k = 1, K = 2).
std::vector<int64_t> CentreFrames(const ClipShape& shape, int64_t video_frames,
                                  LoaderSettings::OnShortVideo on_short_video);

}  // namespace op3d::data

#endif  // OP3D_DATA_SAMPLING_SAMPLING_H_
