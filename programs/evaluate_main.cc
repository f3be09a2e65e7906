// Multi-view test of a checkpoint on a dataset, over threads and processes; and the figures of
// existing scores, of one test or of several added.
//
//   ./bazelw run //op3d:evaluate -- model.safetensors --dataset_root=/data/kinetics400
//       --output=rgb.safetensors
//   ./bazelw run //op3d:evaluate -- rgb.safetensors flow.safetensors --fusion_weights=1,1.5

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "data/annotation/dataset_list.h"
#include "data/annotation/video_list.h"
#include "data/datasets/dataset.pb.h"
#include "data/datasets/dataset_settings.h"
#include "data/index/index_update.h"
#include "data/loader/frame_store.h"
#include "data/sampling/sampling.h"
#include "op3d/base/activity_seconds.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/common_flags.h"
#include "op3d/base/program/program.h"
#include "op3d/base/progress.h"
#include "op3d/base/require.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/status_macros.h"
#include "op3d/distributed/process_group.h"
#include "op3d/distributed/rank_environment.h"
#include "op3d/eval/scores/evaluation.h"
#include "op3d/eval/scores/silent_failure.h"
#include "op3d/eval/scores/split_mean.h"
#include "op3d/eval/scores/video_scores.h"
#include "op3d/eval/scoring_run.h"
#include "op3d/gpu/gpu_probe.h"
#include "op3d/network/network.h"
#include "op3d/torch/arithmetic.h"
#include "op3d/torch/device.h"
#include "op3d/torch/precision.h"
#include "op3d/train/checkpoint/model_card.h"
#include "op3d/train/checkpoint/weights_card.h"

ABSL_FLAG(std::string, weights, "", op3d::kWeightsHelp);
ABSL_FLAG(std::string, network, "", op3d::kWeightsNetworkHelp);
ABSL_FLAG(std::string, dataset, "",
          "which dataset: a name of data/datasets/, or a textproto of your own; default: as the "
          "file of weights says, else kinetics400");
ABSL_FLAG(std::string, dataset_root, "", "folder with the dataset's lists and media");
ABSL_FLAG(std::string, index, "", op3d::kIndexHelp);
ABSL_FLAG(std::string, list, "evaluation", "which list: evaluation or train");
ABSL_FLAG(
    std::string, split, "",
    "which official split of UCF101 or HMDB51, from 1; empty = the dataset's own; all: each of "
    "them, with \"{split}\" for its number in weights, scores and outputs, then their mean");
ABSL_FLAG(std::string, stream, "",
          "pictures, or flow, as in a folder that `dataset flow` wrote; default: as the file of "
          "weights says, else the dataset's own");
ABSL_FLAG(std::string, labels, "",
          "file with all classes, one per line, in the order of the network's logits; default: "
          "as the file of weights says, else the list's own labels in alphabetical order");
ABSL_FLAG(int, clips, 0,
          "clips of a video, each in three crops; 0 = as the file of weights says, else as the "
          "dataset's published test has them, 50 for ActivityNet and 10 for the others");
ABSL_FLAG(int, segments, 0,
          "segments of a clip: 1 = consecutive frames; 0 = as the file of weights says, else 1");
ABSL_FLAG(std::optional<int>, frames, std::nullopt, op3d::kFramesHelp);
ABSL_FLAG(std::optional<int>, stride, std::nullopt, op3d::kStrideHelp);
ABSL_FLAG(std::optional<int>, short_side, std::nullopt, op3d::kShortSideHelp);
ABSL_FLAG(std::optional<int>, crop, std::nullopt, op3d::kCropHelp);
ABSL_FLAG(std::string, on_bad_video, "error",
          "a video that does not decode, or that not all scores have: error ends the program, skip "
          "leaves it out and counts it");
ABSL_FLAG(
    std::string, decode, "exact",
    "exact; fast leaves the codec's loop filter out and decodes MPEG-4 at a smaller size where "
    "that is enough; nvdec decodes on the GPU what it can: other pixels and somewhat other scores "
    "(loader.decode in settings)");
ABSL_FLAG(std::string, device, "auto", op3d::kDeviceHelp);
ABSL_FLAG(std::string, precision, "",
          "fp32, bf16, fp64, tf32 or fp16 (CUDA), or auto: bf16 where a short measurement finds it "
          "faster; default: the file's, else fp32");
ABSL_FLAG(std::string, arithmetic, "", op3d::kArithmeticHelp);
ABSL_FLAG(int, threads, 2, "videos scored side by side; the result does not depend on it");
ABSL_FLAG(std::string, output, "",
          "write the scores to this safetensors file; a stopped test resumes from the files "
          "next to it");
