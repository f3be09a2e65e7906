// Decides how a run computes: with which instructions, and in which precision for "auto".
//
//   OP3D_ASSIGN_OR_RETURN(std::string note, UseTrainingArithmetic("", training));
//   OP3D_ASSIGN_OR_RETURN(std::string reason, DecidePrecision("cpu", earlier, group, training));
//   Progress::Print(reason);                       // "precision bf16: a matrix product in ..."
#ifndef OP3D_TRAIN_STEP_TRAINING_PRECISION_H_
#define OP3D_TRAIN_STEP_TRAINING_PRECISION_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "op3d/distributed/process_group.h"
#include "op3d/train/settings/train.pb.h"

namespace op3d {

// Sets training.arithmetic to `word` ("portable", "native"; "" = unchanged) and applies it to this
// process.  Call it before the device is chosen and before DecidePrecision(), which
// measures with it.  Returns a note for the user, often empty; errors of ParseArithmetic()
// and UseArithmetic() (op3d/torch/arithmetic.h).
absl::StatusOr<std::string> UseTrainingArithmetic(absl::string_view word,
                                                  TrainingSettings* training);

// Checks training.precision and replaces "auto": by `earlier`, the precision with which the run was
// started, or, if that is empty, by the faster of fp32 and bf16 on `device` ("cpu", "cuda:1").
// With several processes (`group` may be null) the first decides.  Returns the reason, for the
// user; empty if nothing was set.  InvalidArgument for another word, for fp64, and for tf32
// and fp16 on a CPU.
absl::StatusOr<std::string> DecidePrecision(const std::string& device, absl::string_view earlier,
                                            ProcessGroup* group, TrainingSettings* training);

}  // namespace op3d

#endif  // OP3D_TRAIN_STEP_TRAINING_PRECISION_H_
