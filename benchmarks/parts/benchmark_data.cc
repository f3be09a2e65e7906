#include "benchmarks/parts/benchmark_data.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <system_error>
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
#include "op3d/base/sha256.h"
#include "op3d/base/status_macros.h"

namespace op3d::benchmarks {
namespace {

constexpr char kTrainList[] = "train";
constexpr char kEvaluationList[] = "evaluation";

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
  row.set_sha256(Sha256(data::VideoListText(list.videos)));
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
  row.set_sha256(Sha256(data::VideoListText(videos)));
}

// The first `bytes` of a file; its whole if it is shorter.
absl::StatusOr<std::string> ReadStart(const std::string& path, uintmax_t bytes) {
  std::ifstream file(path, std::ios::binary);
  std::string start(bytes, '\0');
  file.read(start.data(), static_cast<std::streamsize>(bytes));
  if (file.bad() || !file.is_open()) {
    return absl::UnavailableError(absl::StrCat("cannot read ", path));
  }
  start.resize(static_cast<size_t>(file.gcount()));
  return start;
}

void HashMediaOf(const std::vector<data::Video>& videos, DatasetReport::List* list) {
  constexpr uintmax_t kAll = uintmax_t{256} << 20, kStart = uintmax_t{1} << 20;
  constexpr size_t kSample = 64;
  uintmax_t total = 0;
  for (const data::Video& video : videos) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(video.path, error)) return;
    total += std::filesystem::file_size(video.path, error);
    if (error) return;
  }
  const bool whole = total <= kAll;
  const size_t count = whole ? videos.size() : std::min(kSample, videos.size());
  // A hash of hashes, so that one file at a time is in memory.
  std::string hashes;
  for (size_t i = 0; i < count; ++i) {
    const std::string& path = videos[whole ? i : i * videos.size() / count].path;
    const absl::StatusOr<std::string> bytes = whole ? ReadFile(path) : ReadStart(path, kStart);
    if (!bytes.ok()) return;
    absl::StrAppend(&hashes, Sha256(*bytes), "\n");
  }
  list->set_media_sha256(Sha256(hashes));
  list->set_media_hashed(
      whole ? absl::StrCat("all bytes of ", count, " files")
            : absl::StrCat("the first MiB of ", count, " of ", videos.size(), " files"));
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
                                                const data::IndexOptions& index, bool decodes) {
  const DatasetSettings& dataset = settings.dataset();
  BenchmarkData data;
  LoaderSettings loader = settings.loader();
  if (!decodes) loader.clear_decode();  // needs no GPU
  OP3D_ASSIGN_OR_RETURN(data.frames, data::FrameStore::Make(loader, settings.transform()));
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
  AddReport(kTrainList, train, official.train, settings, &data.report);
  AddReport(kEvaluationList, evaluation, official.evaluation, settings, &data.report);
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
  // A copy without this file is not known to be one.
  data.report.set_copy(data::CopyNote(root));
  return data;
}

void HashMedia(BenchmarkData* data) {
  for (DatasetReport::List& list : *data->report.mutable_lists()) {
    if (list.name() == kTrainList) HashMediaOf(data->train, &list);
    if (list.name() == kEvaluationList) HashMediaOf(data->evaluation, &list);
  }
}

}  // namespace op3d::benchmarks
