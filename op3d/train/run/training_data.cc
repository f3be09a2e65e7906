#include "op3d/train/run/training_data.h"

#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/annotation/held_out.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

absl::StatusOr<data::VideoList> Load(const TrainingRunSettings& settings,
                                     const DatasetSettings::Split& split, const std::string& root,
                                     int threads, const data::IndexOptions& index) {
  const DatasetSettings& dataset = settings.dataset();
  OP3D_ASSIGN_OR_RETURN(
      data::VideoList list,
      data::LoadVideoList(dataset, split, root, settings.loader(), threads, index));
  if (!list.classes.empty()) {
    OP3D_RETURN_IF_ERROR(data::CheckClassCount(list, dataset, split.list()));
  }
  for (const data::Video& video : list.videos) {
    if (video.label < 0) {
      return absl::InvalidArgumentError(absl::StrCat(split.list(), " has no label for ", video.name,
                                                     ": it is a list without labels"));
    }
  }
  return list;
}

}  // namespace

absl::StatusOr<TrainingData> LoadTrainingData(const TrainingRunSettings& settings,
                                              const std::string& root, int threads,
                                              const data::IndexOptions& index, int gpu) {
  TrainingData data;
  OP3D_ASSIGN_OR_RETURN(data.frames,
                        data::FrameStore::Make(settings.loader(), settings.transform(), gpu));
  data.classes = settings.dataset().classes();
  OP3D_ASSIGN_OR_RETURN(data::VideoList train,
                        Load(settings, settings.dataset().train(), root, threads, index));
  data.report.push_back(data::DescribeVideoList(train, "train"));
  data.report.insert(data.report.end(), train.notes.begin(), train.notes.end());
  if (static_cast<int64_t>(train.classes.size()) == data.classes) data.class_names = train.classes;
  const MeasureSettings& measure = settings.measure();
  if (measure.videos() == MeasureSettings::HELD_OUT) {
    std::tie(data.train, data.measured) =
        data::SplitHeldOut(train.videos, measure.held_out_share(), settings.seed());
    data.report.push_back(
        absl::StrCat(data.measured.size(), " of them are held out to measure on"));
  } else {
    data.train = std::move(train.videos);
  }
  if (measure.videos() == MeasureSettings::EVALUATION) {
    OP3D_ASSIGN_OR_RETURN(data::VideoList evaluation,
                          Load(settings, settings.dataset().evaluation(), root, threads, index));
    data.report.push_back(data::DescribeVideoList(evaluation, "evaluation"));
    data.report.insert(data.report.end(), evaluation.notes.begin(), evaluation.notes.end());
    std::string shared = data::DescribeSharedVideos(data.train, evaluation.videos);
    if (!shared.empty()) data.report.push_back(std::move(shared));
    if (evaluation.classes != train.classes) {
      return absl::InvalidArgumentError(
          absl::StrCat(settings.dataset().evaluation().list(), " has other classes than ",
                       settings.dataset().train().list(),
                       ": name a file with all classes in dataset.label_map"));
    }
    data.measured = std::move(evaluation.videos);
  }
  if (data.train.empty()) {
    return absl::InvalidArgumentError("no video is left to train on");
  }
  if (data.measured.empty() && measure.videos() == MeasureSettings::HELD_OUT) {
    return absl::InvalidArgumentError(
        absl::StrCat("measure.held_out_share of ", measure.held_out_share(),
                     " holds out none of the ", data.train.size(),
                     " videos (never a class's last one): raise it, or measure on EVALUATION"));
  }
  return data;
}

}  // namespace op3d
