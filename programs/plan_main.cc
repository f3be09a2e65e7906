// Searches for a plan, and shows plans and searches, running or finished.
//
//   ./bazelw run //planner:plan -- show kinetics400
//   ./bazelw run //planner:plan -- status results/runs/kinetics400-2026-05-01
//   ./bazelw run //planner:plan -- explain results/runs/kinetics400-2026-05-01
//   ./bazelw run //planner:plan -- search --runner='python3 my_train.py' --output_dir=my_search
//   ./bazelw run //planner:plan -- resume my_search
//   ./bazelw run //planner:plan -- replay my_search --graph=extended_cs --attempt_epochs=5
//   ./bazelw run //planner:plan -- replay results/recorded/tennis7_seed1 --output=again.textproto
//   ./bazelw run //planner:plan -- adapt kinetics400 --epochs=60 --dataset=ucf101 --output=mine.textproto
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "data/annotation/dataset_list.h"
#include "data/datasets/dataset_settings.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/program.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "planner/graphs/wide_graph.h"
#include "planner/knee/stopping_rule.h"
#include "planner/plans/plan_adapt.h"
#include "planner/plans/plan_io.h"
#include "planner/replay/edge_scores_json.h"
#include "planner/replay/plan_text.h"
#include "planner/replay/replay.h"
#include "planner/runner/child_search.h"
#include "planner/runner/search_cost.h"
#include "planner/search/search_folder.h"
#include "results/record/record.h"

namespace op3d::planner {
namespace {

// "knee, knee_interval, plateau".
std::string NamesOf(const google::protobuf::EnumDescriptor& values) {
  std::vector<std::string> names;
  for (int i = 0; i < values.value_count(); ++i) {
    names.push_back(absl::AsciiStrToLower(values.value(i)->name()));
  }
  return absl::StrJoin(names, ", ");
}

std::string StoppingHelp() {
  return absl::StrCat(
      "search, replay: when an edge ends: ", NamesOf(*StoppingRule::Method_descriptor()),
      "; knee is the published rule (planner/README.md says what each costs)");
}

}  // namespace
}  // namespace op3d::planner

ABSL_FLAG(std::string, runner, "",
          "search: the command that trains, 'python3 my_train.py' (planner/runner/child_runner.h)");
ABSL_FLAG(
    std::string, launcher, "",
    "search, resume: put in front of the runner, 'srun --gres=gpu:4'; {job} is the child's number");
ABSL_FLAG(std::string, output_dir, "", "search: the folder for all its files");
ABSL_FLAG(std::vector<std::string>, graph, {},
          "search, replay: transition graphs, files or names of shipped ones (base_cs, base_us, "
          "extended_cs, extended_us); one per pool; the best plan wins.  Default of a search: "
          "base_cs; of a replay: the one that was searched");
ABSL_FLAG(int, attempt_epochs, 0,
          "search, replay: T; an edge ends T epochs after its knee.  Default of a search: 10; "
          "of a replay: as recorded");
ABSL_FLAG(std::string, stopping, "knee", op3d::planner::StoppingHelp());
ABSL_FLAG(std::string, function, "full",
          "search, replay: what is fitted: full (published), exponential_linear, exponential, "
          "quadratic");
ABSL_FLAG(bool, race, false,
          "search: also end an edge that cannot catch up with another edge into its state");
ABSL_FLAG(double, confidence, 0.9,
          "search, replay --stopping=knee_interval, search --race: level of the interval");
ABSL_FLAG(double, negligible_gain, 0,
          "search, replay --stopping=knee_interval: an edge ends when T more epochs would raise "
          "the performance by no more than this");
ABSL_FLAG(int, first_fit_epochs, 0,
          "search, replay --stopping=knee_interval: no fit before this number of epochs; 0 = T");
ABSL_FLAG(int, max_epochs_from_initial, 200, "search: bound on the epochs of a first edge");
ABSL_FLAG(int, max_epochs, 100, "search: bound on the epochs of any other edge");
ABSL_FLAG(int, jobs, 1, "search, resume: number of edges trained at once, each by its own child");
ABSL_FLAG(
    int, retries, 2,
    "search, resume: how often a request is repeated with a new child after a child was lost");
