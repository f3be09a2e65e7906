// Reads the scores of edges that were trained elsewhere from a JSON file, for planning with them.
//
//   {"edges": [{"from": "S0", "to": "S1", "epochs": 30, "score": 0.35},
//              {"from": 0, "to": 2, "curve": {"a": 0.4, "b": 0.05, "c": 0, "d": 1e-5, "e": 0.4}},
//              {"from": 1, "to": 2, "performance": [0.35, 0.36, 0.37]}]}
//
// or only the list.  A number k means the state "Sk".  An edge has its result ("epochs" or
// "knee", with "score" or "value"), or the parameters of its PerformanceCurve, or the measurements
// after each epoch from epoch 0.
#ifndef OP3D_PLANNER_REPLAY_EDGE_SCORES_JSON_H_
#define OP3D_PLANNER_REPLAY_EDGE_SCORES_JSON_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "planner/graphs/plan.pb.h"

namespace op3d::planner {

// Outcomes with from, to, and either `curve` (measured points) or epochs and score.
// InvalidArgument names `source`, the edge's position in the list and the error: a missing field, a
// value that is negative or not a number, an edge listed twice, no edge at all.  Thread-safe.
absl::StatusOr<std::vector<EdgeOutcome>> ParseEdgeScores(absl::string_view text,
                                                         absl::string_view source);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_REPLAY_EDGE_SCORES_JSON_H_
