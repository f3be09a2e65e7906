#include "benchmarks/settings/own_settings.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "benchmarks/settings/settings_resolution.h"
#include "data/annotation/dataset_list.h"
#include "data/annotation/held_out.h"
#include "data/annotation/video_list.h"
#include "data/index/scan_record.h"
#include "data/sampling/sampling.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "planner/plans/plan_io.h"

namespace op3d::benchmarks {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

constexpr char kSmallNetwork[] = "dg_p3d_miniature";
constexpr char kLargeNetwork[] = "dg_p3d_resnet50";
// The published datasets with training from scratch are larger; with fewer videos a large
// network needs weights to start from (--init).
constexpr int64_t kLargeSet = 10'000;

// Clips are multiples of 16 frames: the stem and the spatial head's pool each merge 4 frames.
constexpr int64_t kShortestClip = 16, kLongestClip = 64;
constexpr int kFramesPerSegment = 4;

constexpr int kSteps = 8;
constexpr int kSmallBatches[] = {16, 8, 4};
constexpr int kLargestStep = 256;
// The published rate, for the published step and for the miniatures'.
constexpr double kRate = 0.04;

// A third of a small training list measures the search; for a large list fewer videos are enough.
constexpr double kLargestShare = 1.0 / 3, kSmallestShare = 0.1;
constexpr double kEnoughMeasured = 1000;

constexpr int64_t kMib = int64_t{1} << 20;

void Choose(const std::string& field, const std::string& value, const std::string& reason,
            BenchmarkSettings* settings) {
  BenchmarkSettings::Derived& derived = *settings->add_derived();
  derived.set_field(field);
  derived.set_value(value);
  derived.set_reason(reason);
}

// The value at `path`, in one line; complete for a list or a message.
std::string ValueText(const Message& message, absl::string_view path) {
  TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  const Message* holder = &message;
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  for (size_t i = 0; i < names.size(); ++i) {
    const FieldDescriptor* field = holder->GetDescriptor()->FindFieldByName(names[i]);
    if (field == nullptr) return "";
    if (i + 1 < names.size()) {
      holder = &holder->GetReflection()->GetMessage(*holder, field);
      continue;
    }
    if (!field->is_repeated()) {
      std::string text;
      printer.PrintFieldValueToString(*holder, field, -1, &text);
      return std::string(absl::StripAsciiWhitespace(text));
    }
    std::vector<std::string> values(holder->GetReflection()->FieldSize(*holder, field));
    for (size_t k = 0; k < values.size(); ++k) {
      printer.PrintFieldValueToString(*holder, field, static_cast<int>(k), &values[k]);
    }
    return absl::StrJoin(values, "; ");
  }
  return "";
}

void ChooseField(const std::string& field, const std::string& reason, BenchmarkSettings* settings) {
  Choose(field, ValueText(*settings, field), reason, settings);
}

std::string Videos(int64_t count) { return absl::StrCat(count, count == 1 ? " video" : " videos"); }

template <typename Get>
int64_t Quantile(const std::vector<OwnVideo>& videos, double share, Get get) {
  std::vector<int64_t> values;
  for (const OwnVideo& video : videos) values.push_back(get(video));
  std::sort(values.begin(), values.end());
  const size_t place = static_cast<size_t>(share * static_cast<double>(values.size()));
  return values[std::min(place, values.size() - 1)];
}

int64_t Frames(const OwnVideo& video) { return video.frames; }

int64_t LongestVideo(const std::vector<OwnVideo>& videos) { return Quantile(videos, 1, Frames); }

absl::Status CheckLabels(const OwnFacts& facts) {
  const auto check = [&](const std::vector<OwnVideo>& videos, const DatasetSettings::Split& split) {
    if (videos.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(split.list(), " has no video"));
    }
    if (videos[0].label >= 0) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(split.list(), " has no labels (first: ", videos[0].name,
                     "); training, searching and testing need the class of every video"));
  };
  OP3D_RETURN_IF_ERROR(check(facts.train, facts.dataset.train()));
  OP3D_RETURN_IF_ERROR(check(facts.evaluation, facts.dataset.evaluation()));
  std::set<int64_t> labels;
  for (const OwnVideo& video : facts.train) labels.insert(video.label);
  if (facts.dataset.classes() >= 2 && labels.size() >= 2) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "all ", Videos(static_cast<int64_t>(facts.train.size())), " of ",
      facts.dataset.train().list(), " are of one class; there must be at least 2 to tell apart"));
}

