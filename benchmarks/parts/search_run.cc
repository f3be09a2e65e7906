#include "benchmarks/parts/search_run.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "benchmarks/parts/recipe.h"
#include "op3d/base/file.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "op3d/base/thread/interrupt.h"
#include "op3d/base/thread/parallel.h"
#include "op3d/base/training_failure.h"
#include "planner/graphs/transition_graph.h"
#include "planner/graphs/wide_graph.h"
#include "planner/runner/training_runner.h"
#include "planner/search/search.h"
#include "planner/search/search_bar.h"
#include "results/record/format.h"

namespace op3d::benchmarks {
namespace {

std::string CurveName(const std::string& pool, const planner::SearchEvent& event) {
  return absl::StrCat("search/", pool, "/", event.task->name());
}

CurveFiles::Point ToPoint(const CurvePoint& point) {
  CurveFiles::Point result;
  result.step = point.epoch();
  if (point.unmeasured()) {
    if (point.epoch() > 0) result.scalars = {{"search/loss", point.loss()}};
    return result;
  }
  result.scalars = {{"search/performance", point.performance()},
                    {"search/top1", point.top1()},
                    {"search/top3", point.top3()},
                    {"search/top5", point.top5()}};
  if (point.epoch() > 0) result.scalars.emplace_back("search/loss", point.loss());
  return result;
}

std::vector<CurveFiles::Point> ToPoints(const EdgeOutcome& outcome) {
  std::vector<CurveFiles::Point> points;
  for (const CurvePoint& point : outcome.curve()) {
    if (point.epoch() > 0 || !point.unmeasured()) points.push_back(ToPoint(point));
  }
  return points;
}

// Shows the events of all pools: in the bar, in the log and as curves.
class Watcher {
 public:
  Watcher(int pools, planner::SearchBar* bar, RunFolder* folder, CurveFiles* curves)
      : bar_(bar), folder_(folder), curves_(curves), fit_seconds_(pools, 0) {}

  void Observe(int pool, const std::string& name, const planner::SearchEvent& event) {
    absl::MutexLock lock(&mutex_);
    bar_->Count(pool, event);
    fit_seconds_[pool] = event.fit_seconds;
    switch (event.kind) {
      case planner::SearchEvent::kStarted:
        if (event.epochs_trained > 0) {
          Progress::Print(
              absl::StrFormat("%s: resumed after %d epochs", name, event.epochs_trained));
        }
        break;
      case planner::SearchEvent::kEdgeStarted:
        break;
      case planner::SearchEvent::kEpochDone:
        if (event.point->epoch() > 0 || !event.point->unmeasured()) {
          curves_->Add(CurveName(name, event), ToPoint(*event.point));
        }
        folder_->Log("search_epoch", {{"pool", name},
                                      {"edge", event.task->name()},
                                      {"epoch", event.point->epoch()},
                                      {"performance", event.point->performance()},
                                      {"loss", event.point->loss()},
                                      {"train_seconds", event.point->train_seconds()},
                                      {"evaluation_seconds", event.point->evaluation_seconds()}});
        break;
      case planner::SearchEvent::kEdgeFinished:
        curves_->Complete(CurveName(name, event), ToPoints(*event.outcome));
        if (event.outcome->ending() == EdgeOutcome::FAILED) {
          Failed(name, event);
          break;
        }
        Progress::Print(absl::StrFormat(
            "%s %-8s %-22s %2d of %2d epochs kept, score %5.1f %%%s", name, event.task->name(),
            absl::StrCat(results::FormatClip(event.task->state()), ", lr ",
                         results::FormatNumber(event.task->state().learning_rate())),
            event.outcome->epochs(), event.outcome->curve_size() - 1, 100 * event.outcome->score(),
            event.outcome->ending() == EdgeOutcome::BOUND ? "  (stopped at the bound)" : ""));
        folder_->Log("search_edge", {{"pool", name},
                                     {"edge", event.task->name()},
                                     {"epochs", event.outcome->epochs()},
                                     {"score", event.outcome->score()}});
        break;
    }
  }

  double fit_seconds() {
    absl::MutexLock lock(&mutex_);
    return std::accumulate(fit_seconds_.begin(), fit_seconds_.end(), 0.0);
  }

 private:
  void Failed(const std::string& pool, const planner::SearchEvent& event)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::string edge = event.task->name();
    Progress::Print(absl::StrCat(pool, " ", edge, ": failed: ", event.outcome->failure()));
    for (const std::string& state : event.unreached) {
      Progress::Print(absl::StrCat(pool, " ", state));
    }
    folder_->Log("search_edge_failed", {{"pool", pool},
                                        {"edge", edge},
                                        {"failure", event.outcome->failure()},
                                        {"unreached", event.unreached}});
  }

