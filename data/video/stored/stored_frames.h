// A video stored frame by frame, as JPEG pictures.
#ifndef OP3D_DATA_VIDEO_STORED_STORED_FRAMES_H_
#define OP3D_DATA_VIDEO_STORED_STORED_FRAMES_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

// The content of a frame: one picture, or optical flow, whose x and y are one grey picture each.
enum class FrameContent { kPictures, kFlow };

// 1, or 2 for flow.
inline int PicturesPerFrame(FrameContent content) { return content == FrameContent::kFlow ? 2 : 1; }

// Not thread-safe.
class StoredFrames {
 public:
  virtual ~StoredFrames() = default;

  virtual int64_t frames() const = 0;
  // Where the picture is, for messages.  `frame` in [0, frames), `picture` in [0, 2).
  virtual std::string Where(int64_t frame, int picture) const = 0;
  // The picture's JPEG bytes, valid until the next call.  DataLoss or an error of the file system
  // or of LMDB; messages start with Where().
  virtual absl::StatusOr<absl::string_view> Encoded(int64_t frame, int picture) = 0;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_STORED_STORED_FRAMES_H_