void ChooseClasses(const OwnFacts& facts, BenchmarkSettings* settings) {
  std::set<int64_t> trained, shown;
  for (const OwnVideo& video : facts.train) trained.insert(video.label);
  for (const OwnVideo& video : facts.evaluation) shown.insert(video.label);
  const DatasetSettings& dataset = facts.dataset;
  std::string reason = dataset.label_map().empty() ? std::string("the labels of the lists")
                                                   : absl::StrCat("of ", dataset.label_map());
  const int64_t untrained = dataset.classes() - static_cast<int64_t>(trained.size());
  const int64_t untested = dataset.classes() - static_cast<int64_t>(shown.size());
  if (untrained > 0) absl::StrAppend(&reason, "; ", untrained, " without a video to train on");
  if (untested > 0) absl::StrAppend(&reason, "; ", untested, " without a video to test on");
  ChooseField("dataset.classes", reason, settings);
}

// Videos and groups that are in both lists; empty if there are none.
std::string Overlap(const OwnFacts& facts) {
  std::set<std::string> names, groups;
  for (const OwnVideo& video : facts.train) {
    names.insert(absl::StrCat(video.label, "/", video.name));
    if (!video.group.empty()) groups.insert(video.group);
  }
  int64_t both = 0;
  std::set<std::string> shared;
  for (const OwnVideo& video : facts.evaluation) {
    both += static_cast<int64_t>(names.count(absl::StrCat(video.label, "/", video.name)));
    if (groups.count(video.group) > 0) shared.insert(video.group);
  }
  if (both > 0) return absl::StrCat(Videos(both), " of the test");
  if (!shared.empty()) return absl::StrCat(shared.size(), " groups of the test's videos");
  return "";
}

bool IsLarge(const std::string& network) { return network != kSmallNetwork; }

void ChooseNetwork(const OwnFacts& facts, const OwnMachine& machine, const BenchmarkSettings& asked,
                   BenchmarkSettings* settings) {
  const int64_t videos = static_cast<int64_t>(facts.train.size());
  std::string reason;
  if (!asked.network().name().empty()) {
    settings->mutable_network()->set_name(asked.network().name());
    reason = "as asked";
  } else if (machine.gpu && videos >= kLargeSet) {
    settings->mutable_network()->set_name(kLargeNetwork);
    reason = absl::StrCat("a GPU, and at least ", kLargeSet, " videos to train on");
  } else {
    settings->mutable_network()->set_name(kSmallNetwork);
    reason = absl::StrCat(machine.gpu ? "" : "no GPU, ", Videos(videos),
                          " to train on: a large network needs ", machine.gpu ? "" : "a GPU and ",
                          "at least ", kLargeSet, ", or weights to start from");
  }
  ChooseField("network.name", reason, settings);
  const DatasetSettings::Protocol& protocol = facts.dataset.protocol();
  settings->mutable_network()->set_dropout(facts.dataset.has_protocol() ? protocol.dropout() : 0.4);
  ChooseField("network.dropout",
              facts.dataset.has_protocol() ? "of dataset.protocol" : "as for small datasets",
              settings);
}

// The side of training crops for pictures whose shorter side is `side`.
int CropFor(int64_t side, bool large) {
  if (large) return side >= 224 ? 224 : 112;
  // 56 was measured on five classes of UCF101 at 128x96.  Tiny pictures are not enlarged.
  return side >= 64 ? 56 : 32;
}

