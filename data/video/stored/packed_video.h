// A video as decoded pictures in one file, for sets that are small enough: `NAME.packed`.
//
//   OP3D_ASSIGN_OR_RETURN(auto writer, PackedVideoWriter::Make("v.packed", {12, 74, 56}));
//   for (const RgbImage& frame : frames) OP3D_RETURN_IF_ERROR(writer->Add(frame));
//   OP3D_RETURN_IF_ERROR(writer->Finish());
//   OP3D_ASSIGN_OR_RETURN(auto reader, OpenPackedVideo("v.packed", VideoLimits()));
//
// The file is mapped into memory for reading: all processes share the same pages of the system's
// cache, and nothing is decoded.  Its first pages are a header with the frames' number and size and
// a CRC-32 of each frame; the frames follow, bytes red, green, blue.  Numbers are little-endian.
#ifndef OP3D_DATA_VIDEO_STORED_PACKED_VIDEO_H_
#define OP3D_DATA_VIDEO_STORED_PACKED_VIDEO_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/video/image/image.h"
#include "data/video/reader/video_info.h"
#include "data/video/reader/video_reader.h"

namespace op3d::data {

inline constexpr absl::string_view kPackedEnding = ".packed";

// Whether the name is that of a packed video.
bool IsPackedName(absl::string_view path);

// The number of frames, and their size in pixels.
struct PackedShape {
  int64_t frames = 0;
  int width = 0;
  int height = 0;
};

// Bytes of the file of such a video.
int64_t PackedBytes(const PackedShape& shape);

// Reads the header alone.  NotFound: no such file.  DataLoss: damaged, truncated, or not a packed
// video.  ResourceExhausted: beyond `limits`.
absl::StatusOr<VideoInfo> DescribePackedVideo(const std::string& path, const VideoLimits& limits);

// Maps the file.  Errors of DescribePackedVideo; reading a frame whose bytes have changed is
// DataLoss.  The file must not be truncated while it is open.
absl::StatusOr<std::unique_ptr<VideoReader>> OpenPackedVideo(const std::string& path,
                                                             const VideoLimits& limits);

// Writes a packed video into a file next to `path`, which is renamed by Finish; without Finish
// it is removed, and `path` is untouched.  Not thread-safe.
class PackedVideoWriter {
 public:
  // InvalidArgument: a number below 1, or a side of more than 32768.  Errors of the file system.
  static absl::StatusOr<std::unique_ptr<PackedVideoWriter>> Make(const std::string& path,
                                                                 const PackedShape& shape);
  ~PackedVideoWriter();

  // The next frame.  InvalidArgument: of another size, or one too many.  ResourceExhausted: the disk
  // is full.
  absl::Status Add(const RgbImage& frame);
  // InvalidArgument: frames are missing.
  absl::Status Finish();

 private:
  PackedVideoWriter(std::string path, std::string beside, int file, const PackedShape& shape)
      : path_(std::move(path)), beside_(std::move(beside)), file_(file), shape_(shape) {}
  absl::Status Write(int64_t place, absl::string_view bytes);

  const std::string path_;
  const std::string beside_;
  int file_;
  const PackedShape shape_;
  std::vector<uint32_t> checksums_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_STORED_PACKED_VIDEO_H_
