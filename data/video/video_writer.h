// Encodes pictures as a small H.264 video, the same bytes every time.
//
//   OP3D_ASSIGN_OR_RETURN(std::unique_ptr<VideoWriter> writer, VideoWriter::Make({64, 48}));
//   for (const RgbImage& image : images) OP3D_RETURN_IF_ERROR(writer->Add(image));
//   OP3D_ASSIGN_OR_RETURN(std::string bytes, writer->Finish());
//   OP3D_RETURN_IF_ERROR(WriteFileAtomically("clip.mp4", bytes));
//
// One thread, no date and no version in the file: equal pictures and options give equal bytes on
// one version of FFmpeg and x264.
#ifndef DATA_VIDEO_VIDEO_WRITER_H_
#define DATA_VIDEO_VIDEO_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/video/image.h"

namespace op3d {

struct VideoWriterOptions {
  // In pixels; both even (colours are stored for blocks of 2x2 pixels) and at least 16.
  int width = 0;
  int height = 0;
  // Frames a second.
  int frame_rate = 25;
  // FFmpeg's name of the container: "mp4", "matroska", "avi", "mpegts".
  std::string container = "mp4";
  // FFmpeg's name of the encoder: "libx264", "mpeg4".
  std::string encoder = "libx264";
  // libx264: quality, 0 (lossless) to 51; and the trade of speed for size.
  int crf = 20;
  std::string preset = "veryfast";
  // Distance of key frames, in frames: exactly so, changes of scene or not; 0 = the encoder's own.
  int key_frame_distance = 0;
  // B-frames in a row; -1 = the encoder's own.
  int b_frames = -1;
  // Time of the first frame, in frames.
  int64_t first_frame_time = 0;
  // Degrees clockwise that a player should turn the pictures by: 0, 90, 180, 270.
  int rotation = 0;
};

// A video in the making, in memory.  Not thread-safe.
class VideoWriter {
 public:
  // InvalidArgument: a size, container or encoder that cannot be.
  static absl::StatusOr<std::unique_ptr<VideoWriter>> Make(const VideoWriterOptions& options);
  virtual ~VideoWriter() = default;

  // The next frame, `skipped` frame times after its turn (a variable frame rate).
  // InvalidArgument: not of the options' size.
  virtual absl::Status Add(const RgbImage& image, int64_t skipped = 0) = 0;

  // The whole file.  FailedPrecondition: no frame was added, or called twice.
  virtual absl::StatusOr<std::string> Finish() = 0;
};

}  // namespace op3d

#endif  // DATA_VIDEO_VIDEO_WRITER_H_