void ChooseTransform(const OwnFacts& facts, const BenchmarkSettings& asked,
                     BenchmarkSettings* settings) {
  TransformSettings& transform = *settings->mutable_transform();
  transform.set_min_area(0.6);
  transform.set_max_area(1);
  transform.set_jitter_probability(0.8);
  transform.set_brightness(0.4);
  transform.set_contrast(0.4);
  transform.set_grey_probability(0.2);
  const auto width = [](const OwnVideo& video) { return int64_t{video.width}; };
  const auto height = [](const OwnVideo& video) { return int64_t{video.height}; };
  const int64_t side = Quantile(facts.train, 0.5, [](const OwnVideo& video) {
    return int64_t{std::min(video.width, video.height)};
  });
  const bool large = IsLarge(settings->network().name());
  const int crop =
      asked.transform().train_crop() > 0 ? asked.transform().train_crop() : CropFor(side, large);
  // The ratio of the published 224 and 256.
  const int short_side = crop * 8 / 7;
  transform.set_train_crop(crop);
  transform.set_search_crop(crop);
  transform.set_test_crop(crop);
  transform.set_search_short_side(short_side);
  transform.set_test_short_side(short_side);
  ChooseField("transform.train_crop",
              asked.transform().train_crop() > 0
                  ? std::string("as asked")
                  : absl::StrCat("pictures are ", Quantile(facts.train, 0.5, width), "x",
                                 Quantile(facts.train, 0.5, height), " (medians), the network is ",
                                 large ? "large" : "small"),
              settings);
  for (const char* field : {"transform.search_crop", "transform.test_crop"}) {
    ChooseField(field, "as in training: BatchNorm's statistics fit only this size", settings);
  }
  for (const char* field : {"transform.search_short_side", "transform.test_short_side"}) {
    ChooseField(field, "8/7 of the crop, as published", settings);
  }
  transform.set_horizontal_flip(facts.dataset.protocol().horizontal_flip());
  ChooseField("transform.horizontal_flip",
              transform.horizontal_flip()
                  ? "of dataset.protocol"
                  : "left and right may distinguish classes; dataset.protocol or --set changes it",
              settings);
}

void ChooseLoader(const OwnFacts& facts, const OwnMachine& machine, const BenchmarkSettings& asked,
                  BenchmarkSettings* settings) {
  LoaderSettings& loader = *settings->mutable_loader();
  loader = asked.loader();
  if (loader.on_bad_video() == LoaderSettings::ON_BAD_VIDEO_UNSPECIFIED) {
    loader.set_on_bad_video(LoaderSettings::ERROR);
  }
  if (loader.on_short_video() == LoaderSettings::ON_SHORT_VIDEO_UNSPECIFIED) {
    loader.set_on_short_video(LoaderSettings::REPEAT_LAST);
  }
  int64_t bytes = 0;
  for (const std::vector<OwnVideo>* list : {&facts.train, &facts.evaluation}) {
    for (const OwnVideo& video : *list) bytes += video.frames * video.width * video.height * 3;
  }
  // Whole steps of 64 MiB, so that one video more or less changes nothing.
  const int64_t need = (bytes / kMib / 64 + 1) * 64;
  const int64_t room = machine.memory_bytes / 3 / kMib / 64 * 64;
  const int64_t cache = std::min(need, room);
  loader.set_frame_cache_mib(static_cast<int32_t>(std::min<int64_t>(cache, 1 << 30)));
  ChooseField(
      "loader.frame_cache_mib",
      absl::StrCat("all videos decoded are ", bytes / kMib, " MiB, a third of the memory ", room,
                   " MiB", need > room ? ": videos that do not fit are decoded each time" : ""),
      settings);
}

std::vector<data::Video> ToVideos(const std::vector<OwnVideo>& own) {
  std::vector<data::Video> videos;
  videos.reserve(own.size());
  for (const OwnVideo& video : own) {
    videos.push_back({video.name, "", video.label, video.frames, "", video.group});
  }
  return videos;
}

// The numbers of videos that train and that measure a search.
struct SearchVideos {
  int64_t train = 0;
  int64_t measured = 0;
};

absl::StatusOr<SearchVideos> SplitForSearch(const OwnFacts& facts,
                                            const BenchmarkSettings& settings) {
  const int64_t all = static_cast<int64_t>(facts.train.size());
  if (settings.search().search_split() == SearchSettings::PUBLISHED) {
    return SearchVideos{all, static_cast<int64_t>(facts.evaluation.size())};
  }
  const double share = settings.search().held_out_share();
  const auto parts = data::SplitHeldOut(ToVideos(facts.train), share, settings.seed());
  const SearchVideos videos = {static_cast<int64_t>(parts.first.size()),
                               static_cast<int64_t>(parts.second.size())};
  if (videos.measured > 0) return videos;
  return absl::InvalidArgumentError(absl::StrCat(
      "no video of ", facts.dataset.train().list(), " can be held out to measure a search: of ",
      share, " of the ", Videos(all), " nothing is left when every class keeps a ",
      "group (film, person) to train on; add videos of other groups, name the groups in "
      "dataset.video_groups, or let the evaluation list measure with "
      "--set=search.search_split=PUBLISHED"));
}

