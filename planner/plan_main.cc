// Looks at plans and at searches, running or done.
//
//   ./bazelw run //planner:plan -- show kinetics400
//   ./bazelw run //planner:plan -- status results/runs/kinetics400-2026-05-01
//   ./bazelw run //planner:plan -- explain results/runs/kinetics400-2026-05-01
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program.h"
#include "op3d/base/status_macros.h"
#include "planner/plan_io.h"
#include "planner/plan_text.h"
#include "planner/search_folder.h"

namespace op3d {
namespace {

constexpr char kUsage[] =
    "looks at plans and at searches, running or done; changes nothing.\n\n"
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

absl::Status Run(absl::Span<const std::string> words) {
  if (words.size() != 2) {
    return absl::InvalidArgumentError(
        "two words are expected: show FILE, status DIR or explain DIR; see --help");
  }
  if (words[0] == "show") return Show(words[1]);
  if (words[0] == "status") return PrintSearches(words[1], FormatStatus);
  if (words[0] == "explain") return PrintSearches(words[1], FormatExplanation);
  return absl::InvalidArgumentError(
      absl::StrCat("there is no sub-command \"", words[0], "\"; there are show, status, explain"));
}

}  // namespace
}  // namespace op3d

int main(int argc, char** argv) { return op3d::RunProgram(argc, argv, op3d::kUsage, op3d::Run); }
