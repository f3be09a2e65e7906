// Searches for a plan, and looks at plans and at searches, running or done.
//
//   ./bazelw run //planner:plan -- show kinetics400
//   ./bazelw run //planner:plan -- status results/runs/kinetics400-2026-05-01
//   ./bazelw run //planner:plan -- explain results/runs/kinetics400-2026-05-01
//   ./bazelw run //planner:plan -- search --runner='python3 my_train.py' --output_dir=my_search
//   ./bazelw run //planner:plan -- resume my_search
//   ./bazelw run //planner:plan -- replay my_search --graph=extended_cs --attempt_epochs=5
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "planner/child_search.h"
#include "planner/edge_scores_json.h"
#include "planner/plan_io.h"
#include "planner/plan_text.h"
#include "planner/replay.h"
#include "planner/search_cost.h"
#include "planner/search_folder.h"
#include "planner/stopping_rule.h"
#include "planner/wide_graph.h"

ABSL_FLAG(std::string, runner, "",
          "search: the command that trains, 'python3 my_train.py' (planner/child_runner.h)");
ABSL_FLAG(
    std::string, launcher, "",
    "search, resume: put in front of the runner, 'srun --gres=gpu:4'; {job} is the child's number");
ABSL_FLAG(std::string, output_dir, "", "search: the folder of everything it writes");
ABSL_FLAG(
    std::vector<std::string>, graph, {},
    "search, replay: transition graphs, files or names of shipped ones (base_cs, base_us, "
    "extended_cs, extended_us); one a pool, the best plan wins.  Default of a search: base_cs; "
    "of a replay: the one that was searched");
ABSL_FLAG(int, attempt_epochs, 0,
          "search, replay: T, an edge ends when its knee is T epochs past.  Default of a search: "
          "10; of a replay: what was recorded stays");
ABSL_FLAG(std::string, stopping, "knee",
          "search, replay: when an edge ends: knee (published), knee_interval, plateau "
          "(planner/README.md says what each costs)");
ABSL_FLAG(std::string, function, "full",
          "search, replay: what is fitted: full (published), exponential_linear, exponential, "
          "quadratic");
ABSL_FLAG(bool, race, false,
          "search: end an edge, too, that cannot catch up with another way into its state");
ABSL_FLAG(double, confidence, 0.9,
          "search, replay --stopping=knee_interval, search --race: of the interval");
ABSL_FLAG(double, negligible_gain, 0,
          "search, replay --stopping=knee_interval: an edge ends when T more epochs would raise "
          "the performance by no more than this");
ABSL_FLAG(int, first_fit_epochs, 0,
          "search, replay --stopping=knee_interval: no fit before so many epochs; 0 = T");
ABSL_FLAG(int, max_epochs_from_initial, 200, "search: bound on the epochs of a first edge");
ABSL_FLAG(int, max_epochs, 100, "search: bound on the epochs of any other edge");
ABSL_FLAG(int, jobs, 1, "search, resume: edges trained at once, a child each");
ABSL_FLAG(int, retries, 2, "search, resume: how often a request is asked again of a new child");
ABSL_FLAG(absl::Duration, answer_timeout, absl::Hours(24),
          "search, resume: a child silent for longer than this is lost");
ABSL_FLAG(bool, keep_all_weights, false,
          "search, resume: keep the weights of edges that nothing can start from any more");
ABSL_FLAG(std::vector<std::string>, states, {}, "replay: the states that may be used; empty = all");
ABSL_FLAG(
    std::string, cost, "frames",
    "replay: what is weighed against the value: frames (epochs x frames of a clip) or seconds");
ABSL_FLAG(double, budget, 0,
          "search, replay: frames a video (epochs x frames a clip) that the search of a wide graph "
          "may train on; of a replay, print the best plan that costs no more, in the unit of "
          "--cost");
ABSL_FLAG(int, stability, 0,
          "replay: print how often so many searches with resampled curves give the same plan");
ABSL_FLAG(uint64_t, seed, 1, "replay --stability: seed of the draws");
ABSL_FLAG(bool, dry_run, false,
          "search: print what would be done and what it takes (the runner is asked for time, disk "
          "and memory); write nothing");
ABSL_FLAG(int, videos, 1,
          "search --dry_run: clips an epoch trains on, where the runner does not say");

