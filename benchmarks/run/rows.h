// The rows of a run's table: the searches' models, the recipes and the rivals, trained and tested.
//
//   OP3D_ASSIGN_OR_RETURN(
//       const ActivitySeconds seconds,
//       TrainAndTestRows(context, found, plan, &workers, &folder, &curves, &record));
#ifndef OP3D_BENCHMARKS_RUN_ROWS_H_
#define OP3D_BENCHMARKS_RUN_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/parts/curve_files.h"
#include "benchmarks/parts/final_model.h"
#include "benchmarks/parts/run_context.h"
#include "benchmarks/run/workers.h"
#include "op3d/base/activity_seconds.h"
#include "op3d/base/program/run_folder.h"
#include "planner/graphs/plan.pb.h"
#include "results/record/run_record.pb.h"
#include "results/record/settings.pb.h"

namespace op3d::benchmarks {

// The result of a search by one method.
struct Found {
  RecipeResult::Role model_role = RecipeResult::ROLE_UNSPECIFIED;
  std::vector<SearchOutcome> outcomes;
  Plan plan;
  FinalModel model;
  // Frames that the search trained, and the same as frames per video.
  int64_t frames = 0;
  double frames_a_video = 0;
};

// The name of a recipe's curve of losses.
std::string RecipeCurve(const RecipeSettings& recipe);

// Trains and tests the rows that the settings ask for, on `workers`, and adds them to `record`, with
// what they cost (RunRecord.effort).  `found` are the run's searches, whose last one's frames the
// rivals share; `plan` is the run's.  Of the fixed schedules only the best on the held-out videos is
// tested.  If started again, it resumes.  Returns the time of this process.  Errors of RecipeRun and
// Workers.
absl::StatusOr<ActivitySeconds> TrainAndTestRows(const RunContext& context,
                                                 const std::vector<Found>& found, const Plan& plan,
                                                 Workers* workers, RunFolder* folder,
                                                 CurveFiles* curves, RunRecord* record);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_RUN_ROWS_H_