ABSL_FLAG(absl::Duration, answer_timeout, absl::Hours(24),
          "search, resume: a child that does not answer within this time is lost");
ABSL_FLAG(bool, keep_all_weights, false,
          "search, resume: also keep weights from which no further edge can start");
ABSL_FLAG(std::vector<std::string>, states, {}, "replay: the states that may be used; empty = all");
ABSL_FLAG(
    std::string, cost, "frames",
    "replay: the cost to compare with the value: frames (epochs x frames of a clip) or seconds");
ABSL_FLAG(std::string, budget, "",
          "search, replay: what the search of a wide graph may train, in frames per video (4608: "
          "epochs x frames of a clip) or multiples of its plan (3x); of a replay, print the best "
          "plan that costs no more, a number in the unit of --cost");
ABSL_FLAG(std::string, output, "",
          "show, replay, adapt: write the plan to this file, as a benchmark's or train's --plan "
          "takes it; of "
          "several pools the best one's, with --budget the one within it");
ABSL_FLAG(int, epochs, 0, "adapt: the epochs of all states together; 0 = as in the plan");
ABSL_FLAG(
    std::string, dataset, "",
    "adapt: the dataset to train on, for which the plan's batches may be too large: a shipped "
    "name (ucf101), a folder with a dataset.textproto, or that file beside its lists");
ABSL_FLAG(int, clips_per_step, 0,
          "adapt: clips per step of the optimiser (batch x accumulation); 0 = as in the plan, or "
          "fewer for a small --dataset");
ABSL_FLAG(int, stability, 0,
          "replay: resample the curves this many times and print how often the plan is the same");
ABSL_FLAG(uint64_t, seed, 1, "replay --stability: seed of the draws");
ABSL_FLAG(bool, dry_run, false,
          "search: print what would be done and what it takes (the runner is asked for time, disk "
          "and memory); write nothing");
ABSL_FLAG(int, videos, 1, "search --dry_run: clips per epoch, if the runner does not report them");

