// Classifies videos.
//
//   ./bazelw run //op3d:predict -- --weights=model.safetensors clip.mp4

#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "data/annotation/format/class_list.h"
#include "data/datasets/dataset_settings.h"
#include "data/sampling/sampling.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/common_flags.h"
#include "op3d/base/program/program.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/eval/predictor.h"
#include "op3d/torch/arithmetic.h"
#include "op3d/torch/device.h"
#include "op3d/torch/tensor_file.h"
#include "op3d/train/checkpoint/model_card.h"
#include "op3d/train/checkpoint/weights_card.h"

ABSL_FLAG(std::string, weights, "", op3d::kWeightsHelp);
ABSL_FLAG(std::string, network, "", op3d::kWeightsNetworkHelp);
ABSL_FLAG(std::string, labels, "",
          "file of the class names: one name per line, `number name`, or JSON {name: number}; "
          "default: as the file of weights says");
ABSL_FLAG(int, top, 5, "how many classes to name");
ABSL_FLAG(int, clips, 3, "clips per video, evenly spaced");
ABSL_FLAG(int, crops, 1, "crops per clip: 1 (the centre) or 3");
ABSL_FLAG(
    std::optional<int>, segments, std::nullopt,
    "segments of a clip: 1 = consecutive frames; default: as the file of weights says, else 1");
ABSL_FLAG(std::optional<int>, frames, std::nullopt, op3d::kFramesHelp);
ABSL_FLAG(std::optional<int>, stride, std::nullopt, op3d::kStrideHelp);
ABSL_FLAG(std::optional<int>, short_side, std::nullopt, op3d::kShortSideHelp);
ABSL_FLAG(std::optional<int>, crop, std::nullopt, op3d::kCropHelp);
ABSL_FLAG(
    std::string, stream, "",
    "pictures, or flow: then the inputs are what `dataset flow` writes; default: as the file of "
    "weights says, else pictures");
ABSL_FLAG(std::string, precision, "fp32",
          "fp32, bf16, fp64, tf32 or fp16 (CUDA), or auto: bf16 where a short measurement finds it "
          "faster");
ABSL_FLAG(std::string, arithmetic, "", op3d::kArithmeticHelp);
ABSL_FLAG(std::string, device, "auto", op3d::kDeviceHelp);
ABSL_FLAG(int, threads, 0, "views at the same time on the CPU; 0 = as many as there are cores");
ABSL_FLAG(std::string, output, "",
          "with one input: also write its logits to this safetensors file");
ABSL_FLAG(std::string, features, "",
          "also write the pooled features of every view of every input to this safetensors file: "
          "`features` [videos, views, C], of two heads `features.0` and `features.1`; metadata "
          "`videos` names them");
ABSL_FLAG(bool, json, false, "one JSON object per input on stdout instead of text");

namespace op3d {
namespace {

using Json = nlohmann::ordered_json;

absl::StatusOr<std::vector<std::string>> ClassNames(const ModelCard& card) {
  const int classes = card.classes();
  std::vector<std::string> names(card.class_names().begin(), card.class_names().end());
  const std::string path = UserPath(absl::GetFlag(FLAGS_labels));
  if (path.empty() && !names.empty()) return names;
  if (path.empty()) {
    for (int64_t i = 0; i < classes; ++i) names.push_back(absl::StrCat("class ", i));
    return names;
  }
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  OP3D_ASSIGN_OR_RETURN(names, data::ParseClassList(text, path));
  if (static_cast<int64_t>(names.size()) != classes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the weights tell ", classes, " classes apart, but ", path, " names ",
                     names.size(), "; it is the list of another dataset"));
  }
  return names;
}

// Flags, otherwise what the weights say; adds differences to `notes`.
absl::StatusOr<PredictionViews> ReadViews(const ModelCard& card, std::vector<std::string>* notes) {
  const PredictionViews usual;
  const data::ClipShape clip = TestClip(card);
  PredictionViews views;
  views.shape = {
      FlagOr("segments", absl::GetFlag(FLAGS_segments), clip.segments, usual.shape.segments, notes),
      FlagOr("frames", absl::GetFlag(FLAGS_frames), clip.frames_per_segment,
             usual.shape.frames_per_segment, notes),
      FlagOr("stride", absl::GetFlag(FLAGS_stride), clip.stride, usual.shape.stride, notes)};
  views.clips = absl::GetFlag(FLAGS_clips);
  views.crops = absl::GetFlag(FLAGS_crops);
  views.short_side = FlagOr("short_side", absl::GetFlag(FLAGS_short_side), card.short_side(),
                            usual.short_side, notes);
  views.crop = FlagOr("crop", absl::GetFlag(FLAGS_crop), card.crop(), usual.crop, notes);
  DatasetSettings dataset;
  OP3D_RETURN_IF_ERROR(
      data::SetStream(FlagOr("stream", absl::AsciiStrToLower(absl::GetFlag(FLAGS_stream)),
                             StreamOf(card), "pictures", notes),
                      &dataset));
  views.content = data::ContentOf(dataset);
  return views;
}

