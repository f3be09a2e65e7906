// The lines in which a planner requests an edge's training, and the answers: one JSON object per
// line, by Protobuf's JSON mapping with the field names of edge.proto.
// planner/runner/child_runner.h describes the protocol.
//
//   // The training program's side.
//   OP3D_ASSIGN_OR_RETURN(EdgeRequest request, ParseEdgeRequest(line));
//   if (request.request() == kTrainRequest) Use(MeasureAnswer(point, /*chance=*/0.01));
//   // The planner's.
//   Use(RequestLine(task, kTrainRequest, /*epoch=*/3));
//   OP3D_ASSIGN_OR_RETURN(EdgeAnswer answer, ParseEdgeAnswer(line));
#ifndef OP3D_TRAIN_EDGE_EDGE_PROTOCOL_H_
#define OP3D_TRAIN_EDGE_EDGE_PROTOCOL_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "op3d/train/edge.pb.h"

namespace op3d {

inline constexpr char kMeasureRequest[] = "measure";
inline constexpr char kTrainRequest[] = "train";
inline constexpr char kKeepRequest[] = "keep";
inline constexpr char kEstimateRequest[] = "estimate";

// ---- the training program's side

// InvalidArgument, naming it, for a line that is not a JSON object, another version of the
// protocol, an unknown request, and a field that is missing, unknown or out of its range.
absl::StatusOr<EdgeRequest> ParseEdgeRequest(absl::string_view line);
// The task of a request.
EdgeTask ToEdgeTask(const EdgeRequest& request);

// Numbers are written with all bits.
std::string MeasureAnswer(const CurvePoint& point, double chance);
std::string KeepAnswer(int epoch);
std::string EstimateAnswer(const EdgeCost& cost);
// With "failed": true for a training failure (op3d/base/training_failure.h).
std::string ErrorAnswer(const absl::Status& status);

// ---- the planner's side

std::string RequestLine(const EdgeTask& task, absl::string_view request, int epoch);

// Unknown fields are ignored.  NaN and infinity, which JSON does not have but Python and C++ print,
// and null are read as NaN.  InvalidArgument for a line that is not such an object, with the line's
// beginning and the reason.
absl::StatusOr<EdgeAnswer> ParseEdgeAnswer(absl::string_view line);
// For a line that ParseEdgeAnswer() accepts; every number must be at least 0 and below 1e18.
absl::StatusOr<EdgeCost> ParseEdgeCost(absl::string_view line);
// InvalidArgument: "the child's answer <beginning of the line> <why>".
absl::Status BadAnswer(absl::string_view line, absl::string_view why);

}  // namespace op3d

#endif  // OP3D_TRAIN_EDGE_EDGE_PROTOCOL_H_
