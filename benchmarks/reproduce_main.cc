// Runs a recorded benchmark again, from its record alone, and compares every bit.
//
//   ./bazelw run //benchmarks:reproduce -- results/recorded/kinetics400_miniature
#include <cstdio>
#include <filesystem>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/run/benchmark.h"
#include "benchmarks/run/reproduction.h"
#include "benchmarks/settings/settings_resolution.h"
#include "data/index/index_update.h"
#include "data/synthetic/synthesizer.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/common_flags.h"
#include "op3d/base/program/program.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/torch/device.h"
#include "op3d/train/step/training_precision.h"
#include "results/compare/compare.h"
#include "results/record/record.h"
#include "results/record/record_check.h"

ABSL_FLAG(std::string, output_dir, "",
          "everything the new run writes; the same command resumes it (default: "
          "results/runs/reproduce-<name of the record> in the workspace)");
ABSL_FLAG(std::string, dataset_root, "",
          "your copy of the dataset; absent = the miniature is rendered into the output folder");
ABSL_FLAG(std::string, index, "", op3d::kIndexHelp);
ABSL_FLAG(std::string, device, "", "cpu, cuda or auto; empty = as recorded");
ABSL_FLAG(int, threads, 0, op3d::kJobsHelp);

namespace op3d::benchmarks {
namespace {

// "kinetics400_miniature" for a folder with that name or the record in it.
std::string NameOf(const std::string& path) {
  const std::filesystem::path file =
      std::filesystem::path(results::RecordPath(path)).lexically_normal();
  const std::string folder = file.parent_path().filename().string();
  return folder.empty() ? "record" : folder;
}

// The file of weights from which `settings` start must be the recorded one.
absl::Status CheckInitialWeights(const BenchmarkSettings& settings) {
  if (settings.initial_weights().empty()) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(settings.initial_weights()));
  if (Crc32(bytes) == settings.initial_weights_crc32()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrFormat("%s has the CRC-32 %08x; the recorded run started from a file with %08x, "
                      "which must be there",
                      settings.initial_weights(), Crc32(bytes), settings.initial_weights_crc32()));
}

// The user's copy, or the miniature, which is rendered if it does not exist yet.
absl::StatusOr<std::string> DatasetRoot(const BenchmarkSettings& settings,
                                        const std::string& output_dir, int threads) {
  const std::string given = UserPath(absl::GetFlag(FLAGS_dataset_root));
  if (!given.empty()) return given;
  if (settings.scale() != BenchmarkSettings::MINIATURE) {
    return absl::InvalidArgumentError(
        absl::StrCat("--dataset_root is missing: the recorded run used ", settings.benchmark(),
                     " at full scale; name your copy of the dataset"));
  }
  data::SynthesisOptions options;
  options.dataset = settings.benchmark();
  options.folder = JoinPath(output_dir, "dataset");
  options.threads = threads;
  OP3D_RETURN_IF_ERROR(data::Synthesize(options));
  return options.folder;
}

absl::Status Run(absl::Span<const std::string> words) {
  if (words.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(words.size(),
                     " records given; reproduce takes one, a folder or a "
                     "record.textproto"));
  }
  const std::string path = UserPath(words[0]);
  OP3D_ASSIGN_OR_RETURN(const results::CheckedRecord read, results::ReadCheckedRecord(path));
  const RunRecord& recorded = read.record;
  if (read.check.Edited()) Progress::Print(results::DescribeEdit(path, read.check));
  if (recorded.recipes().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is the record of a run without results; there is nothing to compare"));
  }
  BenchmarkOptions options;
  options.settings = recorded.settings();
  OP3D_RETURN_IF_ERROR(Annotate(ValidateSettings(options.settings), path));
  OP3D_RETURN_IF_ERROR(CheckInitialWeights(options.settings));
  OP3D_ASSIGN_OR_RETURN(options.threads, ThreadsOf(absl::GetFlag(FLAGS_threads)));
  OP3D_ASSIGN_OR_RETURN(const std::string note,
                        UseTrainingArithmetic("", options.settings.mutable_training()));
  if (!note.empty()) Progress::Print(note);
  const std::string device = absl::GetFlag(FLAGS_device);
  OP3D_ASSIGN_OR_RETURN(options.device,
                        ChooseDevice(device.empty() ? recorded.environment().device() : device));

  std::string output_dir = UserPath(absl::GetFlag(FLAGS_output_dir));
  if (output_dir.empty()) {
    output_dir = JoinPath(WorkspaceFolder(), absl::StrCat("results/runs/reproduce-", NameOf(path)));
  }
  options.output_dir = JoinPath(output_dir, "run");
  Progress::Print(absl::StrCat("output: ", options.output_dir));
  const auto go_on = [&](const absl::Status& status) {
    if (ExitCode(status) == 2) return status;
    return Annotate(
        status, absl::StrCat("what is done is saved; the same command resumes from ", output_dir));
  };
  absl::StatusOr<std::string> root = DatasetRoot(options.settings, output_dir, options.threads);
  if (!root.ok()) return go_on(root.status());
  options.dataset_root = *root;
  options.index_file = absl::GetFlag(FLAGS_index).empty()
                           ? data::DefaultIndexFile(*root, options.settings.benchmark())
                           : UserPath(absl::GetFlag(FLAGS_index));
  const absl::StatusOr<RunRecord> again = RunBenchmark(options);
  if (!again.ok()) return go_on(again.status());

  results::ComparisonOptions exact;
  exact.exact = true;
  OP3D_ASSIGN_OR_RETURN(const results::RunComparison comparison,
                        results::CompareRuns(path, options.output_dir, exact));
  std::fputs(DescribeReproduction(recorded, *again, comparison).c_str(), stdout);
  if (!comparison.edited.empty() && comparison.differences.empty()) {
    return absl::AbortedError(absl::StrCat(results::DescribeEdit(path, read.check),
                                           "  The run made again from "
                                           "it says nothing of the recorded one"));
  }
  if (comparison.differences.empty()) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat("the run is not equal to the recorded one; it is in ", options.output_dir));
}

}  // namespace
}  // namespace op3d::benchmarks

int main(int argc, char** argv) {
  return op3d::RunProgram(
      argc, argv,
      "runs a recorded benchmark again, with its settings and its seed, and compares every bit.\n"
      "Exit 0 = equal in every bit, 1 = not, 2 = wrong use.\n\n"
      "  ./bazelw run //benchmarks:reproduce -- results/recorded/kinetics400_miniature",
      [](absl::Span<const std::string> words) { return op3d::benchmarks::Run(words); });
}
