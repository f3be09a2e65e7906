// The final model of a search: the best of its final states' weights, or their average.
//
//   OP3D_ASSIGN_OR_RETURN(FinalModel model,
//                         ChooseFinalModel(outcome, journal_folder, job, held_out,
//                                          "run/model.safetensors"));
//   Use(model.file);                                   // weights to test
//
// Final states that grew from one trunk are close together, and the average of their weights is
// often better than the best of them (Izmailov et al. 2018; arXiv 2203.05482), so it is measured on
// the held-out videos as one more candidate.  It is only chosen if its score is higher.
#ifndef OP3D_BENCHMARKS_PARTS_FINAL_MODEL_H_
#define OP3D_BENCHMARKS_PARTS_FINAL_MODEL_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/annotation/video_list.h"
#include "op3d/train/state_trainer.h"
#include "planner/graphs/plan.pb.h"
#include "results/record/run_record.pb.h"

namespace op3d::benchmarks {

struct FinalModel {
  // A safetensors file.
  std::string file;
  // The fields held_out, candidates, model and frames of the record's row.
  RecipeResult facts;
};

// `outcome` must have a plan.  `journal_folder` is the search's (SearchOptions::folder), `job` the
// one with which it trained; averages are measured on `held_out` with clips of the plan's last
// state.  Writes `file` (safetensors, with the job's card), and next to it the choice, for the
// record; a second call reads these files.
// FailedPrecondition if the winning edge's folder has no weights, naming it.
absl::StatusOr<FinalModel> ChooseFinalModel(const SearchOutcome& outcome,
                                            const std::string& journal_folder,
                                            const TrainingJob& job,
                                            const std::vector<data::Video>& held_out,
                                            const std::string& file);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_PARTS_FINAL_MODEL_H_
