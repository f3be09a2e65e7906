// Studies the planner in simulated worlds.
//
//   ./bazelw run //benchmarks/study:planner_study -- --worlds=1000
//   ./bazelw run //benchmarks/study:planner_study -- --study=rules --svg=study.svg
#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "benchmarks/study/planner_study.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/program.h"
#include "op3d/base/status_macros.h"

ABSL_FLAG(int, worlds, 200, "worlds; each is searched once with every method");
ABSL_FLAG(uint64_t, seed, 1, "seed of everything");
ABSL_FLAG(int, threads, 2, "worlds at once");
ABSL_FLAG(
    std::string, study, "methods",
    "methods: compares both methods with fixed schedules, in worlds where the rate has a "
    "price; rules: the published method's stopping rules, in worlds whose best plan is known");
ABSL_FLAG(double, frames, 4608, "methods: what each may train, in frames per video");
ABSL_FLAG(double, floor, 0.08, "methods: what weights lose at a constant rate of 0.04");
ABSL_FLAG(double, scatter, 0.053,
          "methods: standard deviation of single epochs at a constant rate of 0.04");
ABSL_FLAG(double, recovered, 0.85,
          "methods: the share of --floor and --scatter that merging weights recovers");
ABSL_FLAG(double, rate_price, 0.09, "methods: what a rate costs at four times the best one");
ABSL_FLAG(double, spread, 0.025, "methods: standard deviation between trainings of one plan");
ABSL_FLAG(int, held_out, 180, "methods: videos that are measured on; 0 = no noise");
ABSL_FLAG(double, noise, 0.004, "rules: standard deviation of a measured performance");
ABSL_FLAG(double, path_effect, 0.003,
          "rules: standard deviation of what the whole path to a state adds to its ceiling");
ABSL_FLAG(bool, power_law, false, "rules: use curves that are not of the fitted family");
ABSL_FLAG(std::string, svg, "", "rules: a picture to write");

namespace op3d::benchmarks {
namespace {

constexpr char kUsage[] =
    "searches made-up worlds and prints how good the models are and what they cost: the published\n"
    "and the planned method and fixed schedules (--study=methods), or the published method's\n"
    "stopping rules and random search, successive halving and population-based training at\n"
    "equal cost (--study=rules).\n\n"
    "Example:  ./bazelw run //benchmarks/study:planner_study -- --worlds=1000\n"
    "          ./bazelw run //benchmarks/study:planner_study -- --study=rules --svg=study.svg\n";

absl::Status RunMethods() {
  MethodStudyOptions options;
  options.worlds = absl::GetFlag(FLAGS_worlds);
  options.seed = absl::GetFlag(FLAGS_seed);
  options.threads = absl::GetFlag(FLAGS_threads);
  options.frames = absl::GetFlag(FLAGS_frames);
  options.annealed.floor = absl::GetFlag(FLAGS_floor);
  options.annealed.scatter = absl::GetFlag(FLAGS_scatter);
  options.annealed.recovered = absl::GetFlag(FLAGS_recovered);
  options.annealed.rate_price = absl::GetFlag(FLAGS_rate_price);
  options.annealed.spread = absl::GetFlag(FLAGS_spread);
  options.annealed.held_out_videos = absl::GetFlag(FLAGS_held_out);
  OP3D_ASSIGN_OR_RETURN(const MethodStudy study, StudyMethods(options));
  std::fputs(FormatMethods(study).c_str(), stdout);
  return absl::OkStatus();
}

absl::Status Run(absl::Span<const std::string> words) {
  if (!words.empty()) return absl::InvalidArgumentError("no words are expected; see --help");
  const std::string which = absl::GetFlag(FLAGS_study);
  if (which != "methods" && which != "rules") {
    return absl::InvalidArgumentError(
        absl::StrCat("--study is \"", which, "\"; it must be methods or rules"));
  }
  if (which == "methods") {
    if (absl::GetFlag(FLAGS_svg).empty()) return RunMethods();
    return absl::InvalidArgumentError("--svg draws the rules; add --study=rules");
  }
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
}  // namespace op3d::benchmarks

int main(int argc, char** argv) {
  return op3d::RunProgram(argc, argv, op3d::benchmarks::kUsage, op3d::benchmarks::Run);
}
