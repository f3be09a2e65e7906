// The main job: searches, trains the plan and the hand-tuned recipes, tests, records, prints the
// table.
//
//   ./bazelw run //benchmarks:kinetics400                                   # the miniature
//   ./bazelw run //benchmarks:kinetics400 -- --dataset_root=/data/kinetics400
//   ./bazelw run //benchmarks:own -- --dataset=$PWD/gestures.textproto --dataset_root=/gestures

#include <errno.h>  // program_invocation_name

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "benchmarks/run/benchmark.h"
#include "benchmarks/run/dry_run.h"
#include "benchmarks/settings/own_settings.h"
#include "benchmarks/settings/settings_resolution.h"
#include "benchmarks/sweeps/sweep.h"
#include "data/annotation/dataset_list.h"
#include "data/datasets/dataset_settings.h"
#include "data/index/index_update.h"
#include "data/synthetic/miniatures/miniature_note.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/assignments.h"
#include "op3d/base/program/common_flags.h"
#include "op3d/base/program/program.h"
#include "op3d/base/progress.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "op3d/distributed/process_group.h"
#include "op3d/distributed/rank_environment.h"
#include "op3d/torch/device.h"
#include "op3d/train/step/training_precision.h"
#include "planner/graphs/wide_graph.h"
#include "results/compare/reference_group.h"
#include "results/record/headline.h"
#include "results/record/named_records.h"
#include "results/record/record_check.h"
#include "results/table/published.h"
#include "results/table/sweep_table.h"
#include "results/table/table.h"
#include "results/table/table_format.h"

ABSL_FLAG(std::string, benchmark, "", "which dataset; the target's name sets it");
ABSL_FLAG(
    std::string, dataset, "",
    "//benchmarks:own: textproto of your own dataset (data/README.md shows one); settings are "
    "derived from its videos");
ABSL_FLAG(std::string, dataset_root, "",
          "your copy of the dataset, or a folder that `dataset synthesize` made; absent = the "
          "miniature");
ABSL_FLAG(
    std::string, split, "",
    "which official split of UCF101 or HMDB51, from 1; all: one after another, each in a folder "
    "of its own below --output_dir, then their mean; empty = the settings' own");
ABSL_FLAG(std::string, output_dir, "", op3d::kRunFolderHelp);
ABSL_FLAG(std::string, settings, "", "textproto with settings that override the shipped ones");
ABSL_FLAG(op3d::Assignments, set, {}, op3d::kSetHelp);
ABSL_FLAG(std::string, plan, "",
          "skip the search and use this plan: a textproto, or a name of planner/plans/");
ABSL_FLAG(std::string, method, "",
          "published: the paper's search; planned: one wide graph, in rounds, under a budget; both; "
          "empty = the settings' own");
ABSL_FLAG(std::string, rivals, "",
          "rivals of the plan: all (those of the settings and multigrid) or none; empty = the "
          "settings' own");
ABSL_FLAG(std::string, budget, "",
          "limit for the planned method's whole search: frames per video (4608), time (20min) "
          "or multiples of the plan (3x); empty = the settings' own");
ABSL_FLAG(std::string, network, "", op3d::kNetworkHelp);
ABSL_FLAG(std::string, init, "", "safetensors of weights to start from");
ABSL_FLAG(std::string, index, "", op3d::kIndexHelp);
ABSL_FLAG(std::string, device, "auto", op3d::kDeviceHelp);
ABSL_FLAG(std::string, precision, "", op3d::kTrainingPrecisionHelp);
ABSL_FLAG(std::string, arithmetic, "", op3d::kTrainingArithmeticHelp);
ABSL_FLAG(int, threads, 0, op3d::kJobsHelp);
ABSL_FLAG(int, seeds, 1,
          "number of seeds, from the settings' own: one run after another, each in a folder of its "
          "own below --output_dir, then their mean");
ABSL_FLAG(std::string, sweep, "",
          "networks, ablations, or a textproto (schema: results/record/sweep.proto): runs that "
          "differ in a few settings, one after another, then their table");
ABSL_FLAG(std::string, variants, "", "with --sweep: only these variants, separated by commas");
ABSL_FLAG(int, jobs, 0,
          "number of child processes that train and test at once; the threads are divided among "
          "them.  0 = none: this process does everything.  No result depends on it");
