// Distinguishes a training that failed by itself from a failure of the machine.
//
//   absl::Status status = absl::InternalError("state 2: the loss is nan in epoch 3");
//   status = MarkTrainingFailure(status, "the loss is nan in epoch 3");
//   if (const auto failure = TrainingFailureOf(status)) Use(*failure);   // the search goes on
//
// A loss or an answer that is no longer finite is such a failure: the same training fails again on
// any machine.  A full disk, a missing file or a signal is not.  The mark stays with a status
// through Annotate().  Thread-safe.
#ifndef OP3D_BASE_TRAINING_FAILURE_H_
#define OP3D_BASE_TRAINING_FAILURE_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace op3d {

// `status`, which must not be OK, with the mark.  `what` is the sentence to record: without
// folder names, so that it is the same for the same training anywhere.
absl::Status MarkTrainingFailure(absl::Status status, absl::string_view what);

// The sentence of a marked status; nullopt for OK and for every other error.
std::optional<std::string> TrainingFailureOf(const absl::Status& status);

}  // namespace op3d

#endif  // OP3D_BASE_TRAINING_FAILURE_H_
