#include "op3d/train/run/run_options.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "op3d/base/file.h"
#include "op3d/base/program/commit.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "op3d/gpu/gpu_probe.h"
#include "op3d/train/checkpoint/model_card.h"

namespace op3d {

absl::StatusOr<TrainingData> LoadRunData(const RunOptions& options) {
  data::IndexOptions index;
  index.file = options.index_file;
  index.read_only = !options.first();
  const auto load = [&] {
    return LoadTrainingData(options.settings, options.dataset_root, options.loader_threads + 1,
                            index, gpu::GpuNumber(options.device));
  };
  if (options.group == nullptr) return load();
  TrainingData data;
  if (options.first()) {
    OP3D_ASSIGN_OR_RETURN(data, load());
  }
  OP3D_RETURN_IF_ERROR(options.group->Broadcast("scanned").status());
  if (!options.first()) {
    OP3D_ASSIGN_OR_RETURN(data, load());
  }
  return data;
}

TrainingJob MakeTrainingJob(const RunOptions& options, const TrainingData& data) {
  const TrainingRunSettings& settings = options.settings;
  TrainingJob job;
  job.network = settings.network();
  job.sgd = settings.sgd();
  job.training = settings.training();
  job.transform = settings.transform();
  job.loader = settings.loader();
  job.classes = data.classes;
  job.videos = &data.train;
  job.frames = data.frames.get();
  job.seed = settings.seed();
  job.initial_weights = settings.initial_weights();
  job.loader_threads = options.loader_threads;
  job.compute_threads = std::max(1, settings.compute_threads());
  job.device = options.device;
  job.group = options.group;
  *job.card.mutable_dataset() = PortableDataset(settings.dataset());
  job.card.mutable_class_names()->Assign(data.class_names.begin(), data.class_names.end());
  job.card.set_test_clips(settings.dataset().protocol().test_clips());
  job.card.set_test_segments(settings.dataset().protocol().test_segments());
  job.card.set_commit(BuildCommit());
  return job;
}

absl::Status ExplainRefusal(const RunOptions& options, const absl::Status& refused) {
  if (!absl::IsFailedPrecondition(refused)) return refused;
  TrainingRunSettings there;
  const std::string path = JoinPath(options.output_dir, "settings.textproto");
  if (!ReadTextproto(path, &there).ok()) return refused;
  TrainingRunSettings same_lengths = options.settings;
  if (there.steps_size() != same_lengths.steps_size()) return refused;
  std::vector<std::string> lengths;
  for (int i = 0; i < there.steps_size(); ++i) {
    const int here = same_lengths.steps(i).epochs();
    if (there.steps(i).epochs() == here) continue;
    lengths.push_back(
        absl::StrCat("state ", i + 1, ": ", there.steps(i).epochs(), " epochs there, ", here, " here"));
    same_lengths.mutable_steps(i)->set_epochs(there.steps(i).epochs());
  }
  if (lengths.empty() ||
      !google::protobuf::util::MessageDifferencer::Equals(there, same_lengths)) {
    return refused;
  }
  const std::string weights = JoinPath(options.output_dir, "weights.safetensors");
  return absl::FailedPreconditionError(absl::StrCat(
      options.output_dir, " holds a run of other lengths (", absl::StrJoin(lengths, "; "),
      "). A finished state keeps its weights but not its optimiser, so it cannot be made longer in "
      "this folder. To train longer, give another --output_dir and start from the weights: ",
      FileExists(weights) ? "" : "finish this run with the lengths it has, then ",
      "--init=", weights,
      " with steps for only the additional epochs. To train everything with the new lengths, "
      "give another --output_dir"));
}

StateTask ToStateTask(const RunStep& step) {
  StateTask state = ToStateTask(step.state(), step.epochs());
  if (step.schedule().kind_case() != ScheduleSettings::KIND_NOT_SET) {
    state.schedule = step.schedule();
    state.epochs = step.epochs();
  }
  return state;
}

}  // namespace op3d
