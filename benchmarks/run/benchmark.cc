#include "benchmarks/run/benchmark.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "benchmarks/parts/benchmark_data.h"
#include "benchmarks/parts/curve_files.h"
#include "benchmarks/parts/final_model.h"
#include "benchmarks/parts/jobs.h"
#include "benchmarks/parts/proxy.h"
#include "benchmarks/parts/recipe.h"
#include "benchmarks/parts/run_context.h"
#include "benchmarks/parts/search_run.h"
#include "benchmarks/run/rows.h"
#include "benchmarks/run/workers.h"
#include "benchmarks/settings/settings_resolution.h"
#include "data/annotation/video_list.h"
#include "data/command/frame_export.h"
#include "data/video/ffmpeg/ffmpeg_version.h"
#include "op3d/base/file.h"
#include "op3d/base/program/run_folder.h"
#include "op3d/base/progress.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/sha256.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/training_failure.h"
#include "op3d/distributed/process_group.h"
#include "op3d/eval/scores/video_scores.h"
#include "op3d/torch/arithmetic.h"
#include "op3d/torch/device.h"
#include "op3d/train/settings/state_task.h"
#include "planner/graphs/transition_graph.h"
#include "planner/plans/plan_io.h"
#include "results/record/environment.h"
#include "results/record/format.h"
#include "results/record/record.h"
#include "results/report/mistakes.h"
#include "results/report/report.h"

namespace op3d::benchmarks {
namespace {

RunContext ContextOf(const BenchmarkOptions& options, const BenchmarkData& data, int threads) {
  RunContext context;
  context.settings = &options.settings;
  context.data = &data;
  context.folder = options.output_dir;
  context.device = options.device;
  context.threads = threads;
  return context;
}

JobOptions JobsOf(const BenchmarkOptions& options, const BenchmarkData& data) {
  JobOptions jobs;
  jobs.count = options.jobs;
  if (jobs.count == 0) return jobs;
  jobs.launcher = options.launcher;
  jobs.command = absl::StrCat(options.child_command, " --identity=", ChildIdentity(data));
  return jobs;
}

// Writes scores.safetensors, the scores of every recipe (MergeRows()).
absl::Status MergeScores(RunFolder* folder, RunRecord* record) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const RecipeResult& recipe : record->recipes()) {
    OP3D_ASSIGN_OR_RETURN(
        std::string row,
        ReadFile(folder->Path(absl::StrCat("checkpoints/", recipe.name(), "/scores.safetensors"))));
    rows.emplace_back(recipe.name(), std::move(row));
  }
  OP3D_ASSIGN_OR_RETURN(std::string bytes, MergeRows(rows));
  OP3D_RETURN_IF_ERROR(WriteFileAtomically(folder->Path("scores.safetensors"), bytes));
  bytes = WithoutMetadata(std::move(bytes));
  const std::string sha256 = Sha256(bytes);
  for (RecipeResult& recipe : *record->mutable_recipes()) {
    recipe.mutable_test()->set_scores_file("scores.safetensors");
    recipe.mutable_test()->set_scores_crc32(Crc32(bytes));
    recipe.mutable_test()->set_scores_sha256(sha256);
  }
  return absl::OkStatus();
}