absl::StatusOr<SearchVideos> ChooseHeldOut(const OwnFacts& facts, const BenchmarkSettings& asked,
                                           BenchmarkSettings* settings) {
  SearchSettings& search = *settings->mutable_search();
  if (asked.search().search_split() == SearchSettings::PUBLISHED) {
    search.set_search_split(SearchSettings::PUBLISHED);
    ChooseField("search.search_split", "as asked: the test's videos choose the plan", settings);
    return SplitForSearch(facts, *settings);
  }
  search.set_search_split(SearchSettings::HELD_OUT_FROM_TRAIN);
  const double all = static_cast<double>(facts.train.size());
  const double share = std::max(kSmallestShare, std::min(kLargestShare, kEnoughMeasured / all));
  const bool given = asked.search().held_out_share() != 0;
  search.set_held_out_share(given ? asked.search().held_out_share()
                                  : std::round(share * 1000) / 1000);
  OP3D_ASSIGN_OR_RETURN(const SearchVideos videos, SplitForSearch(facts, *settings));
  std::set<std::string> groups;
  for (const OwnVideo& video : facts.train) {
    if (!video.group.empty()) groups.insert(video.group);
  }
  ChooseField(
      "search.held_out_share",
      absl::StrFormat("%s%s of %d measure the search (one standard error of a share: at most %.1f "
                      "points), %s",
                      given ? "as asked: " : "", Videos(videos.measured), facts.train.size(),
                      50 / std::sqrt(static_cast<double>(videos.measured)),
                      groups.empty() ? std::string("drawn one by one: the lists name no groups")
                                     : absl::StrCat("whole groups of ", groups.size())),
      settings);
  return videos;
}

StateSettings Clip(int segments, int frames, int stride) {
  StateSettings state;
  state.set_segments(segments);
  state.set_frames_per_segment(frames);
  state.set_stride(stride);
  return state;
}

// The lengths that a search may use: the longest fits into three of four videos.
std::vector<int> LengthsFor(int64_t frames) {
  const int longest = static_cast<int>(
      std::max(kShortestClip, std::min(kLongestClip, frames / kShortestClip * kShortestClip)));
  std::vector<int> lengths;
  for (const int length : {16, 32}) {
    if (length < longest) lengths.push_back(length);
  }
  lengths.push_back(longest);
  return lengths;
}

absl::StatusOr<OwnClips> ChooseClips(const OwnFacts& facts, const SearchVideos& videos,
                                     const BenchmarkSettings& settings) {
  const int64_t longest_video = LongestVideo(facts.train);
  if (longest_video < kShortestClip) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the longest of the ", Videos(static_cast<int64_t>(facts.train.size())), " of ",
        facts.dataset.train().list(), " has ", longest_video, " frames; the shortest clip is ",
        kShortestClip, " frames, which at least one video must have"));
  }
  if (videos.train < kSmallBatches[2]) {
    return absl::InvalidArgumentError(
        absl::StrCat("the search trains on ", Videos(videos.train), " of ",
                     facts.dataset.train().list(), ", fewer than the smallest batch, ",
                     kSmallBatches[2], "; add videos, or hold fewer out (search.held_out_share)"));
  }
  // At least three of four videos have this many frames.
  const int64_t most = Quantile(facts.train, 0.25, Frames);
  const bool large = IsLarge(settings.network().name());
  OwnClips clips;
  const std::vector<int> lengths = LengthsFor(most);
  for (const int length : lengths) {
    // As published: 2 on Kinetics (10 seconds), 1 if videos are shorter.
    const bool wide = length == kLongestClip && most >= 3 * kLongestClip;
    clips.consecutive.push_back(Clip(1, length, wide ? 2 : 1));
    clips.uniform.push_back(Clip(length / kFramesPerSegment, kFramesPerSegment, 1));
  }
  int step = kSmallBatches[2];
  if (large) {
    step = kLargestStep;
    while (step > kSmallBatches[0] && videos.train / step < kSteps) step /= 2;
    while (step > videos.train) step /= 2;
  } else {
    for (const int batch : kSmallBatches) {
      if (videos.train / batch >= kSteps) {
        step = batch;
        break;
      }
    }
  }
  for (std::vector<StateSettings>* states : {&clips.consecutive, &clips.uniform}) {
    for (size_t i = 0; i < states->size(); ++i) {
      // A large network's long clips have small batches, those of the third length with frozen
      // BatchNorm, as published; a small network's batch is the whole step.
      const int fits = lengths[i] > 32 ? 4 : lengths[i] > 16 ? 8 : 16;
      const int batch = large ? std::min(step, fits) : step;
      (*states)[i].set_batch_size(batch);
      (*states)[i].set_accumulation(step / batch);
      if (large && i == 2) (*states)[i].set_frozen_batch_norm(true);
    }
  }
  clips.learning_rate = kRate * step / (large ? kLargestStep : kSmallBatches[0]);
  const DatasetSettings::Protocol& protocol = facts.dataset.protocol();
  if (protocol.test_clips() > 0) clips.test_clips = protocol.test_clips();
  clips.test_segments = protocol.test_segments();
  return clips;
}

