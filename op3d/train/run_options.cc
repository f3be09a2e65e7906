#include "op3d/train/run_options.h"

#include <algorithm>

#include "op3d/base/commit.h"
#include "op3d/base/status_macros.h"
#include "op3d/train/model_card.h"

namespace op3d {

absl::StatusOr<TrainingData> LoadRunData(const RunOptions& options, bool write_index) {
  IndexOptions index;
  index.file = options.index_file;
  index.read_only = !write_index || !options.first();
  const auto load = [&] {
    return LoadTrainingData(options.settings, options.dataset_root, options.loader_threads + 1,
                            index);
  };
  if (options.group == nullptr) return load();
  TrainingData data;
  if (options.first()) {
    OP3D_ASSIGN_OR_RETURN(data, load());
  }
  OP3D_RETURN_IF_ERROR(options.group->TakeFromFirst("scanned").status());
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

TrainState ToTrainState(const TrainingStep& step) {
  TrainState state = ToTrainState(step.state(), step.epochs());
  if (step.schedule().kind_case() != ScheduleSettings::KIND_NOT_SET) {
    state.schedule = step.schedule();
    state.epochs = step.epochs();
  }
  return state;
}

}  // namespace op3d
