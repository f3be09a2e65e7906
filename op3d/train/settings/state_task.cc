#include "op3d/train/settings/state_task.h"

#include "absl/strings/str_cat.h"

namespace op3d {

StateTask ToStateTask(const StateSettings& state, int epochs) {
  StateTask result;
  result.clip = {state.segments(), state.frames_per_segment(), state.stride()};
  result.crop = state.crop();
  result.learning_rate = state.learning_rate();
  result.batch_size = state.batch_size();
  result.accumulation = state.accumulation();
  result.frozen_batch_norm = state.frozen_batch_norm();
  result.schedule = state.schedule();
  // A constant rate does not depend on the length, which may be extended.
  if (result.schedule.kind_case() != ScheduleSettings::KIND_NOT_SET) result.epochs = epochs;
  return result;
}

absl::StatusOr<int64_t> StepsPerEpoch(const StateTask& state, int64_t videos) {
  if (state.batch_size < 1 || state.accumulation < 1) {
    return absl::InvalidArgumentError(absl::StrCat("batch ", state.batch_size, " x accumulation ",
                                                   state.accumulation,
                                                   ": both must be at least 1"));
  }
  if (state.clips_a_step() > videos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a step of ", state.clips_a_step(), " clips (batch ", state.batch_size, " x accumulation ",
        state.accumulation, ") is larger than the training list of ", videos,
        " videos: lower the state's batch_size or accumulation, in a training with "
        "--set=steps[0].state.batch_size=8, in a benchmark with "
        "--set=search.wide.clips[NAME].batch_size=8, --set=search.pools[POOL].states[NAME]."
        "batch_size=8 or --set=recipes[NAME].state.batch_size=8, wherever it stands"));
  }
  return videos / state.clips_a_step();
}

TransformSettings TransformOf(const StateTask& state, TransformSettings transform) {
  if (state.crop > 0) transform.set_train_crop(state.crop);
  return transform;
}

std::string DescribeStateTask(const StateTask& state) {
  std::string text =
      absl::StrCat(state.clip.segments, "x", state.clip.frames_per_segment, " stride ",
                   state.clip.stride, " lr ", state.learning_rate, " batch ", state.batch_size, "x",
                   state.accumulation, state.frozen_batch_norm ? " frozen" : "");
  if (state.crop > 0) absl::StrAppend(&text, " crop ", state.crop);
  if (state.schedule.kind_case() != ScheduleSettings::KIND_NOT_SET) {
    absl::StrAppend(&text, " over ", state.epochs, " epochs { ", state.schedule.ShortDebugString(),
                    " }");
  }
  return text;
}

}  // namespace op3d
