#include "results/record/record_check.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "data/datasets/dataset_settings.h"
#include "op3d/base/file.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/sha256.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "results/record/format.h"
#include "results/record/record.h"

namespace op3d::results {
namespace {

using google::protobuf::util::MessageDifferencer;

// The rounding error of double arithmetic for a share times its videos.
constexpr double kRounding = 1e-6;
// Existing copies of a list differ by this share of their rows; a test needs this share of its
// videos.
constexpr double kListedSlack = 0.02;
constexpr double kLeastUsed = 0.9;

class Faults {
 public:
  template <typename... Parts>
  void Add(const Parts&... parts) {
    faults_.push_back(absl::StrCat(place_, parts...));
  }
  void SetPlace(const std::string& place) { place_ = place; }
  std::vector<std::string> Take() { return std::move(faults_); }

 private:
  std::string place_;
  std::vector<std::string> faults_;
};

const DatasetReport::List* FindList(const RunRecord& record, absl::string_view name) {
  for (const DatasetReport::List& list : record.dataset().lists()) {
    if (list.name() == name) return &list;
  }
  return nullptr;
}

void CheckShares(const TestResult& test, Faults* faults) {
  const double right = test.top1() * test.videos();
  if (std::fabs(right - std::round(right)) > kRounding) {
    faults->Add("top1 is ", test.top1(), ", which is ", absl::StrFormat("%.3f", right), " of ",
                test.videos(), " videos and no whole number");
  }
  if (test.top1() > test.top3() || test.top3() > test.top5()) {
    faults->Add("top1, top3 and top5 are ", test.top1(), ", ", test.top3(), " and ", test.top5(),
                ", which cannot fall");
  }
}

struct Sums {
  int64_t videos = 0, correct = 0;
  // The mean over the rows that have videos.
  double mean_accuracy = 0;
};

Sums Sum(const google::protobuf::RepeatedPtrField<TestResult::ClassResult>& rows) {
  Sums sums;
  int filled = 0;
  for (const TestResult::ClassResult& row : rows) {
    sums.videos += row.videos();
    sums.correct += row.correct();
    if (row.videos() == 0) continue;
    sums.mean_accuracy += static_cast<double>(row.correct()) / row.videos();
    ++filled;
  }
  if (filled > 0) sums.mean_accuracy /= filled;
  return sums;
}

std::string Share(const Sums& sums) {
  return absl::StrFormat("%.4f", static_cast<double>(sums.correct) /
                                     static_cast<double>(std::max<int64_t>(1, sums.videos)));
}

void CheckSums(const TestResult& test, Faults* faults) {
  const double right = test.top1() * test.videos();
  if (!test.classes().empty()) {
    const Sums sums = Sum(test.classes());
    if (sums.videos != test.videos()) {
      faults->Add("the test has ", test.videos(), " videos, but its classes add up to ",
                  sums.videos);
    } else if (std::fabs(static_cast<double>(sums.correct) - right) > kRounding) {
      faults->Add("top1 is ", test.top1(), ", but its classes add up to ", sums.correct,
                  " right of ", sums.videos, ", which is ", Share(sums));
    }
    if (std::fabs(sums.mean_accuracy - test.mean_class_accuracy()) > kRounding) {
      faults->Add("mean_class_accuracy is ", test.mean_class_accuracy(), ", but its classes give ",
                  sums.mean_accuracy);
    }
  }
  const Sums groups = Sum(test.groups());
  if (groups.videos > test.videos()) {
    faults->Add("the test has ", test.videos(), " videos, but its groups add up to ",
                groups.videos);
  } else if (groups.videos == test.videos() &&
             std::fabs(static_cast<double>(groups.correct) - right) > kRounding) {
    faults->Add("top1 is ", test.top1(), ", but its groups add up to ", groups.correct,
                " right of ", groups.videos, ", which is ", Share(groups));
  }
  const absl::Status named = CheckRight(test);
  if (!named.ok()) faults->Add(named.message());
}

// The range of frames: of clips that do not fill a step of the optimiser none or all are trained
// on. A frame with a state's own crop counts by its area relative to `full_crop` pixels.
struct FrameRange {
  int full_crop = 0;
  double low = 0, high = 0;