std::string LengthsText(const std::vector<StateSettings>& states) {
  return absl::StrJoin(states, ", ", [](std::string* out, const StateSettings& state) {
    absl::StrAppend(out, state.segments() > 1 ? absl::StrCat(state.segments(), "x") : "",
                    state.frames_per_segment(),
                    state.stride() > 1 ? absl::StrCat(" (stride ", state.stride(), ")") : "");
  });
}

// "cs16", "us8x4".
std::string ClipName(const StateSettings& clip) {
  return clip.segments() == 1 ? absl::StrCat("cs", clip.frames_per_segment())
                              : absl::StrCat("us", clip.segments(), "x", clip.frames_per_segment());
}

// A pool in the form of the published graphs: lengths in one direction, rates in the other; edges
// go from a state to the next length or to the next rate.  States are numbered along the diagonals,
// from S`first`.
TransitionGraph Pool(const std::string& name, const std::vector<StateSettings>& lengths,
                     const std::vector<double>& rates, int first) {
  TransitionGraph graph;
  graph.set_pool(name);
  graph.set_initial("S0");
  const int n = static_cast<int>(lengths.size()), m = static_cast<int>(rates.size());
  std::vector<std::vector<std::string>> names(n, std::vector<std::string>(m));
  const auto each = [n, m](const auto& use) {
    for (int diagonal = 0; diagonal < n + m - 1; ++diagonal) {
      for (int i = std::min(diagonal, n - 1); i >= 0 && diagonal - i < m; --i) use(i, diagonal - i);
    }
  };
  each([&](int i, int j) {
    StateSettings& state = *graph.add_states();
    state = lengths[i];
    state.set_learning_rate(rates[j]);
    state.set_name(absl::StrCat("S", first + graph.states_size() - 1));
    names[i][j] = state.name();
  });
  const auto add = [&](const std::string& from, const std::string& to) {
    Transition& transition = *graph.add_transitions();
    transition.set_from(from);
    transition.set_to(to);
  };
  add("S0", names[0][0]);
  if (n > 1) add("S0", names[1][0]);
  each([&](int i, int j) {
    if (i + 1 < n) add(names[i][j], names[i + 1][j]);
    if (j + 1 < m) add(names[i][j], names[i][j + 1]);
  });
  graph.add_finals(names[n - 1][m - 1]);
  return graph;
}

// Frames per video of a whole search: a number of steps that does not depend on the number of
// videos, about 20 minutes of the small network on two cores with all rivals; at least a few
// epochs.
double SearchFrames(int64_t videos) {
  constexpr double kFrames = 900000, kLeast = 1600, kMost = 20000;
  return std::round(std::min(kMost, std::max(kLeast, kFrames / static_cast<double>(videos))));
}

void AddRival(const std::string& name, const StateSettings& clip, double rate,
              const OwnClips& clips, BenchmarkSettings* settings) {
  RecipeSettings& recipe = *settings->add_recipes();
  const std::string title = absl::StrCat(clip.frames_per_segment(), "-frame cosine");
  recipe.set_name(name);
  recipe.set_title(absl::StrCat("hand-tuned: ", title, ", equal frames"));
  StateSettings& state = *recipe.mutable_hand_tuned()->mutable_state();
  state = clip;
  state.set_name(title);
  state.set_learning_rate(rate);
  state.clear_frozen_batch_norm();  // it trains from nothing
  recipe.mutable_hand_tuned()->mutable_cosine()->set_final_learning_rate(1e-6);
  recipe.mutable_hand_tuned()->mutable_cosine()->set_warmup_epochs(1);
  recipe.set_test_clips(clips.test_clips);
}

