// The settings that the program `train` uses: a file or a shipped recipe merged over its bases,
// overridden by the command line, and checked as a whole.  Torch-free.
//
//   RunSettingsRequest request;
//   request.settings = "ucf101_kinetics400_planned";       // or a file
//   request.assignments = {"sgd.weight_decay=5e-4"};
//   OP3D_ASSIGN_OR_RETURN(TrainingRunSettings settings, ResolveRunSettings(request));
#ifndef OP3D_TRAIN_RUN_RUN_SETTINGS_H_
#define OP3D_TRAIN_RUN_RUN_SETTINGS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/train/settings/run.pb.h"

namespace op3d {

// The part of a plan that a run uses.
struct PlannedSteps {
  std::vector<RunStep> steps;
  // The plan's source.
  std::string source;
};

// From a plan (planner/graphs/plan.proto, on which this package does not depend).
template <typename Plan>
PlannedSteps StepsOf(const Plan& plan) {
  PlannedSteps planned;
  planned.source = plan.source();
  for (const auto& step : plan.steps()) {
    planned.steps.emplace_back();
    *planned.steps.back().mutable_state() = step.state();
    planned.steps.back().set_epochs(step.epochs());
  }
  return planned;
}

// The command line; empty = not given.
struct RunSettingsRequest {
  // A name of op3d/train/recipes, or a file: a name with a slash or the ending .textproto.
  std::string settings;
  // path.to.field=value, in order.
  std::vector<std::string> assignments;
  std::string network;
  std::string precision;
  std::string initial_weights;
  std::optional<uint64_t> seed;
  // The dataset's stream, "pictures" or "flow", and an official split, from 1.
  std::string stream;
  std::optional<int> split;
  // A plan's steps: replace the settings' steps, before the assignments are applied.
  std::vector<RunStep> steps;
  // Finds a plan that the settings name; without this function such settings are refused.
  std::function<absl::StatusOr<PlannedSteps>(const std::string& name)> find_plan;
  // The states come from a planner: the settings need none.
  bool serve = false;
};

// Paths are the user's.  NotFound (lists the existing recipes) or InvalidArgument,
// naming file and field; also for an assignment that has no effect in this run, with the reason.
absl::StatusOr<TrainingRunSettings> ResolveRunSettings(const RunSettingsRequest& request);

// InvalidArgument with the path of the first invalid field, its value and its limits.
absl::Status ValidateRunSettings(const TrainingRunSettings& settings, bool serve);

}  // namespace op3d

#endif  // OP3D_TRAIN_RUN_RUN_SETTINGS_H_
