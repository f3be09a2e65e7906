#include "benchmarks/benchmark.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <thread>  // NOLINT: jobs that run for minutes, one a recipe
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "benchmarks/benchmark_data.h"
#include "benchmarks/curve_files.h"
#include "benchmarks/recipe.h"
#include "benchmarks/search_run.h"
#include "data/annotation/video_list.h"
#include "data/video/ffmpeg_version.h"
#include "op3d/base/file.h"
#include "op3d/base/progress.h"
#include "op3d/base/run_folder.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/status_macros.h"
#include "op3d/network/device.h"
#include "planner/plan_io.h"
#include "results/environment.h"
#include "results/format.h"
#include "results/record.h"
#include "results/report.h"

namespace op3d {
namespace {

// Runs tasks on a few threads, in order; a task may add others.  Stops at the first error.
class TaskQueue {
 public:
  using Task = std::function<absl::Status()>;

  void Add(Task task) {
    absl::MutexLock lock(&mutex_);
    tasks_.push_back(std::move(task));
  }

  absl::Status Run(int threads) {
    std::vector<std::thread> workers;
    for (int i = 1; i < threads; ++i) workers.emplace_back([this] { Work(); });
    Work();
    for (std::thread& worker : workers) worker.join();
    absl::MutexLock lock(&mutex_);
    return status_;
  }

 private:
  void Work() {
    for (;;) {
      Task task;
      {
        absl::MutexLock lock(&mutex_);
        const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
          return !tasks_.empty() || running_ == 0 || !status_.ok();
        };
        mutex_.Await(absl::Condition(&ready));
        if (tasks_.empty() || !status_.ok()) return;
        task = std::move(tasks_.front());
        tasks_.pop_front();
        ++running_;
      }
      const absl::Status status = task();
      absl::MutexLock lock(&mutex_);
      status_.Update(status);
      --running_;
    }
  }