void AddNotes(const BenchmarkOptions& options, RunRecord* record) {
  int edges = 0, bound = 0, failed = 0, unreached = 0;
  for (const SearchOutcome& search : record->searches()) {
    for (const EdgeOutcome& edge : search.edges()) {
      ++edges;
      bound += edge.ending() == EdgeOutcome::BOUND;
      failed += edge.ending() == EdgeOutcome::FAILED;
      unreached += edge.ending() == EdgeOutcome::UNREACHED;
    }
  }
  if (failed > 0) {
    record->add_notes(absl::StrCat(
        failed, " of ", edges, " edges failed in training and are not used",
        unreached > 0
            ? absl::StrCat("; ", unreached,
                           " more were not trained, because no trained edge leads to them")
            : "",
        "."));
  }
  if (bound > 0) {
    record->add_notes(absl::StrCat(bound, " of ", edges,
                                   " edges ended at the bound on epochs, not at their knee: "
                                   "their result depends on the bound as much as on the curve."));
  }
  if (record->searches_size() > 0) {
    record->add_notes(
        options.settings.search().search_split() == SearchSettings::PUBLISHED
            ? "The search measured on the evaluation list, as the paper did: it chose by the "
              "test videos."
            : "The search measured on videos held out from the training list; the evaluation "
              "list was used only in the test.");
  }
  if (SearchesPlanned(options.settings.search()) && options.settings.search().has_proxy() &&
      record->searches_size() > 0) {
    const SearchSettings::Proxy& proxy = options.settings.search().proxy();
    record->add_notes(absl::StrCat(
        "The search ran in small (",
        proxy.videos() > 0
            ? absl::StrCat(results::FormatPercent(proxy.videos()), " % of the videos")
            : "all videos",
        proxy.crop() > 0 ? absl::StrCat(", crop ", proxy.crop()) : "",
        proxy.width() > 0 ? absl::StrCat(", network of width ", proxy.width()) : "", "); the best ",
        ProxyPaths(options.settings),
        " of its paths were then trained at full size. Its edges' scores are those of the small "
        "search."));
  }
  if (options.settings.scale() == BenchmarkSettings::MINIATURE) {
    record->add_notes(
        "Miniature: synthetic video and a small network. Its figures show that the pipeline "
        "works; the differences between its rows come from its class list and say nothing "
        "about real video.");
  }
  for (const DatasetReport::List& list : record->dataset().lists()) {
    if (list.missing() + list.broken() > 0) {
      record->add_notes(absl::StrCat(list.name(), " list: ", list.missing(), " videos missing and ",
                                     list.broken(), " broken of ", list.listed(), "."));
    }
    for (const DatasetReport::List::Short& row : list.short_videos()) {
      record->add_notes(
          absl::StrCat(list.name(), " list: ", DescribeShortVideos(list, row),
                       options.settings.loader().on_short_video() == LoaderSettings::LOOP
                           ? "; they start again."
                           : "; their last frame is held."));
    }
  }
  for (const RecipeResult& recipe : record->recipes()) {
    for (const std::string& warning : recipe.warnings()) {
      record->add_notes(absl::StrCat(recipe.name(), ": ", warning, "."));
    }
    if (recipe.skipped_clips() > 0) {
      record->add_notes(absl::StrCat(recipe.name(), ": ", recipe.skipped_clips(),
                                     " training clips were left out or replaced, because their "
                                     "videos do not decode: ",
                                     recipe.skipped_example()));
    }
    if (recipe.test().skipped() > 0) {
      record->add_notes(absl::StrCat(recipe.name(), ": ", recipe.test().skipped(),
                                     " videos do not decode and are left out of the test: ",
                                     recipe.test().skipped_examples(0)));
    }
  }
}

// Writes a readable file with the videos by which the search chooses.
absl::Status KeepHeldOutList(const BenchmarkSettings& settings, const BenchmarkData& data,
                             const RunFolder& folder, RunRecord* record) {
  if (settings.has_plan() || settings.search().search_split() == SearchSettings::PUBLISHED) {
    return absl::OkStatus();
  }
  constexpr char kFile[] = "search_held_out.tsv";
  for (DatasetReport::List& list : *record->mutable_dataset()->mutable_lists()) {
    if (list.name() == kHeldOutList) list.set_videos_file(kFile);
  }
  return WriteFileAtomically(folder.Path(kFile), data::VideoListText(data.search_measured));
}

