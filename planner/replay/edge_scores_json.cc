#include "planner/replay/edge_scores_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"
#include "planner/knee/performance_curve.h"

namespace op3d::planner {
namespace {

using nlohmann::json;

// Parse errors of one edge; the caller adds which.
absl::StatusOr<double> Number(const json& object, const char* name) {
  if (!object.contains(name) || !object[name].is_number()) {
    return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is missing or no number"));
  }
  const double value = object[name].get<double>();
  if (std::isfinite(value)) return value;
  return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is not finite"));
}

absl::StatusOr<std::string> StateName(const json& edge, const char* name) {
  if (edge.contains(name) && edge[name].is_string()) return edge[name].get<std::string>();
  OP3D_ASSIGN_OR_RETURN(const double number, Number(edge, name));
  if (number < 0 || number != std::floor(number) || number > 1e6) {
    return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is not a state: ", number));
  }
  return absl::StrCat("S", static_cast<int>(number));
}

absl::Status ReadPoints(const json& list, EdgeOutcome* outcome) {
  for (size_t epoch = 0; epoch < list.size(); ++epoch) {
    if (!list[epoch].is_number() || !(list[epoch].get<double>() >= 0)) {
      return absl::InvalidArgumentError(absl::StrCat("the performance of epoch ", epoch, " is ",
                                                     list[epoch].dump(),
                                                     ", not a number of at least 0"));
    }
    CurvePoint* point = outcome->add_curve();
    point->set_epoch(static_cast<int>(epoch));
    point->set_performance(list[epoch].get<double>());
  }
  if (list.size() >= 2) return absl::OkStatus();
  return absl::InvalidArgumentError("a curve needs epoch 0 and at least one more");
}

absl::Status ReadParameters(const json& fit, EdgeOutcome* outcome) {
  PerformanceCurve curve;
  OP3D_ASSIGN_OR_RETURN(curve.a, Number(fit, "a"));
  OP3D_ASSIGN_OR_RETURN(curve.b, Number(fit, "b"));
  OP3D_ASSIGN_OR_RETURN(curve.c, Number(fit, "c"));
  OP3D_ASSIGN_OR_RETURN(curve.d, Number(fit, "d"));
  OP3D_ASSIGN_OR_RETURN(curve.e, Number(fit, "e"));
  outcome->set_epochs(HighestEpoch(curve));
  outcome->set_score(Evaluate(curve, outcome->epochs()));
  if (std::isfinite(outcome->score())) return absl::OkStatus();
  return absl::InvalidArgumentError("the curve's highest value is not finite");
}

absl::Status ReadFound(const json& edge, EdgeOutcome* outcome) {
  OP3D_ASSIGN_OR_RETURN(const double epochs,
                        Number(edge, edge.contains("epochs") ? "epochs" : "knee"));
  if (epochs < 0 || epochs > 1e6 || epochs != std::floor(epochs)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the epochs are ", epochs, ", not a whole number of at least 0"));
  }
  OP3D_ASSIGN_OR_RETURN(const double score,
                        Number(edge, edge.contains("score") ? "score" : "value"));
  outcome->set_epochs(static_cast<int>(epochs));
  outcome->set_score(score);
  return absl::OkStatus();
}

absl::StatusOr<EdgeOutcome> ReadEdge(const json& edge) {
  if (!edge.is_object()) return absl::InvalidArgumentError("it is no object");
  EdgeOutcome outcome;
  OP3D_ASSIGN_OR_RETURN(const std::string from, StateName(edge, "from"));
  OP3D_ASSIGN_OR_RETURN(const std::string to, StateName(edge, "to"));
  outcome.set_from(from);
  outcome.set_to(to);
  if (edge.contains("performance") && edge["performance"].is_array()) {
    OP3D_RETURN_IF_ERROR(ReadPoints(edge["performance"], &outcome));
  } else if (edge.contains("curve") && edge["curve"].is_array()) {
    OP3D_RETURN_IF_ERROR(ReadPoints(edge["curve"], &outcome));
  } else if (edge.contains("curve") && edge["curve"].is_object()) {
    OP3D_RETURN_IF_ERROR(ReadParameters(edge["curve"], &outcome));
  } else {
    OP3D_RETURN_IF_ERROR(ReadFound(edge, &outcome));
  }
  return outcome;
}

}  // namespace

absl::StatusOr<std::vector<EdgeOutcome>> ParseEdgeScores(absl::string_view text,
                                                         absl::string_view source) {
  const json document = json::parse(text.begin(), text.end(), nullptr, false);
  const json* edges = &document;
  if (document.is_object() && document.contains("edges")) edges = &document["edges"];
  if (!edges->is_array() || edges->empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": neither a JSON list of edges nor an object with such \"edges\""));
  }
  std::vector<EdgeOutcome> outcomes;
  absl::flat_hash_set<std::string> seen;
  for (size_t i = 0; i < edges->size(); ++i) {
    const std::string where = absl::StrCat(source, ": edge ", i + 1);
    absl::StatusOr<EdgeOutcome> outcome = ReadEdge((*edges)[i]);
    if (!outcome.ok()) return Annotate(outcome.status(), where);
    const std::string name = absl::StrCat(outcome->from(), "-", outcome->to());
    if (!seen.insert(name).second) {
      return absl::InvalidArgumentError(absl::StrCat(where, ": ", name, " is listed twice"));
    }
    outcomes.push_back(*std::move(outcome));
  }
  return outcomes;
}

}  // namespace op3d::planner
