// All facts about a video, found by decoding all of it.
//
//   OP3D_ASSIGN_OR_RETURN(Inspection inspection, InspectVideo("a.mp4", {}));
//   std::puts(InspectionJson(inspection).c_str());
#ifndef OP3D_DATA_COMMAND_INSPECTION_H_
#define OP3D_DATA_COMMAND_INSPECTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/video/media.h"
#include "data/video/reader/video_info.h"

namespace op3d::data {

struct Inspection {
  std::string path;
  // `warnings` also name the frames that do not decode.
  VideoInfo info;
  // Numbers of the frames that the video has but that do not decode; at most the first
  // kMostUndecodable of them.
  std::vector<int64_t> undecodable;
};
constexpr int kMostUndecodable = 20;

// Errors of ScanMedia and OpenMedia.  Cancelled: a signal came.
absl::StatusOr<Inspection> InspectVideo(const std::string& path, const MediaOptions& options);

// One JSON object: file, frames (how many decode), width, height, rotation, codec, pts_seconds,
// warnings.
std::string InspectionJson(const Inspection& inspection);

// The same for people, a few lines.
std::string InspectionText(const Inspection& inspection);

}  // namespace op3d::data

#endif  // OP3D_DATA_COMMAND_INSPECTION_H_
