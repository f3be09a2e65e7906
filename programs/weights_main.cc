// Inspects files of weights, imports, exports and compares them.
//
//   ./bazelw run //op3d:weights -- import resnet50-19c8e357.pth start.safetensors
//       --network=dg_p3d_resnet50

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/program.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/status_macros.h"
#include "op3d/network/definition/multiply_adds.h"
#include "op3d/network/definition/state_entries.h"
#include "op3d/network/network.h"
#include "op3d/network/torchscript/onnx_note.h"
#include "op3d/network/torchscript/torchscript_export.h"
#include "op3d/network/weights/checkpoint.h"
#include "op3d/network/weights/weights_comparison.h"
#include "op3d/network/weights/weights_import.h"
#include "op3d/train/checkpoint/model_card.h"
#include "op3d/train/checkpoint/weights_card.h"

ABSL_FLAG(
    std::string, network, "",
    "inspect, import, export: the network the weights are for, as in dg_p3d_resnet50; an export "
    "takes the file's own");
ABSL_FLAG(int, classes, 0,
          "inspect, import, export: number of the network's classes; default: as in the weights");
ABSL_FLAG(int, frames, 16, "inspect --network: frames of a clip");
ABSL_FLAG(int, height, 224, "inspect --network: its height in pixels");
ABSL_FLAG(int, width, 224, "inspect --network: its width in pixels");
ABSL_FLAG(double, tolerance, 0, "compare: largest difference of two numbers that counts as equal");
ABSL_FLAG(bool, json, false, "one JSON object per line on stdout instead of text");

