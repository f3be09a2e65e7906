// Searches for a plan, and looks at plans and at searches, running or done.
//
//   ./bazelw run //planner:plan -- show kinetics400
//   ./bazelw run //planner:plan -- status results/runs/kinetics400-2026-05-01
//   ./bazelw run //planner:plan -- explain results/runs/kinetics400-2026-05-01
//   ./bazelw run //planner:plan -- search --runner='python3 my_train.py' --output_dir=my_search
//   ./bazelw run //planner:plan -- resume my_search
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "planner/child_search.h"
#include "planner/plan_io.h"
#include "planner/plan_text.h"
#include "planner/search_folder.h"

ABSL_FLAG(std::string, runner, "",
          "search: the command that trains, 'python3 my_train.py' (planner/child_runner.h)");
ABSL_FLAG(std::string, launcher, "",
          "search, resume: put in front of the runner, 'srun --gres=gpu:4'");
ABSL_FLAG(std::string, output_dir, "", "search: the folder of everything it writes");
ABSL_FLAG(std::vector<std::string>, graph, {"base_cs"},
          "search: transition graphs, files or names of shipped ones (base_cs, base_us, "
          "extended_cs, extended_us); one a pool, the best plan wins");
ABSL_FLAG(int, attempt_epochs, 10, "search: T, an edge ends when its knee is T epochs past");
ABSL_FLAG(int, max_epochs_from_initial, 200, "search: bound on the epochs of a first edge");
ABSL_FLAG(int, max_epochs, 100, "search: bound on the epochs of any other edge");
ABSL_FLAG(int, jobs, 1, "search, resume: edges trained at once, a child each");
ABSL_FLAG(int, retries, 2, "search, resume: how often a request is asked again of a new child");
ABSL_FLAG(absl::Duration, answer_timeout, absl::Hours(24),
          "search, resume: a child silent for longer than this is lost");
ABSL_FLAG(bool, dry_run, false, "search: print what would be done; write nothing");
ABSL_FLAG(int, videos, 1, "search --dry_run: clips an epoch trains on");

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
    "  plan explain DIR   each state's ways in, the one that won and why, what it cost\n\n"
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
absl::StatusOr<TransitionGraph> ReadGraph(const std::string& name) {
  std::string path = UserPath(name);
  if (!FileExists(path)) {
    const auto shipped = RunfilePath(absl::StrCat("planner/graphs/", name, ".textproto"));
    if (shipped.ok() && FileExists(*shipped)) path = *shipped;
  }
  TransitionGraph graph;
  OP3D_RETURN_IF_ERROR(ReadTextproto(path, &graph));
  OP3D_RETURN_IF_ERROR(Annotate(ValidateGraph(graph), path));
  return graph;
}

std::string AbsolutePath(const std::string& path) {
  return std::filesystem::absolute(UserPath(path)).lexically_normal().string();
}

absl::Status RunSearch(const SearchRequest& request, const std::string& folder) {
  ChildSearchOptions options;
  options.folder = AbsolutePath(folder);
  options.jobs = absl::GetFlag(FLAGS_jobs);
  options.child.launcher = absl::GetFlag(FLAGS_launcher);
  options.child.retries = absl::GetFlag(FLAGS_retries);
  options.child.answer_timeout = absl::GetFlag(FLAGS_answer_timeout);
  const absl::StatusOr<Plan> plan = SearchWithChildren(request, options);
  if (absl::IsCancelled(plan.status())) {
    return absl::CancelledError(
        absl::StrCat(plan.status().message(), "; go on with: plan resume ", options.folder));
  }
  OP3D_RETURN_IF_ERROR(plan.status());
  std::fputs(PlanText(*plan).c_str(), stdout);
  return absl::OkStatus();
}

absl::Status BeginSearch() {
  SearchRequest request;
  for (const std::string& name : absl::GetFlag(FLAGS_graph)) {
    OP3D_ASSIGN_OR_RETURN(*request.add_graphs(), ReadGraph(name));
  }
  request.mutable_rule()->set_attempt_epochs(absl::GetFlag(FLAGS_attempt_epochs));
  request.mutable_rule()->set_max_epochs_from_initial(absl::GetFlag(FLAGS_max_epochs_from_initial));
  request.mutable_rule()->set_max_epochs(absl::GetFlag(FLAGS_max_epochs));
  request.set_runner(absl::GetFlag(FLAGS_runner));
  request.set_runner_folder(AbsolutePath("."));
  if (absl::GetFlag(FLAGS_dry_run)) {
    OP3D_ASSIGN_OR_RETURN(const std::string text,
                          DescribeSearch(request, absl::GetFlag(FLAGS_videos)));
    std::fputs(text.c_str(), stdout);
    return absl::OkStatus();
  }
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

absl::Status Run(absl::Span<const std::string> words) {
  if (words.size() == 1 && words[0] == "search") return BeginSearch();
  if (words.size() != 2) {
    return absl::InvalidArgumentError(
        "two words are expected: show FILE, status DIR, explain DIR or resume DIR, or the word "
        "search with its flags; see --help");
  }
  if (words[0] == "show") return Show(words[1]);
  if (words[0] == "status") return PrintSearches(words[1], FormatStatus);
  if (words[0] == "explain") return PrintSearches(words[1], FormatExplanation);
  if (words[0] == "resume") return ResumeSearch(words[1]);
  return absl::InvalidArgumentError(
      absl::StrCat("there is no sub-command \"", words[0],
                   "\"; there are search, resume, show, status, explain"));
}

}  // namespace
}  // namespace op3d

int main(int argc, char** argv) { return op3d::RunProgram(argc, argv, op3d::kUsage, op3d::Run); }