  void Add(const StateSettings& state, int64_t epochs, int64_t least_videos, int64_t most_videos) {
    const int64_t step = int64_t{state.batch_size()} * std::max(1, state.accumulation());
    double frames = static_cast<double>(epochs * ClipLength(state));
    if (state.crop() > 0 && full_crop > 0) {
      frames *= std::pow(static_cast<double>(state.crop()) / full_crop, 2);
    }
    low += frames * static_cast<double>(std::max<int64_t>(0, least_videos - step + 1));
    high += frames * static_cast<double>(most_videos);
  }
  // A sum of rounded parts may differ by one for each part.
  bool Holds(int64_t frames) const {
    constexpr double kRoundedParts = 100;
    return static_cast<double>(frames) >= low - kRoundedParts &&
           static_cast<double>(frames) <= high + kRoundedParts;
  }
  std::string Text() const { return absl::StrFormat("%.0f to %.0f", low, high); }
};

// The frames trained by the searches of a row until its model existed.
FrameRange SearchedFrames(const RunRecord& record, const RecipeResult& recipe, int64_t least_videos,
                          int64_t most_videos) {
  FrameRange range;
  range.full_crop = record.settings().transform().train_crop();
  const SearchSettings& settings = record.settings().search();
  // With a proxy: on a part of the videos, at its own crop; then the best paths at full size.
  if (settings.has_proxy() && settings.proxy().videos() > 0) least_videos = 0;
  for (const SearchOutcome& search : record.searches()) {
    std::map<std::string, const StateSettings*> states;
    for (const StateSettings& state : search.graph().states()) states[state.name()] = &state;
    for (const EdgeOutcome& edge : search.edges()) {
      const auto to = states.find(edge.to());
      if (to == states.end() || edge.curve_size() < 2) continue;
      StateSettings state = *to->second;
      // A state's own crop is trained with as it is.
      if (settings.proxy().crop() > 0 && state.crop() == 0) {
        state.set_crop(settings.proxy().crop());
      }
      range.Add(state, edge.curve_size() - 1, least_videos, most_videos);
    }
  }
  if (!settings.has_proxy() || range.high == 0) return range;
  for (const RecipeResult::Candidate& candidate : recipe.candidates()) {
    range.low += static_cast<double>(candidate.frames());
    range.high += static_cast<double>(candidate.frames());
  }
  return range;
}

// The smallest and the largest possible number of videos on which a row was trained.
std::optional<std::pair<int64_t, int64_t>> TrainedOn(const RunRecord& record,
                                                     RecipeResult::Role role) {
  const DatasetReport::List* all = FindList(record, "train");
  const DatasetReport::List* search = FindList(record, "search: trained on");
  if (all == nullptr) return std::nullopt;
  if (search == nullptr) search = all;
  const bool on_search_videos =
      role == RecipeResult::PLANNED_MODEL || role == RecipeResult::PUBLISHED_MODEL ||
      role == RecipeResult::FIXED || role == RecipeResult::BEST_FIXED ||
      role == RecipeResult::LONG_RUN || role == RecipeResult::MULTIGRID ||
      record.settings().recipe_videos() == BenchmarkSettings::SEARCH_TRAIN;
  if (on_search_videos) return std::make_pair(search->used(), search->used());
  if (record.settings().recipe_videos() == BenchmarkSettings::ALL_TRAIN) {
    return std::make_pair(all->used(), all->used());
  }
  return std::minmax<int64_t>(search->used(), all->used());
}

void CheckTraining(const RunRecord& record, const RecipeResult& recipe, Faults* faults) {
  int64_t epochs = 0;
  for (const Plan::Step& step : recipe.plan().steps()) epochs += step.epochs();
  if (epochs > 0 && epochs != recipe.epochs()) {
    faults->Add("it has ", recipe.epochs(), " epochs, but its plan has ", epochs);
  }
  if (!recipe.losses().empty() && recipe.losses_size() != recipe.epochs()) {
    faults->Add("it has ", recipe.epochs(), " epochs, but losses of ", recipe.losses_size());
  }
  const auto videos = TrainedOn(record, recipe.role());
  if (epochs > 0 && videos.has_value()) {
    FrameRange range;
    range.full_crop = record.settings().transform().train_crop();
    for (const Plan::Step& step : recipe.plan().steps()) {
      range.Add(step.state(), step.epochs(), videos->first, videos->second);
    }
    if (!range.Holds(recipe.frames())) {
      faults->Add("it has ", recipe.frames(), " frames, but its plan over the training list takes ",
                  range.Text());
    }
  }
  if (recipe.role() == RecipeResult::BEST_FIXED && !recipe.candidates().empty()) {
    int64_t sum = 0;
    for (const RecipeResult::Candidate& candidate : recipe.candidates()) sum += candidate.frames();
    // A budget is divided into whole frames.
    if (std::abs(sum - recipe.total_frames()) > recipe.candidates_size()) {
      faults->Add("it has ", recipe.total_frames(),
                  " frames with all its candidates, but these add up to ", sum);
    }
  }
  if (recipe.role() == RecipeResult::PLANNED_MODEL && videos.has_value() &&
      record.settings().search().method() == SearchSettings::PLANNED_METHOD) {
    const FrameRange range = SearchedFrames(record, recipe, videos->first, videos->second);
    if (range.high > 0 && !range.Holds(recipe.total_frames())) {
      faults->Add("it has ", recipe.total_frames(),
                  " frames with its search, but the search's edges take ", range.Text());
    }
  }
}

void CheckLists(const RunRecord& record, Faults* faults) {
  for (const DatasetReport::List& list : record.dataset().lists()) {
    faults->SetPlace(absl::StrCat("list '", list.name(), "': "));
    if (list.used() + list.missing() + list.broken() > list.listed()) {
      faults->Add(list.used(), " videos used, ", list.missing(), " missing and ", list.broken(),
                  " broken are more than the ", list.listed(), " listed");
    }
  }
  faults->SetPlace("");
  const DatasetReport::List* train = FindList(record, "train");
  const DatasetReport::List* trained = FindList(record, "search: trained on");
  const DatasetReport::List* held_out = FindList(record, "search: held out");
  if (train != nullptr && trained != nullptr && held_out != nullptr &&
      record.settings().search().search_split() == SearchSettings::HELD_OUT_FROM_TRAIN &&
      trained->used() + held_out->used() != train->used()) {
    faults->Add("the search trained on ", trained->used(), " videos and held out ",
                held_out->used(), ", which are not the ", train->used(), " of the training list");
  }
  const DatasetSettings& dataset = record.settings().dataset();
  const data::OfficialCounts official = data::OfficialVideos(dataset);
  const DatasetReport::List* evaluation = FindList(record, "evaluation");
  for (const auto& [list, count, name] :
       {std::make_tuple(train, official.train, "training"),
        std::make_tuple(evaluation, official.evaluation, "evaluation")}) {
    if (list == nullptr || count == 0 || count == list->official()) continue;
    faults->Add("the official ", name, " list has ", list->official(), " videos in its report and ",
                count, " in its settings (split ", std::max(1, dataset.split()), ")");
  }
}

void CheckScale(const RunRecord& record, Faults* faults) {
  const BenchmarkSettings& settings = record.settings();
  if (settings.scale() != BenchmarkSettings::FULL) return;
  // The source of every miniature's dataset.
  if (settings.dataset().source() == "data/synthetic") {
    faults->Add("it says full scale, but its dataset is a miniature");
  }
  if (!settings.dataset().name().empty() && settings.dataset().name() != settings.benchmark()) {
    faults->Add("its benchmark is ", settings.benchmark(), ", but its dataset is ",
                settings.dataset().name());
  }
}

// The run's folder, if `file` is in one.
std::string FolderOf(const std::string& file) {
  const std::filesystem::path path(file);
  return path.filename() == "record.textproto" ? path.parent_path().string() : "";
}

// The settings that a run writes before it starts.
void CheckSettings(const std::string& folder, const RunRecord& record,
                   std::vector<std::string>* faults) {
  const std::string settings_file = JoinPath(folder, "settings.textproto");
  if (FileExists(settings_file)) {
    BenchmarkSettings started, recorded = record.settings();
    const absl::Status read = ReadTextproto(settings_file, &started);
    recorded.clear_derived();
    std::string differences;
    MessageDifferencer differencer;
    differencer.ReportDifferencesToString(&differences);
    if (!read.ok()) {
      faults->push_back(absl::StrCat("the settings next to it cannot be read: ", read.message()));
    } else if (!differencer.Compare(started, recorded)) {
      const std::vector<std::string> lines = absl::StrSplit(differences, '\n', absl::SkipEmpty());
      faults->push_back(
          absl::StrCat("its settings are not those with which its run started (", lines[0], ")"));
    }
  }
}

// Checks the lists and the scores that the record names, if they exist.
void CheckListsAndScores(const std::string& folder, const RunRecord& record,
                         std::vector<std::string>* faults) {
  for (const DatasetReport::List& list : record.dataset().lists()) {
    const std::string file = JoinPath(folder, list.videos_file());
    if (list.videos_file().empty() || !FileExists(file)) continue;
    const absl::StatusOr<std::string> videos = ReadFile(file);
    if (!videos.ok()) {
      faults->push_back(std::string(videos.status().message()));
    } else if (Crc32(*videos) != list.crc32()) {
      faults->push_back(absl::StrCat(list.videos_file(), " next to it is not the list '",
                                     list.name(), "' of its run"));
    }
  }
  std::map<std::string, const TestResult*> tests;
  for (const RecipeResult& recipe : record.recipes()) {
    if (!recipe.test().scores_file().empty()) {
      tests.emplace(recipe.test().scores_file(), &recipe.test());
    }
  }
  for (const auto& [name, test] : tests) {
    const std::string file = JoinPath(folder, name);
    if (!FileExists(file)) continue;
    if (test->scores_sha256().empty() && test->scores_crc32() == 0) continue;
    absl::StatusOr<std::string> bytes = ReadFile(file);
    if (bytes.ok()) bytes = WithoutMetadata(std::move(*bytes));
    if (!bytes.ok()) {
      faults->push_back(std::string(bytes.status().message()));
    } else if (test->scores_sha256().empty() ? Crc32(*bytes) != test->scores_crc32()
                                             : Sha256(*bytes) != test->scores_sha256()) {
      faults->push_back(absl::StrCat(name, " next to it is not the file of its test"));
    }
  }
}

}  // namespace

std::vector<std::string> Contradictions(const RunRecord& record) {
  Faults faults;
  CheckScale(record, &faults);
  CheckLists(record, &faults);
  const DatasetReport::List* evaluation = FindList(record, "evaluation");
  for (const RecipeResult& recipe : record.recipes()) {
    faults.SetPlace(absl::StrCat("recipe '", recipe.name(), "': "));
    CheckTraining(record, recipe, &faults);
    if (!recipe.has_test()) continue;
    const TestResult& test = recipe.test();
    if (evaluation != nullptr && test.videos() + test.skipped() != evaluation->used()) {
      faults.Add(
          "the test has ", test.videos(), " videos",
          test.skipped() > 0 ? absl::StrCat(" and ", test.skipped(), " that do not decode") : "",
          ", but the evaluation list has ", evaluation->used());
    }
    CheckShares(test, &faults);
    CheckSums(test, &faults);
    if (!test.classes().empty() && !record.dataset().classes().empty() &&
        test.classes_size() != record.dataset().classes_size()) {
      faults.Add("the test has ", test.classes_size(), " classes, but the dataset ",
                 record.dataset().classes_size());
    }
  }
  return faults.Take();
}

std::string NotOfficial(const RunRecord& record) {
  const BenchmarkSettings& settings = record.settings();
  const std::string& name = settings.benchmark();
  // A name with a slash or an ending would mean a file of the user's own.
  if (settings.scale() != BenchmarkSettings::FULL || absl::StrContains(name, '/') ||
      absl::StrContains(name, '.')) {
    return "";
  }
  absl::StatusOr<DatasetSettings> dataset = data::FindDataset(name);
  if (!dataset.ok()) return "";  // not a built-in one: nothing is published about it
  dataset->set_split(settings.dataset().split());
  if (settings.dataset().evaluation().list() != dataset->evaluation().list() ||
      settings.dataset().evaluation().part() != dataset->evaluation().part()) {
    return absl::StrCat("its test list is ", settings.dataset().evaluation().list(), " ",
                        settings.dataset().evaluation().part(), ", the official one ",
                        dataset->evaluation().list(), " ", dataset->evaluation().part());
  }
  const int classes = record.dataset().classes_size();
  if (dataset->classes() > 0 && classes != dataset->classes()) {
    return absl::StrCat("it has ", classes, " classes, the dataset ", dataset->classes());
  }
  if (absl::StrContains(settings.network().name(), "miniature")) {
    return absl::StrCat("its network is ", settings.network().name(), ", a miniature's");
  }
  const int official = data::OfficialVideos(*dataset).evaluation;
  const DatasetReport::List* list = FindList(record, "evaluation");
  if (list == nullptr) return "it does not say which videos it was tested on";
  if (official == 0) return "";
  if (std::abs(list->listed() - official) > kListedSlack * official) {
    return absl::StrCat("its test list has ", list->listed(), " videos, the official one ",
                        official);
  }
  if (list->used() < kLeastUsed * official) {
    return absl::StrCat("only ", list->used(), " of ", official, " test videos were there");
  }
  return "";
}

absl::StatusOr<CheckedRecord> ReadCheckedRecord(const std::string& path, CheckBeside beside) {
  OP3D_ASSIGN_OR_RETURN(StoredRecord stored, ReadStoredRecord(path));
  CheckedRecord read;
  read.record = std::move(stored.record);
  read.check.faults = Contradictions(read.record);
  const std::string folder = FolderOf(RecordPath(path));
  if (!folder.empty()) {
    CheckSettings(folder, read.record, &read.check.faults);
    if (beside == CheckBeside::kAll) {
      CheckListsAndScores(folder, read.record, &read.check.faults);
    }
  }
  if (stored.seal == Seal::kBroken) {
    read.check.faults.push_back("its content does not match its checksum (content_sha256)");
  }
  read.check.not_official = NotOfficial(read.record);
  return read;
}

std::string DescribeEdit(absl::string_view name, const RecordCheck& check) {
  const size_t more = check.faults.size() - 1;
  return absl::StrCat(name, " was edited by hand or damaged and gets no verdict: ", check.faults[0],
                      more > 0 ? absl::StrCat(" (and ", more, " more)") : "", ".");
}

}  // namespace op3d::results
