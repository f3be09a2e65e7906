// Adds runs and sweeps to the repository, under results/recorded and results/sweeps, and shows them
// in results/README.md.
//
//   ./bazelw run //results:keep -- results/runs/hmdb51-2026-11-29
//   ./bazelw run //results:keep -- results/runs/kinetics400-ablations-2026-11-29 --name=ablations
//   ./bazelw run //results:keep                       # only the README, after a change by hand
#include <cstdio>
#include <filesystem>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/program.h"
#include "op3d/base/status_macros.h"
#include "results/verdict/recorded_runs.h"

ABSL_FLAG(
    std::string, name, "",
    "name of the folder under results/recorded; empty: made from set, split and seed.  Only for "
    "one run.  Of a sweep the name under results/sweeps; empty: its folder's");

namespace op3d::results {
namespace {

absl::Status Run(absl::Span<const std::string> words) {
  const std::string name = absl::GetFlag(FLAGS_name);
  if (!name.empty() && words.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--name is for one run, but ", words.size(), " are given"));
  }
  const std::string results = JoinPath(WorkspaceFolder(), "results");
  for (const std::string& word : words) {
    const std::string run = UserPath(word);
    const bool sweep = FileExists(JoinPath(run, kSweepFile));
    OP3D_ASSIGN_OR_RETURN(
        const Kept kept,
        sweep ? KeepSweep(run, JoinPath(results, "sweeps"),
                          name.empty() ? std::filesystem::path(run).filename().string() : name)
              : KeepRun(run, JoinPath(results, "recorded"), name));
    std::printf("kept %s (%s%d bytes)\n", kept.path.c_str(), sweep ? "its largest record: " : "",
                static_cast<int>(kept.bytes));
    if (kept.bytes >= kMostKeptBytes) {
      std::fprintf(stderr, "keep: %s has %d bytes; a record to be committed should stay below %d\n",
                   kept.path.c_str(), static_cast<int>(kept.bytes),
                   static_cast<int>(kMostKeptBytes));
    }
  }
  OP3D_RETURN_IF_ERROR(UpdateReadme(results));
  std::printf("%s/README.md shows the recorded runs\n", results.c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace op3d::results

int main(int argc, char** argv) {
  return op3d::RunProgram(
      argc, argv,
      "writes compact records of runs to results/recorded, those of sweeps to results/sweeps, and "
      "the tables of both in results/README.md; without a run, only the tables.\n\n"
      "  ./bazelw run //results:keep -- results/runs/hmdb51-2026-11-29",
      [](absl::Span<const std::string> words) { return op3d::results::Run(words); });
}
