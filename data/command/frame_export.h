// Frames of a video as pictures, for inspection: as PNG files, or side by side in one JPEG picture.
//
//   OP3D_ASSIGN_OR_RETURN(std::vector<ExportedFrame> frames,
//                         ExportFrames("a.mp4", {0, 7, 12}, /*short_side=*/0, "out", {}));
//   // out/frame_000000.png, out/frame_000007.png, out/frame_000012.png
#ifndef OP3D_DATA_COMMAND_FRAME_EXPORT_H_
#define OP3D_DATA_COMMAND_FRAME_EXPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/annotation/video_list.h"
#include "data/video/media.h"

namespace op3d::data {

struct ExportedFrame {
  int64_t frame = 0;
  std::string path;
};

// `indices` may be in any order; repeated ones are written once.  Frame k becomes frame_<k>.png
// with six digits or more.  `short_side` in pixels, resized as for training; 0 = the video's own
// size.  An existing file is replaced atomically.  Returns the frames in order of presentation.
//
// Errors of OpenMedia and of VideoReader::Read; InvalidArgument: no indices, a short side outside
// [0, 32768].
absl::StatusOr<std::vector<ExportedFrame>> ExportFrames(const std::string& video,
                                                        std::vector<int64_t> indices,
                                                        int short_side, const std::string& folder,
                                                        const MediaOptions& options);

// `frames` frames, evenly spaced over the video (each the middle one of an equal part), side by side
// as one JPEG picture, in order of presentation; each `height` pixels high, 2 grey pixels apart.  A
// video with fewer frames gives all of them once.  Equal videos give equal bytes.
//
//   OP3D_ASSIGN_OR_RETURN(std::string jpeg, FrameStrip(reader.get(), /*frames=*/8, /*height=*/96));
//
// Errors of VideoReader::Read; InvalidArgument: `frames` outside [1, 1000] or `height` outside
// [1, 1024].
absl::StatusOr<std::string> FrameStrip(VideoReader* reader, int frames, int height);

// The strips of the videos with these names, 8 frames of 96 pixels each, in the order of `names`; ""
// for a name that is not among `videos`, and for a video that does not decode, which is said on
// stderr.  Shows a progress bar.  Cancelled: a signal came.
absl::StatusOr<std::vector<std::string>> FrameStripsOf(absl::Span<const Video> videos,
                                                       absl::Span<const std::string> names);

// One JSON object: frame, file.
std::string ExportedFrameJson(const ExportedFrame& frame);

}  // namespace op3d::data

#endif  // OP3D_DATA_COMMAND_FRAME_EXPORT_H_
