#include "data/datasets/dataset_settings.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"

namespace op3d::data {
namespace {

constexpr char kEnding[] = ".textproto";

std::string ShippedNames() {
  const absl::StatusOr<std::string> folder = RunfilePath("data/datasets");
  std::vector<std::string> names;
  if (folder.ok()) {
    const absl::StatusOr<std::vector<std::string>> files = ListFolder(*folder);
    for (absl::string_view file : files.ok() ? *files : std::vector<std::string>()) {
      if (absl::ConsumeSuffix(&file, kEnding)) names.emplace_back(file);
    }
  }
  return names.empty() ? "none" : absl::StrJoin(names, ", ");
}

int OfSplit(const google::protobuf::RepeatedField<int32_t>& counts, int split) {
  const int place = std::max(split, 1) - 1;
  return place < counts.size() ? counts[place] : 0;
}

}  // namespace

absl::StatusOr<DatasetSettings> FindDataset(absl::string_view name) {
  std::string path = UserPath(name);
  if (!absl::StrContains(name, '/') && !absl::EndsWith(name, kEnding)) {
    const absl::StatusOr<std::string> shipped =
        RunfilePath(absl::StrCat("data/datasets/", name, kEnding));
    if (!shipped.ok()) {
      return absl::NotFoundError(
          absl::StrCat("there is no dataset '", name, "'; there is: ", ShippedNames(),
                       "; or give a textproto of your own (data/README.md)"));
    }
    path = *shipped;
  }
  DatasetSettings dataset;
  OP3D_RETURN_IF_ERROR(ReadTextproto(path, &dataset));
  return dataset;
}

absl::Status ChooseSplit(int split, DatasetSettings* dataset) {
  if (!absl::StrContains(dataset->train().list(), "{split}") &&
      !absl::StrContains(dataset->evaluation().list(), "{split}")) {
    return absl::InvalidArgumentError(absl::StrCat("--split=", split, ": ", dataset->name(),
                                                   " has only one split; leave the flag out"));
  }
  const int last = dataset->official_train_size();
  if (split < 1 || (last > 1 && split > last)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--split=", split, ": ", dataset->name(), " has the splits ",
                     last > 1 ? absl::StrCat("1 to ", last) : "from 1"));
  }
  dataset->set_split(split);
  return absl::OkStatus();
}

absl::Status SetStream(absl::string_view stream, DatasetSettings* dataset) {
  if (stream.empty()) return absl::OkStatus();
  return Annotate(SetField(absl::StrCat("stream=", stream), dataset), "--stream");
}

std::string StreamName(const DatasetSettings& dataset) {
  if (dataset.stream() == DatasetSettings::STREAM_UNSPECIFIED) return "";
  return ContentOf(dataset) == FrameContent::kFlow ? "flow" : "pictures";
}

FrameContent ContentOf(const DatasetSettings& dataset) {
  return dataset.stream() == DatasetSettings::FLOW ? FrameContent::kFlow : FrameContent::kPictures;
}

OfficialCounts OfficialVideos(const DatasetSettings& dataset) {
  return {OfSplit(dataset.official_train(), dataset.split()),
          OfSplit(dataset.official_evaluation(), dataset.split())};
}

}  // namespace op3d::data
