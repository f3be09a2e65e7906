// Computes the knee of a performance curve, and whether training can stop.
//
//   ./bazelw run //planner:knee -- my_curve.csv
//   ./bazelw run //planner:knee -- my_curve.csv --attempt_epochs=10 --json
//   ./bazelw run //planner:knee -- my_run/log.jsonl --curve=2
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/program.h"
#include "op3d/base/program/renamed_flag.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "planner/knee/curve_file.h"
#include "planner/knee/knee_estimator.h"
#include "planner/knee/knee_interval.h"

ABSL_FLAG(int, attempt_epochs, 10,
          "T: training may stop once T epochs are trained and the knee is T epochs past");
ABSL_FLAG(std::string, curve, "",
          "for a log with several curves: the number of a state, or an edge such as S1-S2");
ABSL_FLAG(bool, json, false,
          "print one JSON object: first spacing a b c d e rss knee value stop knee_interval");
ABSL_FLAG(int, bootstrap_samples, 200, "number of resampled curves for the knee's interval");
ABSL_FLAG(op3d::RenamedFlag, resamples, {"--bootstrap_samples"}, "");
ABSL_FLAG(uint64_t, seed, 1, "seed of those draws");

namespace op3d::planner {
namespace {

constexpr double kConfidence = 0.95;

constexpr char kUsage[] =
    "fits f(x) = -a exp(-b x) - c x - d x^2 + e to a performance curve and prints the epoch at\n"
    "which it is highest, the knee.\n\n"
    "  ./bazelw run //planner:knee -- CURVE.csv [--json]\n\n"
    "CURVE.csv has the columns epoch,performance, or Wall time,Step,Value as TensorBoard "
    "downloads\n"
    "them; from any epoch, evenly spaced (epoch 0 is before training).  Or CURVE.csv is the\n"
    "log.jsonl of a training or a search, or a search's journal.jsonl.  x counts the lines from "
    "0;\n"
    "of steps, T counts lines.\n"
    "Example:  printf 'epoch,performance\\n0,0.1\\n1,0.5\\n2,0.6\\n3,0.62\\n4,0.61\\n5,0.6\\n' > "
    "c.csv\n"
    "          ./bazelw run //planner:knee -- c.csv --attempt_epochs=2\n";

// The epoch or step of line `line` of the curve, also beyond its end.
int64_t At(const planner::CurveFile& curve, int line) { return curve.first + line * curve.spacing; }

void PrintJson(const planner::CurveFile& curve, const planner::Knee& knee, bool stop,
               const planner::KneeInterval& interval) {
  nlohmann::ordered_json result;
  result["first"] = curve.first;
  result["spacing"] = curve.spacing;
  result["a"] = knee.curve.a;
  result["b"] = knee.curve.b;
  result["c"] = knee.curve.c;
  result["d"] = knee.curve.d;
  result["e"] = knee.curve.e;
  result["rss"] = knee.residual;
  result["knee"] = At(curve, knee.epoch);
  result["value"] = knee.value;
  result["stop"] = stop;
  result["knee_interval"] = {At(curve, interval.low), At(curve, interval.high)};
  std::printf("%s\n", result.dump().c_str());
}

void PrintText(const planner::CurveFile& curve, const planner::Knee& knee, bool stop,
               const planner::KneeInterval& interval, int ahead) {
  const planner::PerformanceCurve& f = knee.curve;
  const char* unit = curve.steps ? "step" : "epoch";
  const int last = static_cast<int>(curve.performance.size()) - 1;
  const bool every = curve.first == 0 && curve.spacing == 1;
  absl::PrintF("curve     %ss %d to %d%s\n", unit, curve.first, At(curve, last),
               curve.spacing == 1 ? "" : absl::StrCat(", ", curve.spacing, " apart"));
  absl::PrintF(
      "fit       f(x) = -a exp(-b x) - c x - d x^2 + e%s\n",
      every ? "" : absl::StrCat(", x = (", unit, " - ", curve.first, ") / ", curve.spacing));
  absl::PrintF("          a = %.6g  b = %.6g  c = %.6g  d = %.6g  e = %.6g\n", f.a, f.b, f.c, f.d,
               f.e);
  absl::PrintF("residual  %.6g (sum of squares)\n", knee.residual);
  absl::PrintF("knee      %s %d, f = %.6g%s\n", unit, At(curve, knee.epoch), knee.value,
               knee.epoch > last ? "; the curve still rises at its end" : "");
  absl::PrintF("interval  %ss %d to %d (%g %%, %d resamples)\n", unit, At(curve, interval.low),
               At(curve, interval.high), 100 * kConfidence, absl::GetFlag(FLAGS_bootstrap_samples));
  // For a usual curve the last epoch is the number of epochs trained.
  const std::string trained = every ? absl::StrCat(last, " epochs trained")
                                    : absl::StrCat("measured up to ", unit, " ", At(curve, last));
  const std::string more = curve.steps ? absl::StrCat(ahead, ahead == 1 ? " line" : " lines")
                                       : absl::StrCat(absl::GetFlag(FLAGS_attempt_epochs));
  if (stop) {
    absl::PrintF("stop      yes: %s, the knee and %s more are past\n", trained, more);
  } else {
    absl::PrintF("stop      no: %s, stop at %d if the knee stays\n", trained,
                 At(curve, knee.epoch + ahead));
  }
}

absl::Status Run(absl::Span<const std::string> words) {
  const int attempt = absl::GetFlag(FLAGS_attempt_epochs);
  if (words.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("one file is expected, got ", words.size(), "; see --help"));
  }
  OP3D_RETURN_IF_ERROR(RequireAtLeast("--attempt_epochs", attempt, 1));
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(UserPath(words[0])));
  std::vector<std::string> warnings;
  OP3D_ASSIGN_OR_RETURN(
      const planner::CurveFile curve,
      planner::ParseCurveFile(text, words[0], absl::GetFlag(FLAGS_curve), &warnings));
  if (!warnings.empty()) {
    std::fprintf(
        stderr, "warning: %s%s\n", warnings[0].c_str(),
        warnings.size() == 1 ? "" : absl::StrCat(" (and ", warnings.size() - 1, " more)").c_str());
  }
  absl::StatusOr<planner::Knee> knee = planner::EstimateKnee(curve.performance);
  if (!knee.ok()) return Annotate(knee.status(), words[0]);
  planner::KneeBootstrapOptions options;
  options.confidence = kConfidence;
  options.resamples = absl::GetFlag(FLAGS_bootstrap_samples);
  options.seed = absl::GetFlag(FLAGS_seed);
  // The number of lines of T epochs; for steps the number per epoch is unknown.
  const int64_t spacing = curve.steps ? 1 : curve.spacing;
  const int ahead = static_cast<int>((attempt + spacing - 1) / spacing);
  options.ahead = ahead;
  OP3D_ASSIGN_OR_RETURN(const planner::KneeInterval interval,
                        planner::BootstrapKnee(curve.performance, *knee, options));
  const int last = static_cast<int>(curve.performance.size()) - 1;
  const bool stop = last - ahead >= knee->epoch;
  if (absl::GetFlag(FLAGS_json)) {
    PrintJson(curve, *knee, stop, interval);
  } else {
    PrintText(curve, *knee, stop, interval, ahead);
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace op3d::planner

int main(int argc, char** argv) {
  return op3d::RunProgram(argc, argv, op3d::planner::kUsage, op3d::planner::Run);
}