ABSL_FLAG(std::string, launcher, "",
          "with --jobs: a prefix that starts a child elsewhere and forwards its lines; {job} = its "
          "number, from 0: 'env CUDA_VISIBLE_DEVICES={job}', 'srun --gres=gpu:4 --ntasks=4'");
ABSL_FLAG(std::string, serve, "", "only for the children of a run with --jobs: their service");
ABSL_FLAG(int, job, 0, "only for the children of a run with --jobs: their number");
ABSL_FLAG(std::string, identity, "",
          "only for the children of a run with --jobs: the run's program and lists of videos");
ABSL_FLAG(int64_t, seed, -1, op3d::kSettingsSeedHelp);
ABSL_FLAG(bool, dry_run, false, op3d::kDryRunHelp);

namespace op3d::benchmarks {
namespace {

// The name of the program that takes --dataset.
constexpr char kOwn[] = "own";
constexpr int kMostJobs = 1024;
constexpr int kMostSeeds = 1000;
constexpr char kTakes[] = "--dataset takes a DatasetSettings (data/datasets/dataset.proto)";

// --benchmark, or the name under which the program was called: every dataset's target is this
// program.
std::string BenchmarkName() {
  const std::string flag = absl::GetFlag(FLAGS_benchmark);
  return flag.empty() ? ::program_invocation_short_name : flag;
}

// The copy of the dataset, or the miniature.
bool IsMiniature(const std::string& root) {
  return root.empty() || FileExists(JoinPath(root, data::kMiniatureNote));
}

// One of the runs that the command line asks for.
struct Variation {
  // Its folder below that of all runs, "split2/seed1"; empty = it is the only one.
  std::string folder;
  std::optional<int> split;
  std::optional<uint64_t> seed;
  // The variant of a sweep; null = none.
  const Sweep* sweep = nullptr;
  const Sweep::Variant* variant = nullptr;
};

SettingsRequest Request(const std::string& root, const Variation& variation) {
  SettingsRequest request;
  request.benchmark = BenchmarkName();
  request.miniature = IsMiniature(root);
  request.settings_file = absl::GetFlag(FLAGS_settings);
  request.assignments = absl::GetFlag(FLAGS_set).values;
  request.plan_file = absl::GetFlag(FLAGS_plan);
  request.initial_weights = absl::GetFlag(FLAGS_init);
  request.network = absl::GetFlag(FLAGS_network);
  request.method = absl::GetFlag(FLAGS_method);
  request.rivals = absl::GetFlag(FLAGS_rivals);
  request.budget = absl::GetFlag(FLAGS_budget);
  request.split = variation.split;
  if (absl::GetFlag(FLAGS_seed) >= 0) request.seed = absl::GetFlag(FLAGS_seed);
  if (variation.seed.has_value()) request.seed = variation.seed;
  if (variation.variant != nullptr) {
    ApplyVariant(*variation.sweep, *variation.variant, &request);
  }
  return request;
}

// The user's dataset file, with a name.
absl::StatusOr<DatasetSettings> OwnDataset(const std::string& root) {
  const std::string file = absl::GetFlag(FLAGS_dataset);
  if (file.empty()) {
    return absl::InvalidArgumentError(
        "--dataset=FILE is missing: a textproto that says where lists and videos are and how the "
        "lists are written (data/README.md, \"An eighth dataset\", shows one)");
  }
  if (root.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--dataset_root=DIR is missing: the folder from which the lists and videos of ", file,
        " count"));
  }
  // A file of the user's own with any name, otherwise a shipped dataset.
  DatasetSettings dataset;
  if (FileExists(UserPath(file))) {
    OP3D_RETURN_IF_ERROR(Annotate(ReadTextproto(UserPath(file), &dataset), kTakes));
  } else {
    OP3D_ASSIGN_OR_RETURN(dataset, data::FindDataset(file));
  }
  if (dataset.train().list().empty() || dataset.evaluation().list().empty() ||
      dataset.format() == DatasetSettings::FORMAT_UNSPECIFIED) {
    return absl::InvalidArgumentError(
        absl::StrCat(file,
                     ": format, train.list and evaluation.list must be set in a DatasetSettings "
                     "(data/README.md shows one)"));
  }
  if (dataset.name().empty()) {
    dataset.set_name(std::filesystem::path(file).stem().string());
  }
  return dataset;
}