absl::Status CheckState(const StateSettings& state, const std::string& where, int64_t longest_video,
                        int64_t videos) {
  const int64_t span = data::Span({state.segments(), state.frames_per_segment(), state.stride()});
  if (span > longest_video) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": a clip spans ", span, " frames, but the longest video has ",
                     longest_video, "; take fewer frames or a smaller stride"));
  }
  const int64_t step = int64_t{state.batch_size()} * state.accumulation();
  if (step > videos) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": a step takes ", step, " clips (batch_size ", state.batch_size(),
                     " x accumulation ", state.accumulation(), "), but there are ", Videos(videos),
                     " to train on; take a smaller batch_size or accumulation"));
  }
  return absl::OkStatus();
}

}  // namespace

OwnMachine FindOwnMachine(bool gpu) {
  OwnMachine machine;
  machine.gpu = gpu;
  machine.memory_bytes = static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  // A container's memory limit, if it has one.
  for (const char* file :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    const absl::StatusOr<std::string> text = ReadFile(file);
    int64_t limit = 0;
    if (text.ok() && absl::SimpleAtoi(absl::StripAsciiWhitespace(*text), &limit) && limit > 0) {
      machine.memory_bytes = std::min(machine.memory_bytes, limit);
    }
  }
  return machine;
}

absl::StatusOr<OwnFacts> GatherOwnFacts(const BenchmarkSettings& asked, const std::string& root,
                                        int threads, const data::IndexOptions& index) {
  OwnFacts facts;
  facts.dataset = asked.dataset();
  if (facts.dataset.classes() <= 0) {
    int64_t classes = 0;
    for (const DatasetSettings::Split* split :
         {&asked.dataset().train(), &asked.dataset().evaluation()}) {
      OP3D_ASSIGN_OR_RETURN(const data::DatasetList list,
                            data::ReadDatasetList(facts.dataset, *split, root));
      classes = std::max(classes, static_cast<int64_t>(list.classes.size()));
    }
    facts.dataset.set_classes(static_cast<int32_t>(classes));
  }
  OP3D_ASSIGN_OR_RETURN(const data::VideoLimits limits, data::LimitsOf(asked.loader()));
  const auto read = [&](const DatasetSettings::Split& split,
                        std::vector<OwnVideo>* videos) -> absl::Status {
    OP3D_ASSIGN_OR_RETURN(
        const data::VideoList list,
        data::LoadVideoList(facts.dataset, split, root, asked.loader(), threads, index));
    if (!list.classes.empty()) {
      OP3D_RETURN_IF_ERROR(data::CheckClassCount(list, facts.dataset, split.list()));
    }
    videos->reserve(list.videos.size());
    for (const data::Video& video : list.videos) {
      OP3D_ASSIGN_OR_RETURN(const data::VideoScan scan,
                            data::DecodeScan(video.scan, limits.max_frames));
      videos->push_back(
          {video.name, video.label, video.frames, scan.info.width, scan.info.height, video.group});
    }
    return absl::OkStatus();
  };
  OP3D_RETURN_IF_ERROR(read(facts.dataset.train(), &facts.train));
  OP3D_RETURN_IF_ERROR(read(facts.dataset.evaluation(), &facts.evaluation));
  return facts;
}