namespace op3d {
namespace {

using Words = absl::Span<const std::string>;

// Image networks usually have 1000 classes; a video network of unknown purpose has Kinetics' 400.
constexpr int64_t kUsualClasses = 400;

void PrintLine(const nlohmann::ordered_json& row) {
  // Names in a file may be any bytes.
  std::printf("%s\n", row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

// --network with `classes` classes, unless --classes says otherwise.
NetworkOptions OptionsFor(int64_t classes) {
  NetworkOptions options;
  options.name = absl::GetFlag(FLAGS_network);
  options.classes = absl::GetFlag(FLAGS_classes) > 0 ? absl::GetFlag(FLAGS_classes) : classes;
  return options;
}

// The network from the file's card; otherwise --network, with as many classes as the file's
// classifier has.
absl::StatusOr<NetworkOptions> OptionsOf(const Checkpoint& checkpoint, const std::string& file,
                                         bool described) {
  if (described) {
    OP3D_ASSIGN_OR_RETURN(const WeightsCard weights,
                          ReadWeightsCard(checkpoint, file, absl::GetFlag(FLAGS_network)));
    return weights.options();
  }
  OP3D_ASSIGN_OR_RETURN(const NetworkDefinition definition, Define(OptionsFor(kUsualClasses)));
  const absl::StatusOr<NetworkWeights> weights = WeightsOf(definition, checkpoint);
  OP3D_RETURN_IF_ERROR(Annotate(weights.status(), file));
  const int64_t classes = CountClasses(weights->tensors);
  return OptionsFor(classes > 0 ? classes : kUsualClasses);
}

// Much larger than any clip, but the numbers of multiply-adds stay within 64 bits.
constexpr int kMostOfAnAxis = 10000;

absl::Status PrintStages(const NetworkOptions& options) {
  OP3D_ASSIGN_OR_RETURN(const NetworkDefinition definition, Define(options));
  const Size3 size = {absl::GetFlag(FLAGS_frames), absl::GetFlag(FLAGS_height),
                      absl::GetFlag(FLAGS_width)};
  OP3D_RETURN_IF_ERROR(CheckClipSize(definition, size));
  if (*std::max_element(size.begin(), size.end()) > kMostOfAnAxis) {
    return absl::InvalidArgumentError(absl::StrCat("a clip of ", absl::StrJoin(size, "x"),
                                                   " is too large: --frames, --height and --width "
                                                   "are at most ",
                                                   kMostOfAnAxis));
  }
  std::vector<StageCost> stages = CountStages(definition, size);
  stages.push_back(TotalCost(stages));
  if (!absl::GetFlag(FLAGS_json)) {
    std::printf("%s: a clip of %s\n%-12s %14s %18s   %s\n", absl::GetFlag(FLAGS_network).c_str(),
                absl::StrJoin(size, "x").c_str(), "stage", "parameters", "multiply-adds", "output");
  }
  for (const StageCost& stage : stages) {
    const std::string output = absl::StrCat(stage.channels, "x", absl::StrJoin(stage.output, "x"));
    const bool total = &stage == &stages.back();
    if (absl::GetFlag(FLAGS_json)) {
      nlohmann::ordered_json row = {{"stage", stage.name},
                                    {"parameters", stage.parameters},
                                    {"multiply_adds", stage.multiply_adds}};
      if (!total) row["output"] = output;
      PrintLine(row);
    } else {
      std::printf("%-12s %14s %18s   %s\n", stage.name.c_str(),
                  absl::StrCat(stage.parameters).c_str(), absl::StrCat(stage.multiply_adds).c_str(),
                  total ? "" : output.c_str());
    }
  }
  return absl::OkStatus();
}

absl::Status Inspect(Words words) {
  if (words.empty() && !absl::GetFlag(FLAGS_network).empty()) {
    return PrintStages(OptionsFor(kUsualClasses));
  }
  OP3D_RETURN_IF_ERROR(
      RequireWords(words, 1, "weights inspect FILE [--json], or inspect --network=NAME"));
  OP3D_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::Read(UserPath(words[0])));
  int64_t numbers = 0, bytes = 0;
  for (const TensorView& tensor : checkpoint.tensors()) {
    const int64_t count = static_cast<int64_t>(tensor.data.size()) / DTypeSize(tensor.dtype);
    numbers += count;
    bytes += static_cast<int64_t>(tensor.data.size());
    const std::string type(DTypeName(tensor.dtype));
    const std::string crc = absl::StrFormat("%08x", Crc32(tensor.data));
    if (absl::GetFlag(FLAGS_json)) {
      PrintLine({{"name", tensor.name}, {"dtype", type}, {"shape", tensor.shape}, {"crc32", crc}});
    } else {
      std::printf("%-48s %-5s %-22s %s\n", tensor.name.c_str(), type.c_str(),
                  ShapeText(tensor.shape).c_str(), crc.c_str());
    }
  }
  OP3D_ASSIGN_OR_RETURN(const std::optional<ModelCard> card, ReadModelCard(checkpoint, words[0]));
  for (const auto& [name, value] : checkpoint.values()) {
    if (absl::GetFlag(FLAGS_json)) {
      PrintLine({{"name", name}, {"value", value}});
    } else if (name == kModelCard) {
      std::printf("%-48s = %s\n", name.c_str(), DescribeModelCard(*card).c_str());
    } else {
      std::printf("%-48s = %s\n", name.c_str(), value.c_str());
    }
  }
  std::fprintf(stderr, "%s: %s, %d tensors, %s numbers, %.1f MiB\n", words[0].c_str(),
               std::string(FormatName(checkpoint.format())).c_str(),
               static_cast<int>(checkpoint.tensors().size()), absl::StrCat(numbers).c_str(),
               static_cast<double>(bytes) / (1 << 20));
  if (absl::GetFlag(FLAGS_network).empty()) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const NetworkOptions options,
                        OptionsOf(checkpoint, words[0], card.has_value()));
  return PrintStages(options);
}

// All names of a list, because the user may look for a certain one.
void PrintNames(const char* what, const std::vector<std::string>& names) {
  if (absl::GetFlag(FLAGS_json)) return PrintLine({{"what", what}, {"names", names}});
  if (names.empty()) return;
  std::printf("%s %d:\n", what, static_cast<int>(names.size()));
  for (const std::string& name : names) std::printf("  %s\n", name.c_str());
}

absl::Status Import(Words words) {
  OP3D_RETURN_IF_ERROR(
      RequireWords(words, 2, "weights import SOURCE DESTINATION.safetensors [--network=NAME]"));
  OP3D_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::Read(UserPath(words[0])));
  std::vector<TensorView> tensors = checkpoint.Weights();
  std::optional<ImportedWeights> imported;
  std::map<std::string, std::string> metadata = {
      {"source_format", std::string(FormatName(checkpoint.format()))}};
  OP3D_ASSIGN_OR_RETURN(const std::optional<ModelCard> card, ReadModelCard(checkpoint, words[0]));
  if (card.has_value()) AddModelCard(*card, &metadata);
  if (!absl::GetFlag(FLAGS_network).empty()) {
    OP3D_ASSIGN_OR_RETURN(const NetworkOptions options,
                          OptionsOf(checkpoint, words[0], card.has_value()));
    OP3D_ASSIGN_OR_RETURN(const NetworkDefinition definition, Define(options));
    absl::StatusOr<ImportedWeights> result = ImportWeights(definition, checkpoint);
    OP3D_RETURN_IF_ERROR(Annotate(result.status(), words[0]));
    OP3D_RETURN_IF_ERROR(Annotate(CheckStart(definition, result->report), words[0]));
    imported = *std::move(result);
    tensors = imported->tensors;
    // All weights are required, not only those to start from.
    const ImportReport& report = imported->report;
    if (report.inflated.empty() && report.made.empty() &&
        std::all_of(report.missing.begin(), report.missing.end(), [](const std::string& name) {
          return absl::EndsWith(name, ".num_batches_tracked");
        })) {
      OP3D_ASSIGN_OR_RETURN(const WeightsCard own,
                            ReadWeightsCard(checkpoint, words[0], absl::GetFlag(FLAGS_network)));
      AddModelCard(own.card, &metadata);
    } else {
      metadata.erase(kModelCard);
    }
  } else if (tensors.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(words[0],
                     " holds no tensor that can be read (weights inspect shows what it holds); in "
                     "Python: torch.save(model.state_dict(), 'weights.pth')"));
  }
  OP3D_ASSIGN_OR_RETURN(const std::string bytes, SerializeSafetensors(tensors, metadata));
  OP3D_RETURN_IF_ERROR(WriteFileAtomically(UserPath(words[1]), bytes));
  if (imported.has_value()) {
    PrintNames("mapped", imported->report.mapped);
    PrintNames("inflated", imported->report.inflated);
    PrintNames("made", imported->report.made);
    PrintNames("ignored", imported->report.ignored);
    PrintNames("missing", imported->report.missing);
  }
  std::fprintf(stderr, "%s: %d tensors from a file of format %s\n", words[1].c_str(),
               static_cast<int>(tensors.size()),
               std::string(FormatName(checkpoint.format())).c_str());
  return absl::OkStatus();
}

