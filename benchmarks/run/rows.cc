#include "benchmarks/run/rows.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "benchmarks/parts/recipe.h"
#include "benchmarks/parts/search_run.h"
#include "benchmarks/settings/settings_resolution.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/training_failure.h"
#include "planner/graphs/transition_graph.h"
#include "results/record/format.h"

namespace op3d::benchmarks {
namespace {

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
  Rows(const RunContext& context, const std::vector<Found>& found, Workers* workers,
       RunFolder* folder, CurveFiles* curves)
      : context_(context),
        settings_(*context.settings),
        data_(*context.data),
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
      OP3D_ASSIGN_OR_RETURN(const std::string failure, rows_[i].run->Failure());
      if (!failure.empty()) {
        record->add_notes(absl::StrCat("no row of ", rows_[i].run->recipe().title(),
                                       ": its training failed: ", failure, "."));
        continue;
      }
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
    const TransformSettings& transform = settings_.transform();
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
    const RivalSettings& rivals = settings_.rivals();
    return static_cast<int>(found_.size()) + settings_.recipes_size() +
           rivals.clips_size() * rivals.rates_size() + !rivals.long_run().empty() +
           !rivals.multigrid().empty();
  }

  // The crop relative to which frames are counted.
  int full_crop() const { return settings_.transform().train_crop(); }

  Row MakeRow(const RecipeSettings& recipe, const Plan& plan, bool recipe_videos, bool held_out,
              RecipeResult::Role role) const {
    Row row;
    *row.task.mutable_recipe() = recipe;
    *row.task.mutable_plan() = plan;
    row.task.set_purpose(absl::StrCat("recipe.", recipe.name()));
    row.task.set_recipe_videos(recipe_videos);
    row.task.set_held_out(held_out);
    RunContext context = context_;
    context.threads = workers_->Threads(rows());
    row.run = MakeRecipe(context, row.task);
    row.role = role;
    return row;
  }

  // Makes rows of the searches' own models, without training.
  absl::Status MakeModels() {
    if (settings_.search().method() == SearchSettings::METHOD_UNSPECIFIED) {
      return absl::OkStatus();
    }
    for (const Found& found : found_) {
      const RecipeSettings settings =
          ModelRecipe(settings_, found.model_role == RecipeResult::PLANNED_MODEL);
      Row row = MakeRow(settings, found.plan, /*recipe_videos=*/false, /*held_out=*/false,
                        found.model_role);
      row.search_frames = found.frames;
      RecipeResult facts = found.model.facts;
      for (const Plan::Step& step : found.plan.steps()) {
        facts.set_epochs(facts.epochs() + step.epochs());
        facts.set_frames(facts.frames() + FramesOf(step.state(), step.epochs(),
                                                   data_.search_train.size(), full_crop()));
      }
      OP3D_RETURN_IF_ERROR(row.run->Take(found.model.file, facts));
      rows_.push_back(std::move(row));
    }
    return absl::OkStatus();
  }

