#include "planner/runner/child_search.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/synchronization/mutex.h"
#include "op3d/base/file.h"
#include "op3d/base/progress.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "op3d/base/thread/parallel.h"
#include "op3d/base/training_failure.h"
#include "planner/graphs/transition_graph.h"
#include "planner/knee/stopping_rule.h"
#include "planner/plans/plan_io.h"
#include "planner/search/journal.h"
#include "planner/search/search.h"
#include "planner/search/search_bar.h"

namespace op3d::planner {
namespace {

constexpr char kRequestFile[] = "search.textproto";
constexpr char kPlanFile[] = "plan.textproto";
constexpr char kJournals[] = "journal";
// Replaced by the child's number in the runner and the launcher.
constexpr char kJob[] = "{job}";

// Stores the request, or compares it with the stored one.
absl::Status KeepRequest(const SearchRequest& request, const std::string& folder) {
  const std::string path = JoinPath(folder, kRequestFile);
  if (!FileExists(path)) {
    const std::string journals = JoinPath(folder, kJournals);
    if (FolderExists(journals)) {
      return absl::FailedPreconditionError(absl::StrCat(
          journals, " holds searches, but there is no ", path,
          " with their settings. Put it back, or search in another folder; a benchmark's "
          "search is resumed by running it again"));
    }
    OP3D_RETURN_IF_ERROR(MakeFolders(folder));
    return WriteTextproto(path, request);
  }
  SearchRequest there;
  OP3D_RETURN_IF_ERROR(ReadTextproto(path, &there));
  const std::string difference = FirstDifference(there, request);
  if (difference.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(path, " has a search with other settings (there -> here): ", difference,
                   ". Search in another folder, or continue with `plan resume`"));
}

// One line per edge.
void PrintEdge(const std::string& name, const SearchEvent& event) {
  if (event.kind != SearchEvent::kEdgeFinished) return;
  if (event.outcome->ending() == EdgeOutcome::FAILED) {
    Progress::Print(absl::StrFormat("%s %s: failed: %s (%d of %d edges)", name,
                                    event.task->name(), event.outcome->failure(),
                                    event.edges_finished, event.edges_total));
    for (const std::string& state : event.unreached) {
      Progress::Print(absl::StrCat(name, " ", state));
    }
    return;
  }
  Progress::Print(absl::StrFormat("%s %s: keeps epoch %d, score %.4f (%d of %d edges)", name,
                                  event.task->name(), event.outcome->epochs(),
                                  event.outcome->score(), event.edges_finished,
                                  event.edges_total));
}

std::string PoolFolder(const ChildSearchOptions& options, const std::string& pool) {
  return JoinPath(options.folder, absl::StrCat(kJournals, "/", pool));
}

// "S2-S4": the last trained edge along the plan; "" = none.
std::string LastTrainedEdge(const Plan& plan) {
  if (plan.steps().empty()) return "";
  const std::string& state = plan.steps(plan.steps_size() - 1).state().name();
  for (int i = plan.path_size() - 1; i > 0; --i) {
    if (plan.path(i) == state) return absl::StrCat(plan.path(i - 1), "-", state);
  }
  return "";
}

// Trains with the children `first` to `first + jobs - 1`.
absl::StatusOr<SearchOutcome> SearchPool(const SearchRequest& request, int pool, int first,
                                         int jobs, const ChildSearchOptions& options,
                                         SearchBar* bar) {
  const TransitionGraph& graph = request.graphs(pool);
  std::vector<std::unique_ptr<ChildRunner>> children;
  std::vector<StateRunner*> runners;
  for (int i = first; i < first + jobs; ++i) {
    children.push_back(std::make_unique<ChildRunner>(ChildOptions(request, options.child, i)));
    runners.push_back(children.back().get());
  }
  SearchOptions search;
  search.folder = PoolFolder(options, graph.pool());
  search.settings = {absl::StrCat("runner: ", request.runner())};
  search.keep_all_weights = options.keep_all_weights;
  search.observer = [&](const SearchEvent& event) {
    bar->Count(pool, event);
    PrintEdge(graph.pool(), event);
  };
  return Search(graph, request.rule(), runners, search);
}

}  // namespace

absl::Status ValidateSearchRequest(const SearchRequest& request) {
  if (request.runner().empty()) {
    return absl::InvalidArgumentError(
        "a search needs a command that trains: --runner='python3 my_train.py'");
  }
  if (request.graphs().empty()) {
    return absl::InvalidArgumentError("a search needs a transition graph: --graph=base_cs");
  }
  absl::flat_hash_set<std::string> pools;
  for (const TransitionGraph& graph : request.graphs()) {
    OP3D_RETURN_IF_ERROR(
        Annotate(ValidateGraph(graph), absl::StrCat("graph of pool \"", graph.pool(), "\"")));
    if (graph.pool().empty() || graph.pool().find('/') != std::string::npos ||
        graph.pool()[0] == '.') {
      return absl::InvalidArgumentError(absl::StrCat("a graph's pool is called \"", graph.pool(),
                                                     "\", but it becomes a folder's name"));
    }
    if (!pools.insert(graph.pool()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("two graphs are of the pool \"", graph.pool(), "\"; give one another name"));
    }
  }
  return ValidateStoppingRule(request.rule());
}

absl::StatusOr<FoundPlan> SearchWithChildren(const SearchRequest& request,
                                             const ChildSearchOptions& options) {
  OP3D_RETURN_IF_ERROR(ValidateSearchRequest(request));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("--jobs", options.jobs, 1));
  OP3D_RETURN_IF_ERROR(KeepRequest(request, options.folder));
  // With fewer jobs than pools the first pools are searched first; with more, the jobs are divided.
  const int pools = request.graphs_size();
  const int at_once = std::min(options.jobs, pools);
  std::vector<absl::StatusOr<SearchOutcome>> outcomes(pools, absl::CancelledError("not begun"));
  {
    std::vector<const TransitionGraph*> graphs;
    for (const TransitionGraph& graph : request.graphs()) graphs.push_back(&graph);
    OP3D_ASSIGN_OR_RETURN(const auto bar, SearchBar::Make(graphs, request.rule()));
    absl::Mutex mutex;
    std::vector<int> free_slots;
    for (int slot = at_once - 1; slot >= 0; --slot) free_slots.push_back(slot);
    OP3D_RETURN_IF_ERROR(InParallel(at_once, pools, [&](int64_t pool) {
      int slot;
      {
        absl::MutexLock lock(&mutex);
        slot = free_slots.back();
        free_slots.pop_back();
      }
      const int first = options.jobs * slot / at_once;
      const int jobs = options.jobs * (slot + 1) / at_once - first;
      outcomes[pool] = SearchPool(request, static_cast<int>(pool), first, jobs, options, bar.get());
      absl::MutexLock lock(&mutex);
      free_slots.push_back(slot);
      // A pool without a plan does not end the others' search.
      if (TrainingFailureOf(outcomes[pool].status())) return absl::OkStatus();
      return outcomes[pool].status();
    }));
  }
  const SearchOutcome* best = nullptr;
  absl::Status no_plan;
  for (int pool = 0; pool < pools; ++pool) {
    const absl::StatusOr<SearchOutcome>& outcome = outcomes[pool];
    if (TrainingFailureOf(outcome.status())) {
      const absl::Status status = Annotate(outcome.status(), request.graphs(pool).pool());
      if (pools > 1) Progress::Print(absl::StrCat("warning: ", status.message()));
      no_plan.Update(status);
      continue;
    }
    OP3D_RETURN_IF_ERROR(outcome.status());
    if (best == nullptr || outcome->plan().value() > best->plan().value()) best = &*outcome;
  }
  if (best == nullptr) return no_plan;
  OP3D_RETURN_IF_ERROR(WritePlan(JoinPath(options.folder, kPlanFile), best->plan()));
  FoundPlan found = {best->plan(), ""};
  if (const std::string edge = LastTrainedEdge(best->plan()); !edge.empty()) {
    found.weights = JoinPath(PoolFolder(options, best->graph().pool()), edge);
  }
  return found;
}

absl::StatusOr<SearchRequest> ReadSearchRequest(const std::string& folder) {
  const std::string path = JoinPath(folder, kRequestFile);
  if (!FileExists(path)) {
    return absl::NotFoundError(absl::StrCat(
        "no search to resume in ", folder, ": there is no ", kRequestFile,
        ". Begin one with `plan search`; a benchmark's is resumed by running it again"));
  }
  SearchRequest request;
  OP3D_RETURN_IF_ERROR(ReadTextproto(path, &request));
  OP3D_RETURN_IF_ERROR(Annotate(ValidateSearchRequest(request), path));
  return request;
}

ChildRunnerOptions ChildOptions(const SearchRequest& request, const ChildRunnerOptions& child,
                                int job) {
  ChildRunnerOptions options = child;
  options.command = absl::StrReplaceAll(request.runner(), {{kJob, absl::StrCat(job)}});
  options.launcher = absl::StrReplaceAll(child.launcher, {{kJob, absl::StrCat(job)}});
  options.folder = request.runner_folder();
  return options;
}

}  // namespace op3d::planner
