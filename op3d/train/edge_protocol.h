// The lines in which a planner asks for an edge's training, and the answers: a JSON object a line.
// planner/child_runner.h describes the protocol; this is a training program's side of it.
//
//   OP3D_ASSIGN_OR_RETURN(EdgeRequest request, ParseEdgeRequest(line));
//   if (request.kind == EdgeRequest::kTrain) answer = MeasureAnswer(request.epoch, shares);
#ifndef OP3D_TRAIN_EDGE_PROTOCOL_H_
#define OP3D_TRAIN_EDGE_PROTOCOL_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "op3d/train/state.pb.h"

namespace op3d {

struct EdgeRequest {
  enum Kind { kMeasure, kTrain, kKeep, kEstimate };
  Kind kind = kMeasure;
  // kEstimate: the bound on the edge's epochs.
  int epoch = 0;
  // "S1-S2".
  std::string edge;
  State state;
  // The number of epochs the edge will be trained for; 0 = not known beforehand.
  int epochs = 0;
  // Folders; `source` is empty for the initial weights.
  std::string source, folder;
};

// InvalidArgument for a line that is not a JSON object, another version of the protocol, a request
// that does not exist, and a field that is missing or out of its range: it is named.
absl::StatusOr<EdgeRequest> ParseEdgeRequest(absl::string_view line);

// {"epoch": 3, "performance": 0.61, "top1": ...}, {"epoch": 3} and {"error": "..."}, with
// "failed": true for a training's failure (op3d/base/training_failure.h); numbers keep every bit.
struct MeasuredShares {
  double performance = 0, top1 = 0, top3 = 0, top5 = 0, loss = 0;
  // The performance of guessing; 0 = not known.
  double chance = 0;
  // The mean probability of the right class; 0 = not measured, and then not in the answer.
  double probability = 0;
  // Nothing was measured after this epoch.  In the answer only where it is true.
  bool unmeasured = false;
};
std::string MeasureAnswer(int epoch, const MeasuredShares& shares);
std::string KeepAnswer(int epoch);

// What an edge takes: {"epoch": 100, "clips": 228500, "train_seconds": ...}
struct EdgeCost {
  // An epoch trains on.
  int64_t clips = 0;
  // Of an epoch's training, and of measuring once.
  double train_seconds = 0, measure_seconds = 0;
  // Of this process; of the edge's folder at its largest; of what is kept of it.
  int64_t memory_bytes = 0, training_bytes = 0, kept_bytes = 0;
};
std::string EstimateAnswer(int epoch, const EdgeCost& cost);
std::string ErrorAnswer(const absl::Status& status);

}  // namespace op3d

#endif  // OP3D_TRAIN_EDGE_PROTOCOL_H_
