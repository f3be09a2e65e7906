// Makes a smaller copy of a dataset for training: small pictures, close key frames, or frames.
//
//   TranscodeOptions options;
//   options.root = "/data/kinetics400";
//   options.out = "/fast/kinetics400";
//   OP3D_ASSIGN_OR_RETURN(TranscodeReport report, TranscodeVideos(list.videos, options));
//
// The new folder is a copy of the dataset with the same lists and frame numbers.  A pack is the copy
// with the form kPacked: decoded pictures, resized once; it is made of one list and says so.
#ifndef OP3D_DATA_COMMAND_TRANSCODE_H_
#define OP3D_DATA_COMMAND_TRANSCODE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/annotation/video_list.h"
#include "data/command/video_copy.h"

namespace op3d::data {

struct TranscodeOptions {
  // The dataset's folder, and the new one.
  std::string root;
  std::string out;
  VideoCopyOptions copy;
  // Videos copied at the same time, at least 1.
  int threads = 1;
};

struct TranscodeReport {
  // Videos written now, and those that existed already.
  int64_t written = 0;
  int64_t earlier = 0;
  // Videos with a frame that does not decode; they have no copy.  In the order of the list.
  std::vector<LeftOutVideo> failed;
  // Of all videos with a copy.
  int64_t bytes_before = 0;
  int64_t bytes_after = 0;
  // Processor time to read 16 frames from the middle of a video, the median of `measured`
  // videos.
  int measured = 0;
  double clip_milliseconds_before = 0;
  double clip_milliseconds_after = 0;
};

// Shows a progress bar.  Lists and label maps (.csv, .txt, .json in the root and one folder below)
// are copied too.  If it was stopped or killed, a call with the same options resumes: each copy of
// a video is complete or absent.
//
// InvalidArgument: options out of their range, `out` equal to `root` or inside it.
// FailedPrecondition: `out` holds something else, or a copy made with other options, or a pack of
// another list; nothing is changed.  ResourceExhausted: the disk is full, or, before anything is
// written, too small for a pack.  Cancelled: a signal came.
absl::StatusOr<TranscodeReport> TranscodeVideos(absl::Span<const Video> videos,
                                                const TranscodeOptions& options);

// What a pack of the videos takes on the disk: known before it is made.  Of a video without a scan
// (Video.scan), the frames' size is read from the file.  Videos that cannot be opened count as 0.
struct PackSize {
  int64_t videos = 0;
  int64_t frames = 0;
  int64_t bytes = 0;
};
PackSize PackSizeOf(absl::Span<const Video> videos, const VideoCopyOptions& copy);

std::string TranscodeReportText(const TranscodeReport& report);
// One JSON object: written, earlier, bytes_before, bytes_after, clip_milliseconds_before, _after,
// measured, failed [{name, path, reason}].
std::string TranscodeReportJson(const TranscodeReport& report);

}  // namespace op3d::data

#endif  // OP3D_DATA_COMMAND_TRANSCODE_H_