namespace op3d::planner {
namespace {

constexpr char kUsage[] =
    "searches for a plan with any training program, and looks at plans and searches.\n\n"
    "  plan search --runner='python3 my_train.py' --output_dir=DIR [--launcher='srun ...']\n"
    "              [--graph=base_cs,base_us] [--jobs=N] [--dry_run]\n"
    "                     trains every edge with the runner, prints the plan.  If DIR has the\n"
    "                     same search, it is resumed\n"
    "  plan resume DIR    resumes a search with its own settings\n"
    "  plan show FILE [--output=plan.json]\n"
    "                     a plan: states, learning rates, epochs.  FILE is a plan.textproto, a\n"
    "                     plan.json, a run's folder or the name of a released plan: kinetics400,\n"
    "                     ucf101_imagenet, ...  A plan.json also holds the search with its curves\n"
    "  plan status DIR    how far the searches in a run's folder are\n"
    "  plan explain DIR   each state's incoming edges, which one won and why, and the cost\n"
    "  plan replay DIR|EDGES.json [--graph=FILE] [--attempt_epochs=T] [--stopping=...]\n"
    "              [--function=...] [--states=S1,S2] [--budget=N] [--stability=N]\n"
    "              [--output=FILE]\n"
    "                     plans again from recorded edges with other settings; trains nothing\n"
    "  plan adapt PLAN [--epochs=N] [--dataset=NAME|DIR] [--clips_per_step=N] [--output=FILE]\n"
    "                     a plan for another budget or dataset: every state keeps its share of "
    "the\n"
    "                     epochs, rates follow the batch.  A heuristic: nothing is measured\n"
    "  plan agree DIR DIR how far two searches of one graph agree: ranks of their edges, and what\n"
    "                     the first one's choice is worth in the second\n\n"
    "DIR may be a run's record, too: results/recorded/NAME, or its record.textproto; or a "
    "plan.json\n"
    "that holds a search.\n\n"
    "Example:  ./bazelw run //planner:plan -- show kinetics400\n";

// The searches in a folder, from their journals; otherwise those in a run's record.
absl::StatusOr<std::vector<planner::FoundSearch>> FindSearches(const std::string& path) {
  const std::string record_path = results::RecordPath(path);
  if (absl::EndsWith(path, ".json")) {
    OP3D_ASSIGN_OR_RETURN(SearchOutcome search, planner::ReadPlanJson(path));
    if (!search.has_graph()) {
      return absl::NotFoundError(absl::StrCat(path, " holds a plan without the search that found it"));
    }
    google::protobuf::RepeatedPtrField<SearchOutcome> searches;
    *searches.Add() = std::move(search);
    return planner::RecordedSearches(path, searches);
  }
  if (FolderExists(path)) {
    absl::StatusOr<std::vector<planner::FoundSearch>> searches = planner::ReadSearches(path);
    if (!absl::IsNotFound(searches.status()) || !FileExists(record_path)) return searches;
  }
  OP3D_ASSIGN_OR_RETURN(const RunRecord record, results::ReadRecord(path));
  if (record.searches().empty()) {
    return absl::NotFoundError(
        absl::StrCat(record_path, " holds no search: the run was given its plan, or is not done"));
  }
  return planner::RecordedSearches(record_path, record.searches());
}

// `plan` with its search, where the path that it was found by has that.
SearchOutcome WithSearch(const Plan& plan, const std::string& path) {
  SearchOutcome outcome;
  if (const auto searches = FindSearches(path); searches.ok()) {
    for (const planner::FoundSearch& search : *searches) {
      if (search.progress.graph().pool() != plan.pool()) continue;
      if (auto found = search.progress.Outcome(); found.ok()) outcome = *std::move(found);
    }
  }
  *outcome.mutable_plan() = plan;
  return outcome;
}

absl::Status Show(const std::string& name) {
  OP3D_ASSIGN_OR_RETURN(const Plan plan, planner::FindPlan(name));
  std::fputs(planner::PlanText(plan).c_str(), stdout);
  const std::string output = absl::GetFlag(FLAGS_output);
  if (output.empty()) return absl::OkStatus();
  const std::string path = UserPath(output);
  return absl::EndsWith(path, ".json")
             ? planner::WritePlanJson(path, WithSearch(plan, UserPath(name)))
             : planner::WritePlan(path, plan);
}

absl::Status PrintSearches(const std::string& folder,
                           std::string (*format)(const planner::SearchProgress&)) {
  OP3D_ASSIGN_OR_RETURN(const std::vector<planner::FoundSearch> searches,
                        FindSearches(UserPath(folder)));
  for (const planner::FoundSearch& search : searches) {
    std::printf("%s\n%s", search.path.c_str(), format(search.progress).c_str());
    if (&search != &searches.back()) std::printf("\n");
  }
  return absl::OkStatus();
}

// The budget of a search over `wide`; empty = its own.
absl::Status SetBudget(const std::string& text, WideGraphSettings* wide) {
  if (text.empty()) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const planner::Budget budget, planner::ParseBudget(text));
  if (budget.unit == planner::Budget::kSeconds) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--budget=", text,
        ": what a frame takes with this runner is not known; give frames a video "
        "or multiples of the plan (plan search --dry_run asks the runner for its time)"));
  }
  wide->set_frames(budget.unit == planner::Budget::kPlans
                       ? budget.amount * planner::FramesOfPath(*wide)
                       : budget.amount);
  return absl::OkStatus();
}

