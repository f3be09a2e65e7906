// JPEG pictures in memory, by libjpeg-turbo, with the same options as Pillow and OpenCV
// (exact inverse DCT, smooth chroma): the same bytes as theirs.
//
//   JpegDecoder decoder;
//   OP3D_RETURN_IF_ERROR(decoder.Decode(bytes, limits.max_pixels, &image));
#ifndef OP3D_DATA_VIDEO_IMAGE_JPEG_H_
#define OP3D_DATA_VIDEO_IMAGE_JPEG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/video/image/image.h"

namespace op3d::data {

struct JpegSize {
  int width = 0;
  int height = 0;
};

// Not thread-safe; use one for each thread.
class JpegDecoder {
 public:
  JpegDecoder();

  // From the header alone.  DataLoss: not a JPEG picture.
  absl::StatusOr<JpegSize> ReadSize(absl::string_view bytes);

  // A colour or grey picture as RGB.  DataLoss: not JPEG, truncated or damaged anywhere (a partial
  // picture is an error); ResourceExhausted: more than `max_pixels`, checked before memory is used.
  absl::Status Decode(absl::string_view bytes, int64_t max_pixels, RgbImage* image);

  // The brightness only, [height, width].  Errors of Decode.
  absl::StatusOr<JpegSize> DecodeGrey(absl::string_view bytes, int64_t max_pixels,
                                      std::vector<uint8_t>* pixels);

 private:
  struct Deleter {
    void operator()(void* handle) const;
  };
  absl::StatusOr<JpegSize> CheckedSize(absl::string_view bytes, int64_t max_pixels);
  absl::Status Decompress(absl::string_view bytes, JpegSize size, int format, uint8_t* pixels);
  absl::Status Error(absl::string_view what) const;

  std::unique_ptr<void, Deleter> handle_;
};

// The picture as JPEG with chroma at half resolution, the same bytes every time.  `quality` in
// [1, 100].  InvalidArgument: an empty picture or another quality.
absl::StatusOr<std::string> EncodeJpeg(const RgbImage& image, int quality);

// The same for a grey picture, [height, width] in `pixels`, as a JPEG with brightness only.
absl::StatusOr<std::string> EncodeGreyJpeg(absl::Span<const uint8_t> pixels, JpegSize size,
                                           int quality);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_IMAGE_JPEG_H_