// The features of all inputs, one tensor per head.
class FeatureFile {
 public:
  absl::Status Add(const std::string& video, const Prediction& prediction) {
    if (!features_.empty() && prediction.features[0].size(0) != features_[0].back().size(0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--features: ", video, " has ", prediction.features[0].size(0), " views, ",
                       videos_.back(), " has ", features_[0].back().size(0),
                       "; give inputs of as many views each"));
    }
    features_.resize(prediction.features.size());
    for (size_t head = 0; head < features_.size(); ++head) {
      features_[head].push_back(prediction.features[head]);
    }
    videos_.push_back(video);
    return absl::OkStatus();
  }

  absl::Status Write(const std::string& path) const {
    if (videos_.empty()) return absl::OkStatus();
    NamedTensors tensors;
    for (size_t head = 0; head < features_.size(); ++head) {
      tensors.emplace_back(features_.size() == 1 ? "features" : absl::StrCat("features.", head),
                           at::stack(features_[head]));
    }
    return WriteTensors(
        path, tensors,
        {{"videos", Json(videos_).dump(-1, ' ', false, Json::error_handler_t::replace)}});
  }

 private:
  std::vector<std::string> videos_;
  std::vector<std::vector<at::Tensor>> features_;  // [heads][videos]: [views, C]
};

absl::StatusOr<Prediction> PredictFile(Predictor* predictor, const std::string& path,
                                       const PredictionViews& views, Progress* progress) {
  if (!absl::EndsWith(path, ".safetensors")) return predictor->Predict(path, views, progress);
  OP3D_ASSIGN_OR_RETURN(const TensorFile file, ReadTensors(path));
  for (const auto& [name, tensor] : file.tensors) {
    if (name != "input" && name != "clip") continue;  // the latter as `dataset clip` writes it
    absl::StatusOr<Prediction> prediction = predictor->Predict(tensor, progress);
    if (!prediction.ok()) return Annotate(prediction.status(), path);
    return prediction;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path, " has no tensor `input` [N, 3, T, H, W], the normalised clips"));
}

// `logits`, the mean of the heads, and `logits.0`, `logits.1`, each [views, classes].
absl::Status WriteLogits(const Prediction& prediction, const std::string& path) {
  NamedTensors tensors;
  at::Tensor sum = prediction.heads[0];
  for (size_t i = 1; i < prediction.heads.size(); ++i) sum = sum + prediction.heads[i];
  tensors.emplace_back("logits", sum / static_cast<double>(prediction.heads.size()));
  for (size_t i = 0; i < prediction.heads.size(); ++i) {
    tensors.emplace_back(absl::StrCat("logits.", i), prediction.heads[i]);
  }
  return WriteTensors(path, tensors, {});
}

