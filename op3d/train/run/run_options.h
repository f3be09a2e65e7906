// The options of a run of the program `train`, and what its states have in common.
//
//   OP3D_ASSIGN_OR_RETURN(const TrainingData data, LoadRunData(options));
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
  // Empty: all files are scanned.
  std::string index_file;
  // "cpu", "cuda:1".
  std::string device = "cpu";
  // Loader threads in addition to the training thread, at least 0.  No result depends on it.
  int loader_threads = 0;
  // Null if there is only this process.  Must outlive the run.
  ProcessGroup* group = nullptr;

  bool first() const { return group == nullptr || group->rank() == 0; }
};

// With several processes the first scans new videos, then the others read the index.
// Errors of LoadTrainingData.
absl::StatusOr<TrainingData> LoadRunData(const RunOptions& options);

// `data` must outlive the job.  The caller sets the purpose.
TrainingJob MakeTrainingJob(const RunOptions& options, const TrainingData& data);

// `refused` is RunFolder's error for the output folder.  If the run in it only differs in the
// lengths of its states, the message also says how to train on from it.
absl::Status ExplainRefusal(const RunOptions& options, const absl::Status& refused);

// A step of the settings in the trainer's form.
StateTask ToStateTask(const RunStep& step);

}  // namespace op3d

#endif  // OP3D_TRAIN_RUN_RUN_OPTIONS_H_
