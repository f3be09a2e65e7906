#include "benchmarks/run/benchmark_data.h"

#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/annotation/held_out.h"
#include "data/datasets/dataset_settings.h"
#include "data/sampling/sampling.h"
#include "data/video/tar/media_path.h"
#include "op3d/base/file.h"
#include "op3d/base/io/csv.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"

namespace op3d::benchmarks {
namespace {

// The CRC-32 of names and sizes of files: detects another copy of the same videos without reading
// it.
uint32_t FilesCrc32(const std::vector<data::Video>& videos) {
  std::string text;
  for (const data::Video& video : videos) {
    absl::StrAppend(&text, video.name, "\t", data::MediaFileBytes(video.path), "\n");
  }
  return Crc32(text);
}

void AddReport(absl::string_view name, const data::VideoList& list, int official,
               const BenchmarkSettings& settings, DatasetReport* report) {
  DatasetReport::List& row = *report->add_lists();
  row.set_name(std::string(name));
  row.set_listed(static_cast<int32_t>(list.listed));
  row.set_used(static_cast<int32_t>(list.videos.size()));
  row.set_missing(static_cast<int32_t>(list.missing));
  row.set_broken(static_cast<int32_t>(list.broken));
  for (const std::string& example : list.examples) row.add_examples(example);
  row.set_crc32(data::VideoListCrc32(list.videos));
  row.set_files_crc32(FilesCrc32(list.videos));
  row.set_official(official);
  CountShortVideos(settings, list.videos, &row);
}

void AddPart(absl::string_view name, const std::vector<data::Video>& videos,
             DatasetReport* report) {
  DatasetReport::List& row = *report->add_lists();
  row.set_name(std::string(name));
  row.set_listed(static_cast<int32_t>(videos.size()));
  row.set_used(static_cast<int32_t>(videos.size()));
  row.set_crc32(data::VideoListCrc32(videos));
}

// `class,group` lines after a header row; every class must have its group.
absl::StatusOr<std::vector<std::string>> ReadGroups(const std::string& path,
                                                    const std::vector<std::string>& classes) {
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  OP3D_ASSIGN_OR_RETURN(const std::vector<CsvRow> rows, ParseCsv(text, path));
  std::map<std::string, std::string> group_of;
  for (const CsvRow& row : rows) {
    if (row.fields.size() != 2) {
      return absl::InvalidArgumentError(absl::StrCat(path, ":", row.line, ": ", row.fields.size(),
                                                     " columns; there must be two, class,group"));
    }
    group_of[row.fields[0]] = row.fields[1];
  }
  std::vector<std::string> groups;
  for (const std::string& name : classes) {
    const auto found = group_of.find(name);
    if (found == group_of.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, " names no group of class '", name, "'"));
    }
    groups.push_back(found->second);
  }
  return groups;
}

}  // namespace

const std::vector<data::Video>& BenchmarkData::RecipeVideos(
    const BenchmarkSettings& settings) const {
  return settings.recipe_videos() == BenchmarkSettings::SEARCH_TRAIN ? search_train : train;
}

void CountShortVideos(const BenchmarkSettings& settings, const std::vector<data::Video>& videos,
                      DatasetReport::List* list) {
  std::set<int64_t> spans;
  const auto add = [&spans](const StateSettings& state) {
    spans.insert(data::Span({state.segments(), state.frames_per_segment(), state.stride()}));
  };
  for (const TransitionGraph& pool : settings.search().pools()) {
    for (const StateSettings& state : pool.states()) add(state);
  }
  for (const RecipeSettings& recipe : settings.recipes()) {
    if (recipe.has_hand_tuned()) add(recipe.hand_tuned().state());
  }
  for (const Plan::Step& step : settings.plan().steps()) add(step.state());
  for (const int64_t span : spans) {
    DatasetReport::List::Short row;
    row.set_span(span);
    for (const data::Video& video : videos) {
      if (video.frames >= span) continue;
      if (row.videos() == 0) {
        row.set_example(absl::StrCat(video.name, ": ", video.frames, " frames"));
      }
      row.set_videos(row.videos() + 1);
    }
    if (row.videos() > 0) *list->add_short_videos() = row;
  }
}

std::string DescribeShortVideos(const DatasetReport::List& list,
                                const DatasetReport::List::Short& row) {
  return absl::StrCat(row.videos(), " of ", list.used(), " videos are shorter than clips of ",
                      row.span(), " frames (first: ", row.example(), ")");
}

absl::StatusOr<BenchmarkData> LoadBenchmarkData(const BenchmarkSettings& settings,
                                                const std::string& root, int threads,
                                                const data::IndexOptions& index) {
  const DatasetSettings& dataset = settings.dataset();
  BenchmarkData data;
  OP3D_ASSIGN_OR_RETURN(
      data::VideoList train,
      data::LoadVideoList(dataset, dataset.train(), root, settings.loader(), threads, index));
  OP3D_ASSIGN_OR_RETURN(
      data::VideoList evaluation,
      data::LoadVideoList(dataset, dataset.evaluation(), root, settings.loader(), threads, index));
  for (const data::VideoList* list : {&train, &evaluation}) {
    for (const std::string& note : list->notes) Progress::Print(note);
    if (!list->videos.empty() && list->videos[0].label < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          (list == &train ? dataset.train() : dataset.evaluation()).list(),
          " has no labels: a benchmark needs them in both lists; "
          "./bazelw run //op3d:evaluate predicts the videos of a list without labels"));
    }
    OP3D_RETURN_IF_ERROR(data::CheckClassCount(
        *list, dataset, (list == &train ? dataset.train() : dataset.evaluation()).list()));
  }
  const std::string shared = data::DescribeSharedVideos(train.videos, evaluation.videos);
  if (!shared.empty()) Progress::Print(shared);
  if (train.classes != evaluation.classes) {
    return absl::InvalidArgumentError(absl::StrCat(
        dataset.train().list(), " has ", train.classes.size(), " classes and ",
        dataset.evaluation().list(), " ", evaluation.classes.size(),
        ", and they are not the same: name a file with all classes in dataset.label_map"));
  }
  const data::OfficialCounts official = data::OfficialVideos(dataset);
  AddReport("train", train, official.train, settings, &data.report);
  AddReport("evaluation", evaluation, official.evaluation, settings, &data.report);
  data.labels.classes = train.classes;
  for (const std::string& name : train.classes) data.report.add_classes(name);
  if (!dataset.groups().empty()) {
    OP3D_ASSIGN_OR_RETURN(data.labels.groups,
                          ReadGroups(JoinPath(root, dataset.groups()), train.classes));
  }
  data.train = std::move(train.videos);
  data.evaluation = std::move(evaluation.videos);
  if (settings.search().search_split() == SearchSettings::PUBLISHED) {
    data.search_train = data.train;
    data.search_measured = data.evaluation;
  } else {
    std::tie(data.search_train, data.search_measured) =
        data::SplitHeldOut(data.train, settings.search().held_out_share(), settings.seed());
    AddPart("search: trained on", data.search_train, &data.report);
    AddPart(kHeldOutList, data.search_measured, &data.report);
  }
  OP3D_ASSIGN_OR_RETURN(const data::VideoLimits limits, data::LimitsOf(settings.loader()));
  data.frames = std::make_unique<data::FrameStore>(
      int64_t{settings.loader().frame_cache_mib()} << 20, limits);
  return data;
}

}  // namespace op3d::benchmarks
