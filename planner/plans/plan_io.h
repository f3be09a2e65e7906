// Reads and writes plans and graphs, and checks whether a plan is a path of a graph.
//
//   OP3D_ASSIGN_OR_RETURN(TransitionGraph graph, FindGraph("base_cs"));
//   OP3D_ASSIGN_OR_RETURN(Plan plan, ReadPlan("planner/plans/kinetics400.textproto"));
#ifndef OP3D_PLANNER_PLANS_PLAN_IO_H_
#define OP3D_PLANNER_PLANS_PLAN_IO_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "planner/graphs/plan.pb.h"

namespace op3d::planner {

// The file of a graph as a user names it: a file, or a shipped graph ("base_cs", in
// planner/graphs). NotFound, listing the shipped ones, for another name.
absl::StatusOr<std::string> FindGraphFile(const std::string& name);

// The TransitionGraph in that file, made from its `published` if it has one (MakePublished() in
// pool.h).  InvalidArgument with file, line and column, or as in ValidateGraph().
absl::StatusOr<TransitionGraph> FindGraph(const std::string& name);

// A Plan in protobuf's text format; if it names a graph, its states are taken from it.
// NotFound; InvalidArgument with line and column, or as in ValidatePlan().
absl::StatusOr<Plan> ReadPlan(const std::string& path);

// A plan as a user names it: a file, a run's folder (its plan.textproto), or a released plan
// ("kinetics400", in planner/plans).  Errors of ReadPlan(); NotFound, listing the released plans,
// for another name.
absl::StatusOr<Plan> FindPlan(const std::string& name);

// Atomic.
absl::Status WritePlan(const std::string& path, const Plan& plan);

// InvalidArgument, naming the step, for a plan without steps, a step without epochs or with numbers
// outside the ranges of plan.proto, a state that occurs twice, or steps that are not on `path` in
// this order (if there is a path).  Thread-safe.
absl::Status ValidatePlan(const Plan& plan);

// ValidatePlan(), and checks that a search of `graph` could have found the plan: the path
// leads along edges from the initial state to a final one, and each step's state is the graph's
// (clip, learning rate to 1e-9 of it, BatchNorm; batch and accumulation may differ between
// machines).  InvalidArgument names the step or edge.  Thread-safe.
absl::Status ValidatePlan(const Plan& plan, const TransitionGraph& graph);

// The epochs of all steps.
int TotalEpochs(const Plan& plan);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_PLANS_PLAN_IO_H_
