// Compares two runs: exit 0 when they are equal, 1 when they differ.
//
//   ./bazelw run //results:compare -- results/runs/a results/runs/b
//   ./bazelw run //results:compare -- results/runs/a results/runs/b --exact
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/program.h"
#include "op3d/base/status_macros.h"
#include "results/compare/compare.h"
#include "results/compare/reference_group.h"
#include "results/record/named_records.h"

ABSL_FLAG(bool, exact, false,
          "every bit counts: no tolerances, scores files byte by byte, checksums of weights");
ABSL_FLAG(bool, group, false,
          "hold the first run against the group of all others, the same run with other seeds, or a "
          "folder of --seeds=N: does each row reach what the group's next run would, with a "
          "probability of 95 %?");
ABSL_FLAG(bool, json, false, "one JSON object on stdout instead of text");
ABSL_FLAG(double, share_tolerance, op3d::results::ComparisonOptions().share_tolerance,
          "largest difference of accuracies, performances, edges' scores and fitted curves");
ABSL_FLAG(double, loss_tolerance, op3d::results::ComparisonOptions().loss_tolerance,
          "largest relative difference of losses");
ABSL_FLAG(int, epoch_tolerance, op3d::results::ComparisonOptions().epoch_tolerance,
          "largest difference of knees, epochs and lengths of curves");
ABSL_FLAG(int, video_tolerance, op3d::results::ComparisonOptions().video_tolerance,
          "largest difference of videos right in a class or group");
ABSL_FLAG(double, score_tolerance, op3d::results::ComparisonOptions().score_tolerance,
          "largest difference of single test scores (logits)");

namespace op3d::results {
namespace {

absl::StatusOr<ComparisonOptions> OptionsFromFlags() {
  ComparisonOptions options;
  options.exact = absl::GetFlag(FLAGS_exact);
  options.share_tolerance = absl::GetFlag(FLAGS_share_tolerance);
  options.loss_tolerance = absl::GetFlag(FLAGS_loss_tolerance);
  options.epoch_tolerance = absl::GetFlag(FLAGS_epoch_tolerance);
  options.video_tolerance = absl::GetFlag(FLAGS_video_tolerance);
  options.score_tolerance = absl::GetFlag(FLAGS_score_tolerance);
  for (const double tolerance :
       {options.share_tolerance, options.loss_tolerance, double(options.epoch_tolerance),
        double(options.video_tolerance), options.score_tolerance}) {
    if (!(tolerance >= 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a tolerance of ", tolerance, "; it must be at least 0"));
    }
  }
  return options;
}

// One run against a group of seeds.
absl::Status RunGroup(absl::Span<const std::string> words) {
  for (const char* flag : {"exact", "json", "share_tolerance", "loss_tolerance", "epoch_tolerance",
                           "video_tolerance", "score_tolerance"}) {
    if (!FlagIsGiven(flag)) continue;
    return absl::InvalidArgumentError(absl::StrCat("--", flag, " has no effect with --group"));
  }
  std::vector<NamedRecord> records;
  for (const std::string& word : words) {
    std::string group = UserPath(word);
    if (FolderExists(group)) group = JoinPath(group, kGroupFile);
    const bool is_group = FileExists(group) && absl::EndsWith(group, kGroupFile);
    OP3D_ASSIGN_OR_RETURN(std::vector<NamedRecord> read,
                          is_group ? ReadSeedGroup(group) : ReadNamedRecords({word}));
    records.insert(records.end(), read.begin(), read.end());
  }
  if (records.empty()) {
    return absl::InvalidArgumentError(
        "0 runs given; --group takes the run to test, then the runs of the group");
  }
  OP3D_ASSIGN_OR_RETURN(const GroupTest test,
                        TestAgainstGroup(records[0], absl::MakeConstSpan(records).subspan(1)));
  std::fputs(DescribeGroupTest(test).c_str(), stdout);
  return test.passes() ? absl::OkStatus() : absl::AbortedError("the run does not pass");
}

absl::Status Run(absl::Span<const std::string> words) {
  if (absl::GetFlag(FLAGS_group)) return RunGroup(words);
  if (words.size() != 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        words.size(),
        " runs given; compare takes two: folders, record.textproto files or recorded runs"));
  }
  OP3D_ASSIGN_OR_RETURN(const ComparisonOptions options, OptionsFromFlags());
  OP3D_ASSIGN_OR_RETURN(const std::string a, FindRun(words[0]));
  OP3D_ASSIGN_OR_RETURN(const std::string b, FindRun(words[1]));
  const absl::StatusOr<RunComparison> compared = CompareRuns(a, b, options);
  // 1 means that the runs differ, so an unreadable file must be 2.
  if (!compared.ok()) return absl::InvalidArgumentError(compared.status().message());
  const RunComparison& comparison = *compared;
  if (absl::GetFlag(FLAGS_json)) {
    std::printf("%s\n", ComparisonJson(comparison).c_str());
  } else {
    std::fputs(DescribeComparison(comparison).c_str(), stdout);
  }
  // If one of two equal records was edited, they do not prove that the runs are equal.
  if (!comparison.edited.empty() && comparison.differences.empty()) {
    return absl::InvalidArgumentError(
        "a record was edited by hand or damaged; undo the change, or run it again");
  }
  if (comparison.differences.empty()) return absl::OkStatus();
  return absl::AbortedError("the runs differ");
}

}  // namespace
}  // namespace op3d::results

int main(int argc, char** argv) {
  return op3d::RunProgram(
      argc, argv,
      "compares two runs field by field, times and host apart: settings, plan, curves, results, "
      "scores.  Exit 0 = equal, 1 = they differ, 2 = wrong use, or equal records of which one was "
      "edited.\n\n"
      "  ./bazelw run //results:compare -- results/runs/a results/runs/b --exact\n"
      "  ./bazelw run //results:compare -- --group results/runs/mine "
      "kinetics400_miniature_seed1 kinetics400_miniature_seed2",
      [](absl::Span<const std::string> words) { return op3d::results::Run(words); });
}
