// The knee of a performance curve, and whether training can stop.
//
//   ./bazelw run //planner:knee -- my_curve.csv
//   ./bazelw run //planner:knee -- my_curve.csv --attempt_epochs=10 --json
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program.h"
#include "op3d/base/status_macros.h"
#include "planner/curve_csv.h"
#include "planner/knee_estimator.h"
#include "planner/knee_interval.h"

ABSL_FLAG(int, attempt_epochs, 10,
          "T: training may stop once T epochs are trained and the knee is T epochs past");
ABSL_FLAG(bool, json, false, "print one JSON object: a b c d e rss knee value stop knee_interval");
ABSL_FLAG(int, resamples, 200, "curves drawn for the knee's interval");
ABSL_FLAG(uint64_t, seed, 1, "seed of those draws");

namespace op3d {
namespace {

constexpr double kConfidence = 0.95;

constexpr char kUsage[] =
    "fits f(x) = -a exp(-b x) - c x - d x^2 + e to a performance curve and prints the epoch at\n"
    "which it is highest, the knee.\n\n"
    "  ./bazelw run //planner:knee -- CURVE.csv [--json]\n\n"
    "CURVE.csv has the columns epoch,performance, from epoch 0 (before training).\n"
    "Example:  printf 'epoch,performance\\n0,0.1\\n1,0.5\\n2,0.6\\n3,0.62\\n4,0.61\\n5,0.6\\n' > "
    "c.csv\n"
    "          ./bazelw run //planner:knee -- c.csv --attempt_epochs=2\n";

void PrintJson(const Knee& knee, bool stop, const KneeInterval& interval) {
  nlohmann::ordered_json result;
  result["a"] = knee.curve.a;
  result["b"] = knee.curve.b;
  result["c"] = knee.curve.c;
  result["d"] = knee.curve.d;
  result["e"] = knee.curve.e;
  result["rss"] = knee.residual;
  result["knee"] = knee.epoch;
  result["value"] = knee.value;
  result["stop"] = stop;
  result["knee_interval"] = {interval.low, interval.high};
  std::printf("%s\n", result.dump().c_str());
}

void PrintText(const Knee& knee, bool stop, const KneeInterval& interval, int trained) {
  const int attempt = absl::GetFlag(FLAGS_attempt_epochs);
  const PerformanceCurve& f = knee.curve;
  absl::PrintF("curve     epochs 0 to %d\n", trained);
  absl::PrintF("fit       f(x) = -a exp(-b x) - c x - d x^2 + e\n");
  absl::PrintF("          a = %.6g  b = %.6g  c = %.6g  d = %.6g  e = %.6g\n", f.a, f.b, f.c, f.d,
               f.e);
  absl::PrintF("residual  %.6g (sum of squares)\n", knee.residual);
  absl::PrintF("knee      epoch %d, f = %.6g\n", knee.epoch, knee.value);
  absl::PrintF("interval  epochs %d to %d (%g %%, %d resamples)\n", interval.low, interval.high,
               100 * kConfidence, absl::GetFlag(FLAGS_resamples));
  if (stop) {
    absl::PrintF("stop      yes: %d epochs trained, the knee and %d more are past\n", trained,
                 attempt);
  } else {
    absl::PrintF("stop      no: %d epochs trained, stop at %d if the knee stays\n", trained,
                 knee.epoch + attempt);
  }
}

absl::Status Run(absl::Span<const std::string> words) {
  const int attempt = absl::GetFlag(FLAGS_attempt_epochs);
  if (words.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("one file is expected, got ", words.size(), "; see --help"));
  }
  if (attempt < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--attempt_epochs is ", attempt, ", but must be at least 1"));
  }
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(UserPath(words[0])));
  std::vector<std::string> warnings;
  OP3D_ASSIGN_OR_RETURN(const std::vector<double> curve, ParseCurveCsv(text, words[0], &warnings));
  if (!warnings.empty()) {
    std::fprintf(
        stderr, "warning: %s%s\n", warnings[0].c_str(),
        warnings.size() == 1 ? "" : absl::StrCat(" (and ", warnings.size() - 1, " more)").c_str());
  }
  absl::StatusOr<Knee> knee = EstimateKnee(curve);
  if (!knee.ok()) return Annotate(knee.status(), words[0]);
  BootstrapOptions options;
  options.confidence = kConfidence;
  options.resamples = absl::GetFlag(FLAGS_resamples);
  options.seed = absl::GetFlag(FLAGS_seed);
  options.ahead = attempt;
  OP3D_ASSIGN_OR_RETURN(const KneeInterval interval, BootstrapKnee(curve, *knee, options));
  const int trained = static_cast<int>(curve.size()) - 1;
  const bool stop = trained - attempt >= knee->epoch;
  if (absl::GetFlag(FLAGS_json)) {
    PrintJson(*knee, stop, interval);
  } else {
    PrintText(*knee, stop, interval, trained);
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace op3d

int main(int argc, char** argv) { return op3d::RunProgram(argc, argv, op3d::kUsage, op3d::Run); }