ABSL_FLAG(std::string, statistic, "logits", "mean over the views: of logits or probabilities");
ABSL_FLAG(std::string, fusion_weights, "",
          "weights of several scores files, one number each: 1,1.5; default: 1 each");
ABSL_FLAG(int, bootstrap_samples, 1000, "for the intervals; 0 = none");
ABSL_FLAG(double, confidence, 0.95, "level of the intervals");
ABSL_FLAG(uint64_t, seed, 0, "of the bootstrap");
ABSL_FLAG(std::string, per_class, "", "also write a CSV with one row per class");
ABSL_FLAG(std::string, per_video, "", "also write a CSV with one row per video");
ABSL_FLAG(std::string, confusion, "", "also write the confusion matrix as CSV");
ABSL_FLAG(bool, json, false, "one JSON object on stdout instead of text");

namespace op3d {
namespace {

// The test: flags, otherwise what the file of weights says.
struct TestSetup {
  std::string path;
  WeightsCard weights;
  DatasetSettings dataset;
  data::ClipShape clip;
  int clips = 0, short_side = 0, crop = 0;
  std::string precision, arithmetic;
  // Notes about flags that differ from the file.
  std::vector<std::string> notes;
};

absl::StatusOr<bool> OneOf(const absl::Flag<std::string>& flag, absl::string_view name,
                           absl::string_view first, absl::string_view second) {
  // Settings have these words in capitals.
  const std::string value = absl::AsciiStrToLower(absl::GetFlag(flag));
  if (value == first || value == second) return value == second;
  return absl::InvalidArgumentError(
      absl::StrCat("--", name, "=", value, " is none of: ", first, ", ", second));
}

absl::StatusOr<LoaderSettings::Decode> ReadDecode() {
  LoaderSettings::Decode decode = LoaderSettings::EXACT;
  const std::string word = absl::GetFlag(FLAGS_decode);
  if (LoaderSettings::Decode_Parse(absl::AsciiStrToUpper(word), &decode) &&
      decode != LoaderSettings::DECODE_UNSPECIFIED) {
    return decode;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--decode=", word, " is none of: exact, fast, nvdec"));
}

absl::StatusOr<EvaluationOptions> ReadEvaluationOptions(size_t streams) {
  EvaluationOptions options;
  OP3D_ASSIGN_OR_RETURN(options.probabilities,
                        OneOf(FLAGS_statistic, "statistic", "logits", "probabilities"));
  OP3D_ASSIGN_OR_RETURN(options.common_only,
                        OneOf(FLAGS_on_bad_video, "on_bad_video", "error", "skip"));
  OP3D_RETURN_IF_ERROR(ReadDecode().status());
  const std::string weights = absl::GetFlag(FLAGS_fusion_weights);
  for (const absl::string_view part : absl::StrSplit(weights, ',', absl::SkipEmpty())) {
    double weight = 0;
    if (!absl::SimpleAtod(part, &weight) || !std::isfinite(weight)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--fusion_weights=", weights, ": '", part, "' is not a number"));
    }
    options.weights.push_back(weight);
  }
  if (!weights.empty() && options.weights.size() != streams) {
    return absl::InvalidArgumentError(absl::StrCat("--fusion_weights=", weights, " for ", streams,
                                                   " scores; give one number each"));
  }
  OP3D_RETURN_IF_ERROR(
      RequireAtLeast("--bootstrap_samples", absl::GetFlag(FLAGS_bootstrap_samples), 0));
  options.bootstrap.samples = absl::GetFlag(FLAGS_bootstrap_samples);
  options.bootstrap.level = absl::GetFlag(FLAGS_confidence);
  options.bootstrap.seed = absl::GetFlag(FLAGS_seed);
  if (!(options.bootstrap.level > 0 && options.bootstrap.level < 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--confidence=", options.bootstrap.level, " is not between 0 and 1"));
  }
  return options;
}

// The classes for a list without labels: from the training list; if there is none, only their
// number is known.
absl::StatusOr<std::vector<std::string>> ClassesOfTestList(const DatasetSettings& dataset,
                                                           const std::string& root) {
  const absl::StatusOr<data::DatasetList> train =
      data::ReadDatasetList(dataset, dataset.train(), root);
  if (train.ok() && !train->classes.empty()) return train->classes;
  if (dataset.classes() < 1) {
    return absl::InvalidArgumentError(
        "the list has no labels, and nothing says how many classes there are: name them with "
        "--labels, or set `classes` in the dataset's textproto");
  }
  std::vector<std::string> classes;
  for (int i = 0; i < dataset.classes(); ++i) classes.push_back(absl::StrCat("class ", i));
  return classes;
}

// Tables about classes need the videos' labels.
absl::Status RefuseTablesOfLabels() {
  for (const auto& [flag, name] : {std::make_pair(&FLAGS_per_class, "per_class"),
                                   std::make_pair(&FLAGS_confusion, "confusion")}) {
    if (absl::GetFlag(*flag).empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--", name, ": the list has no labels; --per_video writes its predictions"));
  }
  return absl::OkStatus();
}

LoaderSettings::OnBadVideo OnBadVideo() {
  const bool skip = absl::AsciiStrToLower(absl::GetFlag(FLAGS_on_bad_video)) == "skip";
  return skip ? LoaderSettings::SKIP : LoaderSettings::ERROR;
}

absl::Status ReadSplit(DatasetSettings* dataset) {
  const std::string split = absl::GetFlag(FLAGS_split);
  if (split.empty()) return absl::OkStatus();
  int number = 0;
  if (absl::SimpleAtoi(split, &number)) return data::ChooseSplit(number, dataset);
  return absl::InvalidArgumentError(
      absl::StrCat("--split=", split, " is not a number of an official split",
                   split == "train" || split == "evaluation"
                       ? absl::StrCat("; the list is chosen with --list=", split)
                       : ""));
}

// Converts labels to the network's numbers: by the names of its classes, if the file of weights has
// them, whatever their order in the list and even if it has only some of them.
absl::Status MatchClasses(const TestSetup& setup, data::VideoList* list) {
  const ModelCard& card = setup.weights.card;
  const bool named = !card.class_names().empty() && absl::GetFlag(FLAGS_labels).empty();
  if (!named) {
    if (static_cast<int>(list->classes.size()) == card.classes()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        "the weights tell ", card.classes(), " classes apart, the list ", list->classes.size(),
        ": they are those of another dataset, or the list lacks classes (then name all of them in "
        "the order of the logits with --labels)"));
  }
  const std::vector<std::string> names(card.class_names().begin(), card.class_names().end());
  if (list->classes == names) return absl::OkStatus();
  std::map<std::string, int64_t> labels;
  for (size_t i = 0; i < names.size(); ++i) labels[names[i]] = static_cast<int64_t>(i);
  for (const std::string& name : list->classes) {
    if (labels.count(name) > 0) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "the list's class '", name, "' is none of the ", names.size(),
        " that the weights tell apart ('", names[0],
        "' ...): they are those of another dataset, "
        "or its classes have other names (then --labels names them in the order of the logits)"));
  }
  for (data::Video& video : list->videos) {
    if (video.label >= 0) video.label = labels[list->classes[video.label]];
  }
  list->notes.push_back(absl::StrCat("note: the list names ", list->classes.size(), " of the ",
                                     names.size(),
                                     " classes of the weights, or in another order; "
                                     "labels are taken by their names"));
  list->classes = names;
  return absl::OkStatus();
}

absl::StatusOr<data::VideoList> LoadList(const TestSetup& setup) {
  const std::string root = UserPath(absl::GetFlag(FLAGS_dataset_root));
  if (root.empty()) {
    return absl::InvalidArgumentError(
        "--dataset_root is missing: the folder with the dataset's lists and media");
  }
  DatasetSettings dataset = setup.dataset;
  if (!absl::GetFlag(FLAGS_labels).empty()) {
    dataset.set_label_map(UserPath(absl::GetFlag(FLAGS_labels)));
  }
  OP3D_RETURN_IF_ERROR(ReadSplit(&dataset));
  OP3D_ASSIGN_OR_RETURN(const bool train, OneOf(FLAGS_list, "list", "evaluation", "train"));
  LoaderSettings loader;
  loader.set_on_bad_video(OnBadVideo());
  data::IndexOptions index;
  index.file = absl::GetFlag(FLAGS_index).empty() ? data::DefaultIndexFile(root, dataset.name())
                                                  : UserPath(absl::GetFlag(FLAGS_index));
  OP3D_ASSIGN_OR_RETURN(data::VideoList list,
                        data::LoadVideoList(dataset, train ? dataset.train() : dataset.evaluation(),
                                            root, loader, absl::GetFlag(FLAGS_threads), index));
  const auto& names = setup.weights.card.class_names();
  if (list.classes.empty() && !names.empty()) list.classes.assign(names.begin(), names.end());
  if (list.classes.empty()) {
    OP3D_ASSIGN_OR_RETURN(list.classes, ClassesOfTestList(dataset, root));
  }
  OP3D_RETURN_IF_ERROR(MatchClasses(setup, &list));
  if (list.videos[0].label < 0) OP3D_RETURN_IF_ERROR(RefuseTablesOfLabels());
  return list;
}

// Only the test's fields matter; the others are set because settings are checked as a whole.
TransformSettings TestTransform(int short_side, int crop) {
  TransformSettings transform;
  transform.set_test_short_side(short_side);
  transform.set_test_crop(crop);
  transform.set_search_short_side(short_side);
  transform.set_search_crop(crop);
  transform.set_train_crop(crop);
  transform.set_min_area(1);
  transform.set_max_area(1);
  return transform;
}

// The number of clips if neither a flag, nor the weights, nor the dataset says it.
constexpr int kTestClips = 10;

// 0 means that the flag is not given.
std::optional<int> Given(int flag) { return flag == 0 ? std::nullopt : std::optional<int>(flag); }

// --dataset, otherwise the dataset on which the weights were trained.
absl::StatusOr<DatasetSettings> ChooseDataset(const ModelCard& card) {
  const std::string name = absl::GetFlag(FLAGS_dataset);
  if (name.empty() && !card.dataset().evaluation().list().empty()) return card.dataset();
  return data::FindDataset(name.empty() ? "kinetics400" : name);
}

// `path`: the file of weights.
absl::StatusOr<TestSetup> ReadSetup(const std::string& path) {
  TestSetup setup;
  setup.path = UserPath(path);
  OP3D_ASSIGN_OR_RETURN(setup.weights, ReadWeightsCard(setup.path, absl::GetFlag(FLAGS_network)));
  const ModelCard& card = setup.weights.card;
  OP3D_ASSIGN_OR_RETURN(setup.dataset, ChooseDataset(card));
  std::vector<std::string>* notes = &setup.notes;
  // A dataset named by the user has a stream, too.
  std::string stream = absl::AsciiStrToLower(absl::GetFlag(FLAGS_stream));
  if (stream.empty() && !absl::GetFlag(FLAGS_dataset).empty())
    stream = data::StreamName(setup.dataset);
  OP3D_RETURN_IF_ERROR(
      data::SetStream(FlagOr("stream", stream, StreamOf(card), "", notes), &setup.dataset));
  const data::ClipShape clip = TestClip(card);
  OP3D_RETURN_IF_ERROR(RequireAtLeast("--clips", absl::GetFlag(FLAGS_clips), 0));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("--segments", absl::GetFlag(FLAGS_segments), 0));
  const int published = setup.dataset.protocol().test_clips();
  setup.clips = FlagOr("clips", Given(absl::GetFlag(FLAGS_clips)), card.test_clips(),
                       published > 0 ? published : kTestClips, notes);
  setup.clip.segments =
      FlagOr("segments", Given(absl::GetFlag(FLAGS_segments)), clip.segments, 1, notes);
  setup.clip.frames_per_segment =
      FlagOr("frames", absl::GetFlag(FLAGS_frames), clip.frames_per_segment, 16, notes);
  setup.clip.stride = FlagOr("stride", absl::GetFlag(FLAGS_stride), clip.stride, 1, notes);
  setup.short_side =
      FlagOr("short_side", absl::GetFlag(FLAGS_short_side), card.short_side(), 256, notes);
  setup.crop = FlagOr("crop", absl::GetFlag(FLAGS_crop), card.crop(), 256, notes);
  // A GPU's arithmetic does not exist on a CPU.
  OP3D_ASSIGN_OR_RETURN(const std::string device, ChooseDevice(absl::GetFlag(FLAGS_device)));
  const bool gpu_only =
      (card.precision() == "tf32" || card.precision() == "fp16") && device == "cpu";
  setup.precision = FlagOr("precision", absl::GetFlag(FLAGS_precision),
                           gpu_only ? "" : card.precision(), "fp32", notes);
  setup.arithmetic =
      FlagOr("arithmetic", absl::GetFlag(FLAGS_arithmetic),
             card.arithmetic() == TrainingSettings::NATIVE ? "native" : "", "portable", notes);
  OP3D_RETURN_IF_ERROR(RequireAtLeast("--frames", setup.clip.frames_per_segment, 1));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("--stride", setup.clip.stride, 1));
  OP3D_RETURN_IF_ERROR(data::CheckClipShape(setup.clip));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("--threads", absl::GetFlag(FLAGS_threads), 1));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("--crop", setup.crop, 8));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("--short_side", setup.short_side, setup.crop));
  OP3D_ASSIGN_OR_RETURN(const NetworkDefinition definition, Define(setup.weights.options()));
  OP3D_RETURN_IF_ERROR(Annotate(
      CheckClipSize(definition, {setup.clip.length(), setup.crop, setup.crop}), setup.path));
  return setup;
}

