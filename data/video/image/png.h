// A picture as a PNG file, without loss.
//
//   OP3D_ASSIGN_OR_RETURN(std::string bytes, EncodePng(image));
//   OP3D_RETURN_IF_ERROR(WriteFileAtomically("frame.png", bytes));
#ifndef OP3D_DATA_VIDEO_IMAGE_PNG_H_
#define OP3D_DATA_VIDEO_IMAGE_PNG_H_

#include <string>

#include "absl/status/statusor.h"
#include "data/video/image/image.h"

namespace op3d::data {

// The same bytes every time.  InvalidArgument: an empty picture.
absl::StatusOr<std::string> EncodePng(const RgbImage& image);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_IMAGE_PNG_H_
