// Writes a run or a dataset in the formats of other tools.
//
//   ./bazelw run //results:export -- results/runs/ucf101-1 --format=model_card
//   ./bazelw run //results:export -- results/runs/ucf101-1 --format=eval_results
//       --hub_dataset=OWNER/NAME --hub_task=default
//   ./bazelw run //results:export -- /data/ucf101 --format=croissant --dataset=ucf101
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "data/command/croissant/croissant.h"
#include "data/command/dataset_index.h"
#include "data/datasets/dataset_settings.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/common_flags.h"
#include "op3d/base/program/program.h"
#include "op3d/base/status_macros.h"
#include "op3d/network/torchscript/onnx_note.h"
#include "results/export/hub_export.h"
#include "results/record/named_records.h"

ABSL_FLAG(std::string, format, "",
          "model_card: a README.md for the run's model.safetensors; eval_results: Hugging Face's "
          "YAML; croissant: JSON-LD of a dataset's folder");
ABSL_FLAG(std::string, output, "",
          "the file to write; default: RUN/README.md, RUN/.eval_results/NAME.yaml, or "
          "DIR/croissant.json with its table of videos next to it");
ABSL_FLAG(std::string, weights, "",
          "model_card, eval_results: which model of the run; default: RUN/model.safetensors, "
          "or RUN/published_model.safetensors where there is only that");
ABSL_FLAG(std::string, hub_dataset, "",
          "model_card, eval_results: the dataset's id on the hub, OWNER/NAME");
ABSL_FLAG(std::string, hub_task, "",
          "eval_results: the id of the task in the eval.yaml of that dataset");
ABSL_FLAG(std::string, hub_revision, "", "eval_results: the dataset's revision, a hash");
ABSL_FLAG(std::string, source_url, "", "eval_results: where the result can be checked");
ABSL_FLAG(std::string, license, "",
          "model_card, croissant: the license of the weights or the dataset");
ABSL_FLAG(std::string, dataset, "",
          "croissant: which dataset: a name of data/datasets/, or a textproto of your own");
ABSL_FLAG(std::string, split, "", "croissant: which official split, from 1");
ABSL_FLAG(std::string, index, "", op3d::kIndexHelp);
ABSL_FLAG(int, threads, 0, op3d::kJobsHelp);
ABSL_FLAG(std::string, url, "", "croissant: the dataset's page");
ABSL_FLAG(std::string, citation, "", "croissant: how to cite the dataset");
ABSL_FLAG(std::string, date_published, "", "croissant: 2012-12-03");

namespace op3d {
namespace {

constexpr const char* kRunFlags[] = {"weights", "hub_dataset", "hub_task", "hub_revision",
                                     "source_url"};
constexpr const char* kDatasetFlags[] = {"dataset", "split",    "index",         "threads",
                                         "url",     "citation", "date_published"};

template <size_t kCount>
absl::Status RefuseFlags(const char* const (&flags)[kCount], const std::string& format) {
  for (const char* flag : flags) {
    if (!FlagIsGiven(flag)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, " has no effect with --format=", format, "; leave it out"));
  }
  return absl::OkStatus();
}

absl::Status Write(const std::string& path, const std::string& content) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (!folder.empty()) OP3D_RETURN_IF_ERROR(MakeFolders(folder));
  OP3D_RETURN_IF_ERROR(WriteFileAtomically(path, content));
  std::printf("%s\n", path.c_str());
  return absl::OkStatus();
}

absl::Status ExportRun(const std::string& word, const std::string& format) {
  OP3D_RETURN_IF_ERROR(RefuseFlags(kDatasetFlags, format));
  OP3D_ASSIGN_OR_RETURN(const std::string run, results::FindRun(word));
  OP3D_ASSIGN_OR_RETURN(const std::vector<results::NamedRecord> read,
                        results::ReadNamedRecords({word}));
  const std::string folder =
      FolderExists(run) ? run : std::filesystem::path(run).parent_path().string();
  // A run of the published method alone has its model under another name.
  const std::string published = JoinPath(folder, "published_model.safetensors");
  std::string file = JoinPath(folder, "model.safetensors");
  if (!FileExists(file) && FileExists(published)) file = published;
  if (!absl::GetFlag(FLAGS_weights).empty()) file = UserPath(absl::GetFlag(FLAGS_weights));
  if (!FileExists(file)) {
    return absl::NotFoundError(absl::StrCat("there is no ", file,
                                            "; name the run's folder, which has the weights (a "
                                            "recorded run does not), or the file with --weights"));
  }
  OP3D_ASSIGN_OR_RETURN(std::string weights, ReadFile(file));
  OP3D_ASSIGN_OR_RETURN(const RecipeResult* const row,
                        results::FindRowOfWeights(read[0].record, std::move(weights), file));
  results::HubOptions options;
  options.dataset = absl::GetFlag(FLAGS_hub_dataset);
  options.task = absl::GetFlag(FLAGS_hub_task);
  options.revision = absl::GetFlag(FLAGS_hub_revision);
  options.license = absl::GetFlag(FLAGS_license);
  options.source_url = absl::GetFlag(FLAGS_source_url);
  options.weights_file = std::filesystem::path(file).filename().string();
  const std::string output = absl::GetFlag(FLAGS_output);
  if (format == "model_card") {
    OP3D_ASSIGN_OR_RETURN(const std::string card, results::RenderModelCard(read[0], *row, options));
    return Write(output.empty() ? JoinPath(folder, "README.md") : UserPath(output), card);
  }
  OP3D_ASSIGN_OR_RETURN(const std::string yaml, results::RenderEvalResults(read[0], *row, options));
  const std::string name =
      absl::StrCat(".eval_results/", read[0].record.settings().benchmark(), ".yaml");
  return Write(output.empty() ? JoinPath(folder, name) : UserPath(output), yaml);
}

