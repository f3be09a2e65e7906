// A scan as a few bytes: about 50 for a video with a constant frame rate.
//
//   const std::string bytes = EncodeScan(scan);
//   OP3D_ASSIGN_OR_RETURN(VideoScan same, DecodeScan(bytes, limits.max_frames));
#ifndef OP3D_DATA_INDEX_SCAN_RECORD_H_
#define OP3D_DATA_INDEX_SCAN_RECORD_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/video/reader/video_info.h"

namespace op3d::data {

// Equal scans give equal bytes.
std::string EncodeScan(const VideoScan& scan);

// DataLoss: `bytes` do not come from EncodeScan.  ResourceExhausted: more frames than `max_frames`.
// Needs memory in proportion to the real number of frames, whatever `bytes` claim.
absl::StatusOr<VideoScan> DecodeScan(absl::string_view bytes, int64_t max_frames);

}  // namespace op3d::data

#endif  // OP3D_DATA_INDEX_SCAN_RECORD_H_
