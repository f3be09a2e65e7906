// Options of a VideoWriter's encoder: small files, the same bytes every time.
#ifndef OP3D_DATA_VIDEO_WRITER_ENCODER_SETTINGS_H_
#define OP3D_DATA_VIDEO_WRITER_ENCODER_SETTINGS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/video/ffmpeg/ffmpeg.h"
#include "data/video/writer/video_writer_options.h"

namespace op3d::data {

// InvalidArgument: sizes, rates or qualities out of range, or options that exclude each other.
absl::Status CheckOptions(const VideoWriterOptions& options);

// An open encoder.  `global_header`: the container stores the codec's configuration.
// InvalidArgument: no such encoder or pixel format, or it refuses the options.
absl::StatusOr<CodecPtr> OpenEncoder(const VideoWriterOptions& options, bool global_header);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_WRITER_ENCODER_SETTINGS_H_
