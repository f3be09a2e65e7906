#include "results/compare/comparison_rules.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace op3d::results {

ComparisonRule RuleOf(const google::protobuf::FieldDescriptor& field) {
  static const auto* const rules = new std::map<std::string, ComparisonRule>{
      {"op3d.CurvePoint.performance", ComparisonRule::kShare},
      {"op3d.CurvePoint.top1", ComparisonRule::kShare},
      {"op3d.CurvePoint.top3", ComparisonRule::kShare},
      {"op3d.CurvePoint.top5", ComparisonRule::kShare},
      {"op3d.CurvePoint.probability", ComparisonRule::kShare},
      {"op3d.CurvePoint.loss", ComparisonRule::kLoss},
      {"op3d.KneeEstimate.a", ComparisonRule::kLeftOut},
      {"op3d.KneeEstimate.b", ComparisonRule::kLeftOut},
      {"op3d.KneeEstimate.c", ComparisonRule::kLeftOut},
      {"op3d.KneeEstimate.d", ComparisonRule::kLeftOut},
      {"op3d.KneeEstimate.e", ComparisonRule::kLeftOut},
      {"op3d.KneeEstimate.residual", ComparisonRule::kLeftOut},
      {"op3d.KneeEstimate.knee", ComparisonRule::kEpochs},
      {"op3d.KneeEstimate.value", ComparisonRule::kShare},
      {"op3d.KneeEstimate.Interval.low", ComparisonRule::kLeftOut},
      {"op3d.KneeEstimate.Interval.high", ComparisonRule::kLeftOut},
      {"op3d.EdgeOutcome.epochs", ComparisonRule::kEpochs},
      {"op3d.EdgeOutcome.failure", ComparisonRule::kWords},  // the ending says as much
      {"op3d.EdgeOutcome.score", ComparisonRule::kShare},
      {"op3d.NodeOutcome.value", ComparisonRule::kShare},
      {"op3d.Plan.Step.epochs", ComparisonRule::kEpochs},
      {"op3d.Plan.value", ComparisonRule::kShare},
      {"op3d.RecipeResult.Candidate.held_out", ComparisonRule::kShare},
      {"op3d.RecipeResult.epochs", ComparisonRule::kEpochs},
      {"op3d.RecipeResult.held_out", ComparisonRule::kShare},
      {"op3d.RecipeResult.losses", ComparisonRule::kLoss},
      {"op3d.RecipeResult.warnings", ComparisonRule::kWords},
      {"op3d.RecipeResult.weights_crc32", ComparisonRule::kLeftOut},
      {"op3d.RecipeResult.weights_sha256", ComparisonRule::kLeftOut},
      {"op3d.RunRecord.notes", ComparisonRule::kWords},
      {"op3d.TestResult.ClassResult.correct", ComparisonRule::kVideos},
      {"op3d.TestResult.head_top1", ComparisonRule::kShare},
      {"op3d.TestResult.mean_class_accuracy", ComparisonRule::kShare},
      {"op3d.TestResult.right", ComparisonRule::kLeftOut},  // top1 and the classes say as much
      {"op3d.TestResult.scores_crc32", ComparisonRule::kLeftOut},
      {"op3d.TestResult.scores_sha256", ComparisonRule::kLeftOut},
      {"op3d.TestResult.top1", ComparisonRule::kShare},
      {"op3d.TestResult.top3", ComparisonRule::kShare},
      {"op3d.TestResult.top5", ComparisonRule::kShare},
  };
  const auto found = rules->find(field.full_name());
  return found == rules->end() ? ComparisonRule::kEqual : found->second;
}

bool IsComparedWhereBothStateIt(const google::protobuf::FieldDescriptor& field) {
  static const auto* const names = new std::set<std::string>{
      "op3d.RecipeResult.weights_sha256",
      "op3d.TestResult.scores_sha256",
  };
  return names->count(field.full_name()) > 0;
}

EntryKey KeyOf(const google::protobuf::Descriptor& entry) {
  static const auto* const keys = new std::map<std::string, EntryKey>{
      {"op3d.SearchOutcome", {{"graph", "pool"}}},
      {"op3d.TransitionGraph", {{"pool"}}},
      {"op3d.EdgeOutcome", {{"from"}, {"to"}}},
      {"op3d.Transition", {{"from"}, {"to"}}},
      {"op3d.CurvePoint", {{"epoch"}}},
      {"op3d.NodeOutcome", {{"state"}}},
      {"op3d.StateSettings", {{"name"}}},
      {"op3d.RecipeResult", {{"name"}}},
      {"op3d.RecipeResult.Candidate", {{"title"}}},
      {"op3d.RecipeSettings", {{"name"}}},
      {"op3d.DatasetReport.List", {{"name"}}},
      {"op3d.TestResult.ClassResult", {{"name"}}},
  };
  const auto found = keys->find(entry.full_name());
  return found == keys->end() ? EntryKey() : found->second;
}

double AllowedDifference(ComparisonRule rule, const ComparisonOptions& options, double a,
                         double b) {
  switch (rule) {
    case ComparisonRule::kShare:
      return options.share_tolerance;
    case ComparisonRule::kLoss:
      return options.loss_tolerance * std::max(std::fabs(a), std::fabs(b));
    case ComparisonRule::kEpochs:
      return options.epoch_tolerance;
    case ComparisonRule::kVideos:
      return options.video_tolerance;
    default:
      return 0;
  }
}

}  // namespace op3d::results