namespace op3d {
namespace {

constexpr char kUsage[] =
    "searches for a plan with any training program, and looks at plans and searches.\n\n"
    "  plan search --runner='python3 my_train.py' --output_dir=DIR [--launcher='srun ...']\n"
    "              [--graph=base_cs,base_us] [--jobs=N] [--dry_run]\n"
    "                     trains every edge with the runner, prints the plan.  DIR may hold the\n"
    "                     same search, begun: it goes on\n"
    "  plan resume DIR    goes on with a search, with what it was begun with\n"
    "  plan show FILE     a plan: states, learning rates, epochs.  FILE is a plan.textproto or "
    "the\n"
    "                     name of a released plan: kinetics400, ucf101_imagenet, ...\n"
    "  plan status DIR    how far the searches in a run's folder are\n"
    "  plan explain DIR   each state's ways in, the one that won and why, what it cost\n"
    "  plan replay DIR|EDGES.json [--graph=FILE] [--attempt_epochs=T] [--stopping=...]\n"
    "              [--function=...] [--states=S1,S2] [--budget=N] [--stability=N]\n"
    "                     plans again over recorded edges, with other settings; trains nothing\n\n"
    "Example:  ./bazelw run //planner:plan -- show kinetics400\n";

absl::Status Show(const std::string& name) {
  std::string path = UserPath(name);
  if (!FileExists(path)) {
    const auto released = RunfilePath(absl::StrCat("planner/plans/", name, ".textproto"));
    if (released.ok() && FileExists(*released)) path = *released;
  }
  OP3D_ASSIGN_OR_RETURN(const Plan plan, ReadPlan(path));
  std::fputs(PlanText(plan).c_str(), stdout);
  return absl::OkStatus();
}

absl::Status PrintSearches(const std::string& folder,
                           std::string (*format)(const SearchProgress&)) {
  OP3D_ASSIGN_OR_RETURN(const std::vector<FoundSearch> searches, ReadSearches(UserPath(folder)));
  for (const FoundSearch& search : searches) {
    std::printf("%s\n%s", search.path.c_str(), format(search.progress).c_str());
    if (&search != &searches.back()) std::printf("\n");
  }
  return absl::OkStatus();
}

// A file of the user's, or a shipped one.
// A TransitionGraph, or the WideGraphSettings of one.  `frames`: of the latter; 0 = its own.
absl::StatusOr<TransitionGraph> ReadGraph(const std::string& name, double frames = 0) {
  std::string path = UserPath(name);
  if (!FileExists(path)) {
    const auto shipped = RunfilePath(absl::StrCat("planner/graphs/", name, ".textproto"));
    if (shipped.ok() && FileExists(*shipped)) path = *shipped;
  }
  TransitionGraph graph;
  const absl::Status listed = ReadTextproto(path, &graph);
  WideGraphSettings wide;
  if (!listed.ok() && ReadTextproto(path, &wide).ok()) {
    if (frames != 0) wide.set_frames(frames);
    absl::StatusOr<TransitionGraph> made = MakeWideGraph(wide);
    return made.ok() ? made : Annotate(made.status(), path);
  }
  OP3D_RETURN_IF_ERROR(listed);
  if (frames != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--budget goes with wide graphs, which have rounds; ", name,
        " lists its edges one by one and is searched until every curve has its knee"));
  }
  OP3D_RETURN_IF_ERROR(Annotate(ValidateGraph(graph), path));
  return graph;
}

std::string AbsolutePath(const std::string& path) {
  return std::filesystem::absolute(UserPath(path)).lexically_normal().string();
}

ChildSearchOptions ReadChildOptions(const std::string& folder) {
  ChildSearchOptions options;
  options.folder = AbsolutePath(folder.empty() ? "." : folder);
  options.jobs = absl::GetFlag(FLAGS_jobs);
  options.keep_all_weights = absl::GetFlag(FLAGS_keep_all_weights);
  options.child.launcher = absl::GetFlag(FLAGS_launcher);
  options.child.retries = absl::GetFlag(FLAGS_retries);
  options.child.answer_timeout = absl::GetFlag(FLAGS_answer_timeout);
  return options;
}

absl::Status PrintDryRun(const SearchRequest& request) {
  if (absl::GetFlag(FLAGS_videos) < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--videos is ", absl::GetFlag(FLAGS_videos), ", but must be at least 1"));
  }
  OP3D_ASSIGN_OR_RETURN(const SearchCost cost,
                        EstimateSearch(request, ReadChildOptions(absl::GetFlag(FLAGS_output_dir)),
                                       absl::GetFlag(FLAGS_videos)));
  std::fputs(FormatCost(cost).c_str(), stdout);
  return absl::OkStatus();
}

