// A training by the program `train`: the states of its settings one after the other, in a
// folder, with log, charts, measures and exact resume.
//
//   RunOptions options;
//   options.settings = settings;
//   options.dataset_root = "/data/ucf101";
//   options.output_dir = "runs/mine";
//   OP3D_RETURN_IF_ERROR(RunTraining(options));       // again after a crash: goes on, same bits
//
// The files in the folder: settings.textproto, log.jsonl (training_log.h), TensorBoard's event
// files; for each state state_N/ with its checkpoints, or only its weights.safetensors once it is
// finished; best.safetensors (by performance) and, at the end, weights.safetensors.
#ifndef OP3D_TRAIN_RUN_TRAINING_RUN_H_
#define OP3D_TRAIN_RUN_TRAINING_RUN_H_

#include "absl/status/status.h"
#include "op3d/train/run/run_options.h"

namespace op3d {

// FailedPrecondition for a folder of other settings or one in use by another process; Cancelled on
// a signal: everything is saved; Internal if the training diverges: the last good weights are then
// in state_N/last_good_weights.safetensors.  Other errors are those of the parts.
absl::Status RunTraining(const RunOptions& options);

}  // namespace op3d

#endif  // OP3D_TRAIN_RUN_TRAINING_RUN_H_
