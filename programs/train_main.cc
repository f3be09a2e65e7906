// Trains a state, or a list of states one after the other, without a search; or the edges of a
// planner's search.
//
//   ./bazelw run //op3d:train -- --settings=ucf101_hand_tuned --dataset_root=/data/ucf101
//   ./bazelw run //op3d:train -- --settings=FILE --plan=ucf101_imagenet --dataset_root=/data/ucf101
//   ./bazelw run //planner:plan -- search --runner='train --serve --settings=... --dataset_root=...'

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "data/annotation/dataset_list.h"
#include "data/index/index_update.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/assignments.h"
#include "op3d/base/program/common_flags.h"
#include "op3d/base/program/program.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "op3d/distributed/process_group.h"
#include "op3d/distributed/rank_environment.h"
#include "op3d/eval/scores/metrics.h"
#include "op3d/eval/scores/split_mean.h"
#include "op3d/gpu/gpu_probe.h"
#include "op3d/torch/device.h"
#include "op3d/train/checkpoint/weights_card.h"
#include "op3d/train/edge/edge_server.h"
#include "op3d/train/edge/edge_trainer.h"
#include "op3d/train/log/training_log.h"
#include "op3d/train/run/run_cost.h"
#include "op3d/train/run/run_options.h"
#include "op3d/train/run/run_settings.h"
#include "op3d/train/run/training_run.h"
#include "op3d/train/step/training_precision.h"
#include "planner/plans/plan_io.h"

ABSL_FLAG(std::string, settings, "",
          "what to train: a textproto (schema: op3d/train/settings/run.proto) or a recipe of "
          "op3d/train/recipes, e.g. ucf101_hand_tuned");
ABSL_FLAG(
    std::string, plan, "",
    "the states to train, instead of the settings' own: a plan.textproto (of a search, of `plan "
    "replay --output`), a run's folder, or the name of a released plan (planner/plans)");
ABSL_FLAG(op3d::Assignments, set, {}, op3d::kSetHelp);
ABSL_FLAG(std::string, dataset_root, "", "your copy of the dataset: its lists and media");
ABSL_FLAG(std::string, index, "", op3d::kIndexHelp);
ABSL_FLAG(
    std::string, split, "",
    "which official split of UCF101 or HMDB51, from 1; all: one after another, each in a folder "
    "of its own below --output_dir, with \"{split}\" for its number in --init, then their mean");
ABSL_FLAG(std::string, stream, "",
          "pictures, or flow, as in a folder that `dataset flow` wrote; empty = the settings' own, "
          "by default pictures");
ABSL_FLAG(std::string, output_dir, "", op3d::kRunFolderHelp);
ABSL_FLAG(std::string, network, "", op3d::kNetworkHelp);
ABSL_FLAG(std::string, init, "",
          "weights to start from: safetensors, .pth or TorchScript; those of a 2-D ResNet are "
          "inflated");
ABSL_FLAG(std::string, device, "auto", op3d::kDeviceHelp);
ABSL_FLAG(std::string, precision, "", op3d::kTrainingPrecisionHelp);
ABSL_FLAG(std::string, arithmetic, "", op3d::kTrainingArithmeticHelp);
ABSL_FLAG(
    int, threads, 0,
    "threads of training and loader; 0 = all cores, shared by the processes of this machine.  "
    "No result depends on it");
ABSL_FLAG(int64_t, seed, -1, op3d::kSettingsSeedHelp);
ABSL_FLAG(bool, dry_run, false, op3d::kDryRunHelp);
ABSL_FLAG(bool, serve, false,
          "read a planner's requests from standard input, answer on standard output (protocol: "
          "planner/runner/child_runner.h)");
ABSL_FLAG(std::string, purpose, "search",
          "with --serve: names the random streams, as search.cs in a benchmark");
ABSL_FLAG(
    int, kept_epochs, 0,
    "with --serve: the number of newest epochs whose weights stay on the disk until an edge is "
    "finished; 0 = of all");