// A file of the user's, or a shipped one: a TransitionGraph, or the WideGraphSettings of one, to
// which `budget` applies.
absl::StatusOr<TransitionGraph> ReadGraph(const std::string& name, const std::string& budget = "") {
  OP3D_ASSIGN_OR_RETURN(const std::string path, planner::FindGraphFile(name));
  TransitionGraph graph;
  WideGraphSettings wide;
  if (!ReadTextproto(path, &graph).ok() && ReadTextproto(path, &wide).ok()) {
    OP3D_RETURN_IF_ERROR(SetBudget(budget, &wide));
    absl::StatusOr<TransitionGraph> made = planner::MakeWideGraph(wide);
    return made.ok() ? made : Annotate(made.status(), path);
  }
  OP3D_ASSIGN_OR_RETURN(graph, planner::FindGraph(name));
  if (!budget.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--budget goes with wide graphs, which have rounds; ", name,
                     " lists its edges one by one and is searched until every curve has its knee"));
  }
  return graph;
}

std::string AbsolutePath(const std::string& path) {
  return std::filesystem::absolute(UserPath(path)).lexically_normal().string();
}

planner::ChildSearchOptions ReadChildOptions(const std::string& folder) {
  planner::ChildSearchOptions options;
  options.folder = AbsolutePath(folder.empty() ? "." : folder);
  options.jobs = absl::GetFlag(FLAGS_jobs);
  options.keep_all_weights = absl::GetFlag(FLAGS_keep_all_weights);
  options.child.launcher = absl::GetFlag(FLAGS_launcher);
  options.child.retries = absl::GetFlag(FLAGS_retries);
  options.child.answer_timeout = absl::GetFlag(FLAGS_answer_timeout);
  return options;
}

absl::Status PrintDryRun(const SearchRequest& request) {
  OP3D_RETURN_IF_ERROR(RequireAtLeast("--videos", absl::GetFlag(FLAGS_videos), 1));
  OP3D_ASSIGN_OR_RETURN(
      const planner::SearchCost cost,
      planner::EstimateSearch(request, ReadChildOptions(absl::GetFlag(FLAGS_output_dir)),
                              absl::GetFlag(FLAGS_videos)));
  std::fputs(planner::FormatCost(cost).c_str(), stdout);
  return absl::OkStatus();
}

absl::Status RunSearch(const SearchRequest& request, const std::string& folder) {
  const planner::ChildSearchOptions options = ReadChildOptions(folder);
  const absl::StatusOr<planner::FoundPlan> found = planner::SearchWithChildren(request, options);
  if (absl::IsCancelled(found.status())) {
    return absl::CancelledError(
        absl::StrCat(found.status().message(), "; resume with: plan resume ", options.folder));
  }
  OP3D_RETURN_IF_ERROR(found.status());
  std::fputs(planner::PlanText(found->plan).c_str(), stdout);
  const std::string& weights = found->weights;
  if (weights.empty() || FolderExists(weights)) {
    std::printf("weights: %s\n", weights.empty() ? "the initial ones" : weights.c_str());
  } else {
    std::fprintf(stderr,
                 "warning: the plan is complete, but its weights are missing: there is no "
                 "folder %s, in which they were kept\n",
                 weights.c_str());
  }
  return absl::OkStatus();
}

// "knee_interval" means KNEE_INTERVAL.
template <typename Parse, typename Enum>
absl::Status ReadEnum(const char* flag, const std::string& text, Parse parse,
                      const google::protobuf::EnumDescriptor& values, Enum* value) {
  if (parse(absl::AsciiStrToUpper(text), value)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, "=", text, " is none of: ", NamesOf(values)));
}

// A flag that has no effect with the others is a mistake.
absl::Status RequireFlag(bool used, const char* flag, const char* needs) {
  const absl::CommandLineFlag* const given = absl::FindCommandLineFlag(flag);
  if (used || given->CurrentValue() == given->DefaultValue()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, " has no effect here: it goes with ", needs));
}

