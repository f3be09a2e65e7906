#include "data/video/video_reader.h"

#include "absl/strings/str_cat.h"

namespace op3d {

absl::Status CheckFrameIndices(absl::Span<const int64_t> indices, int64_t frames,
                               absl::string_view path) {
  int64_t before = -1;
  for (const int64_t frame : indices) {
    if (frame < 0 || frame >= frames) {
      return absl::OutOfRangeError(
          absl::StrCat(path, " has no frame ", frame, ": its frames are 0 to ", frames - 1));
    }
    if (frame <= before) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": frame numbers must increase, ", frame, " follows ", before));
    }
    before = frame;
  }
  return absl::OkStatus();
}

}  // namespace op3d
