#include "planner/search/search.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"
#include "op3d/base/thread/parallel.h"
#include "op3d/base/training_failure.h"
#include "planner/knee/knee_interval.h"
#include "planner/search/journal.h"
#include "planner/search/search_progress.h"

namespace op3d::planner {
namespace {

constexpr int kJournalVersion = 1;

// A search in one process: the journal on disk, the progress computed from it, and the runners.
class Searcher {
 public:
  Searcher(SearchProgress progress, absl::Span<StateRunner* const> runners,
           const SearchOptions& options)
      : progress_(std::move(progress)), runners_(runners), options_(options) {
    taken_.resize(progress_.index().edges.size());
  }

  absl::StatusOr<SearchOutcome> Run() {
    OP3D_RETURN_IF_ERROR(OpenJournal());
    // A killed process may have left some.
    OP3D_RETURN_IF_ERROR(DropWeights());
    Tell(SearchEvent::kStarted, nullptr, nullptr, nullptr);
    const int threads = static_cast<int>(runners_.size());
    OP3D_RETURN_IF_ERROR(
        InParallel(threads, threads, [this](int64_t i) { return Work(runners_[i]); }));
    return progress_.Outcome();
  }

 private:
  absl::Status OpenJournal() {
    OP3D_RETURN_IF_ERROR(MakeFolders(options_.folder));
    JournalHeader header;
    header.set_version(kJournalVersion);
    *header.mutable_graph() = progress_.graph();
    *header.mutable_rule() = progress_.rule();
    header.mutable_settings()->Assign(options_.settings.begin(), options_.settings.end());
    const std::string path = JoinPath(options_.folder, kJournalFile);
    OP3D_ASSIGN_OR_RETURN(journal_, Journal::Open(path, header));
    for (size_t i = 0; i < journal_->entries().size(); ++i) {
      OP3D_RETURN_IF_ERROR(
          Annotate(progress_.Apply(journal_->entries()[i]), absl::StrCat(path, ": line ", i + 2)));
    }
    JournalEntry entry;
    entry.mutable_opened()->set_process(::getpid());
    entry.mutable_opened()->set_time(
        absl::FormatTime(absl::RFC3339_sec, absl::Now(), absl::UTCTimeZone()));
    return Record(entry);
  }

  // One runner's thread: trains edge after edge until none is left for it.
  absl::Status Work(StateRunner* runner) {
    for (;;) {
      EdgeTask task;
      {
        absl::MutexLock lock(&mutex_);
        mutex_.Await(absl::Condition(this, &Searcher::WorkOrEnd));
        const int edge = FreeEdge();
        if (Ended() || edge == kNoEdge) return absl::OkStatus();
        taken_[edge] = true;
        task = MakeTask(edge);
      }
      absl::Status done = RunEdge(runner, task);
      if (done.ok()) continue;
      absl::MutexLock lock(&mutex_);
      // Later errors that are caused by the first one must not replace it.
      if (failed_) return absl::OkStatus();
      failed_ = true;
      return done;
    }
  }

  // An edge that can be started; kNoEdge if there is none.
  int FreeEdge() const {
    for (int edge : progress_.index().training_order) {
      if (!taken_[edge] && progress_.Ready(edge)) return edge;
    }
    return kNoEdge;
  }

  bool AllTaken() const {
    const auto& order = progress_.index().training_order;
    return std::all_of(order.begin(), order.end(), [this](int edge) {
      return taken_[edge] || progress_.outcomes()[edge].has_value() || progress_.dropped(edge);
    });
  }

  // Whether an error has occurred, or no plan is possible.
  bool Ended() const { return failed_ || progress_.hopeless(); }

  bool WorkOrEnd() const { return Ended() || FreeEdge() != kNoEdge || AllTaken(); }

  // Stored on disk first, then in memory.
  absl::Status Record(const JournalEntry& entry) {
    OP3D_RETURN_IF_ERROR(journal_->Append(entry));
    return progress_.Apply(entry);
  }

  std::string FolderOf(int edge) const {
    return JoinPath(options_.folder, EdgeName(progress_.graph().transitions(edge)));
  }

  EdgeTask MakeTask(int edge) const {
    const GraphIndex::Edge& ends = progress_.index().edges[edge];
    const int source = KeptEdge(progress_.index(), progress_.scores(), ends.from);
    EdgeTask task;
    const Transition& transition = progress_.graph().transitions(edge);
    task.set_name(EdgeName(transition));
    *task.mutable_state() = progress_.graph().states(ends.to - 1);
    task.set_epochs(transition.epochs());
    if (source != kNoEdge) task.set_source(FolderOf(source));
    task.set_folder(FolderOf(edge));
    task.set_index(edge);
    task.set_from_initial(ends.from == 0);
    return task;
  }