// The rule of the flags; attempt_epochs is 0 if it is not given.
absl::StatusOr<StoppingRule> ReadRule() {
  StoppingRule rule;
  rule.set_attempt_epochs(absl::GetFlag(FLAGS_attempt_epochs));
  rule.set_max_epochs_from_initial(absl::GetFlag(FLAGS_max_epochs_from_initial));
  rule.set_max_epochs(absl::GetFlag(FLAGS_max_epochs));
  StoppingRule::Method method;
  OP3D_RETURN_IF_ERROR(ReadEnum("stopping", absl::GetFlag(FLAGS_stopping),
                                StoppingRule::Method_Parse, *StoppingRule::Method_descriptor(),
                                &method));
  rule.set_method(method);
  StoppingRule::Function function;
  OP3D_RETURN_IF_ERROR(ReadEnum("function", absl::GetFlag(FLAGS_function),
                                StoppingRule::Function_Parse, *StoppingRule::Function_descriptor(),
                                &function));
  rule.set_function(function);
  rule.set_race(absl::GetFlag(FLAGS_race));
  const bool interval = method == StoppingRule::KNEE_INTERVAL;
  OP3D_RETURN_IF_ERROR(
      RequireFlag(interval || rule.race(), "confidence", "--stopping=knee_interval or --race"));
  for (const char* flag : {"negligible_gain", "first_fit_epochs"}) {
    OP3D_RETURN_IF_ERROR(RequireFlag(interval, flag, "--stopping=knee_interval"));
  }
  if (method == StoppingRule::KNEE_INTERVAL || rule.race()) {
    rule.set_confidence(absl::GetFlag(FLAGS_confidence));
    rule.set_negligible_gain(absl::GetFlag(FLAGS_negligible_gain));
    rule.set_first_fit_epochs(absl::GetFlag(FLAGS_first_fit_epochs));
  }
  return rule;
}

absl::Status BeginSearch(absl::Span<const std::string> words) {
  OP3D_RETURN_IF_ERROR(RequireWords(words, 0, "plan search --runner=COMMAND --output_dir=DIR"));
  SearchRequest request;
  std::vector<std::string> graphs = absl::GetFlag(FLAGS_graph);
  if (graphs.empty()) graphs = {"base_cs"};
  for (const std::string& name : graphs) {
    OP3D_ASSIGN_OR_RETURN(*request.add_graphs(), ReadGraph(name, absl::GetFlag(FLAGS_budget)));
  }
  OP3D_ASSIGN_OR_RETURN(*request.mutable_rule(), ReadRule());
  if (request.rule().attempt_epochs() == 0) request.mutable_rule()->set_attempt_epochs(10);
  request.set_runner(absl::GetFlag(FLAGS_runner));
  request.set_runner_folder(AbsolutePath("."));
  OP3D_RETURN_IF_ERROR(RequireFlag(absl::GetFlag(FLAGS_dry_run), "videos", "--dry_run"));
  if (absl::GetFlag(FLAGS_dry_run)) return PrintDryRun(request);
  const std::string folder = absl::GetFlag(FLAGS_output_dir);
  if (folder.empty()) {
    return absl::InvalidArgumentError("a search needs a folder to write to: --output_dir=DIR");
  }
  return RunSearch(request, folder);
}

absl::Status ResumeSearch(const std::string& folder) {
  OP3D_ASSIGN_OR_RETURN(const SearchRequest request, planner::ReadSearchRequest(UserPath(folder)));
  return RunSearch(request, folder);
}

// A recorded search, or edges from a file.
struct Recorded {
  std::string path;
  TransitionGraph graph;
  std::vector<EdgeOutcome> edges;
  // One sentence for each state of `graph` that the record does not have.
  std::vector<std::string> unrecorded;
};