absl::Status RunSearch(const SearchRequest& request, const std::string& folder) {
  const ChildSearchOptions options = ReadChildOptions(folder);
  const absl::StatusOr<FoundPlan> found = SearchWithChildren(request, options);
  if (absl::IsCancelled(found.status())) {
    return absl::CancelledError(
        absl::StrCat(found.status().message(), "; go on with: plan resume ", options.folder));
  }
  OP3D_RETURN_IF_ERROR(found.status());
  std::fputs(PlanText(found->plan).c_str(), stdout);
  const std::string& weights = found->weights;
  if (weights.empty() || FolderExists(weights)) {
    std::printf("weights: %s\n", weights.empty() ? "the initial ones" : weights.c_str());
  } else {
    std::fprintf(stderr,
                 "warning: the plan stands, but its weights are gone: there is no folder %s, in "
                 "which they were kept\n",
                 weights.c_str());
  }
  return absl::OkStatus();
}

// "knee_interval" names KNEE_INTERVAL.
template <typename Parse, typename Enum>
absl::Status ReadEnum(const char* flag, const std::string& text, Parse parse,
                      const google::protobuf::EnumDescriptor& values, Enum* value) {
  if (parse(absl::AsciiStrToUpper(text), value)) return absl::OkStatus();
  std::vector<std::string> names;
  for (int i = 0; i < values.value_count(); ++i) {
    names.push_back(absl::AsciiStrToLower(values.value(i)->name()));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, "=", text, " is none of: ", absl::StrJoin(names, ", ")));
}

// As the flags say; attempt_epochs 0 where they do not.
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
  if (method == StoppingRule::KNEE_INTERVAL || rule.race()) {
    rule.set_confidence(absl::GetFlag(FLAGS_confidence));
    rule.set_negligible_gain(absl::GetFlag(FLAGS_negligible_gain));
    rule.set_first_fit_epochs(absl::GetFlag(FLAGS_first_fit_epochs));
  }
  return rule;
}

absl::Status BeginSearch() {
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
  if (absl::GetFlag(FLAGS_dry_run)) return PrintDryRun(request);
  const std::string folder = absl::GetFlag(FLAGS_output_dir);
  if (folder.empty()) {
    return absl::InvalidArgumentError("a search needs a folder to write to: --output_dir=DIR");
  }
  return RunSearch(request, folder);
}

absl::Status ResumeSearch(const std::string& folder) {
  OP3D_ASSIGN_OR_RETURN(const SearchRequest request, ReadSearchRequest(UserPath(folder)));
  return RunSearch(request, folder);
}

// A recorded search, or edges from a file.
struct Recorded {
  std::string path;
  TransitionGraph graph;
  std::vector<EdgeOutcome> edges;
};

absl::StatusOr<std::vector<Recorded>> ReadRecorded(const std::string& path) {
  std::vector<TransitionGraph> graphs;
  for (const std::string& name : absl::GetFlag(FLAGS_graph)) {
    OP3D_ASSIGN_OR_RETURN(TransitionGraph graph, ReadGraph(name));
    graphs.push_back(std::move(graph));
  }
  std::vector<Recorded> recorded;
  if (!FolderExists(path)) {
    OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    OP3D_ASSIGN_OR_RETURN(const std::vector<EdgeOutcome> edges, ParseEdgeScores(text, path));
    if (graphs.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, " holds edges alone: say which graph they are of, --graph=base_cs"));
    }
    for (const TransitionGraph& graph : graphs) recorded.push_back({path, graph, edges});
    return recorded;
  }
  OP3D_ASSIGN_OR_RETURN(const std::vector<FoundSearch> searches, ReadSearches(path));
  for (const FoundSearch& search : searches) {
    Recorded one = {search.path, search.progress.graph(), {}};
    for (const auto& outcome : search.progress.outcomes()) {
      if (outcome) one.edges.push_back(*outcome);
    }
    if (graphs.empty()) {
      recorded.push_back(std::move(one));
      continue;
    }
    for (const TransitionGraph& graph : graphs) {
      // Of several searches each is planned again over the graph of its own pool.
      if (searches.size() > 1 && graph.pool() != one.graph.pool()) continue;
      recorded.push_back({one.path, graph, one.edges});
    }
  }
  if (!recorded.empty()) return recorded;
  return absl::InvalidArgumentError(
      absl::StrCat("no search in ", path, " is of the pool of one of the graphs in --graph"));
}