absl::StatusOr<BenchmarkSettings> DeriveOwnSettings(const OwnFacts& facts,
                                                    const OwnMachine& machine,
                                                    const BenchmarkSettings& asked) {
  OP3D_RETURN_IF_ERROR(CheckLabels(facts));
  BenchmarkSettings settings;
  settings.set_benchmark(FileNameOf(facts.dataset.name()));
  settings.set_scale(BenchmarkSettings::OWN);
  settings.set_seed(asked.seed());
  *settings.mutable_dataset() = facts.dataset;
  ChooseClasses(facts, &settings);
  const std::string overlap = Overlap(facts);
  if (!overlap.empty()) {
    Choose("dataset.evaluation", facts.dataset.evaluation().list(),
           absl::StrCat("of the dataset's file; ", overlap,
                        " are in the training list too: the test's figures will be too high"),
           &settings);
  }
  ChooseNetwork(facts, machine, asked, &settings);
  ChooseTransform(facts, asked, &settings);
  ChooseLoader(facts, machine, asked, &settings);
  SgdSettings& sgd = *settings.mutable_sgd();
  sgd.set_momentum(0.9);
  sgd.set_nesterov(true);
  sgd.set_weight_decay(1e-4);
  sgd.set_clip_norm(40);
  const double loss_weight = facts.dataset.protocol().loss_weight();
  sgd.set_loss_weight(loss_weight > 0 ? loss_weight : 1);
  OP3D_ASSIGN_OR_RETURN(const SearchVideos videos, ChooseHeldOut(facts, asked, &settings));
  OP3D_ASSIGN_OR_RETURN(OwnClips clips, ChooseClips(facts, videos, settings));
  const StateSettings& longest = clips.consecutive.back();
  const int64_t step = int64_t{longest.batch_size()} * longest.accumulation();
  clips.search_frames = SearchFrames(videos.train);
  WideGraphSettings shipped;
  OP3D_ASSIGN_OR_RETURN(const std::string path, planner::FindGraphFile("wide_miniature"));
  OP3D_RETURN_IF_ERROR(ReadTextproto(path, &shipped));
  DerivedSearch(clips, shipped, &settings);
  // The reason for the clips; DerivedSearch describes what it makes from them.
  const int64_t most = Quantile(facts.train, 0.25, Frames);
  for (BenchmarkSettings::Derived& derived : *settings.mutable_derived()) {
    if (derived.field() != "search.pools") continue;
    absl::StrAppend(derived.mutable_reason(), "; ",
                    most < kShortestClip
                        ? absl::StrCat("most videos are shorter than ", kShortestClip, " frames")
                        : absl::StrCat("three of four videos have at least ", most, " frames"),
                    "; ", step, " clips a step make ", videos.train / step, " steps of ",
                    Videos(videos.train), " an epoch");
  }
  return settings;
}

void DerivedSearch(const OwnClips& clips, const WideGraphSettings& shipped,
                   BenchmarkSettings* settings) {
  SearchSettings& search = *settings->mutable_search();
  StoppingRule& rule = *search.mutable_rule();
  rule.set_attempt_epochs(4);
  rule.set_max_epochs_from_initial(24);
  rule.set_max_epochs(10);
  ChooseField("search.rule", "the published rule, with the bounds of the small datasets", settings);

  const double rate = clips.learning_rate;
  const std::vector<double> rates = {rate, rate / 4, rate / 16};
  *search.add_pools() = Pool("cs", clips.consecutive, rates, 1);
  *search.add_pools() = Pool("us", clips.uniform, rates, search.pools(0).states_size() + 1);
  Choose("search.pools",
         absl::StrCat("cs ", LengthsText(clips.consecutive), "; us ", LengthsText(clips.uniform),
                      "; rates ", absl::StrJoin(rates, ", ")),
         "the published form: longer clips and lower rates in turn", settings);

  // The published method's pools are kept for --method=published and both.
  search.set_method(SearchSettings::PLANNED_METHOD);
  ChooseField("search.method", "rounds under a budget; --method=published is the paper's search",
              settings);
  WideGraphSettings& wide = *search.mutable_wide();
  for (size_t i = 0; i < clips.consecutive.size(); ++i) {
    for (const StateSettings* clip : {&clips.consecutive[i], &clips.uniform[i]}) {
      StateSettings& state = *wide.add_clips();
      state = *clip;
      state.set_name(ClipName(*clip));
      state.set_learning_rate(rate);
      state.clear_frozen_batch_norm();  // the batch is large enough to train it
    }
  }
  *wide.mutable_rates() = shipped.rates();
  *wide.mutable_stages() = shipped.stages();
  wide.mutable_stages(0)->set_edges(wide.rates_size() * wide.clips_size());  // all trunks
  wide.set_frames(clips.search_frames);
  Choose("search.wide",
         absl::StrCat(wide.clips_size(), " clips at ", wide.rates_size(), " rates, ",
                      clips.search_frames, " frames per video in total"),
         "in the rounds of the wide graph for small datasets: every clip is tried, the best "
         "ones continue, and the last round lowers the rate to 0",
         settings);
  ScoreSettings& score = *search.mutable_score();
  score.set_measure(ScoreSettings::PROBABILITY);
  score.set_frames(64);
  score.set_merged_epochs(3);
  score.set_batch_norm_clips(256);
  ChooseField("search.score", "the mean probability of the right class has less noise than top-1",
              settings);
  search.set_test_clips(clips.test_clips);
  RivalSettings& rivals = *settings->mutable_rivals();
  rivals.add_clips(ClipName(clips.consecutive.front()));
  if (clips.consecutive.size() > 1) rivals.add_clips(ClipName(clips.consecutive.back()));
  const StateSettings& middle = clips.uniform[clips.uniform.size() / 2];
  rivals.add_clips(ClipName(middle));
  for (const double factor : {1.0, 0.25, 0.0625}) rivals.add_rates(factor);
  rivals.set_long_run(ClipName(middle));
  rivals.set_test_clips(clips.test_clips);
  ChooseField("rivals", "what one would try without a search, with equally many frames", settings);

  RecipeSettings& planned = *settings->add_recipes();
  planned.set_name("planned");
  planned.set_title("planned: trained again");
  planned.set_planned(true);
  planned.set_test_clips(clips.test_clips);
  planned.set_test_segments(clips.test_segments);
  AddRival("hand_tuned", clips.consecutive.front(), rate, clips, settings);
  Choose("recipes",
         absl::StrJoin(settings->recipes(), "; ",
                       [](std::string* out, const RecipeSettings& recipe) {
                         absl::StrAppend(out, recipe.title());
                       }),
         "the plan, and what one would try by hand with as many frames", settings);
  settings->set_recipe_videos(BenchmarkSettings::SEARCH_TRAIN);
  ChooseField("recipe_videos",
              "the search's model has not trained on held-out videos, so its rivals do not either",
              settings);
}