// Settings of //benchmarks:own: from the data, then from the command line.
absl::Status DeriveSettings(const SettingsRequest& request, BenchmarkOptions* options) {
  // The dataset options of the command line decide what is read.
  BenchmarkSettings asked;
  asked.set_seed(1);
  asked.set_scale(BenchmarkSettings::OWN);
  OP3D_ASSIGN_OR_RETURN(*asked.mutable_dataset(), OwnDataset(options->dataset_root));
  OP3D_RETURN_IF_ERROR(OverrideSettings(request, &asked));
  if (options->index_file.empty()) {
    options->index_file =
        data::DefaultIndexFile(options->dataset_root, FileNameOf(asked.dataset().name()));
  }
  data::IndexOptions index;
  index.file = options->index_file;
  OP3D_ASSIGN_OR_RETURN(const OwnFacts facts,
                        GatherOwnFacts(asked, options->dataset_root, options->threads, index));
  OP3D_ASSIGN_OR_RETURN(const BenchmarkSettings derived,
                        DeriveOwnSettings(facts, FindOwnMachine(options->device != "cpu"), asked));
  OP3D_ASSIGN_OR_RETURN(options->settings, ResolveSettings(derived, request));
  NoteOverridden(derived, &options->settings);
  return CheckOwnSettings(facts, options->settings);
}

absl::StatusOr<BenchmarkOptions> Options(const Variation& variation) {
  BenchmarkOptions options;
  options.dataset_root = UserPath(absl::GetFlag(FLAGS_dataset_root));
  options.index_file = UserPath(absl::GetFlag(FLAGS_index));
  const SettingsRequest request = Request(options.dataset_root, variation);
  const bool own = request.benchmark == kOwn;
  if (!own && !absl::GetFlag(FLAGS_dataset).empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--dataset is a flag of //benchmarks:own; the dataset of this program is ",
                     request.benchmark));
  }
  OP3D_ASSIGN_OR_RETURN(options.threads, ThreadsOf(absl::GetFlag(FLAGS_threads)));
  // A run with children needs no GPU itself.
  if (absl::GetFlag(FLAGS_jobs) > 0 && absl::GetFlag(FLAGS_device) == "cuda") {
    options.device = "cuda";
  } else {
    OP3D_ASSIGN_OR_RETURN(options.device, ChooseDevice(absl::GetFlag(FLAGS_device)));
  }
  if (own) {
    const std::string file = UserPath(absl::GetFlag(FLAGS_dataset));
    options.dataset = FileExists(file) ? file : absl::GetFlag(FLAGS_dataset);
    OP3D_RETURN_IF_ERROR(DeriveSettings(request, &options));
  } else {
    OP3D_ASSIGN_OR_RETURN(options.settings, ResolveSettings(request));
  }
  if (!absl::GetFlag(FLAGS_precision).empty()) {
    options.settings.mutable_training()->set_precision(absl::GetFlag(FLAGS_precision));
  }
  if (options.dataset_root.empty()) {
    OP3D_ASSIGN_OR_RETURN(
        options.dataset_root,
        RunfilePath(absl::StrCat("data/synthetic/", request.benchmark, "_miniature")));
  }
  if (options.index_file.empty()) {
    options.index_file = data::DefaultIndexFile(options.dataset_root, request.benchmark);
  }
  options.output_dir = UserPath(absl::GetFlag(FLAGS_output_dir));
  if (options.output_dir.empty()) {
    const std::string sweep = absl::GetFlag(FLAGS_sweep);
    options.output_dir = DefaultRunFolder(absl::StrCat(
        own ? "own-" : "", options.settings.benchmark(),
        sweep.empty() ? "" : absl::StrCat("-", std::filesystem::path(sweep).stem().string()),
        absl::GetFlag(FLAGS_split) == "all" ? "-splits"
        : request.split                     ? absl::StrCat("-split", *request.split)
                                            : "",
        absl::GetFlag(FLAGS_seeds) > 1 ? "-seeds" : ""));
  }
  if (!variation.folder.empty()) {
    if (FileExists(JoinPath(options.output_dir, "settings.textproto"))) {
      return absl::FailedPreconditionError(absl::StrCat(
          options.output_dir, " holds a single run; give several another --output_dir"));
    }
    options.output_dir = JoinPath(options.output_dir, variation.folder);
  }
  return options;
}

