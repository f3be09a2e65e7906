// Writes a clip exactly as the network would get it to a safetensors file, for inspection.
//
//   ClipRequest request;
//   request.length = 16;
//   OP3D_ASSIGN_OR_RETURN(ClipFile file, MakeClipFile("a.mp4", request));
//   // file.bytes: tensor "clip", F32 [1, 3, 16, 224, 224]
#ifndef OP3D_DATA_COMMAND_CLIP_EXPORT_H_
#define OP3D_DATA_COMMAND_CLIP_EXPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/video/stored/stored_frames.h"

namespace op3d::data {

struct ClipRequest {
  enum class Crop {
    // As in the search: short side `size`, the centre.
    kCentre,
    // As in the test: short side `size`, centre, top-left, bottom-right.
    kThree,
    // As in training: random resized crop (area 0.2 to 1), colour jitter, grey, blur, flip, by
    // the published protocol.
    kRandom,
  };

  // Frames start, start + stride, ...; past the end the last frame is repeated.
  int length = 16;
  int stride = 1;
  int64_t start = 0;
  Crop crop = Crop::kCentre;
  // Side of the crop, in pixels, [1, 8192].
  int size = 224;
  // For the random crop.
  uint64_t seed = 1;
  // kFlow: from stored x and y pictures.
  FrameContent content = FrameContent::kPictures;
};

// "center", "three" or "random"; InvalidArgument names them.
absl::StatusOr<ClipRequest::Crop> ParseCrop(absl::string_view name);

struct ClipFile {
  // Tensor `clip`, F32 [views, 3, length, size, size], view = crop, normalised; metadata `frames`:
  // the frame numbers, separated by commas.
  std::string bytes;
  std::vector<int64_t> shape;
  std::vector<int64_t> frames;
  // How many times the last frame replaces a frame past the end.
  int held = 0;
};

// Uses the loader's own code from the video to the numbers.  Errors of OpenMedia and of
// ClipTransform; InvalidArgument: length or stride below 1, a size outside its range, more than
// 2 GiB; OutOfRange: `start` outside the video.
absl::StatusOr<ClipFile> MakeClipFile(const std::string& video, const ClipRequest& request);

// One object: file (`out`), video, shape, frames, held.
std::string ClipFileJson(const ClipFile& clip, const std::string& video, const std::string& out);

}  // namespace op3d::data

#endif  // OP3D_DATA_COMMAND_CLIP_EXPORT_H_