absl::StatusOr<std::vector<Recorded>> ReadRecorded(const std::string& path) {
  std::vector<TransitionGraph> graphs;
  for (const std::string& name : absl::GetFlag(FLAGS_graph)) {
    OP3D_ASSIGN_OR_RETURN(TransitionGraph graph, ReadGraph(name));
    graphs.push_back(std::move(graph));
  }
  std::vector<Recorded> recorded;
  const absl::StatusOr<SearchOutcome> plan_json = planner::ReadPlanJson(path);
  const bool searched = plan_json.ok() && plan_json->has_graph();
  if (!FolderExists(path) && !absl::EndsWith(path, ".textproto") && !searched) {
    OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    OP3D_ASSIGN_OR_RETURN(const std::vector<EdgeOutcome> edges,
                          planner::ParseEdgeScores(text, path));
    if (graphs.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, " holds edges alone: say which graph they are of, --graph=base_cs"));
    }
    for (const TransitionGraph& graph : graphs) recorded.push_back({path, graph, edges, {}});
    return recorded;
  }
  OP3D_ASSIGN_OR_RETURN(const std::vector<planner::FoundSearch> searches, FindSearches(path));
  for (const planner::FoundSearch& search : searches) {
    Recorded one = {search.path, search.progress.graph(), {}, {}};
    for (const auto& outcome : search.progress.outcomes()) {
      if (outcome) one.edges.push_back(*outcome);
    }
    if (graphs.empty()) {
      recorded.push_back(std::move(one));
      continue;
    }
    for (const TransitionGraph& graph : graphs) {
      // With several searches, each is planned again over the graph of its own pool.
      if (searches.size() > 1 && graph.pool() != one.graph.pool()) continue;
      planner::MatchedEdges matched = planner::MatchEdges(one.graph, one.edges, graph);
      recorded.push_back(
          {one.path, graph, std::move(matched.edges), std::move(matched.unrecorded)});
    }
  }
  if (!recorded.empty()) return recorded;
  return absl::InvalidArgumentError(
      absl::StrCat("no search in ", path, " is of the pool of one of the graphs in --graph"));
}

// Prints the result and returns the plan: the best one, or the best within the budget.
absl::StatusOr<Plan> PrintReplay(const Recorded& recorded, const planner::ReplayOptions& options) {
  const absl::StatusOr<planner::Replay> replay =
      planner::PlanAgain(recorded.graph, recorded.edges, options);
  const std::string unrecorded = absl::StrJoin(recorded.unrecorded, "\n");
  if (!replay.ok()) {
    if (unrecorded.empty()) return replay.status();
    return absl::Status(replay.status().code(),
                        absl::StrCat(replay.status().message(), "\n", unrecorded));
  }
  std::printf("%s\n%s%s%s", recorded.path.c_str(), planner::FormatReplay(*replay).c_str(),
              unrecorded.c_str(), unrecorded.empty() ? "" : "\n");
  if (const int resamples = absl::GetFlag(FLAGS_stability); resamples != 0) {
    OP3D_ASSIGN_OR_RETURN(const double share,
                          planner::PlanStability(recorded.graph, recorded.edges, options, *replay,
                                                 resamples, absl::GetFlag(FLAGS_seed)));
    std::printf("stability: %.0f %% of %d searches with resampled curves take the same path\n",
                100 * share, resamples);
  }
  const std::string text = absl::GetFlag(FLAGS_budget);
  if (text.empty()) return replay->plan;
  double budget = 0;
  if (!absl::SimpleAtod(text, &budget) || !(budget > 0)) {
    return absl::InvalidArgumentError(absl::StrCat("--budget=", text,
                                                   ": of a replay it is a number of ",
                                                   absl::GetFlag(FLAGS_cost), " above 0"));
  }
  OP3D_ASSIGN_OR_RETURN(const planner::PricedState best,
                        planner::BestWithin(*replay, options.cost, budget));
  Plan plan = planner::PlanTo(*replay, best.state);
  std::printf("the best plan within the budget of %.10g %s:\n%s", budget,
              absl::GetFlag(FLAGS_cost).c_str(), planner::PlanText(plan).c_str());
  return plan;
}

// Stores a plan that can be trained, for --plan of other programs.
absl::Status KeepPlan(const std::string& name, const Plan& plan) {
  const std::string path = UserPath(name);
  OP3D_RETURN_IF_ERROR(
      Annotate(planner::ValidatePlan(plan), absl::StrCat("nothing is written to ", path)));
  OP3D_RETURN_IF_ERROR(planner::WritePlan(path, plan));
  // An adapted plan was not measured.
  const std::string value = plan.value() == 0 ? "" : absl::StrFormat(", value %.4f", plan.value());
  std::fprintf(stderr, "plan: %s (%s%s)\n", path.c_str(), plan.pool().c_str(), value.c_str());
  return absl::OkStatus();
}

