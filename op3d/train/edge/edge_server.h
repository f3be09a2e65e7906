// Trains edges for a planner in another process, which writes requests and reads answers
// (edge_protocol.h): `train --serve`.
//
//   EdgeTrainer trainer(job, &held_out);
//   OP3D_RETURN_IF_ERROR(ServeEdges(STDIN_FILENO, STDOUT_FILENO, &trainer, estimate, job.group));
#ifndef OP3D_TRAIN_EDGE_EDGE_SERVER_H_
#define OP3D_TRAIN_EDGE_EDGE_SERVER_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "op3d/distributed/process_group.h"
#include "op3d/train/edge/edge_protocol.h"
#include "op3d/train/edge/edge_trainer.h"

namespace op3d {

// The cost of an edge into the state that is trained for `epochs` epochs.
using EstimateEdgeFunction =
    std::function<absl::StatusOr<EdgeCost>(const StateSettings&, int epochs)>;

// Writes a line before the answer, for a request that takes long; only the first of several
// processes writes it.
using SayFunction = std::function<absl::Status(absl::string_view line)>;
// The answer to a request.  An error is answered too (ErrorAnswer); Cancelled ends the serving.
using AnswerFunction =
    std::function<absl::StatusOr<std::string>(const std::string& line, const SayFunction& say)>;

// Reads lines from file descriptor `input` and writes one answer for each on `output`, until the
// input ends.  With several processes (`group`, may be null) the first reads and writes, and all
// compute the answer.  Cancelled after a signal; errors of the group and of the descriptors.
absl::Status ServeLines(int input, int output, const AnswerFunction& answer, ProcessGroup* group);

// The answer to a request for an edge (edge_protocol.h).  Without `estimate` costs are not
// estimated.
absl::StatusOr<std::string> AnswerEdge(const std::string& line, EdgeTrainer* trainer,
                                       const EstimateEdgeFunction& estimate = nullptr);

// Answers requests from file descriptor `input` on `output` until the input ends.  The weights of
// an epoch are on the disk before it is answered.  An error of a request is its answer.
// With several processes (`group`, may be null) the first reads and answers, and all train.
//
// Cancelled: a signal came; the training in progress is saved.  Errors of the group: if a rank is
// lost during a request, the others end without an answer, so that the planner starts all again.
absl::Status ServeEdges(int input, int output, EdgeTrainer* trainer,
                        const EstimateEdgeFunction& estimate, ProcessGroup* group);

}  // namespace op3d

#endif  // OP3D_TRAIN_EDGE_EDGE_SERVER_H_
