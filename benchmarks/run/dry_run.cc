#include "benchmarks/run/dry_run.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/parts/benchmark_data.h"
#include "benchmarks/parts/proxy.h"
#include "benchmarks/parts/recipe.h"
#include "benchmarks/parts/search_run.h"
#include "benchmarks/settings/settings_resolution.h"
#include "data/command/cost/data_cost.h"
#include "data/datasets/dataset_settings.h"
#include "op3d/base/file.h"
#include "op3d/base/program/run_folder.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/train/cost/memory_estimate.h"
#include "op3d/train/cost/step_probe.h"
#include "op3d/train/settings/network_settings.h"
#include "op3d/train/settings/state_task.h"
#include "op3d/train/step/clip_mixing.h"
#include "planner/graphs/transition_graph.h"
#include "planner/graphs/wide_graph.h"
#include "planner/plans/plan_io.h"
#include "planner/plans/search_work.h"

namespace op3d::benchmarks {
namespace {

// The number of videos in each part of a run.
struct Videos {
  int64_t search_train = 0, search_measured = 0, recipes = 0, evaluation = 0;
  // The number in the lists, or the official one.
  int64_t classes = 0;
  // The training list; empty if this copy cannot be used yet.
  std::vector<data::Video> train;
};

// Counts the videos of the copy.  If the copy cannot be used yet, assumes the official dataset, and
// `text` says where the run would stop.
absl::StatusOr<Videos> CountVideos(const BenchmarkOptions& options, std::string* text) {
  const BenchmarkSettings& settings = options.settings;
  data::IndexOptions index;
  index.file = options.index_file;
  absl::StatusOr<BenchmarkData> data =
      LoadBenchmarkData(settings, options.dataset_root, options.threads, index,
                        /*decodes=*/options.jobs == 0);
  Videos videos;
  if (data.ok()) {
    for (const DatasetReport::List& list : data->report.lists()) {
      absl::StrAppendFormat(
          text, "%s: %d videos used of %d listed (%d missing, %d broken)%s\n", list.name(),
          list.used(), list.listed(), list.missing(), list.broken(),
          list.official() > 0 ? absl::StrCat(", official: ", list.official()) : "");
      for (const DatasetReport::List::Short& row : list.short_videos()) {
        absl::StrAppend(text, "  ", DescribeShortVideos(list, row), "\n");
      }
    }
    videos.search_train = static_cast<int64_t>(data->search_train.size());
    videos.search_measured = static_cast<int64_t>(data->search_measured.size());
    videos.recipes = static_cast<int64_t>(data->RecipeVideos(settings).size());
    videos.evaluation = static_cast<int64_t>(data->evaluation.size());
    videos.classes = static_cast<int64_t>(data->labels.classes.size());
    videos.train = std::move(data->train);
    return videos;
  }
  const data::OfficialCounts official = data::OfficialVideos(settings.dataset());
  const int64_t train = official.train;
  if (absl::IsCancelled(data.status()) || train == 0 || !FolderExists(options.dataset_root)) {
    return data.status();
  }
  absl::StrAppend(text, "this copy cannot be trained on yet: ", data.status().message(),
                  "\nwhat follows counts the official dataset\n");
  const bool held_out = settings.search().search_split() == SearchSettings::HELD_OUT_FROM_TRAIN;
  videos.evaluation = official.evaluation;
  videos.classes = settings.dataset().classes();
  videos.search_measured =
      held_out ? std::llround(static_cast<double>(train) * settings.search().held_out_share())
               : videos.evaluation;
  videos.search_train = held_out ? train - videos.search_measured : train;
  videos.recipes =
      settings.recipe_videos() == BenchmarkSettings::SEARCH_TRAIN ? videos.search_train : train;
  return videos;
}

StepCosts CostsOf(const BenchmarkOptions& options) {
  StepProbe probe;
  probe.network = options.settings.network();
  probe.sgd = options.settings.sgd();
  probe.training = options.settings.training();
  probe.classes = options.settings.dataset().classes();
  probe.device = options.device;
  return StepCosts(probe);
}

// Side of a state's training clips.
int CropOf(const StateSettings& state, const TransformSettings& transform) {
  return state.crop() > 0 ? state.crop() : transform.train_crop();
}

// InvalidArgument, as in the run, if a step has more clips than the list.
absl::StatusOr<int64_t> EpochClips(const StateSettings& state, int64_t videos) {
  const StateTask train = ToStateTask(state, /*epochs=*/1);
  const absl::StatusOr<int64_t> steps = StepsPerEpoch(train, videos);
  if (!steps.ok()) return Annotate(steps.status(), absl::StrCat("state ", state.name()));
  return *steps * train.clips_a_step();
}

struct Sum {
  int edges = 0, min_epochs = 0, expected_epochs = 0, max_epochs = 0;
  double min_seconds = 0, expected_seconds = 0, max_seconds = 0;
  // From start to end of the searches, with the run's jobs.
  double min_wall = 0, max_wall = 0;
};

// The time from start to end of pieces of work that `jobs` do side by side, the longest first.
double WallOf(std::vector<double> seconds, int jobs) {
  std::sort(seconds.begin(), seconds.end(), std::greater<>());
  std::vector<double> busy(jobs, 0.0);
  for (const double piece : seconds) *std::min_element(busy.begin(), busy.end()) += piece;
  return *std::max_element(busy.begin(), busy.end());
}

// The jobs of a run: children, or threads of this process.
int JobsOf(const BenchmarkOptions& options) {
  return std::max(1, options.jobs > 0 ? options.jobs : options.threads);
}

// How many of them gain time: this process's threads share one GPU.
int FasterJobs(const BenchmarkOptions& options) {
  return options.jobs == 0 && options.device != "cpu" ? 1 : JobsOf(options);
}

absl::StatusOr<std::string> DescribePool(const BenchmarkOptions& options, const Videos& videos,
                                         const TransitionGraph& graph, StepCosts* costs, Sum* sum) {
  const TransformSettings& transform = options.settings.transform();
  OP3D_ASSIGN_OR_RETURN(const planner::SearchWork work,
                        planner::EstimateWork(graph, options.settings.search().rule()));
  std::string text =
      absl::StrFormat("pool %s: %d states, %d edges\n  %-10s %-7s %-8s %-8s %10s %12s %32s\n",
                      graph.pool(), graph.states_size(), work.edges.size(), "edge", "frames", "lr",
                      "batch", "epochs", "clips/epoch", "time");
  for (const planner::EdgeWork& edge : work.edges) {
    const Transition& transition = graph.transitions(edge.edge);
    const StateSettings& state = *std::find_if(
        graph.states().begin(), graph.states().end(),
        [&](const StateSettings& candidate) { return candidate.name() == transition.to(); });
    OP3D_ASSIGN_OR_RETURN(const StepCost train,
                          costs->Of({edge.frames_per_clip, CropOf(state, transform), true}));
    OP3D_ASSIGN_OR_RETURN(const StepCost search,
                          costs->Of({edge.frames_per_clip, transform.search_crop(), false}));
    OP3D_ASSIGN_OR_RETURN(const int64_t clips, EpochClips(state, videos.search_train));
    const double epoch = train.train_seconds * static_cast<double>(clips) +
                         search.score_seconds * static_cast<double>(videos.search_measured);
    absl::StrAppendFormat(
        &text, "  %-10s %-7d %-8g %-8s %10s %12d %32s\n", planner::EdgeName(transition),
        edge.frames_per_clip, state.learning_rate(),
        absl::StrCat(state.batch_size(), "x", state.accumulation()),
        absl::StrCat(edge.min_epochs, "/", edge.expected_epochs, "/", edge.max_epochs), clips,
        absl::StrCat(FormatSeconds(edge.min_epochs * epoch), " / ",
                     FormatSeconds(edge.expected_epochs * epoch), " / ",
                     FormatSeconds(edge.max_epochs * epoch)));
    ++sum->edges;
    sum->min_epochs += edge.min_epochs;
    sum->expected_epochs += edge.expected_epochs;
    sum->max_epochs += edge.max_epochs;
    sum->min_seconds += edge.min_epochs * epoch;
    sum->expected_seconds += edge.expected_epochs * epoch;
    sum->max_seconds += edge.max_epochs * epoch;
  }
  return text;
}

// Seconds per frame of a clip, the mean over the wide graph's clips: training, and measuring.
struct FrameCost {
  double train_seconds = 0, score_seconds = 0;
};

absl::StatusOr<FrameCost> CostOfFrames(const BenchmarkOptions& options, const Videos& videos,
                                       StepCosts* costs) {
  const WideGraphSettings& wide = options.settings.search().wide();
  const TransformSettings& transform = options.settings.transform();
  FrameCost mean;
  for (const StateSettings& clip : wide.clips()) {
    // Also checked for rivals, which train on the same videos.
    OP3D_RETURN_IF_ERROR(EpochClips(clip, videos.search_train).status());
    const int frames = planner::FramesPerClip(clip);
    OP3D_ASSIGN_OR_RETURN(const StepCost train, costs->Of({frames, CropOf(clip, transform), true}));
    OP3D_ASSIGN_OR_RETURN(const StepCost score,
                          costs->Of({frames, transform.search_crop(), false}));
    mean.train_seconds += train.train_seconds /
                          planner::FullFramesPerClip(clip, transform.train_crop()) /
                          wide.clips_size();
    mean.score_seconds += score.score_seconds / frames / wide.clips_size();
  }
  return mean;
}

// The time of one thread for the rounds of the planned method: per frame and video of training, and
// for each round's scoring, whatever the budget.
struct RoundsCost {
  double frame_seconds = 0;
  std::vector<double> scoring_seconds;
  // Seconds of training at full size.
  double full_frame_seconds = 0;
};

absl::StatusOr<RoundsCost> CostOfRounds(const BenchmarkOptions& options, const Videos& videos,
                                        StepCosts* costs) {
  const SearchSettings& search = options.settings.search();
  OP3D_ASSIGN_OR_RETURN(const FrameCost full, CostOfFrames(options, videos, costs));
  FrameCost cost = full;
  double share = 1;
  if (search.has_proxy()) {
    BenchmarkOptions small = options;
    small.settings = ProxySettings(options.settings);
    StepCosts small_costs = CostsOf(small);
    OP3D_ASSIGN_OR_RETURN(cost, CostOfFrames(small, videos, &small_costs));
    if (search.proxy().videos() > 0) share = search.proxy().videos();
  }
  const auto train_videos = static_cast<double>(videos.search_train);
  RoundsCost rounds;
  rounds.frame_seconds = share * train_videos * cost.train_seconds;
  rounds.full_frame_seconds = train_videos * full.train_seconds;
  for (int k = 0; k < search.wide().stages_size(); ++k) {
    // Measured in the middle and at the end of an edge; merging also needs BatchNorm's clips.
    const double scored = 2 * (static_cast<double>(videos.search_measured) *
                                   std::max(search.score().frames(), 16) +
                               search.score().batch_norm_clips() * 32.0);
    rounds.scoring_seconds.push_back(planner::EdgesOfRound(search.wide(), k) * scored *
                                     cost.score_seconds);
  }
  return rounds;
}

// The frames per video until the search's model exists, which rivals get too: the search's own,
// counted by area, and those of a proxy's paths at full size.
double FramesInAll(const BenchmarkSettings& settings) {
  const WideGraphSettings& wide = settings.search().wide();
  if (!settings.search().has_proxy()) return wide.frames();
  const double videos = settings.search().proxy().videos();
  return wide.frames() * ProxyFrame(settings) * (videos > 0 ? videos : 1) +
         ProxyPaths(settings) * planner::FramesOfPath(wide);
}

// The rounds of the planned method and the schedules with which it is compared.
absl::StatusOr<std::string> DescribeRounds(const BenchmarkOptions& options, const Videos& videos,
                                           StepCosts* costs, Sum* sum, std::vector<double>* rows) {
  const SearchSettings& search = options.settings.search();
  const WideGraphSettings& wide = search.wide();
  OP3D_ASSIGN_OR_RETURN(const RoundsCost cost, CostOfRounds(options, videos, costs));
  std::string text = absl::StrFormat(
      "rounds over a wide graph of %d clips at %d rates, %g frames per video in total:\n",
      wide.clips_size(), wide.rates_size(), wide.frames());
  double path = 0, seconds = 0;
  for (int k = 0; k < wide.stages_size(); ++k) {
    const double frames = planner::FramesOfStage(wide, k);
    path += frames;
    const double round =
        planner::FramesOfRound(wide, k) * cost.frame_seconds + cost.scoring_seconds[k];
    const bool last = k + 1 == wide.stages_size();
    absl::StrAppendFormat(
        &text, "  round %d: %d edges of %s%.0f frames per video%s, %s\n", k + 1,
        planner::EdgesOfRound(wide, k), last && wide.annealing_size() > 1 ? "at most " : "", frames,
        last ? ", with the rate falling to 0" : ", at a constant rate", FormatSeconds(round));
    const int edges = planner::EdgesOfRound(wide, k);
    sum->edges += edges;
    seconds += round;
    // A round begins when the one before it has ended.
    sum->max_wall += WallOf(std::vector<double>(edges, round / edges), FasterJobs(options));
  }
  sum->min_seconds += seconds;
  sum->expected_seconds += seconds;
  sum->max_seconds += seconds;
  sum->min_wall = sum->max_wall;
  absl::StrAppendFormat(&text,
                        "search: %d edges, %s with one thread; the winning path is trained on "
                        "%.0f frames per video, %.0f %% of the total\n",
                        sum->edges, FormatSeconds(seconds), path, 100 * path / wide.frames());
  if (search.has_proxy()) {
    const int paths = ProxyPaths(options.settings);
    const double full = paths * path * cost.full_frame_seconds;
    const double wall = WallOf(std::vector<double>(paths, full / paths), FasterJobs(options));
    sum->min_wall += wall;
    sum->max_wall += wall;
    absl::StrAppendFormat(&text,
                          "the search runs at small size; its %d best paths are then trained "
                          "at full size, %s with one thread\n",
                          paths, FormatSeconds(full));
    sum->min_seconds += full;
    sum->expected_seconds += full;
    sum->max_seconds += full;
  }
  const RivalSettings& rivals = options.settings.rivals();
  const int fixed = rivals.clips_size() * rivals.rates_size();
  const double whole = FramesInAll(options.settings) * cost.full_frame_seconds;
  if (fixed > 0) {
    absl::StrAppendFormat(&text, "rivals: %d fixed schedules share as many frames, %s\n", fixed,
                          FormatSeconds(whole));
    rows->insert(rows->end(), fixed, whole / fixed);
  }
  if (!rivals.long_run().empty()) {
    absl::StrAppendFormat(&text, "rivals: one long run of all these frames, %s\n",
                          FormatSeconds(whole));
    rows->push_back(whole);
  }
  if (!rivals.multigrid().empty()) {
    absl::StrAppendFormat(&text, "rivals: multigrid of all these frames, about %s\n",
                          FormatSeconds(whole));
    rows->push_back(whole);
  }
  return text;
}

// The cost of training and testing every recipe in addition to `plan`.
absl::StatusOr<std::string> DescribeRecipes(const BenchmarkOptions& options, const Videos& videos,
                                            const Plan& plan, StepCosts* costs,
                                            std::vector<double>* rows) {
  std::string text;
  const TransformSettings& transform = options.settings.transform();
  const SearchSettings& search = options.settings.search();
  const bool rounds = SearchesPlanned(search) && !options.settings.has_plan();
  for (RecipeSettings recipe : options.settings.recipes()) {
    if (recipe.planned() && rounds && !search.train_again()) continue;
    // It is given the frames that the search may train.
    if (rounds) SetFrames(FramesInAll(options.settings), transform.train_crop(), &recipe);
    OP3D_ASSIGN_OR_RETURN(const Plan steps, RecipePlan(recipe, plan, transform.train_crop()));
    double time = 0;
    for (const Plan::Step& step : steps.steps()) {
      OP3D_ASSIGN_OR_RETURN(
          const StepCost cost,
          costs->Of({planner::FramesPerClip(step.state()), CropOf(step.state(), transform), true}));
      const absl::StatusOr<int64_t> clips = EpochClips(step.state(), videos.recipes);
      if (!clips.ok()) {
        return Annotate(clips.status(), absl::StrCat("recipe ", recipe.name()));
      }
      time += cost.train_seconds * step.epochs() * static_cast<double>(*clips);
    }
    OP3D_ASSIGN_OR_RETURN(const StepCost test,
                          costs->Of({planner::FramesPerClip(TestState(recipe, steps)),
                                     transform.test_crop(), false}));
    const double test_time =
        test.score_seconds * recipe.test_clips() * 3 * static_cast<double>(videos.evaluation);
    absl::StrAppendFormat(&text, "recipe %s: %d epochs, %s; test of %d videos x %d views, %s\n",
                          recipe.name(), planner::TotalEpochs(steps), FormatSeconds(time),
                          videos.evaluation, recipe.test_clips() * 3, FormatSeconds(test_time));
    rows->push_back(time + test_time);
  }
  return text;
}

// The states that the run trains: of its search, its rivals and its recipes.
std::vector<StateSettings> TrainedStates(const BenchmarkSettings& settings, const Plan& plan) {
  std::vector<StateSettings> states;
  const SearchSettings& search = settings.search();
  if (!settings.has_plan() && SearchesPlanned(search)) {
    states.assign(search.wide().clips().begin(), search.wide().clips().end());
  }
  if (!settings.has_plan() && search.method() != SearchSettings::PLANNED_METHOD) {
    for (const TransitionGraph& pool : search.pools()) {
      states.insert(states.end(), pool.states().begin(), pool.states().end());
    }
  }
  for (const Plan::Step& step : plan.steps()) states.push_back(step.state());
  for (const RecipeSettings& recipe : settings.recipes()) {
    if (recipe.has_hand_tuned()) states.push_back(recipe.hand_tuned().state());
  }
  return states;
}

// "3.1 GiB for a step of ...": the largest of the states.
absl::StatusOr<std::string> DescribeMemory(const BenchmarkSettings& settings,
                                           const std::vector<StateSettings>& states) {
  MemoryProbe probe;
  probe.network = settings.network();
  probe.training = settings.training();
  probe.classes = settings.dataset().classes();
  const auto values = [&](const StateSettings& state) {
    const int64_t side = CropOf(state, settings.transform());
    return state.batch_size() * planner::FramesPerClip(state) * side * side;
  };
  const auto largest = std::max_element(
      states.begin(), states.end(),
      [&](const StateSettings& a, const StateSettings& b) { return values(a) < values(b); });
  if (largest == states.end()) return "memory: nothing is trained\n";
  probe.frames = planner::FramesPerClip(*largest);
  probe.side = CropOf(*largest, settings.transform());
  probe.batch_size = largest->batch_size();
  OP3D_ASSIGN_OR_RETURN(const MemoryEstimate memory, EstimateMemory(probe));
  return absl::StrFormat(
      "memory: about %.0f MiB a job for its largest step, state %s with %d clips of %d x %d x %d; "
      "the run's decoded frames take up to %d MiB more\n",
      static_cast<double>(memory.Total()) / (1 << 20), largest->name(), probe.batch_size,
      probe.frames, probe.side, probe.side, settings.loader().frame_cache_mib());
}

// What reading videos costs next to a training step, and what a copy of them would gain.
absl::StatusOr<std::string> DescribeClips(const BenchmarkOptions& options, const Videos& videos,
                                          StepCosts* costs) {
  constexpr int kFrames = 16;
  if (videos.train.empty()) return "";
  const BenchmarkSettings& settings = options.settings;
  OP3D_ASSIGN_OR_RETURN(const StepCost step,
                        costs->Of({kFrames, settings.transform().train_crop(), true}));
  const absl::StatusOr<data::DataCost> cost =
      data::MeasureDataCost(videos.train, {1, kFrames, 1}, settings.loader(), settings.transform());
  if (absl::IsCancelled(cost.status())) return cost.status();
  const int loaders = std::max(1, options.threads);
  return data::DescribeDataCost(
      cost, {step.train_seconds, options.device == "cpu" ? 0 : loaders, options.dataset_root,
             options.dataset.empty() ? settings.dataset().name() : options.dataset, loaders,
             ClipsOfAnH200(step), Mixes(settings.training().mixing())});
}

// The plan for which recipes are counted: the given one; otherwise, because the search's result is
// unknown, the first four states of the first pool at half their bound.
Plan PlanToCount(const BenchmarkOptions& options) {
  if (options.settings.has_plan()) return options.settings.plan();
  Plan plan;
  if (SearchesPlanned(options.settings.search())) {
    const WideGraphSettings& wide = options.settings.search().wide();
    for (int k = 0; k < wide.stages_size(); ++k) {
      Plan::Step& step = *plan.add_steps();
      *step.mutable_state() = wide.clips(wide.clips_size() / 2);
      step.set_epochs(static_cast<int>(std::clamp(
          planner::FramesOfStage(wide, k) / planner::FramesPerClip(step.state()), 1.0, 1e6)));
    }
    return plan;
  }
  if (options.settings.search().pools().empty()) return plan;
  const TransitionGraph& graph = options.settings.search().pools(0);
  const int epochs = std::max(1, options.settings.search().rule().max_epochs() / 2);
  for (const StateSettings& state : graph.states()) {
    if (plan.steps_size() == 4) break;
    Plan::Step& step = *plan.add_steps();
    *step.mutable_state() = state;
    step.set_epochs(epochs);
  }
  return plan;
}

}  // namespace

absl::StatusOr<double> BudgetFrames(const BenchmarkOptions& options, double seconds) {
  std::string text;
  OP3D_ASSIGN_OR_RETURN(const Videos videos, CountVideos(options, &text));
  StepCosts costs = CostsOf(options);
  OP3D_ASSIGN_OR_RETURN(const RoundsCost cost, CostOfRounds(options, videos, &costs));
  const double scoring =
      std::accumulate(cost.scoring_seconds.begin(), cost.scoring_seconds.end(), 0.0);
  const double training = seconds * options.threads - scoring;
  if (training > 0) return training / cost.frame_seconds;
  return absl::InvalidArgumentError(absl::StrCat(
      "a budget of ", FormatSeconds(seconds), " is less than the search needs for scoring alone, ",
      FormatSeconds(scoring / options.threads), " with ", options.threads,
      " jobs; give it more time"));
}

absl::StatusOr<std::string> DescribeDryRun(const BenchmarkOptions& options) {
  std::string text;
  if (!options.settings.derived().empty()) {
    absl::StrAppend(&text, "chosen from the data, unless --settings or --set says otherwise:\n");
  }
  for (const BenchmarkSettings::Derived& derived : options.settings.derived()) {
    absl::StrAppend(&text, "  ", derived.field(), ": ", derived.value(), "  (", derived.reason(),
                    ")\n");
  }
  BenchmarkSettings decisive = options.settings;
  decisive.clear_derived();
  OP3D_RETURN_IF_ERROR(ExplainRefusal(options.output_dir, decisive,
                                      RunFolder::Check(options.output_dir, decisive)));
  OP3D_ASSIGN_OR_RETURN(const Videos videos, CountVideos(options, &text));
  OP3D_RETURN_IF_ERROR(CheckInitialWeights(options.settings.network(), videos.classes,
                                           options.settings.initial_weights()));
  StepCosts costs = CostsOf(options);
  Sum sum;
  const SearchSettings& search = options.settings.search();
  // The time of every training and its test.
  std::vector<double> rows;
  const bool rounds = SearchesPlanned(search) && !options.settings.has_plan();
  if (rounds) {
    OP3D_ASSIGN_OR_RETURN(const std::string described,
                          DescribeRounds(options, videos, &costs, &sum, &rows));
    absl::StrAppend(&text, described);
  }
  const double rounds_seconds = sum.max_seconds;
  if (!options.settings.has_plan() && search.method() != SearchSettings::PLANNED_METHOD) {
    for (const TransitionGraph& graph : search.pools()) {
      OP3D_ASSIGN_OR_RETURN(const std::string pool,
                            DescribePool(options, videos, graph, &costs, &sum));
      absl::StrAppend(&text, pool);
    }
    // Edges of a pool wait for each other, so this is a lower bound for many jobs.
    const int at_once = std::min(FasterJobs(options), sum.edges);
    sum.min_wall += (sum.min_seconds - rounds_seconds) / std::max(1, at_once);
    sum.max_wall += (sum.max_seconds - rounds_seconds) / std::max(1, at_once);
    absl::StrAppendFormat(&text,
                          "search: %d edges; least / expected / most: %d / %d / %d epochs, %s / %s "
                          "/ %s of one thread "
                          "(expected: knees where the released plans have them)\n",
                          sum.edges, sum.min_epochs, sum.expected_epochs, sum.max_epochs,
                          FormatSeconds(sum.min_seconds), FormatSeconds(sum.expected_seconds),
                          FormatSeconds(sum.max_seconds));
  }
  const Plan plan = PlanToCount(options);
  OP3D_ASSIGN_OR_RETURN(const std::string recipes,
                        DescribeRecipes(options, videos, plan, &costs, &rows));
  if (!options.settings.has_plan() && !recipes.empty()) {
    absl::StrAppend(&text, rounds ? "recipes:\n"
                                  : "recipes, counted for a plan of four states at half their "
                                    "bound:\n");
  }
  absl::StrAppend(&text, recipes);

  OP3D_ASSIGN_OR_RETURN(const std::string clips, DescribeClips(options, videos, &costs));
  absl::StrAppend(&text, clips);

  const int jobs = JobsOf(options);
  OP3D_ASSIGN_OR_RETURN(const StepCost any,
                        costs.Of({16, options.settings.transform().train_crop(), false}));
  const int64_t weights = any.weight_bytes;
  const int bound = std::max(search.rule().max_epochs(), search.rule().max_epochs_from_initial());
  // A job's files: weights of the newest epochs, and checkpoints (two, one being written, and
  // anchors), which also contain the optimiser and an average.
  const int kept = KeptEpochs(search.rule());
  const int checkpoints = 3 + bound / kept;
  const TrainingSettings& training = options.settings.training();
  const int64_t checkpoint = weights * (2 + training.has_adamw() + (training.average_decay() > 0));
  const int64_t job = weights * std::min(bound, kept) + checkpoint * checkpoints;
  const int64_t disk =
      weights * sum.edges + jobs * job +
      (weights * (plan.steps_size() + 3) + checkpoint * 3) * options.settings.recipes_size();
  absl::StrAppendFormat(
      &text,
      "time: %s to %s with %d job%s side by side%s\n"
      "disk: at most %.0f MiB (weights of %d edges; for each of %d jobs the weights of %d epochs "
      "and "
      "%d checkpoints)\n",
      FormatSeconds(sum.min_wall + WallOf(rows, jobs)),
      FormatSeconds(sum.max_wall + WallOf(rows, jobs)), jobs, jobs == 1 ? "" : "s",
      options.jobs > 0 ? ", each on a core or a device as measured here" : "",
      static_cast<double>(disk) / (1 << 20), sum.edges, jobs, std::min(bound, kept), checkpoints);
  OP3D_ASSIGN_OR_RETURN(const std::string memory,
                        DescribeMemory(options.settings, TrainedStates(options.settings, plan)));
  absl::StrAppend(&text, memory);
  if (!options.index_file.empty() && FileExists(options.index_file)) {
    absl::StrAppend(&text, "index: ", options.index_file,
                    " (kept, so that the run need not scan again; nothing else was written)\n");
  }
  return text;
}

}  // namespace op3d::benchmarks