namespace op3d {
namespace {

// The number of processes of the job on this machine.
int LocalSize(const RankEnvironment& ranks) {
  int size = 1;
  for (const char* name : {"LOCAL_WORLD_SIZE", "SLURM_NTASKS_PER_NODE"}) {
    const std::optional<std::string> text = ProcessEnvironment()(name);
    if (text.has_value() && absl::SimpleAtoi(*text, &size)) return std::max(1, size);
  }
  return ranks.size;
}

absl::StatusOr<PlannedSteps> FindSteps(const std::string& name) {
  OP3D_ASSIGN_OR_RETURN(const Plan plan, planner::FindPlan(name));
  return StepsOf(plan);
}

// The states of --plan; empty without it.
absl::StatusOr<std::vector<RunStep>> PlanSteps() {
  const std::string name = absl::GetFlag(FLAGS_plan);
  if (name.empty()) return std::vector<RunStep>();
  if (absl::GetFlag(FLAGS_serve)) {
    return absl::InvalidArgumentError(
        "--plan has no effect with --serve: the planner chooses what to train; leave one out");
  }
  absl::StatusOr<PlannedSteps> planned = FindSteps(name);
  if (!planned.ok()) return Annotate(planned.status(), "--plan");
  return std::move(planned->steps);
}

// Flags that have no effect with --serve, or without it.
absl::Status RefuseIdleFlags() {
  if (absl::GetFlag(FLAGS_serve)) {
    if (!absl::GetFlag(FLAGS_dry_run)) return absl::OkStatus();
    return absl::InvalidArgumentError(
        "--dry_run has no effect with --serve: `plan search --dry_run` asks for the cost of edges; "
        "leave one out");
  }
  for (const char* flag : {"purpose", "kept_epochs"}) {
    if (!FlagIsGiven(flag)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, " has no effect without --serve; leave it out"));
  }
  return absl::OkStatus();
}

// The options for the dataset's own split, or for `split`.
absl::StatusOr<RunOptions> Options(const RankEnvironment& ranks, std::optional<int> split) {
  RunOptions options;
  RunSettingsRequest request;
  request.settings = absl::GetFlag(FLAGS_settings);
  request.assignments = absl::GetFlag(FLAGS_set).values;
  request.network = absl::GetFlag(FLAGS_network);
  request.initial_weights = absl::GetFlag(FLAGS_init);
  if (split.has_value()) request.initial_weights = OfSplit(request.initial_weights, *split);
  request.stream = absl::GetFlag(FLAGS_stream);
  request.split = split;
  request.precision = absl::GetFlag(FLAGS_precision);
  if (absl::GetFlag(FLAGS_seed) >= 0) request.seed = absl::GetFlag(FLAGS_seed);
  request.serve = absl::GetFlag(FLAGS_serve);
  OP3D_ASSIGN_OR_RETURN(request.steps, PlanSteps());
  request.find_plan = FindSteps;
  OP3D_ASSIGN_OR_RETURN(options.settings, ResolveRunSettings(request));
  OP3D_ASSIGN_OR_RETURN(
      const std::string note,
      UseTrainingArithmetic(absl::GetFlag(FLAGS_arithmetic), options.settings.mutable_training()));
  if (!note.empty() && ranks.rank == 0) Progress::Print(note);
  options.dataset_root = UserPath(absl::GetFlag(FLAGS_dataset_root));
  if (options.dataset_root.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--dataset_root is missing: the folder with your copy of ",
                     options.settings.dataset().name(), ", its lists and media"));
  }
  options.index_file =
      absl::GetFlag(FLAGS_index).empty()
          ? data::DefaultIndexFile(options.dataset_root, options.settings.dataset().name())
          : UserPath(absl::GetFlag(FLAGS_index));
  OP3D_ASSIGN_OR_RETURN(const int threads,
                        ThreadsOf(absl::GetFlag(FLAGS_threads), LocalSize(ranks)));
  options.loader_threads = threads - 1;
  OP3D_ASSIGN_OR_RETURN(options.device,
                        ChooseDevice(absl::GetFlag(FLAGS_device), ranks.size, ranks.local_rank));
  options.output_dir = UserPath(absl::GetFlag(FLAGS_output_dir));
  if (options.output_dir.empty()) {
    const std::string& name = options.settings.name();
    options.output_dir = DefaultRunFolder(absl::StrCat(
        name.empty() ? "train" : name, split.has_value() ? absl::StrCat("-split", *split) : ""));
  }
  return options;
}

// One run for each requested split.
struct Runs {
  std::vector<RunOptions> options;
  // The value of --output_dir that resumes them.
  std::string folder;
  // --split=all.
  bool all = false;
};

// Weights of one split have seen test videos of the others.
absl::Status RefuseWeightsOfOneSplit(const TrainingRunSettings& settings) {
  const std::string init = absl::GetFlag(FLAGS_init);
  if (settings.initial_weights().empty() || absl::StrContains(init, "{split}")) {
    return absl::OkStatus();
  }
  const absl::StatusOr<WeightsCard> weights =
      ReadWeightsCard(settings.initial_weights(), settings.network().name());
  if (!weights.ok() || weights->card.dataset().name() != settings.dataset().name()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--split=all: ", settings.initial_weights(), " was trained on split ",
                   std::max(1, weights->card.dataset().split()), " of ", settings.dataset().name(),
                   " and has seen test videos of the others; with --init name a file of each "
                   "split, \"{split}\" for "
                   "its number, or weights of another dataset"));
}

