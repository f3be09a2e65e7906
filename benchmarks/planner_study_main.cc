// Studies the planner in simulated worlds.
//
//   ./bazelw run //benchmarks:planner_study -- --worlds=1000 --svg=study.svg
#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "benchmarks/planner_study.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program.h"
#include "op3d/base/status_macros.h"

ABSL_FLAG(int, worlds, 200, "worlds, each searched once in every way");
ABSL_FLAG(uint64_t, seed, 1, "seed of everything");
ABSL_FLAG(int, threads, 2, "worlds at once");
ABSL_FLAG(double, noise, 0.004, "standard deviation of a measured performance");
ABSL_FLAG(double, path_effect, 0.003,
          "standard deviation of what the whole way to a state adds to its ceiling");
ABSL_FLAG(bool, power_law, false, "curves that are not of the family that is fitted");
ABSL_FLAG(std::string, svg, "", "a picture to write");

namespace op3d {
namespace {

constexpr char kUsage[] =
    "searches made-up worlds, whose best plan is known, with the planner's stopping rules and "
    "with\n"
    "random search, successive halving and population-based training at equal cost, and prints "
    "how\n"
    "far each falls short and what it trains.\n\n"
    "Example:  ./bazelw run //benchmarks:planner_study -- --worlds=1000 --svg=study.svg\n";

absl::Status Run(absl::Span<const std::string> words) {
  if (!words.empty()) return absl::InvalidArgumentError("no words are expected; see --help");
  StudyOptions options;
  options.worlds = absl::GetFlag(FLAGS_worlds);
  options.seed = absl::GetFlag(FLAGS_seed);
  options.threads = absl::GetFlag(FLAGS_threads);
  options.simulated.noise = absl::GetFlag(FLAGS_noise);
  options.simulated.path_effect = absl::GetFlag(FLAGS_path_effect);
  options.simulated.power_law = absl::GetFlag(FLAGS_power_law);
  OP3D_ASSIGN_OR_RETURN(const PlannerStudy study, StudyPlanner(options));
  std::fputs(FormatStudy(study).c_str(), stdout);
  const std::string path = absl::GetFlag(FLAGS_svg);
  if (path.empty()) return absl::OkStatus();
  return WriteFileAtomically(UserPath(path), DrawStudy(study).ToFile());
}

}  // namespace
}  // namespace op3d

int main(int argc, char** argv) { return op3d::RunProgram(argc, argv, op3d::kUsage, op3d::Run); }
