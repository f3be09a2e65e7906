#include "benchmarks/run/benchmark.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
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
#include "op3d/base/thread/parallel.h"
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

// Runs tasks in order on a few threads; a task may add others.  Stops at the first error.
class TaskQueue {
 public:
  // `worker`: the thread's number, from 0.
  using Task = std::function<absl::Status(int worker)>;

  void Add(Task task) {
    absl::MutexLock lock(&mutex_);
    tasks_.push_back(std::move(task));
  }

  // `end`, if given, is called at the end of each thread.
  absl::Status Run(int threads, const std::function<void(int)>& end = nullptr) {
    OnThreads(threads, [&](int64_t worker) {
      Work(static_cast<int>(worker));
      if (end != nullptr) end(static_cast<int>(worker));
    });
    absl::MutexLock lock(&mutex_);
    return status_;
  }

 private:
  void Work(int worker) {
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
      const absl::Status status = task(worker);
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

std::string CurveName(const RecipeSettings& recipe) {
  return absl::StrCat("recipes/", recipe.name());
}

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

// The result of a search by one method.
struct Found {
  RecipeResult::Role model_role = RecipeResult::ROLE_UNSPECIFIED;
  std::vector<SearchOutcome> outcomes;
  Plan plan;
  FinalModel model;
  // Frames that the search trained, and the same as frames per video.
  int64_t frames = 0;
  double frames_a_video = 0;
};

// Where trainings and tests happen: in this process, or in children.
class Workers {
 public:
  Workers(const BenchmarkOptions& options, const JobOptions& jobs) : threads_(options.threads) {
    if (jobs.count > 0) children_ = std::make_unique<JobChildren>(jobs, options.output_dir);
    count_ = jobs.count;
  }

  // The number of tasks at once, of `tasks`.
  int AtOnce(int tasks) const {
    return std::max(1, std::min(children_ == nullptr ? threads_ : count_, tasks));
  }
  // The threads of one of them in this process.
  int Threads(int tasks) const { return std::max(1, threads_ / AtOnce(tasks)); }

  absl::Status Train(int worker, const RecipeTask& task, RecipeRun* run,
                     const std::function<void(int, int, double)>& on_epoch) {
    if (children_ == nullptr) return run->Train(on_epoch);
    Job job;
    *job.mutable_train() = task;
    return children_->Do(worker, absl::StrCat("train_", task.recipe().name()), job, on_epoch);
  }

  absl::StatusOr<RecipeResult> Test(int worker, const RecipeTask& task, RecipeRun* run,
                                    const BenchmarkData& data, int threads) {
    if (children_ != nullptr) {
      Job job;
      *job.mutable_test() = task;
      OP3D_RETURN_IF_ERROR(children_->Do(worker, absl::StrCat("test_", task.recipe().name()), job,
                                         [](int, int, double) {}));
    }
    // The result of a child is read from its file.
    return run->Test(data.evaluation, data.labels, threads);
  }

  absl::StatusOr<FinalModel> Model(const RunContext& context, bool planned,
                                   const SearchOutcome& best) {
    if (children_ != nullptr) {
      Job job;
      job.mutable_model()->set_planned(planned);
      *job.mutable_model()->mutable_search() = best;
      const absl::Status status = children_->Do(0, planned ? "planned_model" : "published_model",
                                                job, [](int, int, double) {});
      children_->Close(0);
      OP3D_RETURN_IF_ERROR(status);
    }
    return ChooseModel(context, planned, best);
  }

  // For the end of a thread.
  void Close(int worker) {
    if (children_ != nullptr) children_->Close(worker);
  }

 private:
  const int threads_;
  int count_ = 0;
  std::unique_ptr<JobChildren> children_;
};

// A row of the table in progress.
struct Row {
  std::unique_ptr<RecipeRun> run;
  // What `run` was made from.
  RecipeTask task;
  RecipeResult::Role role = RecipeResult::ROLE_UNSPECIFIED;
  // Frames of the search on which the row is based.
  int64_t search_frames = 0;
};

// A search's own model, which is only tested.
bool IsModel(RecipeResult::Role role) {
  return role == RecipeResult::PLANNED_MODEL || role == RecipeResult::PUBLISHED_MODEL;
}

// Makes the rows, trains and tests them on a few threads.
class Rows {
 public:
  Rows(const BenchmarkOptions& options, const BenchmarkData& data, const std::vector<Found>& found,
       Workers* workers, RunFolder* folder, CurveFiles* curves)
      : options_(options),
        data_(data),
        found_(found),
        workers_(workers),
        folder_(folder),
        curves_(curves) {}

  absl::StatusOr<ActivitySeconds> Run(const Plan& plan, RunRecord* record) {
    OP3D_RETURN_IF_ERROR(MakeModels());
    OP3D_RETURN_IF_ERROR(MakeRecipes(plan));
    OP3D_RETURN_IF_ERROR(MakeRivals());
    results_.resize(rows_.size());
    int64_t epochs = 0;
    for (const Row& row : rows_) {
      epochs += row.run->total_epochs();
      fixed_left_ += row.role == RecipeResult::FIXED;
    }
    Progress progress("train", epochs, "epochs");
    for (const size_t i : LongestFirst()) {
      queue_.Add([this, i, &progress](int worker) { return Train(worker, i, &progress); });
    }
    OP3D_RETURN_IF_ERROR(
        queue_.Run(workers_->AtOnce(rows()), [this](int worker) { workers_->Close(worker); }));
    ActivitySeconds seconds;
    for (size_t i = 0; i < rows_.size(); ++i) {
      seconds += rows_[i].run->seconds();
      OP3D_RETURN_IF_ERROR(AddEffort(i, record->mutable_effort()));
      if (results_[i].has_test()) *record->add_recipes() = results_[i];
    }
    return seconds;
  }

 private:
  // What row `i` cost, by its files: also before an interruption, and in children.
  absl::Status AddEffort(size_t i, RunEffort* effort) const {
    const Row& row = rows_[i];
    if (!IsModel(row.role)) {
      OP3D_ASSIGN_OR_RETURN(const RecipeResult trained, row.run->Trained());
      Effort& training = *effort->mutable_training();
      training.set_frames(training.frames() + trained.frames());
      training.set_job_seconds(training.job_seconds() + trained.train_seconds());
    }
    if (!results_[i].has_test()) return absl::OkStatus();
    const TestResult& result = results_[i].test();
    const TransformSettings& transform = options_.settings.transform();
    const double side = static_cast<double>(transform.test_crop()) / transform.train_crop();
    const double frames = planner::FramesPerClip(TestState(row.task.recipe(), row.task.plan())) *
                          side * side * result.videos() * result.clips() * result.crops();
    Effort& test = *effort->mutable_test();
    test.set_frames(test.frames() + std::llround(frames));
    test.set_job_seconds(test.job_seconds() + results_[i].test_seconds());
    return absl::OkStatus();
  }

  // So that no long training begins when the others end.
  std::vector<size_t> LongestFirst() const {
    std::vector<double> frames;
    for (const Row& row : rows_) {
      double& sum = frames.emplace_back(0);
      for (const Plan::Step& step : row.task.plan().steps()) {
        sum += step.epochs() * planner::FullFramesPerClip(step.state(), full_crop());
      }
      if (IsModel(row.role)) sum = 0;
    }
    std::vector<size_t> order(rows_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return frames[a] > frames[b]; });
    return order;
  }

  // The number of rows, or a few more.
  int rows() const {
    const RivalSettings& rivals = options_.settings.rivals();
    return static_cast<int>(found_.size()) + options_.settings.recipes_size() +
           rivals.clips_size() * rivals.rates_size() + !rivals.long_run().empty() +
           !rivals.multigrid().empty();
  }

  // The crop relative to which frames are counted.
  int full_crop() const { return options_.settings.transform().train_crop(); }

  Row MakeRow(const RecipeSettings& recipe, const Plan& plan, bool recipe_videos, bool held_out,
              RecipeResult::Role role) const {
    Row row;
    *row.task.mutable_recipe() = recipe;
    *row.task.mutable_plan() = plan;
    row.task.set_purpose(absl::StrCat("recipe.", recipe.name()));
    row.task.set_recipe_videos(recipe_videos);
    row.task.set_held_out(held_out);
    row.run = MakeRecipe(ContextOf(options_, data_, workers_->Threads(rows())), row.task);
    row.role = role;
    return row;
  }

  // Makes rows of the searches' own models, without training.
  absl::Status MakeModels() {
    if (options_.settings.search().method() == SearchSettings::METHOD_UNSPECIFIED) {
      return absl::OkStatus();
    }
    for (const Found& found : found_) {
      const RecipeSettings settings = ModelRecipe(
          options_.settings, found.model_role == RecipeResult::PLANNED_MODEL);
      Row row = MakeRow(settings, found.plan, /*recipe_videos=*/false, /*held_out=*/false,
                        found.model_role);
      row.search_frames = found.frames;
      RecipeResult facts = found.model.facts;
      for (const Plan::Step& step : found.plan.steps()) {
        facts.set_epochs(facts.epochs() + step.epochs());
        facts.set_frames(facts.frames() +
                         FramesOf(step.state(), step.epochs(), data_.search_train.size(), full_crop()));
      }
      OP3D_RETURN_IF_ERROR(row.run->Take(found.model.file, facts));
      rows_.push_back(std::move(row));
    }
    return absl::OkStatus();
  }

  absl::Status MakeRecipes(const Plan& plan) {
    const SearchSettings& search = options_.settings.search();
    for (RecipeSettings recipe : options_.settings.recipes()) {
      const bool planned_method = !options_.settings.has_plan() && SearchesPlanned(search);
      RecipeResult::Role role = RecipeResult::ROLE_UNSPECIFIED;
      int64_t search_frames = 0;
      if (recipe.planned()) {
        if (planned_method && !search.train_again()) continue;
        if (search.method() != SearchSettings::METHOD_UNSPECIFIED) {
          role = planned_method || found_.empty() ? RecipeResult::PLANNED_AGAIN
                                                  : RecipeResult::PUBLISHED_AGAIN;
          if (!found_.empty()) search_frames = found_.back().frames;
        }
      } else {
        if (search.method() != SearchSettings::METHOD_UNSPECIFIED) {
          role = RecipeResult::HAND_TUNED;
        }
        // Compared with a search at equal total frames.
        if (planned_method) {
          SetFrames(found_.back().frames_a_video, full_crop(), &recipe);
        }
      }
      OP3D_ASSIGN_OR_RETURN(const Plan recipe_plan, RecipePlan(recipe, plan, full_crop()));
      rows_.push_back(
          MakeRow(recipe, recipe_plan, /*recipe_videos=*/true, /*held_out=*/false, role));
      rows_.back().search_frames = search_frames;
    }
    return absl::OkStatus();
  }

  // Fixed schedules that share the frames of the run's own search, or get all of them at once.
  absl::Status MakeRivals() {
    const RivalSettings& rivals = options_.settings.rivals();
    if (found_.empty() || found_.back().model_role != RecipeResult::PLANNED_MODEL) {
      return absl::OkStatus();
    }
    const double frames = found_.back().frames_a_video;
    std::vector<std::pair<StateSettings, double>> fixed;
    const double share = frames / std::max(1, rivals.clips_size() * rivals.rates_size());
    for (const std::string& name : rivals.clips()) {
      OP3D_ASSIGN_OR_RETURN(const StateSettings clip,
                            FindClip(options_.settings.search(), name, "rivals.clips"));
      for (const double rate : rivals.rates()) {
        fixed.emplace_back(clip, share);
        fixed.back().first.set_learning_rate(clip.learning_rate() * rate);
      }
    }
    for (const auto& [state, budget] : fixed) {
      const std::string rate = absl::StrCat(state.learning_rate());
      OP3D_RETURN_IF_ERROR(MakeRival(absl::StrCat("fixed_", state.name(), "_", rate),
                                     absl::StrCat(state.name(), " at ", rate, ", linear to 0"),
                                     state, budget, RecipeResult::FIXED));
    }
    if (!rivals.long_run().empty()) {
      OP3D_ASSIGN_OR_RETURN(
          const StateSettings state,
          FindClip(options_.settings.search(), rivals.long_run(), "rivals.long_run"));
      OP3D_RETURN_IF_ERROR(MakeRival(
          "long_run",
          absl::StrCat("one long run: ", state.name(), " at ", state.learning_rate(), ", linear to 0"),
          state, frames, RecipeResult::LONG_RUN));
    }
    if (!rivals.multigrid().empty()) {
      OP3D_ASSIGN_OR_RETURN(
          const StateSettings state,
          FindClip(options_.settings.search(), rivals.multigrid(), "rivals.multigrid"));
      AddRival("multigrid",
               absl::StrCat("multigrid, long cycle: ", state.name(), " at ", state.learning_rate()),
               MultigridPlan(state, frames, full_crop(),
                             static_cast<int64_t>(data_.search_train.size())),
               RecipeResult::MULTIGRID);
    }
    return absl::OkStatus();
  }

  // One state whose rate falls linearly to 0.
  absl::Status MakeRival(const std::string& name, const std::string& title,
                         const StateSettings& state, double frames, RecipeResult::Role role) {
    RecipeSettings recipe;
    *recipe.mutable_fixed()->mutable_state() = state;
    recipe.mutable_fixed()->set_frames(frames);
    OP3D_ASSIGN_OR_RETURN(Plan plan, RecipePlan(recipe, Plan(), full_crop()));
    Plan::Step& step = *plan.mutable_steps(0);
    // With three epochs or fewer there is no warm-up.
    step.mutable_state()->mutable_schedule()->mutable_linear()->set_warmup_epochs(
        step.epochs() > 3 ? 1 : 0);
    AddRival(name, title, plan, role);
    return absl::OkStatus();
  }

  void AddRival(const std::string& name, const std::string& title, const Plan& plan,
                RecipeResult::Role role) {
    RecipeSettings recipe;
    recipe.set_name(name);
    recipe.set_title(title);
    const int clips = options_.settings.rivals().test_clips();
    recipe.set_test_clips(clips > 0 ? clips : kTestClips);
    rows_.push_back(MakeRow(recipe, plan, /*recipe_videos=*/false, /*held_out=*/true, role));
  }

  absl::Status Train(int worker, size_t i, Progress* progress) {
    RecipeRun& run = *rows_[i].run;
    int seen = 0;
    if (!IsModel(rows_[i].role)) {
      OP3D_RETURN_IF_ERROR(
          workers_->Train(worker, rows_[i].task, &run, [&](int done, int total, double loss) {
            // 0: an earlier process has trained it.
            if (loss > 0) {
              progress->Add(done - seen);
            } else {
              progress->AddEarlier(done - seen);
            }
            if (done > seen) {
              if (loss > 0) curves_->Add(CurveName(run.recipe()), {done, {{"recipes/loss", loss}}});
              folder_->Log("recipe_epoch", {{"recipe", run.recipe().name()},
                                            {"epoch", done},
                                            {"of", total},
                                            {"loss", loss}});
            }
            seen = done;
          }));
    }
    if (rows_[i].role != RecipeResult::FIXED) {
      queue_.Add([this, i](int other) { return Test(other, i, {}); });
      return absl::OkStatus();
    }
    // Of the fixed schedules only the best on held-out videos is tested.
    absl::MutexLock lock(&mutex_);
    if (--fixed_left_ > 0) return absl::OkStatus();
    size_t best = 0;
    RecipeResult choice;
    double highest = -1;
    for (size_t k = 0; k < rows_.size(); ++k) {
      if (rows_[k].role != RecipeResult::FIXED) continue;
      OP3D_ASSIGN_OR_RETURN(const RecipeResult trained, rows_[k].run->Trained());
      RecipeResult::Candidate& candidate = *choice.add_candidates();
      candidate.set_title(trained.title());
      candidate.set_plan(results::FormatPlan(trained.plan()));
      candidate.set_frames(trained.frames());
      candidate.set_held_out(trained.held_out());
      choice.set_total_frames(choice.total_frames() + trained.frames());
      if (trained.held_out() <= highest) continue;
      highest = trained.held_out();
      best = k;
    }
    for (RecipeResult::Candidate& candidate : *choice.mutable_candidates()) {
      candidate.set_chosen(candidate.title() == rows_[best].run->recipe().title());
    }
    choice.set_role(RecipeResult::BEST_FIXED);
    choice.set_title(absl::StrCat("best of ", choice.candidates_size(), " fixed schedules: ",
                                  rows_[best].run->recipe().title()));
    queue_.Add([this, best, choice](int other) { return Test(other, best, choice); });
    return absl::OkStatus();
  }

  // `over`: fields that replace the row's training results.
  absl::Status Test(int worker, size_t i, const RecipeResult& over) {
    OP3D_ASSIGN_OR_RETURN(results_[i], workers_->Test(worker, rows_[i].task, rows_[i].run.get(),
                                                      data_, workers_->Threads(rows())));
    RecipeResult& result = results_[i];
    result.set_role(rows_[i].role);
    if (rows_[i].search_frames > 0) {
      result.set_total_frames(rows_[i].search_frames +
                              (IsModel(rows_[i].role) ? 0 : result.frames()));
    }
    result.MergeFrom(over);
    std::vector<CurveFiles::Point> points;
    for (const double loss : result.losses()) {
      points.push_back({static_cast<int64_t>(points.size()) + 1, {{"recipes/loss", loss}}});
    }
    curves_->Complete(CurveName(rows_[i].run->recipe()), points);
    Progress::Print(absl::StrFormat("%-56s top-1 %.1f %%  (%d videos, %d clips x %d crops)",
                                    result.title(), 100 * result.test().top1(),
                                    result.test().videos(), result.test().clips(),
                                    result.test().crops()));
    for (const std::string& warning : result.warnings()) {
      Progress::Print(absl::StrCat(result.title(), ": ", warning));
    }
    return absl::OkStatus();
  }

  const BenchmarkOptions& options_;
  const BenchmarkData& data_;
  const std::vector<Found>& found_;
  Workers* const workers_;
  RunFolder* const folder_;
  CurveFiles* const curves_;
  TaskQueue queue_;
  std::vector<Row> rows_;
  std::vector<RecipeResult> results_;
  absl::Mutex mutex_;
  int fixed_left_ = 0;
};

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
        return workers->Train(worker, task, &run, [&](int done, int total, double loss) {
          progress.Add(done - seen);
          if (done > seen) {
            if (loss > 0) curves->Add(CurveName(run.recipe()), {done, {{"recipes/loss", loss}}});
            folder->Log(
                "path_epoch",
                {{"path", run.recipe().name()}, {"epoch", done}, {"of", total}, {"loss", loss}});
          }
          seen = done;
        });
      });
    }
    OP3D_RETURN_IF_ERROR(
        queue.Run(workers->AtOnce(paths), [workers](int worker) { workers->Close(worker); }));
  }
  RecipeResult& facts = found->model.facts;
  facts.set_model("the best of the search's paths, trained at full size");
  size_t best = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    OP3D_ASSIGN_OR_RETURN(const RecipeResult trained, runs[i]->Trained());
    *seconds += runs[i]->seconds();
    found->frames += trained.frames();
    for (const Plan::Step& step : plans[i].steps()) {
      found->frames_a_video += step.epochs() * planner::FullFramesPerClip(step.state(), full_crop);
    }
    RecipeResult::Candidate& candidate = *facts.add_candidates();
    candidate.set_title(absl::StrCat(
        trained.title(), ", ", results::FormatPercent(plans[i].value()), " % in the small search"));
    candidate.set_plan(results::FormatPlan(plans[i]));
    candidate.set_frames(trained.frames());
    candidate.set_held_out(trained.held_out());
    if (i > 0 && trained.held_out() <= facts.candidates(static_cast<int>(best)).held_out()) continue;
    best = i;
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
      LoadBenchmarkData(options.settings, options.dataset_root, options.threads, index));
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
      LoadBenchmarkData(options.settings, options.dataset_root, options.threads, index));
  HashMedia(&data);
  *record.mutable_dataset() = data.report;
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
  Workers workers(options, jobs);
  RemoveChildrenTime(options.output_dir);
  OP3D_ASSIGN_OR_RETURN(
      const std::vector<Found> found,
      FindPlans(options, data, jobs, &workers, folder.get(), &curves, &record, &seconds));
  const Plan plan = found.empty() ? options.settings.plan() : found.back().plan;
  *record.mutable_plan() = plan;
  OP3D_RETURN_IF_ERROR(planner::WritePlan(folder->Path("plan.textproto"), plan));
  Progress::Print(absl::StrCat("plan: ", plan.pool(), " ", results::FormatPlan(plan)));
  Rows rows(options, data, found, &workers, folder.get(), &curves);
  OP3D_ASSIGN_OR_RETURN(const ActivitySeconds recipe_seconds, rows.Run(plan, &record));
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