absl::Status ExportDataset(const std::string& word, const std::string& format) {
  OP3D_RETURN_IF_ERROR(RefuseFlags(kRunFlags, format));
  if (absl::GetFlag(FLAGS_dataset).empty()) {
    return absl::InvalidArgumentError(
        "--dataset is missing: a name of data/datasets/, or a textproto of your own");
  }
  OP3D_ASSIGN_OR_RETURN(DatasetSettings dataset, data::FindDataset(absl::GetFlag(FLAGS_dataset)));
  OP3D_ASSIGN_OR_RETURN(const std::optional<int> split, SplitOf(absl::GetFlag(FLAGS_split)));
  if (split.has_value()) OP3D_RETURN_IF_ERROR(data::ChooseSplit(*split, &dataset));
  data::DatasetIndexOptions index;
  index.root = UserPath(word);
  if (!absl::GetFlag(FLAGS_index).empty()) index.index = UserPath(absl::GetFlag(FLAGS_index));
  OP3D_ASSIGN_OR_RETURN(index.threads, ThreadsOf(absl::GetFlag(FLAGS_threads)));
  OP3D_ASSIGN_OR_RETURN(const data::DatasetIndexReport report, data::IndexDataset(dataset, index));
  data::CroissantOptions options;
  options.license = absl::GetFlag(FLAGS_license);
  options.url = absl::GetFlag(FLAGS_url);
  options.citation = absl::GetFlag(FLAGS_citation);
  options.date_published = absl::GetFlag(FLAGS_date_published);
  OP3D_ASSIGN_OR_RETURN(const data::Croissant croissant,
                        data::DescribeAsCroissant(dataset, report, options));
  const std::string output = absl::GetFlag(FLAGS_output).empty()
                                 ? JoinPath(index.root, "croissant.json")
                                 : UserPath(absl::GetFlag(FLAGS_output));
  const std::string folder = std::filesystem::path(output).parent_path().string();
  // The description last: it names the table by its checksum.
  OP3D_RETURN_IF_ERROR(Write(JoinPath(folder, croissant.table_name), croissant.table));
  return Write(output, croissant.json);
}

absl::Status Run(absl::Span<const std::string> words) {
  const std::string format = absl::AsciiStrToLower(absl::GetFlag(FLAGS_format));
  if (format == "onnx") {
    return absl::UnimplementedError(kNoOnnx);
  }
  const bool of_run = format == "model_card" || format == "eval_results";
  if (!of_run && format != "croissant") {
    return absl::InvalidArgumentError(
        absl::StrCat("--format=", format, " is none of: model_card, eval_results, croissant"));
  }
  OP3D_RETURN_IF_ERROR(RequireWords(words, 1,
                                    of_run ? "export RUN --format=model_card|eval_results"
                                           : "export DIR --format=croissant --dataset=NAME"));
  return of_run ? ExportRun(words[0], format) : ExportDataset(words[0], format);
}

}  // namespace
}  // namespace op3d

int main(int argc, char** argv) {
  return op3d::RunProgram(
      argc, argv,
      "writes a run's model card and evaluation results as Hugging Face reads them, and a dataset\n"
      "as Croissant.\n\n"
      "  ./bazelw run //results:export -- results/runs/ucf101-1 --format=model_card\n"
      "  ./bazelw run //results:export -- results/runs/ucf101-1 --format=eval_results \\\n"
      "      --hub_dataset=OWNER/NAME --hub_task=default\n"
      "  ./bazelw run //results:export -- /data/ucf101 --format=croissant --dataset=ucf101\n\n"
      "TorchScript is written by //op3d:weights -- export; ONNX by nobody here (--format=onnx "
      "says\n"
      "why).",
      [](absl::Span<const std::string> words) { return op3d::Run(words); });
}