  absl::Status RunEdge(StateRunner* runner, const EdgeTask& task) {
    int epoch = 0;
    StoppingDecision decision;
    std::string failure;
    {
      absl::MutexLock lock(&mutex_);
      Tell(SearchEvent::kEdgeStarted, &task, nullptr, nullptr);
    }
    for (;;) {
      {
        absl::MutexLock lock(&mutex_);
        if (failed_) return absl::CancelledError("another edge ended the search");
        if (progress_.hopeless()) return absl::OkStatus();
        epoch = static_cast<int>(progress_.curve(task.index()).size());
        if (epoch > 0) {
          failure = progress_.Collapse(task.index());
          if (!failure.empty()) break;
          OP3D_ASSIGN_OR_RETURN(decision, Decide(task));
          if (decision.stop) break;
        }
      }
      OP3D_RETURN_IF_ERROR(CheckInterrupt());
      OP3D_ASSIGN_OR_RETURN(failure, RunEpoch(runner, task, epoch));
      if (!failure.empty()) break;
    }
    return failure.empty() ? FinishEdge(runner, task, decision) : FailEdge(runner, task, failure);
  }

  absl::StatusOr<StoppingDecision> Decide(const EdgeTask& task) {
    const absl::Time start = absl::Now();
    absl::StatusOr<StoppingDecision> decision = progress_.Decide(task.index());
    fit_seconds_ += absl::ToDoubleSeconds(absl::Now() - start);
    if (decision.ok()) return decision;
    return Annotate(decision.status(), task.name());
  }

  // Epoch 0 is the measurement before training.  Returns why the edge has failed; "" = it has not.
  absl::StatusOr<std::string> RunEpoch(StateRunner* runner, const EdgeTask& task, int epoch) {
    const std::string where = absl::StrCat(task.name(), ", epoch ", epoch);
    absl::StatusOr<CurvePoint> point = CurvePoint();
    if (epoch > 0) {
      point = runner->TrainEpoch(task, epoch);
    } else if (task.epochs() > 0) {
      // With a fixed length point 0 is not used: the source's value replaces it.
      absl::MutexLock lock(&mutex_);
      const int winner =
          WinningEdge(progress_.index(), progress_.scores(),
                      progress_.index().edges[task.index()].from);
      if (winner != kNoEdge) point->set_performance(progress_.scores()[winner]->score);
      point->set_unmeasured(true);
    } else if (!task.from_initial()) {
      point = runner->Measure(task);
    }
    if (const auto failure = TrainingFailureOf(point.status()); failure) {
      return absl::StrCat("epoch ", epoch, ": ", *failure);
    }
    if (!point.ok()) return Annotate(point.status(), where);
    if (point->epoch() != epoch) {
      return absl::InternalError(
          absl::StrCat(where, ": the runner gave a point of epoch ", point->epoch()));
    }
    if (!std::isfinite(point->performance())) {
      return absl::StrCat("epoch ", epoch, ": the performance is ", point->performance(),
                          ", not a finite number: training has diverged; lower the state's "
                          "learning rate");
    }
    if (point->performance() < 0) {
      return absl::StrCat("epoch ", epoch, ": the performance is ", point->performance(),
                          ", but a performance must be at least 0");
    }
    JournalEntry entry;
    entry.mutable_point()->set_edge(task.name());
    *entry.mutable_point()->mutable_point() = *point;
    const double chance = runner->Chance();
    if (chance > 0 && chance < 1) entry.mutable_point()->set_chance(chance);
    absl::MutexLock lock(&mutex_);
    OP3D_RETURN_IF_ERROR(Record(entry));
    Tell(SearchEvent::kEpochDone, &task, &*point, nullptr);
    return "";
  }

  absl::Status FailEdge(StateRunner* runner, const EdgeTask& task, const std::string& failure) {
    OP3D_RETURN_IF_ERROR(Annotate(runner->Abandon(task), task.name()));
    JournalEntry entry;
    EdgeOutcome* outcome = entry.mutable_finished();
    outcome->set_from(progress_.graph().transitions(task.index()).from());
    outcome->set_to(progress_.graph().transitions(task.index()).to());
    outcome->set_ending(EdgeOutcome::FAILED);
    outcome->set_failure(failure);
    absl::MutexLock lock(&mutex_);
    const size_t before = progress_.unreached().size();
    OP3D_RETURN_IF_ERROR(Record(entry));
    OP3D_RETURN_IF_ERROR(DropWeights());
    std::vector<std::string> unreached;
    for (size_t i = before; i < progress_.unreached().size(); ++i) {
      unreached.push_back(progress_.DescribeUnreached(progress_.unreached()[i]));
    }
    Tell(SearchEvent::kEdgeFinished, &task, nullptr, &*progress_.outcomes()[task.index()],
         std::move(unreached));
    return absl::OkStatus();
  }