  planner::SearchBar* const bar_;
  RunFolder* const folder_;
  CurveFiles* const curves_;
  absl::Mutex mutex_;
  // By pool.
  std::vector<double> fit_seconds_ ABSL_GUARDED_BY(mutex_);
};

// The settings that decide how a state is trained, for the journal's header.
std::vector<std::string> JournalSettings(const BenchmarkSettings& settings,
                                         const BenchmarkData& data, const TrainingJob& job) {
  std::vector<std::string> lines = {
      absl::StrCat("seed: ", settings.seed()),
      absl::StrCat("initial_weights: ", job.initial_weights),
      absl::StrFormat("trained_on: %d videos %08x", job.videos->size(),
                      data::VideoListCrc32(*job.videos)),
      absl::StrFormat("measured_on: %d videos %08x", data.search_measured.size(),
                      data::VideoListCrc32(data.search_measured))};
  for (const auto& [name, message] :
       std::vector<std::pair<std::string, const google::protobuf::Message*>>{
           {"transform", &settings.transform()},
           {"network", &settings.network()},
           {"sgd", &settings.sgd()},
           {"training", &settings.training()},
           {"score", &job.score}}) {
    for (const absl::string_view line :
         absl::StrSplit(PrintTextproto(*message), '\n', absl::SkipEmpty())) {
      lines.push_back(absl::StrCat(name, ".", line));
    }
  }
  return lines;
}

}  // namespace

absl::StatusOr<SearchPlan> PublishedSearch(const SearchSettings& settings) {
  if (settings.pools().empty()) {
    return absl::InvalidArgumentError(
        "the published method has nothing to search: settings.search has no pools; add one, or "
        "give a plan with --plan");
  }
  SearchPlan plan;
  plan.graphs.assign(settings.pools().begin(), settings.pools().end());
  plan.kept_epochs = KeptEpochs(settings.rule());
  return plan;
}

absl::StatusOr<SearchPlan> PlannedSearch(const SearchSettings& settings) {
  if (!settings.has_wide()) {
    return absl::InvalidArgumentError(
        "the planned method has nothing to search: settings.search has no wide graph; add one, "
        "choose --method=published, or give a plan with --plan");
  }
  SearchPlan plan;
  OP3D_ASSIGN_OR_RETURN(TransitionGraph graph, planner::MakeWideGraph(settings.wide()));
  plan.graphs.push_back(std::move(graph));
  plan.score = settings.score();
  plan.kept_epochs = std::max(1, settings.score().merged_epochs());
  return plan;
}

std::string JournalFolder(const std::string& run_folder, const std::string& pool) {
  return JoinPath(run_folder, absl::StrCat("journal/", pool));
}

TrainingJob SearchJob(const SearchPlan& plan, const std::string& pool, const BenchmarkData& data,
                      TrainingJob job) {
  job.videos = plan.videos.empty() ? &data.search_train : &plan.videos;
  job.score = plan.score;
  job.purpose = absl::StrCat("search.", pool);
  return job;
}

