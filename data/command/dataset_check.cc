#include "data/command/dataset_check.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "data/command/inspection.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/parallel.h"

namespace op3d::data {
namespace {

// The result for a video.
struct Checked {
  int64_t frames = 0;
  std::string fault;
};

absl::StatusOr<Checked> CheckOne(const Video& video) {
  MediaOptions options;
  options.content = video.content;
  options.remote = video.remote;
  const absl::StatusOr<Inspection> inspection = InspectVideo(video.path, options);
  if (absl::IsCancelled(inspection.status())) return inspection.status();
  Checked checked;
  if (!inspection.ok()) {
    checked.fault = std::string(inspection.status().message());
    return checked;
  }
  const int64_t undecodable = static_cast<int64_t>(inspection->undecodable.size());
  checked.frames = inspection->info.frames - undecodable;
  if (inspection->info.frames != video.frames) {
    checked.fault = absl::StrCat("has ", inspection->info.frames, " frames, not the ", video.frames,
                                 " of the index; index the dataset with --rescan");
  } else if (undecodable > 0) {
    checked.fault = inspection->info.warnings.back();
  }
  return checked;
}

}  // namespace

absl::StatusOr<CheckReport> CheckVideos(absl::Span<const Video> videos, int threads) {
  std::vector<Checked> checked(videos.size());
  {
    Progress progress("check", static_cast<int64_t>(videos.size()), "videos");
    OP3D_RETURN_IF_ERROR(
        InParallel(threads, static_cast<int64_t>(videos.size()), [&](int64_t i) -> absl::Status {
          OP3D_ASSIGN_OR_RETURN(checked[i], CheckOne(videos[i]));
          progress.Add(1);
          return absl::OkStatus();
        }));
  }
  CheckReport report;
  report.videos = static_cast<int64_t>(videos.size());
  for (size_t i = 0; i < videos.size(); ++i) {
    report.frames += checked[i].frames;
    if (checked[i].fault.empty()) continue;
    report.damaged.push_back({videos[i].name, videos[i].path, checked[i].fault});
  }
  return report;
}

std::string CheckReportText(const CheckReport& report) {
  std::string text = absl::StrCat(report.videos, " videos read, ", report.frames,
                                  " frames decode, ", report.damaged.size(), " videos have errors");
  for (const DamagedVideo& video : report.damaged) {
    absl::StrAppend(&text, "\n  ", video.name, ": ", video.reason);
  }
  return text;
}

std::string CheckReportJson(const CheckReport& report) {
  nlohmann::ordered_json damaged = nlohmann::ordered_json::array();
  for (const DamagedVideo& video : report.damaged) {
    damaged.push_back({{"name", video.name}, {"path", video.path}, {"reason", video.reason}});
  }
  const nlohmann::ordered_json json = {
      {"videos", report.videos}, {"frames", report.frames}, {"damaged", damaged}};
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace op3d::data
