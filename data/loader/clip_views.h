// All views of one video from one pass over its frames.
//
//   const std::vector<std::vector<int64_t>> clips = {TestFrames(shape, frames, 0, 2, policy),
//                                                    TestFrames(shape, frames, 1, 2, policy)};
//   OP3D_RETURN_IF_ERROR(MakeClipViews(
//       video, clips, [&](int w, int h) { return ClipTransform::ForTest(settings, w, h); }, store,
//       absl::MakeSpan(out), &seconds));                  // out: [2 * 3, 3, T, size, size]
#ifndef OP3D_DATA_LOADER_CLIP_VIEWS_H_
#define OP3D_DATA_LOADER_CLIP_VIEWS_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/annotation/video_list.h"
#include "data/loader/byte_views.h"
#include "data/loader/frame_store.h"
#include "data/transform/clip_transform.h"

namespace op3d::data {

struct ViewSeconds {
  // Time spent waiting for frames, and turning them into views.
  double read = 0;
  double transform = 0;
};

// Fills `out`, [clips * crops, 3, T, size, size], view = clip * crops + crop.  `clips` holds the T
// frame numbers of each clip, repetitions allowed; a frame is read and resized once, even if
// several views show it.  `make_transform` is called once, with the width and height of the video's
// frames.
//
// Errors are those of `store` and `make_transform`, prefixed with the video's name.  Internal if
// `out` does not have the size that the transform needs.  Adds to `seconds`.
absl::Status MakeClipViews(
    const Video& video, absl::Span<const std::vector<int64_t>> clips,
    absl::FunctionRef<absl::StatusOr<ClipTransform>(int width, int height)> make_transform,
    FrameStore* store, absl::Span<float> out, ViewSeconds* seconds);

// The same views as bytes; the memory of `views` is used again.  With `planes`, pictures are given
// as decoded where they can be (FrameStore::ReadPlanesOrParts), the transform can be done from them
// (PlaneParts), and they are at most twice as many bytes as the resized ones.
absl::Status MakeByteViews(
    const Video& video, absl::Span<const std::vector<int64_t>> clips,
    absl::FunctionRef<absl::StatusOr<ClipTransform>(int width, int height)> make_transform,
    bool planes, FrameStore* store, ByteViews* views, ViewSeconds* seconds);

}  // namespace op3d::data

#endif  // OP3D_DATA_LOADER_CLIP_VIEWS_H_