absl::Status Export(Words words) {
  OP3D_RETURN_IF_ERROR(
      RequireWords(words, 2, "weights export SOURCE DESTINATION.pt [--network=NAME]"));
  if (absl::EndsWithIgnoreCase(words[1], ".onnx")) return absl::UnimplementedError(kNoOnnx);
  const std::string source = UserPath(words[0]);
  OP3D_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::Read(source));
  OP3D_ASSIGN_OR_RETURN(const std::optional<ModelCard> card, ReadModelCard(checkpoint, words[0]));
  if (!card.has_value() && absl::GetFlag(FLAGS_network).empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--network is missing: ", words[0],
                     " does not say itself which network the weights are for"));
  }
  OP3D_ASSIGN_OR_RETURN(const WeightsCard weights,
                        ReadWeightsCard(checkpoint, words[0], absl::GetFlag(FLAGS_network)));
  const NetworkOptions options = weights.options();
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<Network> network, Network::MakeUnfilled(options));
  OP3D_RETURN_IF_ERROR(network->LoadWeights(source));
  network->SetTraining(false);
  OP3D_RETURN_IF_ERROR(
      ExportTorchScript(*network, UserPath(words[1]), {{kModelCard, ModelCardText(weights.card)}}));
  std::fprintf(stderr,
               "%s: TorchScript of %s for %d classes; torch.jit.load it, call it with clips "
               "[N, 3, T, H, W], get scores [N, %d]\n",
               words[1].c_str(), options.name.c_str(), static_cast<int>(options.classes),
               static_cast<int>(options.classes));
  return absl::OkStatus();
}

absl::Status Compare(Words words) {
  OP3D_RETURN_IF_ERROR(RequireWords(words, 2, "weights compare A B [--tolerance=X] [--json]"));
  std::vector<Checkpoint> files;
  for (const std::string& word : words) {
    absl::StatusOr<Checkpoint> file = Checkpoint::Read(UserPath(word));
    // 1 means that the weights differ, so an unreadable file must be 2.
    if (!file.ok()) return absl::InvalidArgumentError(file.status().message());
    files.push_back(*std::move(file));
  }
  const WeightsComparison comparison =
      CompareWeights(files[0].Weights(), files[1].Weights(), absl::GetFlag(FLAGS_tolerance));
  for (const TensorDifference& difference : comparison.differences) {
    if (absl::GetFlag(FLAGS_json)) {
      PrintLine({{"name", difference.name}, {"difference", difference.text}});
    } else {
      std::printf("%-48s %s\n", difference.name.c_str(), difference.text.c_str());
    }
  }
  if (comparison.differences.empty()) {
    std::fprintf(stderr, "equal: %d tensors\n", comparison.compared);
    return absl::OkStatus();
  }
  return absl::AbortedError(absl::StrCat(comparison.differences.size(), " of ", comparison.compared,
                                         " tensors differ by more than ",
                                         absl::GetFlag(FLAGS_tolerance)));
}

}  // namespace
}  // namespace op3d

int main(int argc, char** argv) {
  return op3d::RunCommands(
      argc, argv,
      "inspects, imports, exports and compares weight files (.pth, TorchScript, safetensors).\n\n"
      "  weights inspect FILE [--json]\n"
      "  weights inspect --network=dg_p3d_resnet50 --frames=16 --height=224 --width=224\n"
      "  weights import SOURCE DESTINATION.safetensors [--network=NAME]\n"
      "  weights export SOURCE DESTINATION.pt [--network=NAME]\n"
      "  weights compare A B [--tolerance=X]\n\n"
      "  ./bazelw run //op3d:weights -- import resnet50-19c8e357.pth start.safetensors "
      "--network=dg_p3d_resnet50",
      {{"inspect", op3d::Inspect},
       {"import", op3d::Import},
       {"export", op3d::Export},
       {"compare", op3d::Compare}});
}
