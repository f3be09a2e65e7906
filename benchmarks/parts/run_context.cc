#include "benchmarks/parts/run_context.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "benchmarks/parts/proxy.h"
#include "benchmarks/settings/settings_resolution.h"
#include "op3d/base/file.h"
#include "op3d/base/program/commit.h"
#include "op3d/base/status_macros.h"
#include "op3d/train/checkpoint/model_card.h"

namespace op3d::benchmarks {

TrainingJob MakeJob(const RunContext& context, const BenchmarkSettings& settings) {
  TrainingJob job;
  job.network = settings.network();
  job.sgd = settings.sgd();
  job.training = settings.training();
  job.transform = settings.transform();
  job.loader = settings.loader();
  job.classes = static_cast<int64_t>(context.data->labels.classes.size());
  job.frames = context.data->frames.get();
  job.seed = settings.seed();
  job.initial_weights = settings.initial_weights();
  job.loader_threads = std::max(0, context.threads - 1);
  job.device = context.device;
  job.group = context.group;
  *job.card.mutable_dataset() = PortableDataset(settings.dataset());
  job.card.mutable_class_names()->Assign(context.data->labels.classes.begin(),
                                         context.data->labels.classes.end());
  job.card.set_commit(BuildCommit());
  return job;
}

RecipeSettings ModelRecipe(const BenchmarkSettings& settings, bool planned) {
  RecipeSettings recipe;
  recipe.set_name(planned ? "planned_model" : "published_model");
  recipe.set_title(planned ? "planned: the search's model" : "published method: its model");
  const int clips = settings.search().test_clips();
  recipe.set_test_clips(clips > 0 ? clips : kTestClips);
  // In a run with both methods the recipe's test is that of the published method.
  const bool own_clip = planned && settings.search().method() == SearchSettings::BOTH_METHODS;
  for (const RecipeSettings& other : settings.recipes()) {
    if (other.planned() && !own_clip) recipe.set_test_segments(other.test_segments());
  }
  return recipe;
}

absl::StatusOr<MethodSearch> SearchOfMethod(const RunContext& context, bool planned) {
  const BenchmarkSettings& settings = *context.settings;
  MethodSearch search;
  search.settings = settings;
  if (!planned) {
    OP3D_ASSIGN_OR_RETURN(search.plan, PublishedSearch(settings.search()));
    return search;
  }
  OP3D_ASSIGN_OR_RETURN(search.plan, PlannedSearch(settings.search()));
  if (settings.search().has_proxy()) {
    search.settings = ProxySettings(settings);
    search.plan.videos = ProxyVideos(settings, context.data->search_train);
  }
  return search;
}

std::unique_ptr<RecipeRun> MakeRecipe(const RunContext& context, const RecipeTask& task) {
  TrainingJob job = MakeJob(context, *context.settings);
  job.videos = task.recipe_videos() ? &context.data->RecipeVideos(*context.settings)
                                    : &context.data->search_train;
  job.purpose = task.purpose();
  job.score = context.settings->search().score();
  return std::make_unique<RecipeRun>(
      task.recipe(), task.plan(), job,
      JoinPath(context.folder, absl::StrCat("checkpoints/", task.recipe().name())),
      task.held_out() ? &context.data->search_measured : nullptr);
}

std::string ModelFile(const RunContext& context, bool planned) {
  return JoinPath(context.folder, planned ? "model.safetensors" : "published_model.safetensors");
}

absl::StatusOr<FinalModel> ChooseModel(const RunContext& context, bool planned,
                                       const SearchOutcome& best) {
  OP3D_ASSIGN_OR_RETURN(const MethodSearch search, SearchOfMethod(context, planned));
  TrainingJob job =
      SearchJob(search.plan, best.plan().pool(), *context.data, MakeJob(context, search.settings));
  DescribeTest(ModelRecipe(*context.settings, planned), best.plan(), &job.card);
  // The published search has one model; the planned one may average its final models.
  return ChooseFinalModel(best, JournalFolder(context.folder, best.plan().pool()), job,
                          context.data->search_measured, ModelFile(context, planned));
}

}  // namespace op3d::benchmarks
