// Exact frames of a video: frame k is the k-th frame in order of presentation, whatever the
// container's header, its index or the order of its packets says, and however the video is stored.
// `media.h` opens one.
//
//   OP3D_ASSIGN_OR_RETURN(std::unique_ptr<VideoReader> reader, OpenMedia(path));
//   const std::vector<int64_t> wanted = {0, 16, reader->info().frames - 1};
//   OP3D_RETURN_IF_ERROR(reader->Read(wanted, [&](int64_t k, const RgbImage& image) {
//     return Use(k, image);
//   }));
#ifndef OP3D_DATA_VIDEO_READER_VIDEO_READER_H_
#define OP3D_DATA_VIDEO_READER_VIDEO_READER_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/video/image/image.h"
#include "data/video/image/yuv_to_rgb.h"
#include "data/video/reader/video_info.h"

namespace op3d::data {

// An open video.  Not thread-safe; use one for each thread (decoding is single-threaded).
class VideoReader {
 public:
  virtual ~VideoReader() = default;

  virtual const VideoInfo& info() const = 0;

  // From the next Read on, images are only this part of each frame (as presented): the same bytes,
  // but cheaper.  InvalidArgument: empty, or not inside the frame.
  absl::Status SetBox(const Box& box);

  // Calls `sink`(k, image) for each k of `indices`, which must be sorted, without repetition and in
  // [0, frames).  `image` is valid during the call.  A call for later frames continues
  // where the last call ended; one call for all frames is the cheapest.
  //
  // InvalidArgument: `indices` not increasing.  OutOfRange: an index outside the video; nothing was
  // decoded.  DataLoss: a frame does not decode; `sink` got the frames before it.  An error from
  // `sink` stops the reading and is returned.
  virtual absl::Status Read(absl::Span<const int64_t> indices,
                            absl::FunctionRef<absl::Status(int64_t, const RgbImage&)> sink) = 0;

  // The same for whole pictures as they are decoded, without turning and converting them; all have
  // one matrix and one range.  False if one cannot be given so (FrameConverter::Planes), or none,
  // as by stored frames: `sink` got those before it, and Read gives all.
  virtual absl::StatusOr<bool> ReadPlanes(
      absl::Span<const int64_t> /*indices*/,
      absl::FunctionRef<absl::Status(int64_t, const YuvPicture&)> /*sink*/) {
    return false;
  }

  // What the reading has cost so far.
  struct Counters {
    // Packets sent to the decoder, frames it returned, frames converted to images, frames given as
    // decoded.
    int64_t packets = 0;
    int64_t decoded = 0;
    int64_t converted = 0;
    int64_t given = 0;
    // The number of converted ones that were scaled, because their frame had another size than the
    // video.
    int64_t resized = 0;
    // The number of frames that the CPU decoded although Decoding.nvdec was asked for.
    int64_t software = 0;
    // Jumps forward to a key frame, and returns to the file's beginning.
    int64_t seeks = 0;
    int64_t rewinds = 0;
    Counters& operator+=(const Counters& other);
  };
  virtual const Counters& counters() const = 0;

  // Whether the frames are in memory already, as those of a packed video are: nothing is gained by
  // keeping them.
  virtual bool IsInMemory() const { return false; }

 protected:
  // The whole frame unless SetBox was called.
  Box box() const;

 private:
  Box box_;
};

// InvalidArgument: `box` is empty or not inside frames of `width` x `height`.
absl::Status CheckBox(const Box& box, int64_t width, int64_t height);

// The status of Read for `indices` of a video with `frames` frames; `path` is for the message.
absl::Status CheckFrameIndices(absl::Span<const int64_t> indices, int64_t frames,
                               absl::string_view path);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_READER_VIDEO_READER_H_
