// Copies one video in another form: smaller, with close key frames, as a file, a folder of JPEG
// frames, an LMDB of them or a packed video.  Frame k of the copy is frame k of the video.
//
//   VideoCopyOptions options;
//   options.form = VideoForm::kFile;
//   OP3D_RETURN_IF_ERROR(CopyVideo(video, options, "out/a.mp4"));
#ifndef OP3D_DATA_COMMAND_VIDEO_COPY_H_
#define OP3D_DATA_COMMAND_VIDEO_COPY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/annotation/video_list.h"
#include "data/command/optical_flow.h"
#include "data/transform/resize.h"

namespace op3d::data {

enum class VideoForm {
  // H.264 in mp4.
  kFile,
  // A folder of 00001.jpg, 00002.jpg, ...
  kFrames,
  // A folder with data.mdb, keys 000001.jpg, 000002.jpg, ...
  kLmdb,
  // Decoded pictures in one file, data/video/stored/packed_video.h.
  kPacked,
};

// "video", "frames", "lmdb" or "packed"; InvalidArgument names them.
absl::StatusOr<VideoForm> ParseVideoForm(absl::string_view name);
absl::string_view VideoFormName(VideoForm form);

struct VideoCopyOptions {
  VideoForm form = VideoForm::kFile;
  // Short side in pixels, [16, 8192]; smaller videos keep their size.  Files have even sides.
  int short_side = 256;
  // For files: distance of key frames in frames, at least 1; quality 0 (best) to 51.
  int key_frame_distance = 16;
  int crf = 20;
  // For frames: JPEG quality, [1, 100].
  int jpeg_quality = 90;
  // If not null, the copy holds the optical flow from each frame to the next one instead of the
  // frames, as 000001_c1.jpg (x) and 000001_c2.jpg (y).  The last frame repeats the flow before it,
  // so that the copy has as many frames as the video.  Not possible for files.
  const OpticalFlow* flow = nullptr;
  // Larger motions are clipped to this, in pixels, (0, 1000].
  double flow_bound = 20;
};

// InvalidArgument names the field, its value and its range.
absl::Status CheckVideoCopyOptions(const VideoCopyOptions& options);

// The size of the frames of a copy of a video with frames of `width` x `height`.
PictureSize CopySize(int width, int height, const VideoCopyOptions& options);

// The name of the copy of the video `path`: "x/a.avi" -> "x/a.mp4", or the folder "x/a".  If
// `is_folder`, the name has no ending to remove.
std::string CopyPath(const std::string& path, bool is_folder, VideoForm form);

// Makes `target` (see CopyPath), completely or not at all: frames are written into a folder next to
// it that is renamed at the end; a folder left by a killed process is removed first.  An existing
// `target` is replaced if it is a file, kept if it is a folder.
//
// Errors of OpenIndexed and of VideoReader::Read: a video with a frame that does not decode gets no
// copy.  ResourceExhausted: the disk is full.  Cancelled: a signal came.
absl::Status CopyVideo(const Video& video, const VideoCopyOptions& options,
                       const std::string& target);

}  // namespace op3d::data

#endif  // OP3D_DATA_COMMAND_VIDEO_COPY_H_
