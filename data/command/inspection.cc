#include "data/command/inspection.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"

namespace op3d::data {
namespace {

// Decodes [next, frames); returns the number of the frame that failed, or `frames`.
absl::StatusOr<int64_t> DecodeFrom(int64_t next, VideoReader* reader) {
  std::vector<int64_t> rest(reader->info().frames - next);
  std::iota(rest.begin(), rest.end(), next);
  const absl::Status status = reader->Read(rest, [&](int64_t frame, const RgbImage&) {
    next = frame + 1;
    return CheckInterrupt();
  });
  if (!status.ok() && !absl::IsDataLoss(status)) return status;
  return status.ok() ? reader->info().frames : next;
}

int64_t DecodableFrames(const Inspection& inspection) {
  return inspection.info.frames - static_cast<int64_t>(inspection.undecodable.size());
}

}  // namespace

absl::StatusOr<Inspection> InspectVideo(const std::string& path, const MediaOptions& options) {
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<VideoReader> reader, OpenMedia(path, options));
  Inspection inspection;
  inspection.path = path;
  inspection.info = reader->info();
  std::vector<int64_t>& undecodable = inspection.undecodable;
  for (int64_t next = 0; next < reader->info().frames && undecodable.size() < kMostUndecodable;
       ++next) {
    OP3D_ASSIGN_OR_RETURN(next, DecodeFrom(next, reader.get()));
    if (next < reader->info().frames) undecodable.push_back(next);
  }
  // Not every codec has it in its headers.
  const auto tells_size = [](const std::string& warning) {
    return absl::StrContains(warning, "change their size");
  };
  std::vector<std::string>& warnings = inspection.info.warnings;
  if (reader->counters().resized > 0 &&
      std::none_of(warnings.begin(), warnings.end(), tells_size)) {
    warnings.push_back(absl::StrCat("the pictures change their size: all are scaled to ",
                                    inspection.info.width, "x", inspection.info.height));
  }
  if (!undecodable.empty()) {
    warnings.push_back(
        absl::StrCat("frames that do not decode: ", absl::StrJoin(undecodable, ", "),
                     undecodable.size() < kMostUndecodable ? "" : ", and perhaps more"));
  }
  return inspection;
}

std::string InspectionJson(const Inspection& inspection) {
  const VideoInfo& info = inspection.info;
  const nlohmann::ordered_json json = {{"file", inspection.path},
                                       {"frames", DecodableFrames(inspection)},
                                       {"width", info.width},
                                       {"height", info.height},
                                       {"rotation", info.rotation},
                                       {"codec", info.codec},
                                       {"pts_seconds", info.pts_seconds},
                                       {"warnings", info.warnings}};
  // Names and FFmpeg's messages need not be UTF-8.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string InspectionText(const Inspection& inspection) {
  const VideoInfo& info = inspection.info;
  std::string text = absl::StrCat(inspection.path, "\n  ", DecodableFrames(inspection),
                                  " frames of ", info.width, "x", info.height, ", ", info.codec);
  if (info.rotation != 0) absl::StrAppend(&text, ", turned by ", info.rotation, " degrees");
  if (info.pts_seconds.size() > 1) {
    const double first = info.pts_seconds.front();
    const double last = info.pts_seconds.back();
    absl::StrAppendFormat(&text, "\n  %.3f s to %.3f s, %.3f frames a second on average", first,
                          last, static_cast<double>(info.frames - 1) / (last - first));
  }
  for (const std::string& warning : info.warnings) absl::StrAppend(&text, "\n  warning: ", warning);
  return text;
}

}  // namespace op3d::data
