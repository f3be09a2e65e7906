// Encodes pictures as a small video, the same bytes every time.
//
//   OP3D_ASSIGN_OR_RETURN(std::unique_ptr<VideoWriter> writer, VideoWriter::Make({64, 48}));
//   for (const RgbImage& image : images) OP3D_RETURN_IF_ERROR(writer->Add(image));
//   OP3D_ASSIGN_OR_RETURN(std::string bytes, writer->Finish());
//   OP3D_RETURN_IF_ERROR(WriteFileAtomically("clip.mp4", bytes));
//
// One thread, no date and no version in the file: equal pictures and options give equal bytes on
// one version of FFmpeg and x264.
#ifndef OP3D_DATA_VIDEO_WRITER_VIDEO_WRITER_H_
#define OP3D_DATA_VIDEO_WRITER_VIDEO_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/video/image/image.h"
#include "data/video/writer/video_writer_options.h"

namespace op3d::data {

// A video being written, in memory.  Not thread-safe.
class VideoWriter {
 public:
  // InvalidArgument: an impossible size, container or encoder.
  static absl::StatusOr<std::unique_ptr<VideoWriter>> Make(const VideoWriterOptions& options);
  virtual ~VideoWriter() = default;

  // The next frame, `skipped` frame times later than usual (a variable frame rate).
  // InvalidArgument: not of the options' size.
  virtual absl::Status Add(const RgbImage& image, int64_t skipped = 0) = 0;

  // The whole file.  FailedPrecondition: no frame was added, or it is called twice.
  virtual absl::StatusOr<std::string> Finish() = 0;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_WRITER_VIDEO_WRITER_H_