void NoteOverridden(const BenchmarkSettings& derived, BenchmarkSettings* settings) {
  // The choices of this run, not of a settings file from an earlier run.
  *settings->mutable_derived() = derived.derived();
  for (BenchmarkSettings::Derived& line : *settings->mutable_derived()) {
    const std::string value = ValueText(*settings, line.field());
    if (value == ValueText(derived, line.field())) continue;
    line.set_reason(absl::StrCat("the command line or --settings; the data gave ", line.value()));
    constexpr size_t kLong = 60;
    line.set_value(value.size() > kLong ? "as given" : value);
  }
}

absl::Status CheckOwnSettings(const OwnFacts& facts, const BenchmarkSettings& settings) {
  OP3D_ASSIGN_OR_RETURN(const SearchVideos videos, SplitForSearch(facts, settings));
  const int64_t longest = LongestVideo(facts.train);
  const int64_t recipe_videos = settings.recipe_videos() == BenchmarkSettings::SEARCH_TRAIN
                                    ? videos.train
                                    : static_cast<int64_t>(facts.train.size());
  if (!settings.has_plan()) {
    for (const TransitionGraph& pool : settings.search().pools()) {
      for (const StateSettings& state : pool.states()) {
        OP3D_RETURN_IF_ERROR(CheckState(state, absl::StrCat("search.pools, state ", state.name()),
                                        longest, videos.train));
      }
    }
  }
  if (SearchesPlanned(settings.search()) && !settings.has_plan()) {
    for (const StateSettings& clip : settings.search().wide().clips()) {
      OP3D_RETURN_IF_ERROR(
          CheckState(clip, absl::StrCat("search.wide, clip ", clip.name()), longest, videos.train));
    }
  }
  for (const Plan::Step& step : settings.plan().steps()) {
    OP3D_RETURN_IF_ERROR(CheckState(step.state(),
                                    absl::StrCat("the plan's state ", step.state().name()), longest,
                                    recipe_videos));
  }
  for (const RecipeSettings& recipe : settings.recipes()) {
    if (!recipe.has_hand_tuned()) continue;
    OP3D_RETURN_IF_ERROR(CheckState(recipe.hand_tuned().state(),
                                    absl::StrCat("recipe ", recipe.name()), longest,
                                    recipe_videos));
  }
  return absl::OkStatus();
}

std::string FileNameOf(const std::string& name) {
  std::string result;
  for (const char letter : name) {
    const bool plain = absl::ascii_isalnum(letter) || letter == '_' || letter == '-' ||
                       (letter == '.' && !result.empty());
    result.push_back(plain ? letter : '_');
  }
  return result.find_first_not_of('_') == std::string::npos ? "own" : result;
}

}  // namespace op3d::benchmarks