  absl::Status MakeRecipes(const Plan& plan) {
    const SearchSettings& search = settings_.search();
    for (RecipeSettings recipe : settings_.recipes()) {
      const bool planned_method = !settings_.has_plan() && SearchesPlanned(search);
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
    const RivalSettings& rivals = settings_.rivals();
    if (found_.empty() || found_.back().model_role != RecipeResult::PLANNED_MODEL) {
      return absl::OkStatus();
    }
    const double frames = found_.back().frames_a_video;
    const double share = frames / std::max(1, rivals.clips_size() * rivals.rates_size());
    for (const std::string& name : rivals.clips()) {
      OP3D_ASSIGN_OR_RETURN(const StateSettings clip,
                            FindClip(settings_.search(), name, "rivals.clips"));
      for (const double rate : rivals.rates()) {
        StateSettings state = clip;
        state.set_learning_rate(clip.learning_rate() * rate);
        OP3D_RETURN_IF_ERROR(
            MakeRival(FixedRowName(clip, rate),
                      absl::StrCat(state.name(), " at ", state.learning_rate(), ", linear to 0"),
                      state, share, RecipeResult::FIXED));
      }
    }
    if (!rivals.long_run().empty()) {
      OP3D_ASSIGN_OR_RETURN(const StateSettings state,
                            FindClip(settings_.search(), rivals.long_run(), "rivals.long_run"));
      OP3D_RETURN_IF_ERROR(MakeRival("long_run",
                                     absl::StrCat("one long run: ", state.name(), " at ",
                                                  state.learning_rate(), ", linear to 0"),
                                     state, frames, RecipeResult::LONG_RUN));
    }
    if (!rivals.multigrid().empty()) {
      OP3D_ASSIGN_OR_RETURN(const StateSettings state,
                            FindClip(settings_.search(), rivals.multigrid(), "rivals.multigrid"));
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
    const int clips = settings_.rivals().test_clips();
    recipe.set_test_clips(clips > 0 ? clips : kTestClips);
    rows_.push_back(MakeRow(recipe, plan, /*recipe_videos=*/false, /*held_out=*/true, role));
  }

  absl::Status Train(int worker, size_t i, Progress* progress) {
    RecipeRun& run = *rows_[i].run;
    int seen = 0;
    bool failed = false;
    if (!IsModel(rows_[i].role)) {
      const absl::Status status =
          workers_->Train(worker, rows_[i].task, &run, [&](int done, int total, double loss) {
            // 0: an earlier process has trained it.
            if (loss > 0) {
              progress->Add(done - seen);
            } else {
              progress->AddEarlier(done - seen);
            }
            if (done > seen) {
              if (loss > 0)
                curves_->Add(RecipeCurve(run.recipe()), {done, {{"recipes/loss", loss}}});
              folder_->Log("recipe_epoch", {{"recipe", run.recipe().name()},
                                            {"epoch", done},
                                            {"of", total},
                                            {"loss", loss}});
            }
            seen = done;
          });
      // It would fail again, and the other rows do not need it.
      if (const auto failure = TrainingFailureOf(status)) {
        failed = true;
        Progress::Print(absl::StrCat(run.recipe().title(), ": failed, left out: ", *failure));
        folder_->Log("recipe_failed", {{"recipe", run.recipe().name()}, {"reason", *failure}});
      } else {
        OP3D_RETURN_IF_ERROR(status);
      }
    }
    if (rows_[i].role != RecipeResult::FIXED) {
      if (!failed) queue_.Add([this, i](int other) { return Test(other, i, {}); });
      return absl::OkStatus();
    }
    // Of the fixed schedules only the best on held-out videos is tested.
    absl::MutexLock lock(&mutex_);
    if (--fixed_left_ > 0) return absl::OkStatus();
    size_t best = rows_.size();
    RecipeResult choice;
    double highest = 0;
    for (size_t k = 0; k < rows_.size(); ++k) {
      if (rows_[k].role != RecipeResult::FIXED) continue;
      RecipeResult::Candidate& candidate = *choice.add_candidates();
      OP3D_ASSIGN_OR_RETURN(candidate, rows_[k].run->AsCandidate());
      choice.set_total_frames(choice.total_frames() + candidate.frames());
      const bool better = best == rows_.size() || candidate.held_out() > highest;
      if (!candidate.failure().empty() || !better) continue;
      highest = candidate.held_out();
      best = k;
    }
    if (best == rows_.size()) return absl::OkStatus();  // all failed
    for (RecipeResult::Candidate& candidate : *choice.mutable_candidates()) {
      candidate.set_chosen(candidate.title() == rows_[best].run->recipe().title());
    }
    choice.set_role(RecipeResult::BEST_FIXED);
    choice.set_title(absl::StrCat("best of ", choice.candidates_size(),
                                  " fixed schedules: ", rows_[best].run->recipe().title()));
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
    curves_->Complete(RecipeCurve(rows_[i].run->recipe()), points);
    Progress::Print(absl::StrFormat("%-56s top-1 %.1f %%  (%d videos, %d clips x %d crops)",
                                    result.title(), 100 * result.test().top1(),
                                    result.test().videos(), result.test().clips(),
                                    result.test().crops()));
    for (const std::string& warning : result.warnings()) {
      Progress::Print(absl::StrCat(result.title(), ": ", warning));
    }
    return absl::OkStatus();
  }

  const RunContext& context_;
  const BenchmarkSettings& settings_;
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

}  // namespace

std::string RecipeCurve(const RecipeSettings& recipe) {
  return absl::StrCat("recipes/", recipe.name());
}

absl::StatusOr<ActivitySeconds> TrainAndTestRows(const RunContext& context,
                                                 const std::vector<Found>& found, const Plan& plan,
                                                 Workers* workers, RunFolder* folder,
                                                 CurveFiles* curves, RunRecord* record) {
  return Rows(context, found, workers, folder, curves).Run(plan, record);
}

}  // namespace op3d::benchmarks