  absl::Mutex mutex_;
  std::deque<Task> tasks_ ABSL_GUARDED_BY(mutex_);
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

TrainingJob MakeJob(const BenchmarkOptions& options, const BenchmarkData& data) {
  TrainingJob job;
  job.network = options.settings.network();
  job.sgd = options.settings.sgd();
  job.training = options.settings.training();
  job.transform = options.settings.transform();
  job.loader = options.settings.loader();
  job.classes = static_cast<int64_t>(data.labels.classes.size());
  job.frames = data.frames.get();
  job.seed = options.settings.seed();
  job.initial_weights = options.settings.initial_weights();
  job.device = options.device;
  return job;
}

std::string CurveName(const RecipeSettings& recipe) {
  return absl::StrCat("recipes/", recipe.name());
}

// Trains all recipes, then tests each as it is ready, on `threads` threads.
absl::StatusOr<ActivitySeconds> RunRecipes(const BenchmarkOptions& options,
                                           const BenchmarkData& data, const Plan& plan,
                                           RunFolder* folder, CurveFiles* curves,
                                           RunRecord* record) {
  TrainingJob job = MakeJob(options, data);
  job.videos = &data.RecipeVideos(options.settings);
  const int recipes = options.settings.recipes_size();
  const int jobs = std::max(1, std::min(options.threads, recipes));
  job.loader_threads = options.threads / jobs - 1;
  std::vector<std::unique_ptr<RecipeRun>> runs;
  int64_t epochs = 0;
  for (const RecipeSettings& recipe : options.settings.recipes()) {
    job.purpose = absl::StrCat("recipe.", recipe.name());
    OP3D_ASSIGN_OR_RETURN(const Plan recipe_plan, RecipePlan(recipe, plan));
    runs.push_back(std::make_unique<RecipeRun>(
        recipe, recipe_plan, job, folder->Path(absl::StrCat("checkpoints/", recipe.name()))));
    epochs += runs.back()->total_epochs();
  }
  std::vector<RecipeResult> results(recipes);
  TaskQueue queue;
  Progress progress("train", epochs, "epochs");
  for (int i = 0; i < recipes; ++i) {
    queue.Add([&, i]() -> absl::Status {
      RecipeRun& run = *runs[i];
      int seen = 0;
      OP3D_RETURN_IF_ERROR(run.Train([&](int done, int total, double loss) {
        progress.Add(done - seen);
        if (done > seen) {
          // 0: it had been trained before.
          if (loss > 0) curves->Add(CurveName(run.recipe()), {done, {{"recipes/loss", loss}}});
          folder->Log(
              "recipe_epoch",
              {{"recipe", run.recipe().name()}, {"epoch", done}, {"of", total}, {"loss", loss}});
        }
        seen = done;
      }));
      queue.Add([&, i]() -> absl::Status {
        OP3D_ASSIGN_OR_RETURN(results[i], runs[i]->Test(data.evaluation, data.labels,
                                                        std::max(1, options.threads / jobs)));
        std::vector<CurveFiles::Point> points;
        for (const double loss : results[i].losses()) {
          points.push_back({static_cast<int64_t>(points.size()) + 1, {{"recipes/loss", loss}}});
        }
        curves->Complete(CurveName(runs[i]->recipe()), points);
        Progress::Print(absl::StrFormat("%-44s top-1 %.1f %%  (%d videos, %d clips x %d crops)",
                                        results[i].title(), 100 * results[i].test().top1(),
                                        results[i].test().videos(), results[i].test().clips(),
                                        results[i].test().crops()));
        return absl::OkStatus();
      });
      return absl::OkStatus();
    });
  }
  OP3D_RETURN_IF_ERROR(queue.Run(jobs));
  ActivitySeconds seconds;
  for (int i = 0; i < recipes; ++i) {
    *record->add_recipes() = results[i];
    seconds += runs[i]->seconds();
  }
  return seconds;
}

// scores.safetensors: "<recipe>.scores", "<recipe>.heads", "<recipe>.labels" of every recipe.
absl::Status MergeScores(RunFolder* folder, RunRecord* record) {
  std::vector<Safetensors> files;
  std::vector<TensorView> tensors;
  files.reserve(record->recipes_size());
  for (const RecipeResult& recipe : record->recipes()) {
    OP3D_ASSIGN_OR_RETURN(Safetensors file,
                          Safetensors::Read(folder->Path(
                              absl::StrCat("checkpoints/", recipe.name(), "/scores.safetensors"))));
    files.push_back(std::move(file));
    for (TensorView tensor : files.back().tensors()) {
      tensor.name = absl::StrCat(recipe.name(), ".", tensor.name);
      tensors.push_back(std::move(tensor));
    }
  }
  OP3D_ASSIGN_OR_RETURN(const std::string bytes, SerializeSafetensors(tensors, {}));
  OP3D_RETURN_IF_ERROR(WriteFileAtomically(folder->Path("scores.safetensors"), bytes));
  for (RecipeResult& recipe : *record->mutable_recipes()) {
    recipe.mutable_test()->set_scores_file("scores.safetensors");
    recipe.mutable_test()->set_scores_crc32(Crc32(bytes));
  }
  return absl::OkStatus();
}

void AddNotes(const BenchmarkOptions& options, RunRecord* record) {
  int edges = 0, bound = 0;
  for (const SearchOutcome& search : record->searches()) {
    for (const EdgeOutcome& edge : search.edges()) {
      ++edges;
      bound += edge.ending() == EdgeOutcome::BOUND;
    }
  }
  if (bound > 0) {
    record->add_notes(absl::StrCat(bound, " of ", edges,
                                   " edges ended at the bound on epochs, not at their knee: there "
                                   "the bound decides as much as the curve."));
  }
  if (record->searches_size() > 0) {
    record->add_notes(
        options.settings.search().search_split() == SearchSettings::PUBLISHED
            ? "The search measured on the evaluation list, as the paper did: its choice has seen "
              "the videos of the test."
            : "The search measured on videos held out from the training list; the evaluation list "
              "was first looked at in the test.");
  }
  if (options.settings.scale() == BenchmarkSettings::MINIATURE) {
    record->add_notes(
        "Miniature: synthetic video and a small network. Its figures show that the pipeline works; "
        "the gaps between its rows are set by its class list and say nothing about real video.");
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
    if (recipe.skipped_clips() > 0) {
      record->add_notes(absl::StrCat(recipe.name(), ": ", recipe.skipped_clips(),
                                     " clips of training were left out or replaced, as their "
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

// Which videos the search chooses on, as a file that anybody can read.
absl::Status KeepHeldOutList(const BenchmarkSettings& settings, const BenchmarkData& data,
                             const RunFolder& folder, RunRecord* record) {
  if (settings.has_plan() || settings.search().search_split() == SearchSettings::PUBLISHED) {
    return absl::OkStatus();
  }
  constexpr char kFile[] = "search_held_out.tsv";
  for (DatasetReport::List& list : *record->mutable_dataset()->mutable_lists()) {
    if (list.name() == kHeldOutList) list.set_videos_file(kFile);
  }
  return WriteFileAtomically(folder.Path(kFile), VideoListText(data.search_measured));
}

absl::StatusOr<Plan> FindPlan(const BenchmarkOptions& options, const BenchmarkData& data,
                              RunFolder* folder, CurveFiles* curves, RunRecord* record,
                              ActivitySeconds* seconds) {
  if (options.settings.has_plan()) return options.settings.plan();
  if (options.settings.search().pools().empty()) {
    return absl::InvalidArgumentError(
        "there is nothing to search: settings.search has no pools; "
        "add one, or give a plan with --plan");
  }
  OP3D_ASSIGN_OR_RETURN(SearchRun run, RunSearch(options.settings, data, MakeJob(options, data),
                                                 options.threads, folder, curves));
  for (const SearchOutcome& outcome : run.outcomes) *record->add_searches() = outcome;
  *seconds += run.seconds;
  record->mutable_time()->set_fit(run.fit_seconds);
  return BestPlan(run.outcomes);
}

}  // namespace

absl::StatusOr<RunRecord> RunBenchmark(const BenchmarkOptions& options) {
  const absl::Time start = absl::Now();
  RunRecord record;
  *record.mutable_settings() = options.settings;
  *record.mutable_environment() =
      CollectEnvironment(options.threads, options.device, {LibTorchVersion(), FfmpegVersion()});
  IndexOptions index;
  index.file = options.index_file;
  OP3D_ASSIGN_OR_RETURN(
      BenchmarkData data,
      LoadBenchmarkData(options.settings, options.dataset_root, options.threads, index));
  *record.mutable_dataset() = data.report;
  // Why settings were chosen is words, and some of them are of the machine.
  BenchmarkSettings kept = options.settings;
  kept.clear_derived();
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<RunFolder> folder,
                        RunFolder::Open(options.output_dir, kept));
  if (FileExists(folder->Path("record.textproto"))) {
    Progress::Print(absl::StrCat(options.output_dir, " holds a finished run; this is its record"));
    return ReadRecord(folder->path());
  }
  folder->Log("started", {{"benchmark", options.settings.benchmark()},
                          {"threads", options.threads},
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
  OP3D_ASSIGN_OR_RETURN(const Plan plan,
                        FindPlan(options, data, folder.get(), &curves, &record, &seconds));
  *record.mutable_plan() = plan;
  OP3D_RETURN_IF_ERROR(WritePlan(folder->Path("plan.textproto"), plan));
  Progress::Print(absl::StrCat("plan: ", plan.pool(), " ", FormatPlan(plan)));
  OP3D_ASSIGN_OR_RETURN(const ActivitySeconds recipe_seconds,
                        RunRecipes(options, data, plan, folder.get(), &curves, &record));
  seconds += recipe_seconds;
  OP3D_RETURN_IF_ERROR(MergeScores(folder.get(), &record));
  AddNotes(options, &record);

  TimeSplit& time = *record.mutable_time();
  time.set_decode(data.frames->counters().decode_seconds);
  time.set_transform(seconds.transform);
  time.set_forward(seconds.forward);
  time.set_backward(seconds.backward);
  time.set_step(seconds.step);
  time.set_wall(absl::ToDoubleSeconds(absl::Now() - start));
  time.set_peak_memory_mib(PeakMemoryMib());
  record.mutable_environment()->set_finished(RecordTime(absl::Now()));
  OP3D_RETURN_IF_ERROR(WriteReport(folder->path(), record));
  OP3D_RETURN_IF_ERROR(WriteRecord(folder->path(), record));
  folder->Log("finished", {{"wall_seconds", time.wall()}});
  return record;
}

}  // namespace op3d