// Everything that the scores depend on, except the videos.
absl::StatusOr<std::string> TestSettings(const TestSetup& setup) {
  OP3D_ASSIGN_OR_RETURN(const std::string weights, ReadFile(setup.path));
  OP3D_ASSIGN_OR_RETURN(const LoaderSettings::Decode decode, ReadDecode());
  const std::string dataset = absl::GetFlag(FLAGS_dataset);
  return absl::StrCat(
      "network: ", setup.weights.card.network().name(), "\nweights_crc32: ", Crc32(weights),
      "\nclips: ", setup.clips, "\nsegments: ", setup.clip.segments,
      "\nframes: ", setup.clip.frames_per_segment, "\nstride: ", setup.clip.stride,
      "\nshort_side: ", setup.short_side, "\ncrop: ", setup.crop, "\nprecision: ", setup.precision,
      "\narithmetic: ", setup.arithmetic, "\non_bad_video: ", absl::GetFlag(FLAGS_on_bad_video),
      decode == LoaderSettings::EXACT
          ? ""
          : absl::StrCat("\ndecode: ", absl::AsciiStrToLower(LoaderSettings::Decode_Name(decode))),
      "\nstream: ", data::StreamName(setup.dataset),
      "\ndataset: ", dataset.empty() ? setup.dataset.name() : dataset,
      "\nlist: ", absl::GetFlag(FLAGS_list), "\nsplit: ", absl::GetFlag(FLAGS_split), "\n");
}

