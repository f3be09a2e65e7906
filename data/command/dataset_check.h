// Decodes every frame of every listed video and reports what does not decode.
//
//   OP3D_ASSIGN_OR_RETURN(CheckReport report, CheckVideos(list.videos, /*threads=*/2));
//   report.damaged;                                      // "abc: frames that do not decode: 3, 7"
#ifndef OP3D_DATA_COMMAND_DATASET_CHECK_H_
#define OP3D_DATA_COMMAND_DATASET_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/annotation/video_list.h"
#include "data/video/media.h"

namespace op3d::data {

// A video that differs from its entry in the index.
struct DamagedVideo {
  std::string name;
  std::string path;
  std::string reason;
};

struct CheckReport {
  // The number of videos read, and of their frames that decode.
  int64_t videos = 0;
  int64_t frames = 0;
  // In the order of the list.
  std::vector<DamagedVideo> damaged;
};

// `threads` videos at a time, under a progress bar.  A video that cannot be read is part of the
// report, not an error.  Cancelled: a signal came.
absl::StatusOr<CheckReport> CheckVideos(absl::Span<const Video> videos, int threads);

std::string CheckReportText(const CheckReport& report);
// One object: videos, frames, damaged [{name, path, reason}].
std::string CheckReportJson(const CheckReport& report);

}  // namespace op3d::data

#endif  // OP3D_DATA_COMMAND_DATASET_CHECK_H_