// `text` as one word of the shell.
std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// The children's command: this program with the flags that a child needs besides the settings in
// the run's folder.
absl::Status PrepareJobs(BenchmarkOptions* options) {
  options->jobs = absl::GetFlag(FLAGS_jobs);
  options->launcher = absl::GetFlag(FLAGS_launcher);
  OP3D_RETURN_IF_ERROR(RequireIn("--jobs", options->jobs, 0, kMostJobs));
  if (options->jobs == 0) {
    if (options->launcher.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        "--launcher has no effect without --jobs, the number of children that it starts");
  }
  std::error_code error;
  const std::string program = std::filesystem::absolute(::program_invocation_name, error).string();
  const auto path = [](const std::string& name) {
    std::error_code ignored;
    return Quoted(name.empty() ? name : std::filesystem::absolute(name, ignored).string());
  };
  options->child_command = absl::StrCat(
      Quoted(program), " --benchmark=", Quoted(BenchmarkName()),
      " --dataset_root=", path(options->dataset_root), " --index=", path(options->index_file),
      " --output_dir=", path(options->output_dir), " --device=", absl::GetFlag(FLAGS_device),
      " --threads=", std::max(1, options->threads / options->jobs));
  return absl::OkStatus();
}

// A child of a run with --jobs, alone or as one of several processes of a launcher.
absl::Status ServeChild() {
  OP3D_ASSIGN_OR_RETURN(const RankEnvironment ranks, ReadRankEnvironment(ProcessEnvironment()));
  BenchmarkOptions options;
  options.dataset_root = absl::GetFlag(FLAGS_dataset_root);
  options.index_file = absl::GetFlag(FLAGS_index);
  options.output_dir = absl::GetFlag(FLAGS_output_dir);
  OP3D_ASSIGN_OR_RETURN(options.threads, ThreadsOf(absl::GetFlag(FLAGS_threads)));
  const std::string settings = JoinPath(options.output_dir, "settings.textproto");
  if (!FileExists(settings)) {
    return absl::NotFoundError(
        absl::StrCat("there is no ", settings,
                     " on this machine: the run's --output_dir must be a folder that "
                     "all its jobs see, on a file system that they share"));
  }
  OP3D_RETURN_IF_ERROR(ReadTextproto(settings, &options.settings));
  OP3D_RETURN_IF_ERROR(UseTrainingArithmetic("", options.settings.mutable_training()).status());
  OP3D_ASSIGN_OR_RETURN(options.device,
                        ChooseDevice(absl::GetFlag(FLAGS_device), ranks.size, ranks.local_rank));
  Progress::Silence();
  const auto serve = [&](ProcessGroup* group) {
    return ServeRun(options, absl::GetFlag(FLAGS_serve), absl::GetFlag(FLAGS_identity),
                    absl::GetFlag(FLAGS_job), group);
  };
  if (ranks.size == 1) return serve(nullptr);
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<ProcessGroup> group,
                        ProcessGroup::Join(ranks, options.device,
                                           absl::StrCat(PrintTextproto(options.settings),
                                                        "output_dir: ", options.output_dir, "\n")));
  const absl::Status status = serve(group.get());
  group->Leave(status);
  return status;
}

// Several processes of this program would all do the whole run.
absl::Status RefuseRanks() {
  OP3D_ASSIGN_OR_RETURN(const RankEnvironment ranks, ReadRankEnvironment(ProcessEnvironment()));
  if (ranks.size == 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "this is process ", ranks.rank, " of ", ranks.size,
      " that a launcher has started, and each would do the whole run: start this program once, and "
      "let it start its jobs: --jobs=1 --launcher='srun --ntasks=",
      ranks.size, "' or --launcher='torchrun --nproc_per_node=", ranks.size, " --no-python'"));
}

// Decides "auto" once: the choice in the run's folder, or a new measurement.
absl::Status DecidePrecisionOf(BenchmarkOptions* options) {
  BenchmarkSettings earlier;
  const std::string path = JoinPath(options->output_dir, "settings.textproto");
  if (FileExists(path)) OP3D_RETURN_IF_ERROR(ReadTextproto(path, &earlier));
  OP3D_ASSIGN_OR_RETURN(const std::string reason,
                        DecidePrecision(options->device, earlier.training().precision(),
                                        /*group=*/nullptr, options->settings.mutable_training()));
  if (!reason.empty()) Progress::Print(reason);
  return absl::OkStatus();
}