// Loads the list and adds to `settings` which one it is.  Rank 0 scans the videos, the others read
// the index.
absl::StatusOr<data::VideoList> LoadListOnAll(const TestSetup& setup, ProcessGroup* group,
                                              std::string* settings) {
  const bool first = group == nullptr || group->rank() == 0;
  data::VideoList list;
  if (first) {
    OP3D_ASSIGN_OR_RETURN(list, LoadList(setup));
    for (const std::string& note : list.notes) Progress::Print(note);
  }
  std::string crc = absl::StrCat(data::VideoListCrc32(list.videos));
  if (group != nullptr) {
    OP3D_ASSIGN_OR_RETURN(crc, group->Broadcast(crc));
  }
  if (!first) {
    OP3D_ASSIGN_OR_RETURN(list, LoadList(setup));
    const std::string own = absl::StrCat(data::VideoListCrc32(list.videos));
    if (own != crc) {
      return absl::FailedPreconditionError(
          absl::StrCat("rank ", group->rank(), " finds other videos in ",
                       absl::GetFlag(FLAGS_dataset_root), " than rank 0: checksum ", own,
                       " against ", crc, "; all processes need the same copy of the dataset"));
    }
  }
  absl::StrAppend(settings, "classes: ", list.classes.size(), "\nvideos: ", list.videos.size(),
                  "\nvideos_crc32: ", crc, "\n");
  return list;
}