// The number of training videos of --dataset; 0 without it.
absl::StatusOr<int> TrainingVideos(const std::string& name) {
  if (name.empty()) return 0;
  std::string file = UserPath(name);
  const bool folder = FolderExists(file);
  if (folder) file = JoinPath(file, "dataset.textproto");
  const bool own = FileExists(file);
  if (folder && !own) {
    return absl::NotFoundError(
        absl::StrCat("there is no ", file, "; `dataset list` writes one for your own videos"));
  }
  OP3D_ASSIGN_OR_RETURN(const DatasetSettings dataset, data::FindDataset(own ? file : name));
  if (!own) {
    if (const int videos = data::OfficialVideos(dataset).train; videos > 0) return videos;
    return absl::InvalidArgumentError(
        absl::StrCat("the number of training videos of ", name,
                     " is not known; give the folder of "
                     "your copy, with its lists and a dataset.textproto"));
  }
  const std::string root = std::filesystem::path(file).parent_path().string();
  OP3D_ASSIGN_OR_RETURN(const data::DatasetList list,
                        data::ReadDatasetList(dataset, dataset.train(), root));
  return static_cast<int>(list.videos.size());
}

// Prints a plan for another budget or dataset.
absl::Status Adapt(const std::string& name) {
  OP3D_ASSIGN_OR_RETURN(const Plan plan, planner::FindPlan(name));
  planner::PlanAdaptation adaptation;
  adaptation.epochs = absl::GetFlag(FLAGS_epochs);
  adaptation.clips_per_step = absl::GetFlag(FLAGS_clips_per_step);
  const absl::StatusOr<int> videos = TrainingVideos(absl::GetFlag(FLAGS_dataset));
  if (!videos.ok()) return Annotate(videos.status(), "--dataset");
  adaptation.videos = *videos;
  OP3D_ASSIGN_OR_RETURN(const planner::AdaptedPlan adapted, planner::AdaptPlan(plan, adaptation));
  std::fputs(planner::PlanText(adapted.plan).c_str(), stdout);
  for (const std::string& note : adapted.notes) std::printf("%s\n", note.c_str());
  std::printf("%sa heuristic, not measured: a search on the dataset may find a better plan\n",
              adapted.notes.empty() ? "nothing had to be changed; " : "");
  const std::string output = absl::GetFlag(FLAGS_output);
  return output.empty() ? absl::OkStatus() : KeepPlan(output, adapted.plan);
}

absl::Status ReplaySearch(const std::string& name) {
  OP3D_RETURN_IF_ERROR(RequireFlag(absl::GetFlag(FLAGS_stability) != 0, "seed", "--stability"));
  planner::ReplayOptions options;
  OP3D_ASSIGN_OR_RETURN(options.rule, ReadRule());
  const bool other =
      options.rule.method() != StoppingRule::KNEE || options.rule.function() != StoppingRule::FULL;
  if (other && options.rule.attempt_epochs() == 0) options.rule.set_attempt_epochs(10);
  if (options.rule.attempt_epochs() != 0) {
    OP3D_RETURN_IF_ERROR(planner::ValidateStoppingRule(options.rule));
  }
  options.states = absl::GetFlag(FLAGS_states);
  const std::string cost = absl::GetFlag(FLAGS_cost);
  if (cost != "frames" && cost != "seconds") {
    return absl::InvalidArgumentError(
        absl::StrCat("--cost=", cost, " is none of: frames, seconds"));
  }
  options.cost = cost == "frames" ? planner::CostUnit::kFrames : planner::CostUnit::kSeconds;
  OP3D_ASSIGN_OR_RETURN(const std::vector<Recorded> recorded, ReadRecorded(UserPath(name)));
  std::optional<Plan> best;
  for (const Recorded& one : recorded) {
    const absl::StatusOr<Plan> plan = PrintReplay(one, options);
    OP3D_RETURN_IF_ERROR(Annotate(plan.status(), one.path));
    if (!best || plan->value() > best->value()) best = *plan;
    if (&one != &recorded.back()) std::printf("\n");
  }
  const std::string output = absl::GetFlag(FLAGS_output);
  return output.empty() ? absl::OkStatus() : KeepPlan(output, *best);
}

