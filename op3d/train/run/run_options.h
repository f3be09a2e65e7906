// What a run of the program `train` is given, and what its states have in common.
//
//   OP3D_ASSIGN_OR_RETURN(const TrainingData data, LoadRunData(options, /*write_index=*/true));
//   const TrainingJob job = MakeTrainingJob(options, data);
#ifndef OP3D_TRAIN_RUN_RUN_OPTIONS_H_
#define OP3D_TRAIN_RUN_RUN_OPTIONS_H_

#include <string>

#include "absl/status/statusor.h"
#include "op3d/distributed/process_group.h"
#include "op3d/train/run/training_data.h"
#include "op3d/train/settings/run.pb.h"
#include "op3d/train/settings/state_task.h"
#include "op3d/train/state_trainer.h"

namespace op3d {

struct RunOptions {
  // Resolved (run_settings.h).
  TrainingRunSettings settings;
  std::string dataset_root;
  std::string output_dir;
  // Empty: every file is scanned.
  std::string index_file;
  // "cpu", "cuda:1".
  std::string device = "cpu";
  // Loader threads beside the one that trains, at least 0.  No result depends on it.
  int loader_threads = 0;
  // May be null: alone.  Must outlive the run.
  ProcessGroup* group = nullptr;

  bool first() const { return group == nullptr || group->rank() == 0; }
};

// Of several processes the first scans what the index does not know, then the others read it.
// Errors as LoadTrainingData's.
absl::StatusOr<TrainingData> LoadRunData(const RunOptions& options, bool write_index);

// `data` must outlive the job.  The purpose is to be set.
TrainingJob MakeTrainingJob(const RunOptions& options, const TrainingData& data);

// `refused` is what RunFolder says to the output folder.  Where the run in it differs in the lengths
// of its states alone, the sentence says how to train on from it.
absl::Status ExplainRefusal(const RunOptions& options, const absl::Status& refused);

// A step of the settings as the trainer takes it.
StateTask ToStateTask(const RunStep& step);

}  // namespace op3d

#endif  // OP3D_TRAIN_RUN_RUN_OPTIONS_H_