// The precision of all processes: if it must be measured, rank 0's result.
absl::StatusOr<Precision> ChoosePrecisionOnAll(const TestSetup& setup, ProcessGroup* group,
                                               const std::string& device, std::string* settings) {
  std::string name = setup.precision;
  if (group == nullptr || group->rank() == 0) {
    OP3D_ASSIGN_OR_RETURN(const PrecisionChoice choice, ChoosePrecision(name, device));
    if (name == "auto") Progress::Print(choice.reason);
    name = PrecisionName(choice.precision);
  }
  if (group != nullptr) {
    OP3D_ASSIGN_OR_RETURN(name, group->Broadcast(name));
  }
  if (name != setup.precision) {
    absl::StrAppend(settings, "precision_chosen: ", name, "\n");
  }
  return ParsePrecision(name);
}

// Scores of every view of every video on rank 0, stored in --output; none on other ranks.
absl::StatusOr<TestScores> Test(const TestSetup& setup, const RankEnvironment& ranks,
                                ProcessGroup* group, std::string settings) {
  LoaderSettings loader;
  OP3D_ASSIGN_OR_RETURN(const LoaderSettings::Decode decode, ReadDecode());
  loader.set_decode(decode);
  const TransformSettings transform = TestTransform(setup.short_side, setup.crop);
  OP3D_ASSIGN_OR_RETURN(const std::string device,
                        ChooseDevice(absl::GetFlag(FLAGS_device), ranks.size, ranks.local_rank));
  OP3D_ASSIGN_OR_RETURN(const auto frames,
                        data::FrameStore::Make(loader, transform, gpu::GpuNumber(device)));
  OP3D_ASSIGN_OR_RETURN(const data::VideoList list, LoadListOnAll(setup, group, &settings));
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<Network> network,
                        Network::MakeUnfilled(setup.weights.options()));
  OP3D_RETURN_IF_ERROR(network->LoadWeights(setup.path));
  OP3D_ASSIGN_OR_RETURN(const Precision precision,
                        ChoosePrecisionOnAll(setup, group, device, &settings));
  OP3D_RETURN_IF_ERROR(network->ToDevice(device));
  OP3D_RETURN_IF_ERROR(network->SetPrecision(precision));

  ScoringOptions options;
  options.clip = setup.clip;
  options.transform = transform;
  if (setup.weights.card.on_short_video() != LoaderSettings::ON_SHORT_VIDEO_UNSPECIFIED) {
    options.on_short_video = setup.weights.card.on_short_video();
  }
  options.on_bad_video = OnBadVideo();
  options.threads = absl::GetFlag(FLAGS_threads) - 1;
  ScoringRun run;
  const std::string output = UserPath(absl::GetFlag(FLAGS_output));
  if (!absl::GetFlag(FLAGS_output).empty()) run.parts_folder = output + ".parts";
  run.settings = settings;
  run.shard = ranks.rank;
  run.shards = ranks.size;
  if (group != nullptr) {
    run.gather = [group](const std::string& bytes) { return group->Gather(bytes); };
  }
  ActivitySeconds seconds;
  TestScores scores;
  {
    Progress progress(ranks.size > 1
                          ? absl::StrCat("evaluate, rank ", ranks.rank, " of ", ranks.size)
                          : "evaluate",
                      0, "clips");
    options.progress = &progress;
    OP3D_ASSIGN_OR_RETURN(scores, ScoreTest(network.get(), list.videos, frames.get(), setup.clips,
                                            options, run, &seconds));
  }
  if (const std::string note = frames->SoftwareNote(); !note.empty()) Progress::Print(note);
  if (ranks.rank == 0) {
    scores.class_names = list.classes;
    scores.listed = list.listed;
    scores.missing = list.missing;
    scores.broken += list.broken;
    if (!absl::GetFlag(FLAGS_output).empty()) {
      OP3D_ASSIGN_OR_RETURN(const std::string bytes, SerializeTestScores(scores));
      OP3D_RETURN_IF_ERROR(WriteFileAtomically(output, bytes));
    }
  }
  if (group != nullptr) {
    // No rank removes its blocks before the whole is stored.
    OP3D_RETURN_IF_ERROR(group->Broadcast("safe").status());
  }
  RemoveParts(run);
  return scores;
}

