#include "op3d/train/run/run_settings.h"

#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "data/datasets/dataset_settings.h"
#include "data/transform/clip_transform.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "op3d/train/settings/unused_settings.h"
#include "op3d/train/step/clip_mixing.h"

namespace op3d {
namespace {

constexpr char kRecipes[] = "op3d/train/recipes";

absl::StatusOr<std::string> SettingsFile(const std::string& name) {
  if (name.empty()) {
    return absl::InvalidArgumentError(
        "--settings is missing: a textproto (its schema is op3d/train/settings/run.proto) or the "
        "name of a recipe of op3d/train/recipes");
  }
  if (!IsTextprotoName(name)) return UserPath(name);
  OP3D_ASSIGN_OR_RETURN(const std::string folder, RunfilePath(kRecipes));
  const absl::StatusOr<std::string> recipe = FindTextproto(folder, name, "recipe");
  if (!absl::IsNotFound(recipe.status())) return recipe;
  return absl::NotFoundError(absl::StrCat(recipe.status().message(),
                                          ". A file of yours is given with its ending .textproto"));
}

absl::StatusOr<DatasetSettings> DatasetOf(const TrainingRunSettings& settings) {
  if (settings.has_dataset()) return settings.dataset();
  if (settings.dataset_name().empty()) {
    return absl::InvalidArgumentError(
        "settings: dataset_name is missing: a name of data/datasets (ucf101) or a textproto");
  }
  return data::FindDataset(settings.dataset_name());
}

// The file merged over its bases, and these over the dataset's protocol if they ask for it.
absl::StatusOr<TrainingRunSettings> ReadSettings(const std::string& path) {
  const std::string recipes = RunfilePath(kRecipes).value_or("");
  TrainingRunSettings settings;
  OP3D_RETURN_IF_ERROR(OverlayTextproto(path, recipes, &settings));
  if (!settings.use_protocol()) return settings;
  OP3D_ASSIGN_OR_RETURN(const DatasetSettings dataset, DatasetOf(settings));
  settings.Clear();
  data::UseProtocol(dataset, &settings);
  OP3D_RETURN_IF_ERROR(OverlayTextproto(path, recipes, &settings));
  settings.clear_use_protocol();
  return settings;
}

// Takes the steps from the plan named in the settings, unless the command line gives them.
absl::Status TakeSteps(const RunSettingsRequest& request, TrainingRunSettings* settings) {
  PlannedSteps planned = {request.steps, ""};
  if (planned.steps.empty()) {
    if (settings->plan().empty()) return absl::OkStatus();
    if (!settings->steps().empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "settings: there are both steps and a plan (", settings->plan(),
          "), which has steps too; take a base without steps (published), say plan: \"\", or give "
          "--plan, which comes before both"));
    }
    if (!request.find_plan) {
      return absl::InvalidArgumentError(
          absl::StrCat("settings: plan is ", settings->plan(), ", but plans are not read here"));
    }
    absl::StatusOr<PlannedSteps> found = request.find_plan(settings->plan());
    if (!found.ok()) return Annotate(found.status(), "settings: plan");
    planned = *std::move(found);
  }
  settings->mutable_steps()->Assign(planned.steps.begin(), planned.steps.end());
  if (settings->source().empty()) settings->set_source(planned.source);
  settings->clear_plan();
  return absl::OkStatus();
}