std::string Ranks(const planner::SearchAgreement::Ranks& ranks, absl::string_view of) {
  return absl::StrFormat("  rank correlation of %d edges %s: %.2f\n", ranks.edges, of,
                         ranks.correlation);
}

// Prints how far the searches of two folders or records agree, pool by pool.
absl::Status PrintAgreement(const std::string& first, const std::string& second) {
  OP3D_ASSIGN_OR_RETURN(const std::vector<planner::FoundSearch> ours,
                        FindSearches(UserPath(first)));
  OP3D_ASSIGN_OR_RETURN(const std::vector<planner::FoundSearch> theirs,
                        FindSearches(UserPath(second)));
  int pools = 0;
  for (const planner::FoundSearch& a : ours) {
    for (const planner::FoundSearch& b : theirs) {
      if (a.progress.graph().pool() != b.progress.graph().pool()) continue;
      OP3D_ASSIGN_OR_RETURN(const SearchOutcome outcome, a.progress.Outcome());
      OP3D_ASSIGN_OR_RETURN(const SearchOutcome other, b.progress.Outcome());
      OP3D_ASSIGN_OR_RETURN(const planner::SearchAgreement agreement,
                            planner::CompareSearches(outcome, other));
      std::printf("%s\n%s%s", a.progress.graph().pool().c_str(),
                  Ranks(agreement.all, "measured in both").c_str(),
                  Ranks(agreement.first, "of them out of the initial state").c_str());
      if (agreement.value_of_chosen) {
        std::printf(
            "  the first one's plan ends in %s, worth %.4f in the second, whose best is "
            "%.4f: a loss of %.4f\n",
            agreement.chosen.c_str(), *agreement.value_of_chosen, agreement.best_value,
            agreement.best_value - *agreement.value_of_chosen);
      } else {
        std::printf(
            "  the first one's plan ends in %s, which the second did not train; its best "
            "is worth %.4f\n",
            agreement.chosen.c_str(), agreement.best_value);
      }
      ++pools;
    }
  }
  if (pools > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("no search in ", first, " is of the pool of one in ", second));
}

// Of a sub-command that takes one word.
template <typename Function>
Command OneWord(const std::string& name, absl::string_view word, Function function) {
  const std::string usage = absl::StrCat("plan ", name, " ", word);
  return {name, [usage, function](absl::Span<const std::string> words) -> absl::Status {
            OP3D_RETURN_IF_ERROR(RequireWords(words, 1, usage));
            return function(words[0]);
          }};
}

absl::Status Explain(const std::string& folder) {
  OP3D_RETURN_IF_ERROR(PrintSearches(folder, planner::FormatExplanation));
  std::fprintf(stderr, "As pictures and a page: ./bazelw run //results:report -- %s\n",
               folder.c_str());
  return absl::OkStatus();
}

absl::Status ShowStatus(const std::string& folder) {
  return PrintSearches(folder, planner::FormatStatus);
}

absl::Status Agree(absl::Span<const std::string> words) {
  OP3D_RETURN_IF_ERROR(RequireWords(words, 2, "plan agree DIR DIR"));
  return PrintAgreement(words[0], words[1]);
}

}  // namespace
}  // namespace op3d::planner

int main(int argc, char** argv) {
  using op3d::planner::OneWord;
  return op3d::RunCommands(argc, argv, op3d::planner::kUsage,
                           {{"search", op3d::planner::BeginSearch},
                            OneWord("resume", "DIR", op3d::planner::ResumeSearch),
                            OneWord("show", "FILE", op3d::planner::Show),
                            OneWord("status", "DIR", op3d::planner::ShowStatus),
                            OneWord("explain", "DIR", op3d::planner::Explain),
                            OneWord("replay", "DIR|EDGES.json", op3d::planner::ReplaySearch),
                            OneWord("adapt", "PLAN", op3d::planner::Adapt),
                            {"agree", op3d::planner::Agree}});
}
