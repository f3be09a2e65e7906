#include "data/annotation/list_rows.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/annotation/format/activitynet_json.h"
#include "data/annotation/format/hmdb51_list.h"
#include "data/annotation/format/kinetics_csv.h"
#include "data/annotation/format/path_list.h"
#include "data/annotation/format/something_v1_csv.h"
#include "data/annotation/format/something_v2_json.h"
#include "data/annotation/format/ucf101_list.h"
#include "data/annotation/text/list_text.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

using Rows = std::vector<ListRow>;

ListRow MakeRow(std::string name, std::string label, int64_t line, const std::string& file) {
  ListRow row;
  row.video.name = std::move(name);
  row.video.line = line;
  row.label = std::move(label);
  row.file = file;
  return row;
}

absl::Status AddKinetics(const std::string& text, const std::string& file, Rows* rows) {
  OP3D_ASSIGN_OR_RETURN(auto clips, ParseKineticsCsv(text, file));
  rows->reserve(rows->size() + clips.size());
  for (KineticsClip& clip : clips) {
    rows->push_back(MakeRow(clip.Name(), std::move(clip.label), clip.line, file));
    rows->back().video.other_name = clip.ShortName();
    rows->back().part = std::move(clip.split);
  }
  return absl::OkStatus();
}

absl::Status AddSomethingV1(const std::string& text, const std::string& file, Rows* rows) {
  OP3D_ASSIGN_OR_RETURN(const auto videos, ParseSomethingV1Csv(text, file));
  for (const auto& video : videos) {
    rows->push_back(MakeRow(video.id, video.label, video.line, file));
  }
  return absl::OkStatus();
}

absl::Status AddSomethingV2(const std::string& text, const std::string& file, Rows* rows) {
  OP3D_ASSIGN_OR_RETURN(const auto videos, ParseSomethingV2Json(text, file));
  for (const auto& video : videos) {
    rows->push_back(MakeRow(video.id, video.label, video.line, file));
  }
  return absl::OkStatus();
}

absl::Status AddUcf101(const std::string& text, const std::string& file, Rows* rows) {
  OP3D_ASSIGN_OR_RETURN(const auto videos, ParseUcf101List(text, file));
  for (const Ucf101Video& video : videos) {
    rows->push_back(MakeRow(video.name, video.label, video.line, file));
    rows->back().number = video.number - 1;
    if (!video.group.empty())
      rows->back().video.group = absl::StrCat(video.label, "_", video.group);
  }
  return absl::OkStatus();
}

absl::Status AddHmdb51(const std::string& text, const std::string& file, const std::string& label,
                       Rows* rows) {
  OP3D_ASSIGN_OR_RETURN(const auto videos, ParseHmdb51List(text, file, label));
  for (const Hmdb51Video& video : videos) {
    rows->push_back(MakeRow(video.name, label, video.line, file));
    rows->back().part = absl::StrCat(video.flag);
    rows->back().video.group = video.source_video;
  }
  return absl::OkStatus();
}

absl::Status AddActivityNet(const std::string& text, const std::string& file, Rows* rows) {
  OP3D_ASSIGN_OR_RETURN(const auto videos, ParseActivityNetJson(text, file));
  for (const ActivityNetVideo& video : videos) {
    rows->push_back(MakeRow(video.id, video.Label(), video.line, file));
    rows->back().video.other_name = absl::StrCat("v_", video.id);
    rows->back().part = video.subset;
  }
  return absl::OkStatus();
}

absl::Status AddPaths(const std::string& text, const std::string& file, PathListForm form,
                      Rows* rows) {
  OP3D_ASSIGN_OR_RETURN(const auto videos, ParsePathList(text, file, form));
  for (const PathVideo& video : videos) {
    rows->push_back(MakeRow(video.path, "", video.line, file));
    rows->back().video.path = video.path;
    rows->back().number = video.label;
  }
  return absl::OkStatus();
}

absl::Status AddRows(DatasetSettings::Format format, const PatternFile& list, Rows* rows) {
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(list.path));
  switch (format) {
    case DatasetSettings::KINETICS_CSV:
      return AddKinetics(text, list.path, rows);
    case DatasetSettings::SOMETHING_SOMETHING_V1_CSV:
      return AddSomethingV1(text, list.path, rows);
    case DatasetSettings::SOMETHING_SOMETHING_V2_JSON:
      return AddSomethingV2(text, list.path, rows);
    case DatasetSettings::UCF101_LIST:
      return AddUcf101(text, list.path, rows);
    case DatasetSettings::HMDB51_LISTS:
      return AddHmdb51(text, list.path, list.star, rows);
    case DatasetSettings::ACTIVITYNET_JSON:
      return AddActivityNet(text, list.path, rows);
    case DatasetSettings::PATH_LABEL:
      return AddPaths(text, list.path, PathListForm::kLabel, rows);
    case DatasetSettings::PATH_FRAMES_LABEL:
      return AddPaths(text, list.path, PathListForm::kFramesLabel, rows);
    default:
      return absl::InvalidArgumentError(absl::StrCat(
          "there is no parser for lists of format ", DatasetSettings::Format_Name(format), " (",
          list.path, "); set dataset.format to one of data/datasets/dataset.proto"));
  }
}

}  // namespace

std::vector<PatternFile> ExpandPattern(const std::string& pattern) {
  const size_t slash = pattern.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : pattern.substr(0, slash);
  const std::string name(FileName(pattern));
  const size_t star = name.find('*');
  if (star == std::string::npos) return {};
  const std::string before = name.substr(0, star), after = name.substr(star + 1);
  std::vector<PatternFile> files;
  const absl::StatusOr<std::vector<std::string>> names = ListFolder(folder);
  if (!names.ok()) return files;
  for (const std::string& found : *names) {
    if (found.size() <= before.size() + after.size() || !absl::StartsWith(found, before) ||
        !absl::EndsWith(found, after)) {
      continue;
    }
    files.push_back(
        {found.substr(star, found.size() - before.size() - after.size()), JoinPath(folder, found)});
  }
  std::sort(files.begin(), files.end(),
            [](const PatternFile& a, const PatternFile& b) { return a.star < b.star; });
  return files;
}

absl::StatusOr<std::vector<ListRow>> ReadListRows(DatasetSettings::Format format,
                                                  const std::string& path) {
  std::vector<PatternFile> files = {{"", path}};
  if (format == DatasetSettings::HMDB51_LISTS) {
    files = ExpandPattern(path);
    if (files.empty()) {
      return absl::NotFoundError(
          absl::StrCat("no file ", path, " ('*' stands for the class's name)"));
    }
  }
  Rows rows;
  for (const PatternFile& file : files) OP3D_RETURN_IF_ERROR(AddRows(format, file, &rows));
  return rows;
}

}  // namespace op3d::data
