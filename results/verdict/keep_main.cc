// Adds runs to the repository, under results/recorded, and shows them in results/README.md.
//
//   ./bazelw run //results:keep -- results/runs/hmdb51-2026-11-29
//   ./bazelw run //results:keep                       # only the README, after a change by hand
#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/program.h"
#include "op3d/base/status_macros.h"
#include "results/verdict/recorded_runs.h"

ABSL_FLAG(std::string, name, "",
          "name of the folder under results/recorded; empty: made from set, split and seed.  "
          "Only for one run");

namespace op3d::results {
namespace {

absl::Status Run(absl::Span<const std::string> words) {
  const std::string name = absl::GetFlag(FLAGS_name);
  if (!name.empty() && words.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--name is for one run, but ", words.size(), " are given"));
  }
  const std::string folder = JoinPath(WorkspaceFolder(), "results/recorded");
  for (const std::string& word : words) {
    OP3D_ASSIGN_OR_RETURN(const Kept kept, KeepRun(UserPath(word), folder, name));
    std::printf("kept %s (%d bytes)\n", kept.path.c_str(), static_cast<int>(kept.bytes));
    if (kept.bytes >= kMostKeptBytes) {
      std::fprintf(stderr, "keep: %s has %d bytes; a record to be committed should stay below %d\n",
                   kept.path.c_str(), static_cast<int>(kept.bytes),
                   static_cast<int>(kMostKeptBytes));
    }
  }
  const std::string readme = JoinPath(WorkspaceFolder(), "results/README.md");
  OP3D_RETURN_IF_ERROR(UpdateReadme(folder, readme));
  std::printf("%s shows the runs under %s\n", readme.c_str(), folder.c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace op3d::results

int main(int argc, char** argv) {
  return op3d::RunProgram(
      argc, argv,
      "writes compact records of runs to results/recorded and the table of recorded runs in "
      "results/README.md; without a run, only the table.\n\n"
      "  ./bazelw run //results:keep -- results/runs/hmdb51-2026-11-29",
      [](absl::Span<const std::string> words) { return op3d::results::Run(words); });
}