// As Test, alone or with other processes.
absl::StatusOr<TestScores> TestOnAll(const TestSetup& setup, const RankEnvironment& ranks) {
  OP3D_ASSIGN_OR_RETURN(const std::string settings, TestSettings(setup));
  if (ranks.size == 1) return Test(setup, ranks, nullptr, settings);
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<ProcessGroup> group,
                        ProcessGroup::Join(ranks, "cpu", settings));
  absl::StatusOr<TestScores> scores = Test(setup, ranks, group.get(), settings);
  group->Leave(scores.status());
  return scores;
}

// `trained`: the training loss of the network; unknown for scores alone.
absl::Status Report(std::vector<TestScores> streams, const EvaluationOptions& options,
                    const TrainedLoss& trained) {
  OP3D_ASSIGN_OR_RETURN(Evaluation evaluation, Evaluate(std::move(streams), options));
  if (!evaluation.labelled) OP3D_RETURN_IF_ERROR(RefuseTablesOfLabels());
  if (evaluation.labelled) {
    std::string misfit =
        DescribeMisfit(trained, evaluation.metrics.top1, evaluation.metrics.videos);
    if (!misfit.empty()) evaluation.warnings.push_back(std::move(misfit));
  }
  for (const std::string& warning : evaluation.warnings) Progress::Print(warning);
  const auto write = [&](const std::string& path, std::string (*table)(const Evaluation&)) {
    if (path.empty()) return absl::OkStatus();
    return WriteFileAtomically(UserPath(path), table(evaluation));
  };
  OP3D_RETURN_IF_ERROR(write(absl::GetFlag(FLAGS_per_class), ClassCsv));
  OP3D_RETURN_IF_ERROR(write(absl::GetFlag(FLAGS_per_video), VideoCsv));
  OP3D_RETURN_IF_ERROR(write(absl::GetFlag(FLAGS_confusion), ConfusionCsv));
  std::fputs(absl::GetFlag(FLAGS_json) ? EvaluationJson(evaluation).c_str()
                                       : EvaluationText(evaluation).c_str(),
             stdout);
  return absl::OkStatus();
}

// Whether the file has scores or weights, by its content.
bool HoldsScores(const std::string& path) {
  const absl::StatusOr<Safetensors> file = Safetensors::Read(path);
  if (!file.ok()) return false;
  return std::any_of(file->tensors().begin(), file->tensors().end(), [](const TensorView& tensor) {
    return tensor.name == "scores" || absl::EndsWith(tensor.name, ".scores");
  });
}