// Trains the best paths of a proxy's search at full size, from scratch.  The best one on the
// held-out videos is the plan, and its weights are the model.
absl::Status TrainPaths(const BenchmarkOptions& options, const BenchmarkData& data,
                        Workers* workers, RunFolder* folder, CurveFiles* curves, Found* found,
                        ActivitySeconds* seconds) {
  const BenchmarkSettings& settings = options.settings;
  const int full_crop = settings.transform().train_crop();
  const double of_videos =
      static_cast<double>(ProxyVideos(settings, data.search_train).size()) /
      static_cast<double>(data.search_train.size());
  found->frames_a_video *= ProxyFrame(settings) * of_videos;
  found->frames = std::llround(static_cast<double>(found->frames) * ProxyFrame(settings));
  const std::vector<Plan> plans = BestPlans(found->outcomes[0], ProxyPaths(settings));
  std::vector<std::unique_ptr<RecipeRun>> runs;
  std::vector<RecipeTask> tasks;
  const int paths = static_cast<int>(plans.size());
  const RunContext context = ContextOf(options, data, workers->Threads(paths));
  int64_t epochs = 0;
  for (const Plan& plan : plans) {
    RecipeSettings recipe;
    recipe.set_name(absl::StrCat("path_", runs.size() + 1));
    recipe.set_title(absl::StrCat("path ", runs.size() + 1, " at full size"));
    RecipeTask task;
    *task.mutable_recipe() = recipe;
    *task.mutable_plan() = plan;
    task.set_purpose(absl::StrCat("search.", recipe.name()));
    task.set_held_out(true);
    runs.push_back(MakeRecipe(context, task));
    tasks.push_back(std::move(task));
    epochs += runs.back()->total_epochs();
  }
  {
    Progress progress("paths", epochs, "epochs");
    TaskQueue queue;
    for (size_t i = 0; i < runs.size(); ++i) {
      queue.Add([&run = *runs[i], &task = tasks[i], workers, &progress, folder, curves,
                 seen = 0](int worker) mutable {
        const absl::Status status =
            workers->Train(worker, task, &run, [&](int done, int total, double loss) {
              progress.Add(done - seen);
              if (done > seen) {
                if (loss > 0)
                  curves->Add(RecipeCurve(run.recipe()), {done, {{"recipes/loss", loss}}});
                folder->Log("path_epoch", {{"path", run.recipe().name()},
                                           {"epoch", done},
                                           {"of", total},
                                           {"loss", loss}});
              }
              seen = done;
            });
        const auto failure = TrainingFailureOf(status);
        if (!failure) return status;
        // The other paths do not need it.
        Progress::Print(absl::StrCat(run.recipe().title(), ": failed, left out: ", *failure));
        return absl::OkStatus();
      });
    }
    OP3D_RETURN_IF_ERROR(
        queue.Run(workers->AtOnce(paths), [workers](int worker) { workers->Close(worker); }));
  }
  RecipeResult& facts = found->model.facts;
  facts.set_model("the best of the search's paths, trained at full size");
  size_t best = runs.size();
  for (size_t i = 0; i < runs.size(); ++i) {
    RecipeResult::Candidate& candidate = *facts.add_candidates();
    OP3D_ASSIGN_OR_RETURN(candidate, runs[i]->AsCandidate());
    if (!candidate.failure().empty()) continue;
    candidate.set_title(absl::StrCat(candidate.title(), ", ",
                                     results::FormatPercent(plans[i].value()),
                                     " % in the small search"));
    *seconds += runs[i]->seconds();
    found->frames += candidate.frames();
    for (const Plan::Step& step : plans[i].steps()) {
      found->frames_a_video += step.epochs() * planner::FullFramesPerClip(step.state(), full_crop);
    }
    if (best < runs.size() &&
        candidate.held_out() <= facts.candidates(static_cast<int>(best)).held_out()) {
      continue;
    }
    best = i;
  }
  if (best == runs.size()) {
    const std::string text =
        absl::StrCat("every path at full size failed: ", facts.candidates(0).failure());
    return MarkTrainingFailure(absl::AbortedError(text), text);
  }
  facts.mutable_candidates(static_cast<int>(best))->set_chosen(true);
  facts.set_held_out(facts.candidates(static_cast<int>(best)).held_out());
  found->plan = plans[best];
  found->plan.set_value(facts.held_out());
  found->model.file = folder->Path("model.safetensors");
  // The path's own file knows neither the plan's current name nor the test.
  TrainingJob job = MakeJob(context, settings);
  DescribeTest(ModelRecipe(settings, /*planned=*/true), found->plan, &job.card);
  const StateSettings& last = found->plan.steps(found->plan.steps_size() - 1).state();
  OP3D_ASSIGN_OR_RETURN(const RecipeResult chosen, runs[best]->Trained());
  const double loss = chosen.losses().empty() ? 0 : chosen.losses(chosen.losses_size() - 1);
  OP3D_ASSIGN_OR_RETURN(const Safetensors own, Safetensors::Read(runs[best]->WeightsPath()));
  OP3D_ASSIGN_OR_RETURN(
      const std::string bytes,
      SerializeSafetensors(own.tensors(), WeightsMetadata(job, ToStateTask(last).clip, loss)));
  return WriteFileAtomically(found->model.file, bytes);
}