absl::StatusOr<SearchRun> RunSearch(const SearchPlan& plan, const BenchmarkSettings& settings,
                                    const BenchmarkData& data, TrainingJob job, int threads,
                                    const SearchChildren& children, RunFolder* folder,
                                    CurveFiles* curves) {
  const int pools = static_cast<int>(plan.graphs.size());
  const int most = children.count > 0 ? children.count : threads;
  const int jobs = std::max(1, std::min(most, pools));
  job.loader_threads = std::max(0, threads / (jobs * std::max(1, threads / jobs)) - 1);
  const std::vector<std::string> journal_settings =
      JournalSettings(settings, data, SearchJob(plan, "", data, job));

  // With --method=both the rule is the published search's; a graph with rounds races by itself.
  StoppingRule rule = settings.search().rule();
  for (const TransitionGraph& graph : plan.graphs) {
    if (!graph.rounds().empty()) rule.clear_race();
  }

  std::vector<absl::StatusOr<SearchOutcome>> outcomes(pools, absl::CancelledError("not begun"));
  std::vector<ActivitySeconds> seconds(pools);
  std::atomic<int> next{0};
  std::atomic<bool> failed{false};
  SearchRun run;
  {
    std::vector<const TransitionGraph*> graphs;
    for (const TransitionGraph& graph : plan.graphs) graphs.push_back(&graph);
    OP3D_ASSIGN_OR_RETURN(const auto bar, planner::SearchBar::Make(graphs, rule));
    Watcher watcher(pools, bar.get(), folder, curves);
    const auto work = [&](int64_t worker) {
      // With more children or threads than pools they are divided.
      const int first = static_cast<int>(most * worker / jobs);
      const int runners = static_cast<int>(most * (worker + 1) / jobs) - first;
      for (int pool = next++; pool < pools && !failed; pool = next++) {
        const TransitionGraph& graph = plan.graphs[pool];
        std::vector<std::unique_ptr<planner::TrainingRunner>> trainers;
        std::vector<std::unique_ptr<planner::ChildRunner>> remote;
        std::vector<planner::StateRunner*> pointers;
        for (int i = first; i < first + runners; ++i) {
          if (children.count > 0) {
            remote.push_back(
                std::make_unique<planner::ChildRunner>(children.options(graph.pool(), i)));
            pointers.push_back(remote.back().get());
            continue;
          }
          trainers.push_back(std::make_unique<planner::TrainingRunner>(
              SearchJob(plan, graph.pool(), data, job), &data.search_measured, plan.kept_epochs));
          pointers.push_back(trainers.back().get());
        }
        planner::SearchOptions options;
        options.folder = JournalFolder(folder->path(), graph.pool());
        options.settings = journal_settings;
        options.observer = [&watcher, &graph, pool](const planner::SearchEvent& event) {
          watcher.Observe(pool, graph.pool(), event);
        };
        outcomes[pool] = planner::Search(graph, rule, pointers, options);
        for (const auto& trainer : trainers) seconds[pool] += trainer->seconds();
        // A pool without a plan does not end the others' search.
        if (!outcomes[pool].ok() && !TrainingFailureOf(outcomes[pool].status())) failed = true;
      }
    };
    OnThreads(jobs, work);
    run.fit_seconds = watcher.fit_seconds();
  }
  OP3D_RETURN_IF_ERROR(CheckInterrupt());
  // Return the first real error; a pool that was not started only reports that.
  for (const auto& outcome : outcomes) {
    const absl::Status& status = outcome.status();
    if (!status.ok() && !absl::IsCancelled(status) && !TrainingFailureOf(status)) return status;
  }
  absl::Status no_plan;
  for (int pool = 0; pool < pools; ++pool) {
    run.seconds += seconds[pool];
    if (TrainingFailureOf(outcomes[pool].status())) {
      no_plan.Update(Annotate(outcomes[pool].status(), plan.graphs[pool].pool()));
      Progress::Print(absl::StrCat("warning: ", plan.graphs[pool].pool(), ": ",
                                   outcomes[pool].status().message()));
      continue;
    }
    OP3D_RETURN_IF_ERROR(outcomes[pool].status());
    run.outcomes.push_back(*std::move(outcomes[pool]));
  }
  if (run.outcomes.empty() && !no_plan.ok()) return no_plan;
  return run;
}

int KeptEpochs(const StoppingRule& rule) { return rule.attempt_epochs() + 1; }

namespace {

// The sum of `frames` over all trained edges, called with a state and its epochs.
template <typename Frames>
double SumOverEdges(const std::vector<SearchOutcome>& outcomes, const Frames& frames) {
  double sum = 0;
  for (const SearchOutcome& outcome : outcomes) {
    std::map<std::string, const StateSettings*> states;
    for (const StateSettings& state : outcome.graph().states()) states[state.name()] = &state;
    for (const EdgeOutcome& edge : outcome.edges()) {
      sum += frames(*states.at(edge.to()), std::max(0, edge.curve_size() - 1));
    }
  }
  return sum;
}

}  // namespace

int64_t FramesOfSearch(const std::vector<SearchOutcome>& outcomes, size_t videos, int full_crop) {
  return std::llround(SumOverEdges(outcomes, [=](const StateSettings& state, int epochs) {
    return static_cast<double>(FramesOf(state, epochs, videos, full_crop));
  }));
}

double FramesAVideo(const std::vector<SearchOutcome>& outcomes, int full_crop) {
  return SumOverEdges(outcomes, [=](const StateSettings& state, int epochs) {
    return epochs * planner::FullFramesPerClip(state, full_crop);
  });
}

const Plan& BestPlan(const std::vector<SearchOutcome>& outcomes) {
  return std::max_element(outcomes.begin(), outcomes.end(),
                          [](const SearchOutcome& a, const SearchOutcome& b) {
                            return a.plan().value() < b.plan().value();
                          })
      ->plan();
}

}  // namespace op3d::benchmarks