absl::StatusOr<Runs> AllSplits(const RankEnvironment& ranks) {
  if (absl::GetFlag(FLAGS_serve)) {
    return absl::InvalidArgumentError(
        "--split=all has no effect with --serve: a search is of one split; give its number");
  }
  OP3D_ASSIGN_OR_RETURN(const RunOptions first, Options(ranks, 1));
  Runs runs;
  runs.all = true;
  runs.folder = absl::GetFlag(FLAGS_output_dir).empty()
                    ? absl::StrReplaceAll(first.output_dir, {{"-split1-", "-splits-"}})
                    : first.output_dir;
  if (FileExists(JoinPath(runs.folder, "settings.textproto"))) {
    return absl::FailedPreconditionError(absl::StrCat(
        runs.folder, " holds a run of one split; give --split=all another --output_dir"));
  }
  OP3D_RETURN_IF_ERROR(RefuseWeightsOfOneSplit(first.settings));
  OP3D_ASSIGN_OR_RETURN(const int splits,
                        data::CountSplits(first.settings.dataset(), first.dataset_root));
  for (int split = 1; split <= splits; ++split) {
    OP3D_ASSIGN_OR_RETURN(RunOptions options, Options(ranks, split));
    options.output_dir = JoinPath(runs.folder, absl::StrCat("split", split));
    runs.options.push_back(std::move(options));
  }
  return runs;
}

absl::StatusOr<Runs> AllOptions(const RankEnvironment& ranks) {
  OP3D_RETURN_IF_ERROR(RefuseIdleFlags());
  const std::string split = absl::GetFlag(FLAGS_split);
  if (split == "all") return AllSplits(ranks);
  OP3D_ASSIGN_OR_RETURN(const std::optional<int> number, SplitOf(split));
  OP3D_ASSIGN_OR_RETURN(RunOptions options, Options(ranks, number));
  const std::string folder = options.output_dir;
  return Runs{{std::move(options)}, folder};
}

// Decides "auto" once: the choice in the run's folder, or a new measurement.
absl::Status DecidePrecisionOf(RunOptions* options) {
  TrainingSettings& training = *options->settings.mutable_training();
  if (absl::GetFlag(FLAGS_serve) && training.precision() == "auto") {
    return absl::InvalidArgumentError(
        "--serve cannot take precision auto: a child that is started again might decide "
        "otherwise; give fp32 or bf16 (--dry_run --precision=auto says which is faster)");
  }
  TrainingRunSettings earlier;
  const std::string path = JoinPath(options->output_dir, "settings.textproto");
  if (FileExists(path)) OP3D_RETURN_IF_ERROR(ReadTextproto(path, &earlier));
  OP3D_ASSIGN_OR_RETURN(
      const std::string reason,
      DecidePrecision(options->device, earlier.training().precision(), options->group, &training));
  if (options->first() && !reason.empty()) Progress::Print(reason);
  return absl::OkStatus();
}

// Refuses states that do not fit into the GPU's memory, or makes them fit (training.fit_memory).
absl::Status FitIntoGpu(RunOptions* options) {
  if (options->device == "cpu") return absl::OkStatus();
  // Of the whole memory, not of what is free now: a resumed run must come to the same batches.
  constexpr double kUsable = 0.92;
  const auto total = static_cast<double>(gpu::ProbeGpu().total_bytes);
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> notes,
                        FitStates(static_cast<int64_t>(kUsable * total), &options->settings));
  if (!options->first()) return absl::OkStatus();
  for (const std::string& note : notes) Progress::Print(note);
  return absl::OkStatus();
}

absl::Status Serve(const RunOptions& options) {
  if (options.settings.training().fit_memory()) {
    return absl::InvalidArgumentError(
        "training.fit_memory has no effect with --serve: an edge has the batch that the planner "
        "asks for; leave it out, and lower batch_size in the graph");
  }
  OP3D_ASSIGN_OR_RETURN(const TrainingData data, LoadRunData(options));
  TrainingJob job = MakeTrainingJob(options, data);
  job.purpose = absl::GetFlag(FLAGS_purpose);
  const int kept_epochs = absl::GetFlag(FLAGS_kept_epochs);
  EdgeTrainer trainer(job, &data.measured, kept_epochs);
  const auto estimate = [&](const StateSettings& state, int epochs) {
    return EstimateEdge(options, data, state, epochs, kept_epochs);
  };
  return ServeEdges(STDIN_FILENO, STDOUT_FILENO, &trainer, estimate, options.group);
}