// Converts a --budget of time to frames once: the choice in the run's folder, or a new measurement.
absl::Status DecideBudget(BenchmarkOptions* options) {
  if (absl::GetFlag(FLAGS_budget).empty()) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const planner::Budget budget,
                        planner::ParseBudget(absl::GetFlag(FLAGS_budget)));
  if (budget.unit != planner::Budget::kSeconds) return absl::OkStatus();
  WideGraphSettings& wide = *options->settings.mutable_search()->mutable_wide();
  BenchmarkSettings earlier;
  const std::string path = JoinPath(options->output_dir, "settings.textproto");
  const bool begun = FileExists(path);
  if (begun) OP3D_RETURN_IF_ERROR(ReadTextproto(path, &earlier));
  // Another time in the same folder is another run; an older op3d did not store the time.
  if (!begun || !earlier.time_budget().empty()) {
    options->settings.set_time_budget(absl::GetFlag(FLAGS_budget));
  }
  if (begun && options->settings.time_budget() == earlier.time_budget()) {
    wide.set_frames(earlier.search().wide().frames());
  } else {
    OP3D_ASSIGN_OR_RETURN(const double measured, BudgetFrames(*options, budget.amount));
    wide.set_frames(std::floor(measured));
  }
  Progress::Print(absl::StrCat("budget: ", absl::GetFlag(FLAGS_budget), " is ", wide.frames(),
                               " frames a video here"));
  return ValidateSettings(options->settings);
}

// One run; returns its record, or nullopt for a dry run.  `folder`: what the user would name to
// resume it.
absl::StatusOr<std::optional<results::NamedRecord>> RunOne(BenchmarkOptions options,
                                                           const std::string& folder) {
  OP3D_ASSIGN_OR_RETURN(
      const std::string note,
      UseTrainingArithmetic(absl::GetFlag(FLAGS_arithmetic), options.settings.mutable_training()));
  if (!note.empty()) Progress::Print(note);
  OP3D_RETURN_IF_ERROR(DecidePrecisionOf(&options));
  OP3D_RETURN_IF_ERROR(DecideBudget(&options));
  OP3D_RETURN_IF_ERROR(PrepareJobs(&options));
  if (absl::GetFlag(FLAGS_dry_run)) {
    OP3D_ASSIGN_OR_RETURN(const std::string text, DescribeDryRun(options));
    std::printf("%s", text.c_str());
    return std::nullopt;
  }
  Progress::Print(absl::StrCat("output: ", options.output_dir));
  const absl::StatusOr<RunRecord> record = RunBenchmark(options);
  if (!record.ok()) return SayHowToGoOn(record.status(), options.output_dir, folder);
  // A finished run's record is read again, because somebody may have edited it since.
  OP3D_ASSIGN_OR_RETURN(
      results::CheckedRecord read,
      results::ReadCheckedRecord(options.output_dir, results::CheckBeside::kSettings));
  return results::NamedRecord{std::filesystem::path(options.output_dir).filename().string(),
                              std::move(read.record), std::move(read.check)};
}

// Prints their table, and what each found.
absl::Status PrintResults(const std::vector<results::NamedRecord>& records,
                          const std::string& folder) {
  OP3D_ASSIGN_OR_RETURN(const PublishedFigures figures, results::LoadPublishedFigures());
  std::printf("%s\n", results::RenderTables(results::MakeTables(records, figures),
                                            results::TableFormat::kText)
                          .c_str());
  for (const results::NamedRecord& named : records) {
    // The table already says that an edited record gets no verdict.
    if (named.check.Edited()) continue;
    std::printf("%s%s\n", records.size() > 1 ? absl::StrCat(named.name, ": ").c_str() : "",
                results::Headline(named.record).c_str());
  }
  std::printf("\n");
  for (const results::NamedRecord& named : records) {
    std::printf("report: %s\n",
                JoinPath(records.size() > 1 ? JoinPath(folder, named.name) : folder, "report.html")
                    .c_str());
  }
  return results::RefuseEdited(records);
}