// Searches with one method and chooses the search's model.
absl::StatusOr<Found> FindPlan(const BenchmarkOptions& options, const BenchmarkData& data,
                               const JobOptions& jobs, bool planned, Workers* workers,
                               RunFolder* folder, CurveFiles* curves, RunRecord* record,
                               ActivitySeconds* seconds) {
  const SearchSettings& settings = options.settings.search();
  const RunContext context = ContextOf(options, data, /*threads=*/1);
  OP3D_ASSIGN_OR_RETURN(const MethodSearch search, SearchOfMethod(context, planned));
  const bool in_small = planned && settings.has_proxy();
  if (in_small && search.plan.videos.size() < data.search_train.size()) {
    Progress::Print(absl::StrCat("the search trains on ", search.plan.videos.size(), " of ",
                                 data.search_train.size(), " videos"));
  }
  SearchChildren children;
  children.count = jobs.count;
  children.options = [&](const std::string& pool, int job) {
    return EdgeChild(jobs, EdgeService(planned, pool), job);
  };
  OP3D_ASSIGN_OR_RETURN(SearchRun run, RunSearch(search.plan, search.settings, data,
                                                 MakeJob(context, search.settings), options.threads,
                                                 children, folder, curves));
  Found found;
  found.model_role = planned ? RecipeResult::PLANNED_MODEL : RecipeResult::PUBLISHED_MODEL;
  const size_t videos = in_small ? search.plan.videos.size() : data.search_train.size();
  const int full_crop = search.settings.transform().train_crop();
  found.frames = FramesOfSearch(run.outcomes, videos, full_crop);
  found.frames_a_video = FramesAVideo(run.outcomes, full_crop);
  Effort& effort = *record->mutable_effort()->mutable_search();
  effort.set_frames(effort.frames() + found.frames);
  for (const SearchOutcome& outcome : run.outcomes) {
    *record->add_searches() = outcome;
    for (const EdgeOutcome& edge : outcome.edges()) {
      for (const CurvePoint& point : edge.curve()) {
        effort.set_job_seconds(effort.job_seconds() + point.train_seconds() +
                               point.evaluation_seconds());
      }
    }
  }
  *seconds += run.seconds;
  record->mutable_time()->set_fit(record->time().fit() + run.fit_seconds);
  found.plan = BestPlan(run.outcomes);
  found.outcomes = std::move(run.outcomes);
  if (in_small) {
    OP3D_RETURN_IF_ERROR(TrainPaths(options, data, workers, folder, curves, &found, seconds));
    return found;
  }
  const auto best = std::find_if(
      found.outcomes.begin(), found.outcomes.end(), [&](const SearchOutcome& outcome) {
        return outcome.plan().pool() == found.plan.pool();
      });
  if (settings.method() == SearchSettings::METHOD_UNSPECIFIED) return found;
  OP3D_ASSIGN_OR_RETURN(found.model, workers->Model(context, planned, *best));
  return found;
}

// Runs the searches of the settings; the last one's plan is the run's.
absl::StatusOr<std::vector<Found>> FindPlans(const BenchmarkOptions& options,
                                             const BenchmarkData& data, const JobOptions& jobs,
                                             Workers* workers, RunFolder* folder,
                                             CurveFiles* curves, RunRecord* record,
                                             ActivitySeconds* seconds) {
  std::vector<Found> found;
  if (options.settings.has_plan()) return found;
  const SearchSettings& search = options.settings.search();
  for (const bool planned : {false, true}) {
    const bool wanted = planned ? SearchesPlanned(search)
                                : search.method() != SearchSettings::PLANNED_METHOD;
    if (!wanted) continue;
    OP3D_ASSIGN_OR_RETURN(Found one, FindPlan(options, data, jobs, planned, workers, folder, curves,
                                              record, seconds));
    found.push_back(std::move(one));
  }
  return found;
}

// What the model got wrong, with frames, for the page of the run.  An error is no reason to lose the
// record.
absl::Status FindMistakes(const std::string& folder, const RunRecord& record,
                          const std::vector<data::Video>& videos, results::ReportExtras* extras) {
  OP3D_ASSIGN_OR_RETURN(extras->mistakes, results::ReadMistakes(folder, record, ""));
  if (!extras->mistakes.has_value()) return absl::OkStatus();
  const std::vector<std::string> names = results::NamesOf(*extras->mistakes, extras->shown_wrong);
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> strips, data::FrameStripsOf(videos, names));
  for (size_t i = 0; i < strips.size(); ++i) extras->mistakes->wrong[i].strip = strips[i];
  return absl::OkStatus();
}

}  // namespace

absl::Status ServeRun(const BenchmarkOptions& options, const std::string& service,
                      const std::string& identity, int number, ProcessGroup* group) {
  data::IndexOptions index;
  index.file = options.index_file;
  index.read_only = true;
  OP3D_ASSIGN_OR_RETURN(
      const BenchmarkData data,
      LoadBenchmarkData(options.settings, options.dataset_root, options.threads, index,
                        /*decodes=*/true));
  RunContext context = ContextOf(options, data, options.threads);
  context.group = group;
  return Serve(context, service, identity, number);
}

