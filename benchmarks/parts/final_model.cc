#include "benchmarks/parts/final_model.h"

#include <algorithm>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "benchmarks/parts/recipe.h"
#include "op3d/base/activity_seconds.h"
#include "op3d/base/file.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "op3d/train/measure.h"
#include "op3d/train/settings/state_task.h"
#include "op3d/train/weight_merge.h"
#include "results/record/format.h"

namespace op3d::benchmarks {
namespace {

// A final state's weights.
struct Candidate {
  std::string file;
  const StateSettings* state = nullptr;
  RecipeResult::Candidate row;
  double loss = 0;
};

absl::Status NeedFile(const std::string& file) {
  if (FileExists(file)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the weights of the search's best model are gone: there is no file ", file,
                   ". Put it back, or search again in a new folder"));
}

// The candidates from the final states, the plan's own first.
absl::StatusOr<std::vector<Candidate>> FinalStates(const SearchOutcome& outcome,
                                                   const std::string& journal_folder,
                                                   const TrainingJob& job) {
  std::map<std::string, const StateSettings*> states;
  for (const StateSettings& state : outcome.graph().states()) states[state.name()] = &state;
  std::map<std::string, std::string> winners;
  for (const NodeOutcome& node : outcome.nodes()) winners[node.state()] = node.from();
  std::vector<Candidate> candidates;
  for (const std::string& name : outcome.graph().finals()) {
    // Go back over states that were skipped: their weights are their source's.
    std::string to = name;
    const EdgeOutcome* edge = nullptr;
    while (winners.count(to) > 0) {
      const auto found = std::find_if(
          outcome.edges().begin(), outcome.edges().end(), [&](const EdgeOutcome& candidate) {
            return candidate.to() == to && candidate.from() == winners[to];
          });
      if (found == outcome.edges().end()) break;
      edge = &*found;
      if (edge->epochs() > 0) break;
      to = edge->from();
      edge = nullptr;
    }
    if (edge == nullptr) continue;
    Candidate candidate;
    candidate.file = JoinPath(journal_folder,
                              absl::StrCat(edge->from(), "-", edge->to(), "/weights.safetensors"));
    candidate.state = states[edge->to()];
    candidate.row.set_title(name);
    candidate.row.set_plan(
        absl::StrCat(results::FormatClip(*candidate.state), " after ", edge->from()));
    candidate.row.set_frames(FramesOf(*candidate.state, edge->curve_size() - 1, job.videos->size(),
                                      job.transform.train_crop()));
    candidate.row.set_held_out(edge->score());
    for (const CurvePoint& point : edge->curve()) {
      if (point.epoch() == edge->epochs()) candidate.loss = point.loss();
    }
    OP3D_RETURN_IF_ERROR(NeedFile(candidate.file));
    candidates.push_back(candidate);
  }
  if (candidates.empty()) {
    return absl::FailedPreconditionError(
        "the search has no model: its plan trains no state for an epoch");
  }
  // The order of dynamic programming: the highest first, among equal ones the one listed first.
  std::stable_sort(
      candidates.begin(), candidates.end(),
      [](const Candidate& a, const Candidate& b) { return a.row.held_out() > b.row.held_out(); });
  return candidates;
}

}  // namespace

absl::StatusOr<FinalModel> ChooseFinalModel(const SearchOutcome& outcome,
                                            const std::string& journal_folder,
                                            const TrainingJob& job,
                                            const std::vector<data::Video>& held_out,
                                            const std::string& file) {
  FinalModel model;
  model.file = file;
  const std::string facts = absl::StrCat(file, ".textproto");
  OP3D_ASSIGN_OR_RETURN(const bool chosen, FirstFinds(facts, job.group));
  if (chosen && FileExists(file)) {
    OP3D_RETURN_IF_ERROR(ReadTextproto(facts, &model.facts));
    return model;
  }
  OP3D_ASSIGN_OR_RETURN(std::vector<Candidate> candidates,
                        FinalStates(outcome, journal_folder, job));
  model.facts.set_model("the best final state's own weights");
  model.facts.set_held_out(candidates[0].row.held_out());
  std::unique_ptr<Network> average;
  if (candidates.size() > 1) {
    std::vector<std::string> files;
    for (const Candidate& candidate : candidates) files.push_back(candidate.file);
    const StateTask state = ToStateTask(*candidates[0].state, /*epochs=*/1);
    OP3D_ASSIGN_OR_RETURN(average, MergeWeights(job, files));
    TrainingJob merge_job = job;
    absl::StrAppend(&merge_job.purpose, ".average");
    OP3D_RETURN_IF_ERROR(RecomputeBatchNorm(merge_job, state, /*epoch=*/0,
                                            job.score.batch_norm_clips(), average.get()));
    ActivitySeconds seconds;
    OP3D_ASSIGN_OR_RETURN(const CurvePoint measure,
                          MeasureNetwork(average.get(), held_out, state.clip, job, &seconds));
    RecipeResult::Candidate row;
    row.set_title(absl::StrCat("average of the ", candidates.size(), " final models"));
    row.set_held_out(measure.performance());
    if (measure.performance() > candidates[0].row.held_out()) {
      row.set_chosen(true);
      model.facts.set_model(row.title());
      model.facts.set_held_out(measure.performance());
    } else {
      average.reset();
      candidates[0].row.set_chosen(true);
    }
    for (const Candidate& candidate : candidates) *model.facts.add_candidates() = candidate.row;
    *model.facts.add_candidates() = row;
  }
  // An average has no loss of its own: use the highest of its parts.
  double loss = candidates[0].loss;
  if (average != nullptr) {
    for (const Candidate& candidate : candidates) loss = std::max(loss, candidate.loss);
  }
  const std::map<std::string, std::string> metadata =
      WeightsMetadata(job, ToStateTask(*candidates[0].state).clip, loss);
  // With several processes the first writes.
  if (job.group != nullptr && job.group->rank() != 0) return model;
  if (average != nullptr) {
    OP3D_RETURN_IF_ERROR(average->SaveWeights(file, metadata));
  } else {
    // The edge's own file knows neither the plan nor the test.
    OP3D_ASSIGN_OR_RETURN(const Safetensors own, Safetensors::Read(candidates[0].file));
    OP3D_ASSIGN_OR_RETURN(const std::string bytes, SerializeSafetensors(own.tensors(), metadata));
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(file, bytes));
  }
  OP3D_RETURN_IF_ERROR(WriteTextproto(facts, model.facts));
  return model;
}

}  // namespace op3d::benchmarks
