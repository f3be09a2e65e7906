#include "planner/plans/plan_io.h"

#include <cmath>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "planner/graphs/pool.h"
#include "planner/graphs/transition_graph.h"

namespace op3d::planner {
namespace {

constexpr char kPlanFile[] = "plan.textproto";
constexpr char kReleased[] = "planner/plans";
constexpr char kGraphs[] = "planner/graphs";

absl::Status CheckStepsOnPath(const Plan& plan) {
  int at = 0;
  for (const Plan::Step& step : plan.steps()) {
    // path(0) is the initial state, in which nothing is trained.
    for (++at; at < plan.path_size() && plan.path(at) != step.state().name(); ++at) {
    }
    if (at >= plan.path_size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the plan's step in ", step.state().name(), " is not on its path ",
                       absl::StrJoin(plan.path(), " -> "), " after the steps before it"));
    }
  }
  return absl::OkStatus();
}

const StateSettings* FindState(const TransitionGraph& graph, const std::string& name) {
  for (const StateSettings& state : graph.states()) {
    if (state.name() == name) return &state;
  }
  return nullptr;
}

bool HasEdge(const TransitionGraph& graph, const std::string& from, const std::string& to) {
  for (const Transition& transition : graph.transitions()) {
    if (transition.from() == from && transition.to() == to) return true;
  }
  return false;
}

// The first field in which training differs; "" if there is none.
std::string Difference(const StateSettings& plan, const StateSettings& graph) {
  const auto differ = [](absl::string_view field, double in_plan, double in_graph) {
    return absl::StrCat(field, " is ", in_plan, " in the plan and ", in_graph, " in the graph");
  };
  if (plan.segments() != graph.segments()) {
    return differ("segments", plan.segments(), graph.segments());
  }
  if (plan.frames_per_segment() != graph.frames_per_segment()) {
    return differ("frames_per_segment", plan.frames_per_segment(), graph.frames_per_segment());
  }
  if (plan.stride() != graph.stride()) return differ("stride", plan.stride(), graph.stride());
  if (plan.crop() != graph.crop()) return differ("crop", plan.crop(), graph.crop());
  if (std::abs(plan.learning_rate() - graph.learning_rate()) > 1e-9 * graph.learning_rate()) {
    return differ("learning_rate", plan.learning_rate(), graph.learning_rate());
  }
  if (plan.frozen_batch_norm() != graph.frozen_batch_norm()) {
    return differ("frozen_batch_norm", plan.frozen_batch_norm(), graph.frozen_batch_norm());
  }
  return "";
}

// The shipped file with that name in `folder`; `shipped`: "released plans".
absl::StatusOr<std::string> FindShipped(const char* folder, absl::string_view what,
                                        absl::string_view shipped, const std::string& name,
                                        const std::string& path) {
  const absl::StatusOr<std::string> runfiles = RunfilePath(folder);
  // Reading it will report the error.
  if (!IsTextprotoName(name) || !runfiles.ok()) return path;
  absl::StatusOr<std::string> file = FindTextproto(*runfiles, name, what);
  if (!absl::IsNotFound(file.status())) return file;
  return absl::NotFoundError(absl::StrReplaceAll(
      file.status().message(),
      {{"; there are", absl::StrCat(": there is no file ", path, "; the ", shipped, " are")}}));
}

// Takes pool and states from the graph that the plan names, if it names one.
absl::Status TakeStates(Plan* plan) {
  if (plan->states_of().empty()) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const TransitionGraph graph, FindGraph(plan->states_of()));
  for (Plan::Step& step : *plan->mutable_steps()) {
    const StateSettings* state = FindState(graph, step.state().name());
    if (state != nullptr) {
      *step.mutable_state() = *state;
      continue;
    }
    std::vector<std::string> names;
    for (const StateSettings& one : graph.states()) names.push_back(one.name());
    return absl::InvalidArgumentError(absl::StrCat("the plan has a step in '", step.state().name(),
                                                   "', but the graph ", plan->states_of(),
                                                   " has the states ", absl::StrJoin(names, ", ")));
  }
  plan->set_pool(graph.pool());
  plan->clear_states_of();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> FindGraphFile(const std::string& name) {
  const std::string path = UserPath(name);
  return FileExists(path) ? path : FindShipped(kGraphs, "graph", "shipped graphs", name, path);
}