absl::Status TestWeights(const std::string& path, const EvaluationOptions& options) {
  OP3D_ASSIGN_OR_RETURN(const TestSetup setup, ReadSetup(path));
  OP3D_ASSIGN_OR_RETURN(const RankEnvironment ranks, ReadRankEnvironment(ProcessEnvironment()));
  OP3D_ASSIGN_OR_RETURN(const Arithmetic arithmetic, ParseArithmetic(setup.arithmetic));
  OP3D_ASSIGN_OR_RETURN(const std::string note, UseArithmetic(arithmetic));
  if (ranks.rank == 0) {
    if (!note.empty()) Progress::Print(note);
    if (setup.weights.described) {
      Progress::Print(absl::StrCat("weights: ", DescribeModelCard(setup.weights.card)));
    }
    for (const std::string& line : setup.notes) Progress::Print(line);
  }
  OP3D_ASSIGN_OR_RETURN(TestScores scores, TestOnAll(setup, ranks));
  if (ranks.rank != 0) return absl::OkStatus();
  const ModelCard& card = setup.weights.card;
  return Report({std::move(scores)}, options,
                ToTrainedLoss(card.network(), card.classes(), card.loss()));
}

// --split=all.  "{split}" in weights, scores and outputs is replaced by the number of a split.

// The number of splits: the dataset's, or the number of existing files of scores.
absl::StatusOr<int> SplitsToTest(absl::Span<const std::string> words, bool tests) {
  if (tests) {
    const std::string weights = words.empty() ? absl::GetFlag(FLAGS_weights) : words[0];
    OP3D_ASSIGN_OR_RETURN(const WeightsCard first, ReadWeightsCard(UserPath(OfSplit(weights, 1)),
                                                                   absl::GetFlag(FLAGS_network)));
    OP3D_ASSIGN_OR_RETURN(const DatasetSettings dataset, ChooseDataset(first.card));
    return data::CountSplits(dataset, UserPath(absl::GetFlag(FLAGS_dataset_root)));
  }
  int splits = 0;
  while (!absl::IsNotFound(ReadTestScores(OfSplit(words[0], splits + 1)).status())) ++splits;
  if (splits > 1) return splits;
  return absl::NotFoundError(absl::StrCat("--split=all: ", OfSplit(words[0], splits + 1),
                                          " is not there; a mean takes the scores of all splits"));
}

absl::Status CheckSplitPatterns(absl::Span<const std::string> words, bool tests) {
  const auto lacks = [](absl::string_view text) { return !absl::StrContains(text, "{split}"); };
  const std::string weights = absl::GetFlag(FLAGS_weights);
  if (words.empty() && weights.empty()) {
    return absl::InvalidArgumentError(
        "--split=all takes weights of each split (--weights='split{split}/model.safetensors') or "
        "scores of each ('scores{split}.safetensors')");
  }
  std::vector<std::string> inputs(words.begin(), words.end());
  if (!weights.empty()) inputs.push_back(weights);
  for (const std::string& input : inputs) {
    if (!lacks(input)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "--split=all with ", input, ": ",
        tests ? "weights that were trained on one split have seen test videos of the others, so "
                "their figures there would be too high"
              : "the same scores cannot be of several splits",
        "; name a file of each split, \"{split}\" for its number"));
  }
  for (const auto& [flag, name] :
       {std::make_pair(&FLAGS_output, "output"), std::make_pair(&FLAGS_per_class, "per_class"),
        std::make_pair(&FLAGS_per_video, "per_video"),
        std::make_pair(&FLAGS_confusion, "confusion")}) {
    const std::string path = absl::GetFlag(*flag);
    const bool needed = flag == &FLAGS_output && tests;
    if (path.empty() ? !needed : !lacks(path)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "--split=all: --", name, path.empty() ? " is missing" : absl::StrCat("=", path),
        "; give a file of each split, as in --", name, "='",
        flag == &FLAGS_output ? "scores{split}.safetensors'" : "table{split}.csv'"));
  }
  return absl::OkStatus();
}

absl::Status RunOnce(absl::Span<const std::string> words);

