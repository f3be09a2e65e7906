// Compares two runs: exit 0 when they are equal, 1 when they differ.
//
//   ./bazelw run //results:compare -- results/runs/a results/runs/b
//   ./bazelw run //results:compare -- results/runs/a results/runs/b --exact
#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/program/program.h"
#include "op3d/base/status_macros.h"
#include "results/compare/compare.h"
#include "results/record/named_records.h"

ABSL_FLAG(bool, exact, false,
          "every bit counts: no tolerances, scores files byte by byte, checksums of weights");
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

absl::Status Run(absl::Span<const std::string> words) {
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
      "  ./bazelw run //results:compare -- results/runs/a results/runs/b --exact",
      [](absl::Span<const std::string> words) { return op3d::results::Run(words); });
}