// `folder`: the run's, or that of all splits.
absl::Status RunIn(RunOptions options, const std::string& folder) {
  OP3D_RETURN_IF_ERROR(DecidePrecisionOf(&options));
  if (absl::GetFlag(FLAGS_serve)) return Serve(options);
  OP3D_RETURN_IF_ERROR(FitIntoGpu(&options));
  if (absl::GetFlag(FLAGS_dry_run)) {
    OP3D_ASSIGN_OR_RETURN(const std::string text, DescribeRun(options));
    if (options.first()) std::printf("%s", text.c_str());
    return absl::OkStatus();
  }
  if (options.first()) Progress::Print(absl::StrCat("output: ", options.output_dir));
  const absl::Status status = RunTraining(options);
  if (status.ok()) {
    if (options.first()) {
      std::printf("weights: %s\n", JoinPath(options.output_dir, "weights.safetensors").c_str());
    }
    return status;
  }
  return options.first() ? SayHowToGoOn(status, options.output_dir, folder) : status;
}

// Prints the splits' measures after their last epochs, and how to test them.
absl::Status PrintMean(const Runs& runs) {
  std::vector<Metrics> measures;
  for (const RunOptions& options : runs.options) {
    OP3D_ASSIGN_OR_RETURN(const nlohmann::ordered_json epoch,
                          TrainingLog::LastEpoch(JoinPath(options.output_dir, "log.jsonl")));
    if (!epoch.is_object() || !epoch.contains("top1")) continue;
    Metrics& measure = measures.emplace_back();
    const auto number = [&](const char* name) {
      return epoch.contains(name) && epoch[name].is_number() ? epoch[name].get<double>() : 0.0;
    };
    measure.videos = static_cast<int64_t>(number("videos"));
    measure.top1 = number("top1");
    measure.top3 = number("top3");
    measure.top5 = number("top5");
  }
  if (measures.size() == runs.options.size()) {
    OP3D_ASSIGN_OR_RETURN(const SplitMean mean, MeanOverMeasures(measures));
    const bool test = runs.options[0].settings.measure().videos() == MeasureSettings::EVALUATION;
    std::printf("after the last epoch, one centre clip of each %s:\n%s",
                test ? "video of the evaluation list" : "training video that was held out",
                SplitMeanText(mean).c_str());
  }
  const std::string pattern = JoinPath(runs.folder, "split{split}");
  std::printf(
      "the test of all of them: evaluate --split=all --weights='%s' --dataset_root=%s "
      "--output='%s'\n",
      JoinPath(pattern, "weights.safetensors").c_str(), runs.options[0].dataset_root.c_str(),
      JoinPath(pattern, "scores.safetensors").c_str());
  return absl::OkStatus();
}

absl::Status RunAll(const Runs& runs, ProcessGroup* group) {
  for (size_t i = 0; i < runs.options.size(); ++i) {
    RunOptions options = runs.options[i];
    options.group = group;
    if (runs.all && options.first()) {
      Progress::Print(absl::StrCat("split ", i + 1, " of ", runs.options.size()));
    }
    OP3D_RETURN_IF_ERROR(RunIn(std::move(options), runs.folder));
  }
  const bool trained = runs.all && !absl::GetFlag(FLAGS_dry_run);
  return trained && (group == nullptr || group->rank() == 0) ? PrintMean(runs) : absl::OkStatus();
}

absl::Status Run(absl::Span<const std::string> words) {
  OP3D_RETURN_IF_ERROR(RefuseWords(words));
  OP3D_ASSIGN_OR_RETURN(const RankEnvironment ranks, ReadRankEnvironment(ProcessEnvironment()));
  OP3D_ASSIGN_OR_RETURN(const Runs runs, AllOptions(ranks));
  if (ranks.size == 1) return RunAll(runs, nullptr);
  // The folder counts as a setting, because all ranks must mean the same runs.
  std::string settings;
  for (const RunOptions& options : runs.options) {
    absl::StrAppend(&settings, PrintTextproto(options.settings), "output_dir: ", options.output_dir,
                    "\n");
  }
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<ProcessGroup> group,
                        ProcessGroup::Join(ranks, runs.options[0].device, settings));
  const absl::Status status = RunAll(runs, group.get());
  group->Leave(status);
  return status;
}

}  // namespace
}  // namespace op3d

int main(int argc, char** argv) {
  return op3d::RunProgram(
      argc, argv,
      "trains a state, or several one after the other, without a search.\n\n"
      "  ./bazelw run //op3d:train -- --settings=ucf101_hand_tuned --dataset_root=/data/ucf101 \\\n"
      "      --init=kinetics400.safetensors --output_dir=runs/ucf101\n"
      "  ./bazelw run //op3d:train -- --settings=ucf101_hand_tuned --plan=ucf101_imagenet ...\n"
      "  ./bazelw run //op3d:train -- --settings=ucf101_hand_tuned --split=all ...\n"
      "  torchrun --nproc_per_node=4 --no-python train --settings=... --dataset_root=...\n"
      "  plan search --runner='train --serve --settings=... --dataset_root=...'",
      [](absl::Span<const std::string> words) { return op3d::Run(words); });
}