void Print(const std::string& file, const Prediction& prediction,
           const std::vector<std::string>& names, double seconds) {
  const std::vector<ClassScore> top =
      TopClasses(prediction.scores, std::max(1, absl::GetFlag(FLAGS_top)));
  const int64_t views = prediction.heads[0].size(0);
  if (absl::GetFlag(FLAGS_json)) {
    Json classes = Json::array();
    for (const ClassScore& score : top) {
      classes.push_back({{"label", score.label},
                         {"name", names[score.label]},
                         {"probability", score.probability}});
    }
    const Json row = {{"file", file},
                      {"views", views},
                      {"frames", prediction.frames},
                      {"top", std::move(classes)},
                      {"warnings", prediction.warnings}};
    std::printf("%s\n", row.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  } else {
    std::printf("%s   %s, %s\n", file.c_str(),
                views == 1 ? "1 view" : absl::StrCat(views, " views").c_str(),
                FormatSeconds(seconds).c_str());
    for (const ClassScore& score : top) {
      std::printf("  %5.1f %%  %s\n", 100 * score.probability, names[score.label].c_str());
    }
  }
  std::fflush(stdout);
  if (absl::GetFlag(FLAGS_json)) return;  // they stand in the object
  for (const std::string& warning : prediction.warnings) {
    std::fprintf(stderr, "  warning: %s\n", warning.c_str());
  }
}

void PrintError(const std::string& file, const absl::Status& status) {
  if (absl::GetFlag(FLAGS_json)) {
    const Json row = {{"file", file}, {"error", std::string(status.message())}};
    std::printf("%s\n", row.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  } else {
    std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  }
}

absl::Status Run(absl::Span<const std::string> words) {
  std::string weights = absl::GetFlag(FLAGS_weights);
  if (weights.empty() && words.size() > 1) {
    weights = words[0];
    words.remove_prefix(1);
  }
  if (words.empty()) {
    return absl::InvalidArgumentError("name at least one video; see --help");
  }
  const std::string output = UserPath(absl::GetFlag(FLAGS_output));
  if (!output.empty() && words.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--output takes the logits of one input, not of ", words.size()));
  }
  if (weights.empty()) {
    return absl::InvalidArgumentError(
        "--weights is missing: a file of safetensors, .pth or TorchScript");
  }
  absl::StatusOr<WeightsCard> read =
      ReadWeightsCard(UserPath(weights), absl::GetFlag(FLAGS_network));
  if (!read.ok() && absl::GetFlag(FLAGS_weights).empty()) {
    return Annotate(read.status(), "the first word is the file of weights (or give --weights)");
  }
  OP3D_RETURN_IF_ERROR(read.status());
  const ModelCard& card = read->card;
  std::vector<std::string> notes;
  OP3D_ASSIGN_OR_RETURN(const PredictionViews views, ReadViews(card, &notes));
  const std::string arithmetic_name =
      FlagOr("arithmetic", absl::GetFlag(FLAGS_arithmetic),
             card.arithmetic() == TrainingSettings::NATIVE ? "native" : "", "portable", &notes);
  OP3D_ASSIGN_OR_RETURN(const Arithmetic arithmetic, ParseArithmetic(arithmetic_name));
  OP3D_ASSIGN_OR_RETURN(const std::string note, UseArithmetic(arithmetic));
  if (!note.empty()) Progress::Print(note);
  if (read->described) Progress::Print(absl::StrCat("weights: ", DescribeModelCard(card)));
  for (const std::string& line : notes) Progress::Print(line);
  const std::string features_path = UserPath(absl::GetFlag(FLAGS_features));
  PredictorOptions options;
  options.network = read->options();
  options.weights = UserPath(weights);
  options.precision = absl::GetFlag(FLAGS_precision);
  OP3D_ASSIGN_OR_RETURN(options.device, ChooseDevice(absl::GetFlag(FLAGS_device)));
  OP3D_ASSIGN_OR_RETURN(options.threads, ThreadsOf(absl::GetFlag(FLAGS_threads)));
  options.features = !features_path.empty();
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<Predictor> predictor, Predictor::Make(options));
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ClassNames(card));

  // An unreadable video does not stop the others.
  absl::Status failure;
  int failures = 0;
  FeatureFile features;
  const int64_t expected = int64_t{views.clips} * views.crops;
  int64_t total = static_cast<int64_t>(words.size()) * expected;
  Progress progress("predict", total, "views");
  for (const std::string& word : words) {
    const absl::Time start = absl::Now();
    const absl::StatusOr<Prediction> prediction =
        PredictFile(predictor.get(), UserPath(word), views, &progress);
    Progress::ClearLine();
    if (absl::IsCancelled(prediction.status())) return prediction.status();
    if (!prediction.ok()) {
      if (words.size() > 1 || absl::GetFlag(FLAGS_json)) PrintError(word, prediction.status());
      failure = prediction.status();
      ++failures;
      progress.SetTotal(total -= expected);
      continue;
    }
    progress.SetTotal(total += prediction->heads[0].size(0) - expected);
    Print(word, *prediction, names, absl::ToDoubleSeconds(absl::Now() - start));
    if (!output.empty()) OP3D_RETURN_IF_ERROR(WriteLogits(*prediction, output));
    if (options.features) OP3D_RETURN_IF_ERROR(features.Add(word, *prediction));
  }
  if (options.features) OP3D_RETURN_IF_ERROR(features.Write(features_path));
  return PartlyDone(failures, static_cast<int64_t>(words.size()), failure, "inputs failed");
}

}  // namespace
}  // namespace op3d

int main(int argc, char** argv) {
  return op3d::RunProgram(
      argc, argv,
      "names the most likely classes of videos.\n\n"
      "  ./bazelw run //op3d:predict -- model.safetensors clip.mp4\n\n"
      "Files written by op3d describe their network and classes; for others give\n"
      "--network, --labels, --frames ...\n"
      "A FILE.safetensors holds clips instead: tensor `input` [N, 3, T, H, W], normalised, or "
      "`clip`\n"
      "as `dataset clip` writes it.  For a network of optical flow the inputs are folders or LMDB\n"
      "written by `dataset flow`.",
      op3d::Run);
}