absl::StatusOr<RunRecord> RunBenchmark(const BenchmarkOptions& options) {
  const absl::Time start = absl::Now();
  RunRecord record;
  *record.mutable_settings() = options.settings;
  *record.mutable_environment() =
      results::CollectEnvironment(options.threads, options.device, ArithmeticInUse(),
                                  {LibTorchVersion(), data::FfmpegVersion()});
  record.mutable_environment()->set_jobs(options.jobs);
  record.mutable_environment()->set_launcher(options.launcher);
  data::IndexOptions index;
  index.file = options.index_file;
  OP3D_ASSIGN_OR_RETURN(
      BenchmarkData data,
      LoadBenchmarkData(options.settings, options.dataset_root, options.threads, index,
                        /*decodes=*/options.jobs == 0));
  // The reasons for settings are only text, and some depend on the machine.
  BenchmarkSettings kept = options.settings;
  kept.clear_derived();
  absl::StatusOr<std::unique_ptr<RunFolder>> opened = RunFolder::Open(options.output_dir, kept);
  OP3D_RETURN_IF_ERROR(ExplainRefusal(options.output_dir, kept, opened.status()));
  const std::unique_ptr<RunFolder> folder = *std::move(opened);
  if (FileExists(folder->Path("record.textproto"))) {
    Progress::Print(absl::StrCat(options.output_dir, " holds a finished run; this is its record"));
    return results::ReadRecord(folder->path());
  }
  HashMedia(&data);
  *record.mutable_dataset() = data.report;
  folder->Log("started", {{"benchmark", options.settings.benchmark()},
                          {"threads", options.threads},
                          {"jobs", options.jobs},
                          {"launcher", options.launcher},
                          {"resumed", folder->resumed()}});
  for (const DatasetReport::List& list : data.report.lists()) {
    for (const DatasetReport::List::Short& row : list.short_videos()) {
      folder->Log("short_videos", {{"list", list.name()},
                                   {"span", row.span()},
                                   {"videos", row.videos()},
                                   {"example", row.example()}});
    }
  }
  record.mutable_environment()->set_resumed(folder->resumed());
  OP3D_RETURN_IF_ERROR(KeepHeldOutList(options.settings, data, *folder, &record));

  ActivitySeconds seconds;
  CurveFiles curves(folder->Path("tensorboard"));
  const JobOptions jobs = JobsOf(options, data);
  Workers workers(options.threads, jobs, options.output_dir);
  RemoveChildrenTime(options.output_dir);
  OP3D_ASSIGN_OR_RETURN(
      const std::vector<Found> found,
      FindPlans(options, data, jobs, &workers, folder.get(), &curves, &record, &seconds));
  const Plan plan = found.empty() ? options.settings.plan() : found.back().plan;
  *record.mutable_plan() = plan;
  OP3D_RETURN_IF_ERROR(planner::WritePlan(folder->Path("plan.textproto"), plan));
  Progress::Print(absl::StrCat("plan: ", plan.pool(), " ", results::FormatPlan(plan)));
  OP3D_ASSIGN_OR_RETURN(
      const ActivitySeconds recipe_seconds,
      TrainAndTestRows(ContextOf(options, data, options.threads), found, plan, &workers,
                       folder.get(), &curves, &record));
  seconds += recipe_seconds;
  OP3D_RETURN_IF_ERROR(MergeScores(folder.get(), &record));
  AddNotes(options, &record);

  if (const std::string note = data.frames->SoftwareNote(); !note.empty()) Progress::Print(note);
  TimeSplit& time = *record.mutable_time();
  time.set_decode(data.frames->counters().decode_seconds);
  time.set_transform(seconds.transform);
  time.set_forward(seconds.forward);
  time.set_backward(seconds.backward);
  time.set_step(seconds.step);
  time.set_wall(absl::ToDoubleSeconds(absl::Now() - start));
  time.set_peak_memory_mib(results::PeakMemoryMib());
  OP3D_RETURN_IF_ERROR(AddChildrenTime(options.output_dir, &time));
  RemoveChildrenTime(options.output_dir);
  record.mutable_environment()->set_finished(results::RecordTime(absl::Now()));
  results::ReportExtras extras;
  const absl::Status found_wrong = FindMistakes(folder->path(), record, data.evaluation, &extras);
  if (!found_wrong.ok()) Progress::Print(absl::StrCat("report: ", found_wrong.message()));
  OP3D_RETURN_IF_ERROR(results::WriteReport(folder->path(), record, extras));
  OP3D_RETURN_IF_ERROR(results::WriteRecord(folder->path(), record));
  folder->Log("finished", {{"wall_seconds", time.wall()}});
  return record;
}

}  // namespace op3d::benchmarks