absl::Status PrintReplay(const Recorded& recorded, const ReplayOptions& options) {
  OP3D_ASSIGN_OR_RETURN(const Replay replay, PlanAgain(recorded.graph, recorded.edges, options));
  std::printf("%s\n%s", recorded.path.c_str(), FormatReplay(replay).c_str());
  if (const int resamples = absl::GetFlag(FLAGS_stability); resamples != 0) {
    OP3D_ASSIGN_OR_RETURN(const double share,
                          PlanStability(recorded.graph, recorded.edges, options, replay, resamples,
                                        absl::GetFlag(FLAGS_seed)));
    std::printf("stability: %.0f %% of %d searches with resampled curves take the same path\n",
                100 * share, resamples);
  }
  if (const double budget = absl::GetFlag(FLAGS_budget); budget != 0) {
    OP3D_ASSIGN_OR_RETURN(const PricedState best, BestWithin(replay, options.cost, budget));
    std::printf("the best plan within the budget of %.10g %s:\n%s", budget,
                absl::GetFlag(FLAGS_cost).c_str(), PlanText(PlanTo(replay, best.state)).c_str());
  }
  return absl::OkStatus();
}

absl::Status ReplaySearch(const std::string& name) {
  ReplayOptions options;
  OP3D_ASSIGN_OR_RETURN(options.rule, ReadRule());
  const bool other =
      options.rule.method() != StoppingRule::KNEE || options.rule.function() != StoppingRule::FULL;
  if (other && options.rule.attempt_epochs() == 0) options.rule.set_attempt_epochs(10);
  if (options.rule.attempt_epochs() != 0) {
    OP3D_RETURN_IF_ERROR(ValidateStoppingRule(options.rule));
  }
  options.states = absl::GetFlag(FLAGS_states);
  const std::string cost = absl::GetFlag(FLAGS_cost);
  if (cost != "frames" && cost != "seconds") {
    return absl::InvalidArgumentError(
        absl::StrCat("--cost=", cost, " is none of: frames, seconds"));
  }
  options.cost = cost == "frames" ? Cost::kFrames : Cost::kSeconds;
  OP3D_ASSIGN_OR_RETURN(const std::vector<Recorded> recorded, ReadRecorded(UserPath(name)));
  for (const Recorded& one : recorded) {
    OP3D_RETURN_IF_ERROR(Annotate(PrintReplay(one, options), one.path));
    if (&one != &recorded.back()) std::printf("\n");
  }
  return absl::OkStatus();
}

// A flag's help begins with the sub-commands that take it: "search, resume: ...".  A flag of
// another one would be without effect.
absl::Status RefuseForeignFlags(const std::string& command) {
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (!absl::EndsWith(flag->Filename(), "plan_main.cc")) continue;
    const std::string help = flag->Help(), takers = help.substr(0, help.find(':'));
    if (absl::StrContains(takers, command) || flag->CurrentValue() == flag->DefaultValue())
      continue;
    return absl::InvalidArgumentError(absl::StrCat("--", name, " is no flag of plan ", command,
                                                   ", but of: ", takers, "; see --help"));
  }
  return absl::OkStatus();
}

absl::Status Run(absl::Span<const std::string> words) {
  if (!words.empty()) OP3D_RETURN_IF_ERROR(RefuseForeignFlags(words[0]));
  if (words.size() == 1 && words[0] == "search") return BeginSearch();
  if (words.size() != 2) {
    return absl::InvalidArgumentError(
        "two words are expected: show FILE, status DIR, explain DIR, replay DIR or resume DIR, or "
        "the word search with its flags; see --help");
  }
  if (words[0] == "show") return Show(words[1]);
  if (words[0] == "status") return PrintSearches(words[1], FormatStatus);
  if (words[0] == "explain") {
    OP3D_RETURN_IF_ERROR(PrintSearches(words[1], FormatExplanation));
    std::fprintf(stderr, "As pictures and a page: ./bazelw run //results:report -- %s\n",
                 words[1].c_str());
    return absl::OkStatus();
  }
  if (words[0] == "resume") return ResumeSearch(words[1]);
  if (words[0] == "replay") return ReplaySearch(words[1]);
  return absl::InvalidArgumentError(
      absl::StrCat("there is no sub-command \"", words[0],
                   "\"; there are search, resume, show, status, explain, replay"));
}

}  // namespace
}  // namespace op3d

int main(int argc, char** argv) { return op3d::RunProgram(argc, argv, op3d::kUsage, op3d::Run); }