absl::Status ValidateStep(const RunStep& step, absl::string_view where) {
  const StateSettings& state = step.state();
  const auto field = [&](absl::string_view name) { return absl::StrCat(where, ".", name); };
  OP3D_RETURN_IF_ERROR(RequireAtLeast(field("epochs"), step.epochs(), 1));
  OP3D_RETURN_IF_ERROR(RequireAtLeast(field("state.segments"), state.segments(), 1));
  OP3D_RETURN_IF_ERROR(
      RequireAtLeast(field("state.frames_per_segment"), state.frames_per_segment(), 1));
  OP3D_RETURN_IF_ERROR(RequireAtLeast(field("state.stride"), state.stride(), 1));
  OP3D_RETURN_IF_ERROR(Require(state.crop() >= 0 && state.crop() <= 8192, field("state.crop"),
                               state.crop(), "in [0, 8192]; 0 = transform.train_crop"));
  OP3D_RETURN_IF_ERROR(RequireAtLeast(field("state.batch_size"), state.batch_size(), 1));
  OP3D_RETURN_IF_ERROR(RequireAtLeast(field("state.accumulation"), state.accumulation(), 1));
  return Require(state.learning_rate() > 0, field("state.learning_rate"), state.learning_rate(),
                 "above 0");
}

// --set=dataset.split=2 changes the dataset that the settings name, not an empty one.
absl::Status FindChangedDataset(const std::vector<std::string>& assignments,
                                TrainingRunSettings* settings) {
  std::string name = settings->dataset_name();
  bool changed = false;
  for (absl::string_view assignment : assignments) {
    changed |= absl::StartsWith(assignment, "dataset.");
    if (absl::ConsumePrefix(&assignment, "dataset_name=")) name = std::string(assignment);
  }
  if (!changed || settings->has_dataset() || name.empty()) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(*settings->mutable_dataset(), data::FindDataset(name));
  // The named dataset has been read, so clear the name.
  settings->set_dataset_name(name);
  return absl::OkStatus();
}

// The settings that `train` does not use with these settings.
std::vector<UnusedPart<TrainingRunSettings>> UnusedParts(const TrainingRunSettings& settings,
                                                         const RunSettingsRequest& request) {
  using Settings = TrainingRunSettings;
  std::vector<UnusedPart<Settings>> parts;
  const auto add = [&parts](const char* reason, std::function<void(Settings*)> clear) {
    parts.push_back({reason, std::move(clear)});
  };
  if (request.serve) {
    add("with --serve the planner chooses what is trained, and everything is measured",
        [](Settings* s) {
          s->clear_steps();
          s->mutable_measure()->clear_every_epochs();
        });
  }
  const MeasureSettings::Videos videos = settings.measure().videos();
  if (videos != MeasureSettings::HELD_OUT && videos != MeasureSettings::EVALUATION) {
    add("nothing is measured after an epoch; set measure.videos to HELD_OUT or EVALUATION",
        [](Settings* s) {
          s->mutable_measure()->clear_held_out_share();
          s->mutable_measure()->clear_every_epochs();
          s->mutable_transform()->clear_search_short_side();
          s->mutable_transform()->clear_search_crop();
        });
  } else if (videos == MeasureSettings::EVALUATION) {
    add("the evaluation list is measured; set measure.videos to HELD_OUT",
        [](Settings* s) { s->mutable_measure()->clear_held_out_share(); });
  }
  for (int i = 0; i < settings.steps_size(); ++i) {
    if (settings.steps(i).schedule().kind_case() == ScheduleSettings::KIND_NOT_SET) continue;
    add("the step's own schedule replaces that of its state", [i](Settings* s) {
      if (i < s->steps_size()) s->mutable_steps(i)->mutable_state()->clear_schedule();
    });
  }
  if (settings.has_dataset()) {
    add("the settings hold the dataset itself; set fields of dataset, or leave it out",
        [](Settings* s) { s->clear_dataset_name(); });
  }
  if (!request.initial_weights.empty()) {
    add("--init names the weights to start from", [](Settings* s) { s->clear_initial_weights(); });
  }
  add("the checksum is that of the file", [](Settings* s) { s->clear_initial_weights_crc32(); });
  add("it is read only from files; name a base, a protocol or a plan in your own file (or give "
      "--plan)",
      [](Settings* s) {
        s->clear_base();
        s->clear_use_protocol();
        s->clear_plan();
      });
  AddUnusedTraining(settings, &parts);
  return parts;
}

}  // namespace