  absl::Status FinishEdge(StateRunner* runner, const EdgeTask& task,
                          const StoppingDecision& decision) {
    // Done before the line that records it: if killed in between, it is done again.
    OP3D_RETURN_IF_ERROR(
        Annotate(runner->Finish(task, decision.epochs), task.name()));
    JournalEntry entry;
    EdgeOutcome* outcome = entry.mutable_finished();
    outcome->set_from(progress_.graph().transitions(task.index()).from());
    outcome->set_to(progress_.graph().transitions(task.index()).to());
    if (decision.knee) {
      OP3D_ASSIGN_OR_RETURN(*outcome->mutable_knee(), Estimate(task, *decision.knee));
    }
    outcome->set_epochs(decision.epochs);
    outcome->set_score(decision.score);
    outcome->set_ending(decision.ending);
    absl::MutexLock lock(&mutex_);
    OP3D_RETURN_IF_ERROR(Record(entry));
    OP3D_RETURN_IF_ERROR(DropWeights());
    Tell(SearchEvent::kEdgeFinished, &task, nullptr, &*progress_.outcomes()[task.index()]);
    return absl::OkStatus();
  }

  // With its interval, which only the last estimate of an edge gets.
  absl::StatusOr<KneeEstimate> Estimate(const EdgeTask& task, const Knee& knee) {
    absl::MutexLock lock(&mutex_);
    std::vector<double> performance;
    for (const CurvePoint& point : progress_.curve(task.index())) {
      performance.push_back(point.performance());
    }
    KneeBootstrapOptions options;
    options.terms = TermsOf(progress_.rule());
    OP3D_ASSIGN_OR_RETURN(const KneeInterval interval, BootstrapKnee(performance, knee, options));
    KneeEstimate estimate = ToProto(knee);
    estimate.mutable_interval()->set_low(interval.low);
    estimate.mutable_interval()->set_high(interval.high);
    return estimate;
  }

  // Removes the folders of edges whose weights are no longer needed.
  absl::Status DropWeights() {
    if (options_.keep_all_weights) return absl::OkStatus();
    for (const int edge : progress_.TakeUnneeded()) {
      std::error_code error;
      std::filesystem::remove_all(FolderOf(edge), error);
      if (error) return ErrnoStatus(error.value(), "cannot remove the weights in", FolderOf(edge));
    }
    return absl::OkStatus();
  }

  void Tell(SearchEvent::Kind kind, const EdgeTask* task, const CurvePoint* point,
            const EdgeOutcome* outcome, std::vector<std::string> unreached = {}) const {
    if (!options_.observer) return;
    SearchEvent event;
    event.unreached = std::move(unreached);
    event.kind = kind;
    event.task = task;
    event.point = point;
    event.outcome = outcome;
    event.edges_finished = progress_.edges_finished();
    event.edges_total = progress_.edges_total();
    event.epochs_trained = progress_.epochs_trained();
    event.epochs_at_worst = progress_.epochs_at_worst();
    event.processes = progress_.processes();
    event.fit_seconds = fit_seconds_;
    options_.observer(event);
  }

  // Locked for everything below, except while a runner works.
  absl::Mutex mutex_;
  SearchProgress progress_;
  const absl::Span<StateRunner* const> runners_;
  const SearchOptions& options_;
  std::unique_ptr<Journal> journal_;
  // By edge: a runner of this process has it, or had it.
  std::vector<bool> taken_;
  bool failed_ = false;
  double fit_seconds_ = 0;
};

}  // namespace

absl::StatusOr<SearchOutcome> Search(const TransitionGraph& graph, const StoppingRule& rule,
                                     StateRunner* runner, const SearchOptions& options) {
  return Search(graph, rule, absl::MakeConstSpan(&runner, 1), options);
}

absl::StatusOr<SearchOutcome> Search(const TransitionGraph& graph, const StoppingRule& rule,
                                     absl::Span<StateRunner* const> runners,
                                     const SearchOptions& options) {
  if (runners.empty()) return absl::InvalidArgumentError("a search needs at least one runner");
  OP3D_ASSIGN_OR_RETURN(SearchProgress progress, SearchProgress::Make(graph, rule));
  return Searcher(std::move(progress), runners, options).Run();
}

}  // namespace op3d::planner
