// The pieces of a run, made in the same way in the run's own process and in its children.
//
//   RunContext context;
//   context.settings = &settings;  context.data = &data;  context.folder = "results/runs/mine";
//   const std::unique_ptr<RecipeRun> run = MakeRecipe(context, task);
//   OP3D_RETURN_IF_ERROR(run->Train(on_epoch));
#ifndef OP3D_BENCHMARKS_PARTS_RUN_CONTEXT_H_
#define OP3D_BENCHMARKS_PARTS_RUN_CONTEXT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "benchmarks/parts/benchmark_data.h"
#include "benchmarks/parts/final_model.h"
#include "benchmarks/parts/job.pb.h"
#include "benchmarks/parts/recipe.h"
#include "benchmarks/parts/search_run.h"
#include "op3d/distributed/process_group.h"
#include "op3d/train/state_trainer.h"
#include "results/record/settings.pb.h"

namespace op3d::benchmarks {

// Clips per video in a test if the settings do not say.
inline constexpr int kTestClips = 10;

// The pointers must outlive what is made from it.
struct RunContext {
  const BenchmarkSettings* settings = nullptr;
  const BenchmarkData* data = nullptr;
  // The run's folder.
  std::string folder;
  // "cpu", "cuda" or "cuda:1".
  std::string device = "cpu";
  // Of one training or test, at least 1: one computes, the others load.
  int threads = 1;
  // The processes of one job; null = alone.
  ProcessGroup* group = nullptr;
};

// A training of `settings`, which may be those of a proxy; without videos, purpose and score.
TrainingJob MakeJob(const RunContext& context, const BenchmarkSettings& settings);

// How the model of a method's search is tested.
RecipeSettings ModelRecipe(const BenchmarkSettings& settings, bool planned);

// What a method searches, and the settings of its trainings: the proxy's if there is one.
struct MethodSearch {
  SearchPlan plan;
  BenchmarkSettings settings;
};
// InvalidArgument if the settings have nothing to search.
absl::StatusOr<MethodSearch> SearchOfMethod(const RunContext& context, bool planned);

// Its files are in checkpoints/<name of the recipe>.
std::unique_ptr<RecipeRun> MakeRecipe(const RunContext& context, const RecipeTask& task);

// Where the model of a method's search is.
std::string ModelFile(const RunContext& context, bool planned);

// Chooses the model of a method's search (ChooseFinalModel); `best` is the pool with the plan.  A
// second call reads what the first has written.
absl::StatusOr<FinalModel> ChooseModel(const RunContext& context, bool planned,
                                       const SearchOutcome& best);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_PARTS_RUN_CONTEXT_H_