// Tests or scores every split by itself, then prints their mean.
absl::Status RunAllSplits(absl::Span<const std::string> words) {
  const bool tests = !absl::GetFlag(FLAGS_dataset_root).empty();
  OP3D_RETURN_IF_ERROR(CheckSplitPatterns(words, tests));
  OP3D_ASSIGN_OR_RETURN(EvaluationOptions options,
                        ReadEvaluationOptions(words.empty() ? 1 : words.size()));
  options.bootstrap.samples = 0;
  OP3D_ASSIGN_OR_RETURN(const RankEnvironment ranks, ReadRankEnvironment(ProcessEnvironment()));
  OP3D_ASSIGN_OR_RETURN(const int splits, SplitsToTest(words, tests));
  const std::vector<absl::Flag<std::string>*> flags = {
      &FLAGS_weights, &FLAGS_output, &FLAGS_per_class, &FLAGS_per_video, &FLAGS_confusion};
  std::vector<std::string> patterns;
  for (const auto* flag : flags) patterns.push_back(absl::GetFlag(*flag));
  std::vector<Evaluation> evaluations;
  for (int split = 1; split <= splits; ++split) {
    for (size_t i = 0; i < flags.size(); ++i) {
      absl::SetFlag(flags[i], OfSplit(patterns[i], split));
    }
    if (tests) absl::SetFlag(&FLAGS_split, absl::StrCat(split));
    std::vector<std::string> own;
    for (const std::string& word : words) own.push_back(OfSplit(word, split));
    if (ranks.rank == 0 && !absl::GetFlag(FLAGS_json)) std::printf("split %d\n", split);
    OP3D_RETURN_IF_ERROR(Annotate(RunOnce(own), absl::StrCat("split ", split)));
    std::fflush(stdout);
    if (ranks.rank != 0) continue;
    if (tests) own = {absl::GetFlag(FLAGS_output)};
    std::vector<TestScores> streams;
    for (const std::string& word : own) {
      OP3D_ASSIGN_OR_RETURN(TestScores scores, ReadTestScores(word));
      streams.push_back(std::move(scores));
    }
    OP3D_ASSIGN_OR_RETURN(Evaluation evaluation, Evaluate(std::move(streams), options));
    evaluations.push_back(std::move(evaluation));
  }
  if (ranks.rank != 0) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const SplitMean mean, MeanOverSplits(evaluations));
  std::fputs((absl::GetFlag(FLAGS_json) ? SplitMeanJson(mean) : SplitMeanText(mean)).c_str(),
             stdout);
  return absl::OkStatus();
}

absl::Status Run(absl::Span<const std::string> words) {
  return absl::GetFlag(FLAGS_split) == "all" ? RunAllSplits(words) : RunOnce(words);
}

absl::Status RunOnce(absl::Span<const std::string> words) {
  OP3D_ASSIGN_OR_RETURN(const EvaluationOptions options,
                        ReadEvaluationOptions(words.empty() ? 1 : words.size()));
  std::string weights = absl::GetFlag(FLAGS_weights);
  if (words.empty() && weights.empty()) {
    return absl::InvalidArgumentError(
        "--weights is missing: a file of safetensors, .pth or TorchScript; or name files of scores "
        "to evaluate those");
  }
  // A missing file is assumed to be weights if a dataset is given, because scores need none.
  if (words.size() == 1 && weights.empty() && !HoldsScores(UserPath(words[0])) &&
      (FileExists(UserPath(words[0])) || !absl::GetFlag(FLAGS_dataset_root).empty())) {
    return TestWeights(words[0], options);
  }
  if (words.empty()) return TestWeights(weights, options);
  for (const auto* flag : {&FLAGS_weights, &FLAGS_output}) {
    if (absl::GetFlag(*flag).empty()) continue;
    return absl::InvalidArgumentError(
        "files of scores are evaluated without a network: leave --weights and --output out");
  }
  std::vector<TestScores> streams;
  for (const std::string& word : words) {
    OP3D_ASSIGN_OR_RETURN(TestScores scores, ReadTestScores(word));
    streams.push_back(std::move(scores));
  }
  return Report(std::move(streams), options, {});
}

}  // namespace
}  // namespace op3d

int main(int argc, char** argv) {
  return op3d::RunProgram(
      argc, argv,
      "tests a checkpoint on a dataset's videos, with several clips and three crops of each; or\n"
      "evaluates scores that such a test has written, of several networks or streams added.\n\n"
      "  ./bazelw run //op3d:evaluate -- model.safetensors --dataset_root=/data/kinetics400 \\\n"
      "      --output=rgb.safetensors\n"
      "  ./bazelw run //op3d:evaluate -- rgb.safetensors flow.safetensors "
      "--fusion_weights=1,1.5\n"
      "  ./bazelw run //op3d:evaluate -- RUN:planned_model RUN:long_run    # rows of a run\n"
      "  ./bazelw run //op3d:evaluate -- --split=all 'split{split}:planned_model'\n\n"
      "Files written by op3d describe their network and test; for others give --network,\n"
      "--dataset, --frames ...\n"
      "A list without labels gives predictions for each video, and no figures.\n"
      "Started by torchrun or srun, the processes share the videos; rank 0 prints.",
      [](absl::Span<const std::string> words) { return op3d::Run(words); });
}
