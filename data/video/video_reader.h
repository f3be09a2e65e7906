// Exact frames of a video file: frame k is the k-th frame in order of presentation, whatever the
// container's header, its index or the order of its packets says.
//
//   OP3D_ASSIGN_OR_RETURN(std::unique_ptr<VideoReader> reader, VideoReader::Open(path));
//   const std::vector<int64_t> wanted = {0, 16, reader->info().frames - 1};
//   OP3D_RETURN_IF_ERROR(reader->Read(wanted, [&](int64_t k, const RgbImage& image) {
//     return Use(k, image);
//   }));
//
// Pixels: colour matrix and range as the file says, BT.601 limited where it is silent; turned
// upright; the video's own size (nothing is resized, non-square pixels stay as they are).  The
// same file gives the same bytes on one machine, in whatever order frames are asked for.
#ifndef DATA_VIDEO_VIDEO_READER_H_
#define DATA_VIDEO_VIDEO_READER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/video/image.h"
#include "data/video/video_info.h"

namespace op3d {

// Frame count, size and times of a file, from one pass over its packets (about a millisecond).
// Only where packets do not tell (packed B-frames, damage, missing times) is everything decoded.
//
// NotFound: no such file.  InvalidArgument: not a regular file, or not a video.  DataLoss: a video
// of which no frame decodes.  ResourceExhausted: beyond `limits`.  Messages name the file.
absl::StatusOr<VideoInfo> ScanVideo(const std::string& path, const VideoLimits& limits = {});

// An open video.  Not thread-safe; use one for each thread (decoding is single-threaded).
class VideoReader {
 public:
  // Scans as ScanVideo does, with its errors.
  static absl::StatusOr<std::unique_ptr<VideoReader>> Open(const std::string& path,
                                                           const VideoLimits& limits = {});
  virtual ~VideoReader() = default;

  virtual const VideoInfo& info() const = 0;

  // Calls `sink`(k, image) for each k of `indices`, which must be sorted, without repetition and in
  // [0, frames).  `image` is valid during the call.  Asking for later frames than before goes on
  // where the last call ended; one call with all frames wanted is the cheapest.
  //
  // InvalidArgument: `indices` not increasing.  OutOfRange: an index outside the video; nothing was
  // decoded.  DataLoss: a frame does not decode; the ones before it were given out.  A status from
  // `sink` ends the reading and is returned.
  virtual absl::Status Read(absl::Span<const int64_t> indices,
                            absl::FunctionRef<absl::Status(int64_t, const RgbImage&)> sink) = 0;

  // What the reading cost so far.
  struct Counters {
    // Packets given to the decoder, frames it gave back, frames turned into images.
    int64_t packets = 0;
    int64_t decoded = 0;
    int64_t converted = 0;
    // Jumps forward to a key frame, and returns to the file's beginning.
    int64_t seeks = 0;
    int64_t rewinds = 0;
  };
  virtual const Counters& counters() const = 0;
};

}  // namespace op3d

#endif  // DATA_VIDEO_VIDEO_READER_H_