// Leaves the group of each variant and split next to its seeds, and prints their means.
absl::Status WriteSeedGroups(const std::vector<results::NamedRecord>& records,
                             const std::string& folder) {
  if (absl::GetFlag(FLAGS_seeds) < 2) return absl::OkStatus();
  std::map<std::string, std::vector<results::NamedRecord>> groups;
  for (const results::NamedRecord& named : records) {
    const std::filesystem::path path(named.name);
    std::vector<results::NamedRecord>& group = groups[path.parent_path().string()];
    group.push_back(named);
    group.back().name = path.filename().string();
  }
  for (const auto& [name, runs] : groups) {
    // No mean of runs of which one was edited; PrintResults() refuses it.
    if (!results::DescribeEdits(runs).empty()) continue;
    const absl::StatusOr<SeedGroup> group = results::MakeSeedGroup(runs);
    // A budget of time may differ between seeds: their runs hold, but they are no group.
    if (!group.ok()) {
      Progress::Print(absl::StrCat("no group of the seeds: ", group.status().message()));
      continue;
    }
    const std::string file = JoinPath(JoinPath(folder, name), results::kGroupFile);
    OP3D_RETURN_IF_ERROR(WriteTextproto(file, *group));
    std::printf("\n%s%s%sgroup: %s\n", name.c_str(), name.empty() ? "" : ":\n",
                results::DescribeSeedGroup(*group).c_str(), file.c_str());
  }
  return absl::OkStatus();
}

// The splits of --split: none = the settings' own.
absl::StatusOr<std::vector<std::optional<int>>> Splits() {
  if (absl::GetFlag(FLAGS_split) != "all") {
    OP3D_ASSIGN_OR_RETURN(std::optional<int> split, SplitOf(absl::GetFlag(FLAGS_split)));
    if (split == 0) split.reset();
    return std::vector<std::optional<int>>{split};
  }
  Variation variation;
  variation.split = 1;
  OP3D_ASSIGN_OR_RETURN(const BenchmarkOptions first, Options(variation));
  OP3D_ASSIGN_OR_RETURN(const int count,
                        data::CountSplits(first.settings.dataset(), first.dataset_root));
  std::vector<std::optional<int>> splits;
  for (int split = 1; split <= count; ++split) splits.emplace_back(split);
  return splits;
}

// Every run that the command line asks for: variants x splits x seeds.
absl::StatusOr<std::vector<Variation>> Variations(const Sweep& sweep) {
  std::vector<const Sweep::Variant*> variants;
  for (const Sweep::Variant& variant : sweep.variants()) variants.push_back(&variant);
  if (variants.empty()) variants.push_back(nullptr);
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::optional<int>> splits, Splits());
  const int seeds = absl::GetFlag(FLAGS_seeds);
  OP3D_RETURN_IF_ERROR(RequireIn("--seeds", seeds, 1, kMostSeeds));
  std::vector<Variation> all;
  for (const Sweep::Variant* const variant : variants) {
    for (const std::optional<int>& split : splits) {
      Variation base;
      base.sweep = &sweep;
      base.variant = variant;
      base.split = split;
      uint64_t first = 0;
      if (seeds > 1) {
        OP3D_ASSIGN_OR_RETURN(const BenchmarkOptions options, Options(base));
        first = options.settings.seed();
      }
      for (int k = 0; k < seeds; ++k) {
        Variation one = base;
        std::vector<std::string> folders;
        if (variant != nullptr) folders.push_back(variant->name());
        if (splits.size() > 1) folders.push_back(absl::StrCat("split", *split));
        if (seeds > 1) {
          one.seed = first + static_cast<uint64_t>(k);
          folders.push_back(absl::StrCat("seed", *one.seed));
        }
        one.folder = absl::StrJoin(folders, "/");
        all.push_back(std::move(one));
      }
    }
  }
  return all;
}

// The sweep of --sweep with the variants of --variants; one without variants if there is none.
absl::StatusOr<Sweep> SweepOfFlags() {
  if (absl::GetFlag(FLAGS_sweep).empty()) {
    if (absl::GetFlag(FLAGS_variants).empty()) return Sweep();
    return absl::InvalidArgumentError("--variants has no effect without --sweep");
  }
  OP3D_ASSIGN_OR_RETURN(Sweep sweep,
                        FindSweep(absl::GetFlag(FLAGS_sweep), absl::GetFlag(FLAGS_variants),
                                  IsMiniature(UserPath(absl::GetFlag(FLAGS_dataset_root)))));
  if (absl::GetFlag(FLAGS_benchmark).empty()) {
    absl::SetFlag(&FLAGS_benchmark, sweep.benchmark());
  }
  return sweep;
}