absl::StatusOr<TrainingRunSettings> ResolveRunSettings(const RunSettingsRequest& request) {
  OP3D_ASSIGN_OR_RETURN(const std::string path, SettingsFile(request.settings));
  OP3D_ASSIGN_OR_RETURN(TrainingRunSettings settings, ReadSettings(path));
  OP3D_RETURN_IF_ERROR(TakeSteps(request, &settings));
  if (!request.network.empty()) settings.mutable_network()->set_name(request.network);
  if (!request.precision.empty()) settings.mutable_training()->set_precision(request.precision);
  if (request.seed.has_value()) settings.set_seed(*request.seed);
  OP3D_RETURN_IF_ERROR(FindChangedDataset(request.assignments, &settings));
  OP3D_RETURN_IF_ERROR(SetFields<TrainingRunSettings>(
      request.assignments,
      [&](const TrainingRunSettings& all) { return UnusedParts(all, request); },
      /*after_each=*/nullptr, &settings));
  OP3D_ASSIGN_OR_RETURN(*settings.mutable_dataset(), DatasetOf(settings));
  OP3D_RETURN_IF_ERROR(data::SetStream(request.stream, settings.mutable_dataset()));
  if (request.split.has_value()) {
    OP3D_RETURN_IF_ERROR(data::ChooseSplit(*request.split, settings.mutable_dataset()));
  }
  const std::string weights =
      request.initial_weights.empty() ? settings.initial_weights() : request.initial_weights;
  if (!weights.empty()) {
    settings.set_initial_weights(UserPath(weights));
    OP3D_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(settings.initial_weights()));
    settings.set_initial_weights_crc32(Crc32(bytes));
  }
  OP3D_RETURN_IF_ERROR(ValidateRunSettings(settings, request.serve));
  return settings;
}

namespace {

absl::Status CheckSettings(const TrainingRunSettings& settings, bool serve) {
  OP3D_RETURN_IF_ERROR(RequireAtLeast("dataset.classes", settings.dataset().classes(), 2));
  const double dropout = settings.network().dropout();
  OP3D_RETURN_IF_ERROR(
      Require(dropout >= 0 && dropout < 1, "network.dropout", dropout, "in [0, 1)"));
  OP3D_RETURN_IF_ERROR(
      RequireAtLeast("loader.frame_cache_mib", settings.loader().frame_cache_mib(), 0));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("compute_threads", settings.compute_threads(), 0));
  OP3D_RETURN_IF_ERROR(data::CheckTransformSettings(settings.transform()));
  OP3D_RETURN_IF_ERROR(CheckMixing(settings.training()));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("training.activation_checkpointing_frames",
                                      settings.training().activation_checkpointing_frames(), 0));
  const MeasureSettings& measure = settings.measure();
  if (measure.videos() == MeasureSettings::HELD_OUT) {
    OP3D_RETURN_IF_ERROR(Require(measure.held_out_share() > 0 && measure.held_out_share() < 1,
                                 "measure.held_out_share", measure.held_out_share(), "in (0, 1)"));
  }
  OP3D_RETURN_IF_ERROR(RequireAtLeast("measure.every_epochs", measure.every_epochs(), 0));
  if (serve) {
    if (measure.videos() != MeasureSettings::HELD_OUT &&
        measure.videos() != MeasureSettings::EVALUATION) {
      return absl::InvalidArgumentError(
          "measure.videos must be HELD_OUT or EVALUATION: a planner asks for the "
          "performance of every epoch");
    }
    return absl::OkStatus();
  }
  if (settings.steps().empty()) {
    return absl::InvalidArgumentError("steps is empty: there is no state to train");
  }
  for (int i = 0; i < settings.steps_size(); ++i) {
    OP3D_RETURN_IF_ERROR(ValidateStep(settings.steps(i), absl::StrCat("steps[", i, "]")));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateRunSettings(const TrainingRunSettings& settings, bool serve) {
  return Annotate(CheckSettings(settings, serve), "settings");
}

}  // namespace op3d
