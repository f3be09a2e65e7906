#include "data/command/dataset_index.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/datasets/dataset_settings.h"
#include "data/index/index_update.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr size_t kShown = 10;

using Json = nlohmann::ordered_json;

SplitReport ReportSplit(const DatasetSettings& dataset, const DatasetSettings::Split& split,
                        const std::string& index_file, const DatasetIndexOptions& options) {
  SplitReport report;
  LoaderSettings loader;
  loader.set_on_bad_video(LoaderSettings::SKIP);
  IndexOptions index;
  index.file = index_file;
  index.rescan = options.rescan;
  absl::StatusOr<VideoList> list =
      LoadVideoList(dataset, split, options.root, loader, options.threads, index);
  report.status = list.status();
  if (!list.ok()) return report;
  report.list = *std::move(list);
  std::set<int64_t> labels;
  for (const Video& video : report.list.videos) {
    report.frames += video.frames;
    if (video.label >= 0) labels.insert(video.label);
    if (video.frames < options.shortest) report.short_videos.push_back(video);
  }
  report.classes_used = static_cast<int64_t>(labels.size());
  return report;
}

// "  missing: a, b, and 7 more" below the counts; nothing if there are none.
void AppendNames(absl::string_view kind, const std::vector<std::string>& names, std::string* text) {
  for (size_t i = 0; i < names.size() && i < kShown; ++i) {
    absl::StrAppend(text, "  ", kind, ": ", names[i], "\n");
  }
  if (names.size() > kShown) {
    absl::StrAppend(text, "  ", kind, ": ", names.size() - kShown, " more; --json lists all\n");
  }
}

std::string SplitText(const SplitReport& split) {
  if (!split.status.ok()) {
    return absl::StrCat(split.name, ": not usable: ", split.status.message(), "\n");
  }
  const VideoList& list = split.list;
  std::string text = absl::StrCat(split.name, ": ", list.videos.size(), " of ", list.listed,
                                  " listed videos can be used");
  if (split.official > 0) absl::StrAppend(&text, " (the official list has ", split.official, ")");
  absl::StrAppend(&text, "\n  ", split.frames, " frames; ");
  if (!list.videos.empty() && list.videos[0].label < 0) {
    absl::StrAppend(&text, "a list without labels");
  } else {
    absl::StrAppend(&text, split.classes_used, " of ", list.classes.size(), " classes");
  }
  absl::StrAppend(&text, "\n  ", list.missing, " missing, ", list.broken, " broken, ",
                  split.short_videos.size(), " short");
  if (list.unlabelled > 0) absl::StrAppend(&text, ", ", list.unlabelled, " without a label");
  text += "\n";
  std::vector<std::string> missing, broken, unlabelled, short_videos;
  for (const LeftOutVideo& video : list.left_out) {
    if (video.unlabelled) {
      unlabelled.push_back(video.name);
    } else if (video.path.empty()) {
      missing.push_back(video.name);
    } else {
      broken.push_back(absl::StrCat(video.name, ": ", video.reason));
    }
  }
  for (const Video& video : split.short_videos) {
    short_videos.push_back(absl::StrCat(video.name, ": ", video.frames, " frames"));
  }
  AppendNames("missing", missing, &text);
  AppendNames("broken", broken, &text);
  AppendNames("without a label", unlabelled, &text);
  AppendNames("short", short_videos, &text);
  for (const std::string& note : list.notes) absl::StrAppend(&text, "  note: ", note, "\n");
  return text;
}

Json SplitJson(const SplitReport& split) {
  if (!split.status.ok()) return {{"error", std::string(split.status.message())}};
  const VideoList& list = split.list;
  Json missing = Json::array(), broken = Json::array(), unlabelled = Json::array();
  Json short_videos = Json::array();
  for (const LeftOutVideo& video : list.left_out) {
    if (video.path.empty()) {
      (video.unlabelled ? unlabelled : missing)
          .push_back({{"name", video.name}, {"reason", video.reason}});
    } else {
      broken.push_back({{"name", video.name}, {"path", video.path}, {"reason", video.reason}});
    }
  }
  for (const Video& video : split.short_videos) {
    short_videos.push_back({{"name", video.name}, {"path", video.path}, {"frames", video.frames}});
  }
  return {{"listed", list.listed},
          {"official", split.official},
          {"usable", list.videos.size()},
          {"frames", split.frames},
          {"classes", split.classes_used},
          {"missing", std::move(missing)},
          {"broken", std::move(broken)},
          {"unlabelled", std::move(unlabelled)},
          {"short", std::move(short_videos)},
          {"notes", list.notes}};
}

}  // namespace

absl::StatusOr<DatasetIndexReport> IndexDataset(const DatasetSettings& dataset,
                                                const DatasetIndexOptions& options) {
  DatasetIndexReport report;
  report.dataset = dataset.name();
  report.root = options.root;
  report.index =
      options.index.empty() ? DefaultIndexFile(options.root, dataset.name()) : options.index;
  const OfficialCounts official = OfficialVideos(dataset);
  for (const bool train : {true, false}) {
    report.splits.push_back(ReportSplit(dataset, train ? dataset.train() : dataset.evaluation(),
                                        report.index, options));
    SplitReport& split = report.splits.back();
    if (absl::IsCancelled(split.status)) return split.status;
    split.name = train ? "train" : "evaluation";
    split.official = train ? official.train : official.evaluation;
    split.named = !(train ? dataset.train() : dataset.evaluation()).list().empty();
  }
  SplitReport& train = report.splits[0];
  SplitReport& evaluation = report.splits[1];
  if (!train.status.ok() && !evaluation.status.ok()) {
    return train.named ? train.status : evaluation.status;
  }
  std::string shared = DescribeSharedVideos(train.list.videos, evaluation.list.videos);
  if (!shared.empty()) evaluation.list.notes.push_back(std::move(shared));
  return report;
}

absl::Status UsableLists(const DatasetIndexReport& report) {
  std::vector<std::string> unusable;
  for (const SplitReport& split : report.splits) {
    if (split.named && !split.status.ok()) {
      unusable.push_back(
          absl::StrCat("the list '", split.name, "' cannot be used: ", split.status.message()));
    }
  }
  return unusable.empty() ? absl::OkStatus() : absl::AbortedError(absl::StrJoin(unusable, "; "));
}

std::string DatasetReportText(const DatasetIndexReport& report) {
  std::string text = absl::StrCat(
      report.dataset, " in ", report.root, "\n",
      report.index.empty() ? "no index: no folder can be written to" : "index: " + report.index,
      "\n");
  for (const SplitReport& split : report.splits) absl::StrAppend(&text, SplitText(split));
  text.pop_back();  // the last line's end
  return text;
}

std::string DatasetReportJson(const DatasetIndexReport& report) {
  std::string text;
  for (const SplitReport& split : report.splits) {
    Json json = {{"dataset", report.dataset}, {"list", split.name}};
    json.update(SplitJson(split));
    // File names need not be UTF-8.
    absl::StrAppend(&text, text.empty() ? "" : "\n",
                    json.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return text;
}

}  // namespace op3d::data
