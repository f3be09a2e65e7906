// Settings that have no effect because of other settings of a run: on the command line they are a
// mistake, and are refused.  Torch-free.
//
//   using Settings = TrainingRunSettings;                     // any message with the same fields
//   const auto unused_of = [](const Settings& settings) {
//     std::vector<UnusedPart<Settings>> unused;
//     AddUnusedTraining(settings, &unused);
//     return unused;
//   };
//   OP3D_RETURN_IF_ERROR(SetFields<Settings>(assignments, unused_of, nullptr, &settings));
#ifndef OP3D_TRAIN_SETTINGS_UNUSED_SETTINGS_H_
#define OP3D_TRAIN_SETTINGS_UNUSED_SETTINGS_H_

#include <google/protobuf/util/message_differencer.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"

namespace op3d {

// A part of the settings that a run does not use.
template <typename Settings>
struct UnusedPart {
  // Why, and what would give it an effect.
  std::string reason;
  // Empties the part.
  std::function<void(Settings*)> clear;
};

// SetField() for each of `assignments` in order; `after_each` may then resolve names in them.  What
// is unused is decided by the final settings.  InvalidArgument, with the reason, for
// an assignment that changes only unused parts.
template <typename Settings>
absl::Status SetFields(
    const std::vector<std::string>& assignments,
    const std::function<std::vector<UnusedPart<Settings>>(const Settings&)>& unused_of,
    const std::function<absl::Status(const Settings& before, Settings*)>& after_each,
    Settings* settings) {
  std::vector<Settings> states = {*settings};
  for (const std::string& assignment : assignments) {
    OP3D_RETURN_IF_ERROR(Annotate(SetField(assignment, settings), "--set"));
    if (after_each) OP3D_RETURN_IF_ERROR(Annotate(after_each(states.back(), settings), "--set"));
    states.push_back(*settings);
  }
  const auto equal = [](const Settings& a, const Settings& b) {
    return google::protobuf::util::MessageDifferencer::Equals(a, b);
  };
  for (size_t i = 0; i < assignments.size(); ++i) {
    if (equal(states[i], states[i + 1])) continue;  // it says what was so already
    for (const UnusedPart<Settings>& part : unused_of(*settings)) {
      Settings before = states[i], after = states[i + 1];
      part.clear(&before);
      part.clear(&after);
      if (!equal(before, after)) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("--set=", assignments[i], " has no effect in this run: ", part.reason));
    }
  }
  return absl::OkStatus();
}

// What BenchmarkSettings and TrainingRunSettings have in common: `transform`, `sgd`, `training`.
template <typename Settings>
void AddUnusedTraining(const Settings& settings, std::vector<UnusedPart<Settings>>* parts) {
  const auto add = [parts](const char* reason, std::function<void(Settings*)> clear) {
    parts->push_back({reason, std::move(clear)});
  };
  if (settings.transform().rand_augment_draws() > 0) {
    add("transform.rand_augment_draws puts RandAugment in place of jitter, grey and blur; set it "
        "to 0",
        [](Settings* s) {
          s->mutable_transform()->clear_jitter_probability();
          s->mutable_transform()->clear_brightness();
          s->mutable_transform()->clear_contrast();
          s->mutable_transform()->clear_saturation();
          s->mutable_transform()->clear_hue();
          s->mutable_transform()->clear_grey_probability();
          s->mutable_transform()->clear_blur_probability();
        });
  } else {
    add("there is no RandAugment; set transform.rand_augment_draws above 0",
        [](Settings* s) { s->mutable_transform()->clear_rand_augment_magnitude(); });
    if (settings.transform().jitter_probability() == 0) {
      add("no clip is jittered; set transform.jitter_probability above 0", [](Settings* s) {
        s->mutable_transform()->clear_brightness();
        s->mutable_transform()->clear_contrast();
        s->mutable_transform()->clear_saturation();
        s->mutable_transform()->clear_hue();
      });
    }
  }
  if (settings.training().has_adamw()) {
    add("training.adamw is the optimiser; it has its own weight_decay", [](Settings* s) {
      s->mutable_sgd()->clear_momentum();
      s->mutable_sgd()->clear_nesterov();
      s->mutable_sgd()->clear_weight_decay();
    });
  }
  const auto& mixing = settings.training().mixing();
  if (mixing.mixup_alpha() == 0 && mixing.cutmix_alpha() == 0) {
    add("no clips are mixed; set training.mixing.mixup_alpha or cutmix_alpha",
        [](Settings* s) { s->mutable_training()->mutable_mixing()->clear_probability(); });
  }
  if (settings.training().label_smoothing() == 0) {
    add("labels are not smoothed; set training.label_smoothing",
        [](Settings* s) { s->mutable_training()->clear_released_label_smoothing(); });
  }
}

}  // namespace op3d

#endif  // OP3D_TRAIN_SETTINGS_UNUSED_SETTINGS_H_