absl::StatusOr<TransitionGraph> FindGraph(const std::string& name) {
  OP3D_ASSIGN_OR_RETURN(const std::string path, FindGraphFile(name));
  TransitionGraph graph;
  OP3D_RETURN_IF_ERROR(ReadTextproto(path, &graph));
  OP3D_RETURN_IF_ERROR(Annotate(MakePublished(&graph), path));
  OP3D_RETURN_IF_ERROR(Annotate(ValidateGraph(graph), path));
  return graph;
}

absl::StatusOr<Plan> ReadPlan(const std::string& path) {
  Plan plan;
  OP3D_RETURN_IF_ERROR(ReadTextproto(path, &plan));
  OP3D_RETURN_IF_ERROR(Annotate(TakeStates(&plan), path));
  OP3D_RETURN_IF_ERROR(Annotate(ValidatePlan(plan), path));
  return plan;
}

absl::StatusOr<Plan> FindPlan(const std::string& name) {
  const std::string path = UserPath(name);
  if (FolderExists(path)) return ReadPlan(JoinPath(path, kPlanFile));
  if (FileExists(path)) return ReadPlan(path);
  OP3D_ASSIGN_OR_RETURN(const std::string file,
                        FindShipped(kReleased, "plan", "released plans", name, path));
  return ReadPlan(file);
}

absl::Status WritePlan(const std::string& path, const Plan& plan) {
  return WriteTextproto(path, plan);
}

absl::Status ValidatePlan(const Plan& plan) {
  if (plan.steps().empty()) {
    return absl::InvalidArgumentError("the plan has no steps: it trains nothing");
  }
  absl::flat_hash_set<std::string> seen;
  for (const Plan::Step& step : plan.steps()) {
    const StateSettings& state = step.state();
    if (state.name().empty()) {
      return absl::InvalidArgumentError("a step of the plan has a state without a name");
    }
    if (!seen.insert(state.name()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("the plan trains in the state ", state.name(), " twice"));
    }
    OP3D_RETURN_IF_ERROR(ValidateState(state));
    if (step.epochs() < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("the plan's step in ", state.name(), " has ", step.epochs(),
                       " epochs, but needs at least 1; leave a skipped state out"));
    }
  }
  return plan.path().empty() ? absl::OkStatus() : CheckStepsOnPath(plan);
}

absl::Status ValidatePlan(const Plan& plan, const TransitionGraph& graph) {
  OP3D_RETURN_IF_ERROR(ValidatePlan(plan));
  if (plan.path().empty()) return absl::InvalidArgumentError("the plan does not say its path");
  if (plan.path(0) != graph.initial()) {
    return absl::InvalidArgumentError(absl::StrCat("the plan's path begins in ", plan.path(0),
                                                   ", the graph's in ", graph.initial()));
  }
  for (int i = 1; i < plan.path_size(); ++i) {
    if (HasEdge(graph, plan.path(i - 1), plan.path(i))) continue;
    return absl::InvalidArgumentError(absl::StrCat("the plan's path goes from ", plan.path(i - 1),
                                                   " to ", plan.path(i),
                                                   ", which is no edge of the graph"));
  }
  const std::string& last = plan.path(plan.path_size() - 1);
  bool final = false;
  for (const std::string& name : graph.finals()) final = final || name == last;
  if (!final) {
    return absl::InvalidArgumentError(
        absl::StrCat("the plan's path ends in ", last, ", which is no final state of the graph"));
  }
  for (const Plan::Step& step : plan.steps()) {
    const StateSettings* state = FindState(graph, step.state().name());
    const std::string difference = state == nullptr ? "" : Difference(step.state(), *state);
    if (state != nullptr && difference.empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("the state ", step.state().name(), ": ",
                     state == nullptr ? "the graph has none of this name" : difference));
  }
  return absl::OkStatus();
}

int TotalEpochs(const Plan& plan) {
  int epochs = 0;
  for (const Plan::Step& step : plan.steps()) epochs += step.epochs();
  return epochs;
}

}  // namespace op3d::planner