// Leaves the sweep with all its variants in `folder`: a later command may add further ones.
absl::Status WriteSweep(const std::string& folder) {
  OP3D_ASSIGN_OR_RETURN(const Sweep whole, FindSweep(absl::GetFlag(FLAGS_sweep), /*variants=*/"",
                                                     /*miniature=*/false));
  OP3D_RETURN_IF_ERROR(MakeFolders(folder));
  return WriteTextproto(JoinPath(folder, results::kSweepFile), whole);
}

// Prints the table of the runs of a sweep that are finished, those of earlier commands included.
absl::Status PrintSweep(const std::vector<results::NamedRecord>& records,
                        const std::string& folder) {
  OP3D_RETURN_IF_ERROR(results::RefuseEdited(records));
  OP3D_ASSIGN_OR_RETURN(const results::SweepRuns runs, results::ReadSweepRuns(folder));
  std::printf("\n%s\ntable again: ./bazelw run //results:table -- %s\n",
              results::RenderSweep(runs, results::TableFormat::kText).c_str(), folder.c_str());
  return absl::OkStatus();
}

absl::Status Run(absl::Span<const std::string> words) {
  OP3D_RETURN_IF_ERROR(RefuseWords(words));
  if (!absl::GetFlag(FLAGS_serve).empty()) return ServeChild();
  OP3D_RETURN_IF_ERROR(RefuseRanks());
  OP3D_ASSIGN_OR_RETURN(const Sweep sweep, SweepOfFlags());
  OP3D_ASSIGN_OR_RETURN(const std::vector<Variation> variations, Variations(sweep));
  // All are checked before the first is trained.
  std::vector<BenchmarkOptions> runs;
  for (const Variation& variation : variations) {
    absl::StatusOr<BenchmarkOptions> options = Options(variation);
    OP3D_RETURN_IF_ERROR(variation.folder.empty() ? options.status()
                                                  : Annotate(options.status(), variation.folder));
    runs.push_back(*std::move(options));
  }
  std::string folder = runs[0].output_dir;
  if (!variations[0].folder.empty()) {
    folder.resize(folder.size() - variations[0].folder.size() - 1);
  }
  const bool is_sweep = sweep.variants_size() > 0;
  if (is_sweep && !absl::GetFlag(FLAGS_dry_run)) OP3D_RETURN_IF_ERROR(WriteSweep(folder));
  std::vector<results::NamedRecord> records;
  for (size_t i = 0; i < runs.size(); ++i) {
    // The default folder's name has the time.
    if (!variations[i].folder.empty()) {
      runs[i].output_dir = JoinPath(folder, variations[i].folder);
      Progress::Print(absl::StrCat("run ", i + 1, " of ", runs.size(), ": ", variations[i].folder));
    }
    OP3D_ASSIGN_OR_RETURN(std::optional<results::NamedRecord> record,
                          RunOne(std::move(runs[i]), folder));
    if (!record.has_value()) continue;
    if (!variations[i].folder.empty()) record->name = variations[i].folder;
    records.push_back(*std::move(record));
  }
  if (records.empty()) return absl::OkStatus();
  const absl::Status printed =
      is_sweep ? PrintSweep(records, folder) : PrintResults(records, folder);
  OP3D_RETURN_IF_ERROR(WriteSeedGroups(records, folder));
  return printed;
}

}  // namespace
}  // namespace op3d::benchmarks

int main(int argc, char** argv) {
  return op3d::RunProgram(
      argc, argv,
      "searches a training plan, trains and tests it and its rivals, and records everything.\n\n"
      "  ./bazelw run //benchmarks:kinetics400\n"
      "  ./bazelw run //benchmarks:kinetics400 -- --dataset_root=/data/kinetics400 --dry_run\n"
      "  ./bazelw run //benchmarks:kinetics400 -- --dataset_root=/data/kinetics400 --jobs=4 \\\n"
      "      --launcher='env CUDA_VISIBLE_DEVICES={job}'\n"
      "  ./bazelw run //benchmarks:own -- --dataset=FILE --dataset_root=DIR --dry_run",
      [](absl::Span<const std::string> words) { return op3d::benchmarks::Run(words); });
}
