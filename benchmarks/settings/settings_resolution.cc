#include "benchmarks/settings/settings_resolution.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/datasets/dataset_settings.h"
#include "data/transform/clip_transform.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "op3d/train/settings/unused_settings.h"
#include "planner/graphs/pool.h"
#include "planner/graphs/transition_graph.h"
#include "planner/graphs/wide_graph.h"
#include "planner/knee/stopping_rule.h"
#include "planner/plans/plan_io.h"

namespace op3d::benchmarks {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The number of splits of each dataset that has splits.
constexpr int kSplits = 3;

constexpr char kSpecs[] = "benchmarks/specs";

// Merges the file over `settings`, after its bases.
absl::Status ReadSettings(const std::string& path, BenchmarkSettings* settings) {
  return OverlayTextproto(path, RunfilePath(kSpecs).value_or(""), settings);
}

// Clears the repeated fields of `to` that `from` sets, so that a merge replaces them.
void ClearNamedLists(const Message& from, Message* to) {
  std::vector<const FieldDescriptor*> fields;
  from.GetReflection()->ListFields(from, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->is_repeated()) {
      to->GetReflection()->ClearField(to, field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      ClearNamedLists(from.GetReflection()->GetMessage(from, field),
                      to->GetReflection()->MutableMessage(to, field));
    }
  }
}

// Merges `wide` over the graph that `wide_graph` names, if it names one.
absl::Status ReadWideGraph(SearchSettings* search) {
  if (search->wide_graph().empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> path = planner::FindGraphFile(search->wide_graph());
  if (!path.ok()) return Annotate(path.status(), "search.wide_graph");
  WideGraphSettings wide;
  OP3D_RETURN_IF_ERROR(ReadTextproto(*path, &wide));
  ClearNamedLists(search->wide(), &wide);
  wide.MergeFrom(search->wide());
  *search->mutable_wide() = wide;
  search->clear_wide_graph();
  return absl::OkStatus();
}

// Fills `pools` from `graphs`, unless the settings have pools themselves.
absl::Status ReadPools(SearchSettings* search) {
  if (search->pools().empty()) {
    for (const std::string& name : search->graphs()) {
      absl::StatusOr<TransitionGraph> graph = planner::FindGraph(name);
      if (!graph.ok()) {
        return Annotate(graph.status(), "search.graphs (a wide graph goes into search.wide_graph)");
      }
      *search->add_pools() = *std::move(graph);
    }
  }
  search->clear_graphs();
  for (TransitionGraph& pool : *search->mutable_pools()) {
    OP3D_RETURN_IF_ERROR(Annotate(planner::MakePublished(&pool), "search.pools"));
  }
  return ReadWideGraph(search);
}

// If graphs are named and pools are not, removes the pools.
void DropUnnamedPools(const SearchSettings& before, SearchSettings* search) {
  if (search->graphs().empty() || search->pools_size() != before.pools_size()) return;
  const bool same_pools = std::equal(
      before.pools().begin(), before.pools().end(), search->pools().begin(),
      [](const TransitionGraph& a, const TransitionGraph& b) {
        return google::protobuf::util::MessageDifferencer::Equals(a, b);
      });
  if (same_pools) search->clear_pools();
}

absl::Status SetSplit(int split, BenchmarkSettings::Scale scale, DatasetSettings* dataset) {
  // A user's own data may have any number of splits; a missing list is reported when it is read.
  if (split > kSplits && scale != BenchmarkSettings::OWN) {
    return absl::InvalidArgumentError(
        absl::StrCat("--split=", split, ": ", dataset->name(), " has the splits 1 to ", kSplits));
  }
  return data::ChooseSplit(split, dataset);
}

// --method.
absl::Status SetMethod(const std::string& method, SearchSettings* search) {
  if (method.empty()) return absl::OkStatus();
  if (SetField(absl::StrCat("method=", method), search).ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--method=", method,
                   ": the methods are published (the paper's search), planned (rounds "
                   "under a budget) and both"));
}

// The longest clip with the sampling of the long run's: multigrid begins with a fourth of its
// frames.
std::string MultigridClip(const BenchmarkSettings& settings) {
  const auto& clips = settings.search().wide().clips();
  const auto guess = std::find_if(clips.begin(), clips.end(), [&](const StateSettings& clip) {
    return clip.name() == settings.rivals().long_run();
  });
  const StateSettings* longest = nullptr;
  for (const StateSettings& clip : clips) {
    const bool same = guess == clips.end() || (clip.segments() > 1) == (guess->segments() > 1);
    if (same &&
        (longest == nullptr || planner::FramesPerClip(clip) > planner::FramesPerClip(*longest))) {
      longest = &clip;
    }
  }
  return longest == nullptr ? "" : longest->name();
}

// --rivals.
absl::Status SetRivals(const std::string& rivals, BenchmarkSettings* settings) {
  if (rivals.empty()) return absl::OkStatus();
  if (rivals == "none") {
    settings->clear_rivals();
  } else if (rivals == "all") {
    RivalSettings& all = *settings->mutable_rivals();
    if (all.multigrid().empty()) all.set_multigrid(MultigridClip(*settings));
  } else {
    return absl::InvalidArgumentError(absl::StrCat(
        "--rivals=", rivals, ": it is all (the settings' own and multigrid) or none"));
  }
  return absl::OkStatus();
}

// --budget: frames per video, or multiples of the plan.
absl::Status SetBudget(const std::string& budget, BenchmarkSettings* settings) {
  if (budget.empty()) return absl::OkStatus();
  SearchSettings* const search = settings->mutable_search();
  if (!SearchesPlanned(*search)) {
    return absl::InvalidArgumentError(
        "--budget goes with the planned method; the published one has bounds on epochs "
        "(--set=search.rule.max_epochs=N) instead. Add --method=planned");
  }
  OP3D_ASSIGN_OR_RETURN(const planner::Budget parsed, planner::ParseBudget(budget));
  WideGraphSettings& wide = *search->mutable_wide();
  switch (parsed.unit) {
    case planner::Budget::kFrames:
      wide.set_frames(parsed.amount);
      settings->clear_time_budget();
      break;
    case planner::Budget::kPlans:
      wide.set_frames(parsed.amount * planner::FramesOfPath(wide));
      settings->clear_time_budget();
      break;
    case planner::Budget::kSeconds:
      break;
  }
  return absl::OkStatus();
}

// The settings that a run does not use with these settings.
std::vector<UnusedPart<BenchmarkSettings>> UnusedParts(const BenchmarkSettings& settings,
                                                       const SettingsRequest& request) {
  using Settings = BenchmarkSettings;
  const SearchSettings& search = settings.search();
  const bool given = settings.has_plan();
  const bool planned = !given && SearchesPlanned(search);
  const bool published = !given && search.method() != SearchSettings::PLANNED_METHOD;
  std::vector<UnusedPart<Settings>> parts;
  const auto add = [&parts](const std::string& reason, std::function<void(Settings*)> clear) {
    parts.push_back({reason, std::move(clear)});
  };
  if (given) {
    add("the plan is given, so nothing is searched and there are no rivals; leave --plan out",
        [](Settings* s) {
          const SearchSettings before = s->search();
          s->mutable_search()->Clear();
          s->mutable_search()->set_method(before.method());
          s->mutable_search()->set_search_split(before.search_split());
          s->mutable_search()->set_held_out_share(before.held_out_share());
          s->clear_rivals();
          s->mutable_transform()->clear_search_short_side();
          s->mutable_transform()->clear_search_crop();
        });
    if (settings.recipe_videos() != BenchmarkSettings::SEARCH_TRAIN) {
      add("the plan is given and the recipes train on the whole list, so nothing is held out",
          [](Settings* s) {
            s->mutable_search()->clear_search_split();
            s->mutable_search()->clear_held_out_share();
          });
    }
  }
  if (!given && !published) {
    add("the planned method searches the wide graph, whose edges have fixed lengths; the pools "
        "and the stopping rule belong to the published method (--method=published or both)",
        [](Settings* s) {
          s->mutable_search()->clear_pools();
          s->mutable_search()->clear_graphs();
          s->mutable_search()->clear_rule();
        });
  }
  if (!given && !planned) {
    add("the published method searches the pools; the wide graph, its score and the rivals are the "
        "planned method's (--method=planned or both)",
        [](Settings* s) {
          s->mutable_search()->clear_wide();
          s->mutable_search()->clear_wide_graph();
          s->mutable_search()->clear_score();
          s->mutable_search()->clear_proxy();
          s->mutable_search()->clear_train_again();
          s->clear_rivals();
        });
  }
  if (search.method() == SearchSettings::METHOD_UNSPECIFIED) {
    add("the search's own model is not tested; set search.method",
        [](Settings* s) { s->mutable_search()->clear_test_clips(); });
  }
  if (search.search_split() == SearchSettings::PUBLISHED) {
    add("the search measures on the evaluation list; set search.search_split=HELD_OUT_FROM_TRAIN",
        [](Settings* s) { s->mutable_search()->clear_held_out_share(); });
  }
  const RivalSettings& rivals = settings.rivals();
  if (rivals.clips().empty() || rivals.rates().empty()) {
    // Clearing one of the two has an effect; setting the other one has none.
    add("no fixed schedule is trained: rivals.clips and rivals.rates must both be set",
        [rivals](Settings* s) {
          if (rivals.clips().empty()) s->mutable_rivals()->clear_rates();
          if (rivals.rates().empty()) s->mutable_rivals()->clear_clips();
        });
    if (rivals.long_run().empty() && rivals.multigrid().empty()) {
      add("no rival is trained; see rivals.clips and rivals.long_run",
          [](Settings* s) { s->mutable_rivals()->clear_test_clips(); });
    }
  }
  for (int i = 0; i < settings.recipes_size(); ++i) {
    const RecipeSettings& recipe = settings.recipes(i);
    const auto add_of_recipe = [&add, i](const std::string& reason,
                                         const std::function<void(RecipeSettings*)>& clear) {
      add(reason, [i, clear](Settings* s) {
        if (i < s->recipes_size()) clear(s->mutable_recipes(i));
      });
    };
    if (recipe.planned() && planned && !search.train_again()) {
      add_of_recipe(
          "the plan is not trained again (search.train_again=true); the test of the search's own "
          "model has search.test_clips",
          [](RecipeSettings* r) {
            r->clear_title();
            r->clear_test_clips();
          });
    }
    if (recipe.has_hand_tuned() && recipe.hand_tuned().has_step()) {
      add_of_recipe("the recipe's hand_tuned.step comes before its cosine",
                    [](RecipeSettings* r) { r->mutable_hand_tuned()->clear_cosine(); });
    }
    const StateSettings& state =
        recipe.has_fixed() ? recipe.fixed().state() : recipe.hand_tuned().state();
    if (!recipe.planned() && state.segments() == 1) {
      add_of_recipe("the recipe's clips are consecutive frames",
                    [](RecipeSettings* r) { r->clear_test_segments(); });
    }
  }
  add("the settings already set what dataset.protocol proposes",
      [](Settings* s) { s->mutable_dataset()->clear_protocol(); });
  add("it only lists what was chosen from the data", [](Settings* s) { s->clear_derived(); });
  add("the checksum is that of the file", [](Settings* s) { s->clear_initial_weights_crc32(); });
  add("bases are read only from files; name one in your own file (--settings)",
      [](Settings* s) { s->clear_base(); });
  if (!request.initial_weights.empty()) {
    add("--init names the weights to start from", [](Settings* s) { s->clear_initial_weights(); });
  }
  AddUnusedTraining(settings, &parts);
  return parts;
}

// If the command line names graphs, these are searched.
absl::Status TakeNamedGraphs(const BenchmarkSettings& before, BenchmarkSettings* settings) {
  SearchSettings* const search = settings->mutable_search();
  DropUnnamedPools(before.search(), search);
  if (!search->wide_graph().empty()) search->clear_wide();
  return ReadPools(search);
}

absl::Status ValidateSearch(const SearchSettings& search) {
  const StoppingRule& rule = search.rule();
  OP3D_RETURN_IF_ERROR(RequireAtLeast("search.rule.attempt_epochs", rule.attempt_epochs(), 1));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("search.rule.max_epochs", rule.max_epochs(), 1));
  OP3D_RETURN_IF_ERROR(
      RequireAtLeast("search.rule.max_epochs_from_initial", rule.max_epochs_from_initial(), 1));
  // The settings of its method.
  OP3D_RETURN_IF_ERROR(Annotate(planner::ValidateStoppingRule(rule), "settings: search.rule"));
  if (search.search_split() == SearchSettings::HELD_OUT_FROM_TRAIN) {
    OP3D_RETURN_IF_ERROR(Require(search.held_out_share() > 0 && search.held_out_share() < 1,
                                 "search.held_out_share", search.held_out_share(), "in (0, 1)"));
  }
  if (SearchesPlanned(search)) {
    OP3D_RETURN_IF_ERROR(Annotate(planner::MakeWideGraph(search.wide()).status(), "search"));
    OP3D_RETURN_IF_ERROR(RequireAtLeast("search.score.frames", search.score().frames(), 0));
    const SearchSettings::Proxy& proxy = search.proxy();
    OP3D_RETURN_IF_ERROR(Require(proxy.videos() >= 0 && proxy.videos() <= 1, "search.proxy.videos",
                                 proxy.videos(), "in (0, 1]"));
    OP3D_RETURN_IF_ERROR(Require(proxy.crop() >= 0 && proxy.crop() <= 8192, "search.proxy.crop",
                                 proxy.crop(), "in [1, 8192], or 0 for the transform's own"));
    OP3D_RETURN_IF_ERROR(RequireAtLeast("search.proxy.width", proxy.width(), 0));
    OP3D_RETURN_IF_ERROR(RequireAtLeast("search.proxy.checked", proxy.checked(), 0));
    OP3D_RETURN_IF_ERROR(
        RequireAtLeast("search.score.merged_epochs", search.score().merged_epochs(), 0));
  }
  std::set<std::string> pools;
  for (const TransitionGraph& pool : search.pools()) {
    OP3D_RETURN_IF_ERROR(
        Annotate(planner::ValidateGraph(pool), absl::StrCat("pool ", pool.pool())));
    if (!pools.insert(pool.pool()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("the pool name '", pool.pool(), "' is used twice"));
    }
    if (!IsPlainName(pool.pool())) {
      return absl::InvalidArgumentError(
          absl::StrCat("the pool name '", pool.pool(), "' must be letters, digits, _ and -"));
    }
    if (SearchesPlanned(search) && pool.pool() == planner::kWidePool) {
      return absl::InvalidArgumentError(
          absl::StrCat("the pool name '", pool.pool(),
                       "' is that of the planned method's graph; give this pool another one"));
    }
  }
  return absl::OkStatus();
}

// The rows that a run makes besides its recipes; two of one name would be trained in one folder.
absl::StatusOr<std::set<std::string>> NamesOfRows(const BenchmarkSettings& settings) {
  std::set<std::string> names = {"planned_model", "published_model"};
  if (!SearchesPlanned(settings.search()) || settings.has_plan()) return names;
  const RivalSettings& rivals = settings.rivals();
  names.insert({"long_run", "multigrid"});
  for (const std::string& name : rivals.clips()) {
    OP3D_ASSIGN_OR_RETURN(const StateSettings clip,
                          FindClip(settings.search(), name, "rivals.clips"));
    for (const double rate : rivals.rates()) {
      OP3D_RETURN_IF_ERROR(Require(rate > 0, "rivals.rates", rate, "above 0"));
      if (!names.insert(FixedRowName(clip, rate)).second) {
        return absl::InvalidArgumentError(
            absl::StrCat("rivals: the clip ", name, " at ", rate,
                         " times its learning rate is there twice; name each clip and rate once"));
      }
    }
  }
  return names;
}

}  // namespace

bool SearchesPlanned(const SearchSettings& search) {
  return search.method() == SearchSettings::PLANNED_METHOD ||
         search.method() == SearchSettings::BOTH_METHODS;
}

absl::StatusOr<StateSettings> FindClip(const SearchSettings& search, const std::string& name,
                                       absl::string_view where) {
  std::vector<std::string> names;
  for (const StateSettings& clip : search.wide().clips()) {
    if (clip.name() == name) return clip;
    names.push_back(clip.name());
  }
  return absl::InvalidArgumentError(absl::StrCat(
      where, " names the clip '", name, "'; search.wide has ", absl::StrJoin(names, ", ")));
}

namespace {

// The part of the dataset's settings that applies to its miniature: how it is read.
DatasetSettings MiniatureDataset(DatasetSettings dataset) {
  for (DatasetSettings::Split* split : {dataset.mutable_train(), dataset.mutable_evaluation()}) {
    split->clear_other_lists();
    split->clear_other_media();
  }
  dataset.clear_other_label_maps();
  dataset.clear_classes();
  dataset.clear_official_train();
  dataset.clear_official_evaluation();
  dataset.clear_source();
  dataset.clear_protocol();
  return dataset;
}

// The dataset and its protocol, then the shipped file and its bases merged over them.
absl::StatusOr<BenchmarkSettings> ShippedSettings(const SettingsRequest& request) {
  OP3D_ASSIGN_OR_RETURN(
      const std::string shipped,
      RunfilePath(absl::StrCat(kSpecs, "/", request.benchmark,
                               request.miniature ? "_miniature" : "", ".textproto")));
  OP3D_ASSIGN_OR_RETURN(const DatasetSettings dataset, data::FindDataset(request.benchmark));
  BenchmarkSettings settings;
  *settings.mutable_dataset() = request.miniature ? MiniatureDataset(dataset) : dataset;
  data::UseProtocol(dataset, &settings);
  OP3D_RETURN_IF_ERROR(ReadSettings(shipped, &settings));
  for (RecipeSettings& recipe : *settings.mutable_recipes()) {
    if (!recipe.planned()) continue;
    if (recipe.test_clips() == 0) recipe.set_test_clips(dataset.protocol().test_clips());
    // Below 0: ResolveTestSegments() decides once the method is known.
    if (recipe.test_segments() == 0) recipe.set_test_segments(-dataset.protocol().test_segments());
  }
  return settings;
}

// The published protocol tests plans of uniform sampling with the longest state's clip, in whatever
// state they end.  The planned method's model is tested, like every rival, with the clip that it
// was trained on last; with twice the segments it is worse on held-out videos
// (docs/measurements.md).
void ResolveTestSegments(BenchmarkSettings* settings) {
  const bool own_clip = !settings->has_plan() &&
                        settings->search().method() == SearchSettings::PLANNED_METHOD;
  for (RecipeSettings& recipe : *settings->mutable_recipes()) {
    if (recipe.test_segments() >= 0) continue;
    recipe.set_test_segments(own_clip ? 0 : -recipe.test_segments());
  }
}

// `whole`: the settings are complete, so settings without effect can be detected.
absl::Status Override(const SettingsRequest& request, bool whole, BenchmarkSettings* settings) {
  if (!request.settings_file.empty()) {
    const SearchSettings before = settings->search();
    OP3D_RETURN_IF_ERROR(ReadSettings(UserPath(request.settings_file), settings));
    DropUnnamedPools(before, settings->mutable_search());
  }
  if (!request.network.empty()) settings->mutable_network()->set_name(request.network);
  if (request.seed.has_value()) settings->set_seed(*request.seed);
  if (request.split.has_value()) {
    OP3D_RETURN_IF_ERROR(SetSplit(*request.split, settings->scale(), settings->mutable_dataset()));
  }
  if (!request.plan_file.empty()) {
    OP3D_ASSIGN_OR_RETURN(*settings->mutable_plan(), planner::FindPlan(request.plan_file));
  }
  for (const auto& [flag, value] : {std::make_pair("method", &request.method),
                                    std::make_pair("rivals", &request.rivals),
                                    std::make_pair("budget", &request.budget)}) {
    if (!settings->has_plan() || value->empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, " has no effect with a given plan: nothing is searched; leave --",
                     flag, " or --plan out"));
  }
  // Before --budget and --set, which change single fields of the pools.
  OP3D_RETURN_IF_ERROR(ReadPools(settings->mutable_search()));
  // These need the settings' own search, which incomplete ones do not have.
  if (whole) {
    OP3D_RETURN_IF_ERROR(SetMethod(request.method, settings->mutable_search()));
    OP3D_RETURN_IF_ERROR(SetRivals(request.rivals, settings));
    OP3D_RETURN_IF_ERROR(SetBudget(request.budget, settings));
  }
  return SetFields<BenchmarkSettings>(
      request.assignments,
      [&](const BenchmarkSettings& all) {
        return whole ? UnusedParts(all, request) : std::vector<UnusedPart<BenchmarkSettings>>();
      },
      TakeNamedGraphs, settings);
}

}  // namespace

bool IsPlainName(absl::string_view name) {
  return !name.empty() && absl::c_all_of(name, [](char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '-';
  });
}

std::string FixedRowName(const StateSettings& clip, double rate) {
  return absl::StrCat("fixed_", clip.name(), "_", clip.learning_rate() * rate);
}

absl::Status OverrideSettings(const SettingsRequest& request, BenchmarkSettings* settings) {
  return Override(request, /*whole=*/false, settings);
}

absl::StatusOr<BenchmarkSettings> ResolveSettings(const SettingsRequest& request) {
  OP3D_ASSIGN_OR_RETURN(BenchmarkSettings settings, ShippedSettings(request));
  return ResolveSettings(std::move(settings), request);
}

absl::StatusOr<BenchmarkSettings> ResolveSettings(BenchmarkSettings settings,
                                                  const SettingsRequest& request) {
  OP3D_RETURN_IF_ERROR(Override(request, /*whole=*/true, &settings));
  ResolveTestSegments(&settings);
  const std::string weights =
      request.initial_weights.empty() ? settings.initial_weights() : request.initial_weights;
  if (!weights.empty()) {
    settings.set_initial_weights(UserPath(weights));
    OP3D_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(settings.initial_weights()));
    settings.set_initial_weights_crc32(Crc32(bytes));
  }
  if (settings.search().has_wide() && settings.search().wide().full_crop() == 0) {
    const auto& clips = settings.search().wide().clips();
    if (std::any_of(clips.begin(), clips.end(),
                    [](const StateSettings& clip) { return clip.crop() > 0; })) {
      settings.mutable_search()->mutable_wide()->set_full_crop(settings.transform().train_crop());
    }
  }
  OP3D_RETURN_IF_ERROR(ValidateSettings(settings));
  return settings;
}

namespace {

absl::Status CheckSettings(const BenchmarkSettings& settings) {
  OP3D_RETURN_IF_ERROR(RequireAtLeast("dataset.classes", settings.dataset().classes(), 2));
  OP3D_RETURN_IF_ERROR(
      Require(settings.network().dropout() >= 0 && settings.network().dropout() < 1,
              "network.dropout", settings.network().dropout(), "in [0, 1)"));
  OP3D_RETURN_IF_ERROR(
      RequireAtLeast("loader.frame_cache_mib", settings.loader().frame_cache_mib(), 0));
  OP3D_RETURN_IF_ERROR(data::CheckTransformSettings(settings.transform()));
  if (settings.training().fit_memory()) {
    return absl::InvalidArgumentError(
        "training.fit_memory is for `train` alone: in a benchmark a state has the batch that its "
        "plan says; lower batch_size and raise accumulation of the state that does not fit");
  }
  if (settings.has_plan()) {
    OP3D_RETURN_IF_ERROR(Annotate(planner::ValidatePlan(settings.plan()), "plan"));
  }
  OP3D_RETURN_IF_ERROR(ValidateSearch(settings.search()));
  if (SearchesPlanned(settings.search()) && !settings.has_plan()) {
    if (!settings.rivals().long_run().empty()) {
      OP3D_RETURN_IF_ERROR(
          FindClip(settings.search(), settings.rivals().long_run(), "rivals.long_run").status());
    }
    if (!settings.rivals().multigrid().empty()) {
      OP3D_RETURN_IF_ERROR(
          FindClip(settings.search(), settings.rivals().multigrid(), "rivals.multigrid").status());
    }
  }
  if (settings.search().method() == SearchSettings::PUBLISHED_METHOD && !settings.has_plan() &&
      settings.search().pools().empty()) {
    return absl::InvalidArgumentError(
        "the published method needs a graph: set search.graphs, or take --method=planned");
  }
  OP3D_ASSIGN_OR_RETURN(std::set<std::string> names, NamesOfRows(settings));
  for (const RecipeSettings& recipe : settings.recipes()) {
    if (recipe.name().empty() || !names.insert(recipe.name()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("the recipe name '", recipe.name(),
                       "' is empty, used twice or that of a row which every run makes"));
    }
    OP3D_RETURN_IF_ERROR(RequireAtLeast(absl::StrCat("recipes['", recipe.name(), "'].test_clips"),
                                        recipe.test_clips(), 1));
    OP3D_RETURN_IF_ERROR(RequireAtLeast(
        absl::StrCat("recipes['", recipe.name(), "'].test_segments"), recipe.test_segments(), 0));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateSettings(const BenchmarkSettings& settings) {
  return Annotate(CheckSettings(settings), "settings");
}

namespace {

// Clears everything that says how long to train or search.
void ClearLengths(BenchmarkSettings* settings) {
  SearchSettings* const search = settings->mutable_search();
  settings->clear_time_budget();
  search->mutable_wide()->clear_frames();
  search->mutable_rule()->clear_attempt_epochs();
  search->mutable_rule()->clear_max_epochs_from_initial();
  search->mutable_rule()->clear_max_epochs();
  for (RecipeSettings& recipe : *settings->mutable_recipes()) {
    if (recipe.has_hand_tuned()) recipe.mutable_hand_tuned()->clear_epochs();
    if (recipe.has_fixed()) recipe.mutable_fixed()->clear_frames();
  }
  if (!settings->has_plan()) return;
  for (Plan::Step& step : *settings->mutable_plan()->mutable_steps()) step.clear_epochs();
}

}  // namespace

absl::Status ExplainRefusal(const std::string& folder, const BenchmarkSettings& settings,
                            const absl::Status& refused) {
  BenchmarkSettings there, wanted = settings;
  if (!absl::IsFailedPrecondition(refused) ||
      !ReadTextproto(JoinPath(folder, "settings.textproto"), &there).ok() ||
      google::protobuf::util::MessageDifferencer::Equals(there, wanted)) {
    return refused;
  }
  ClearLengths(&there);
  ClearLengths(&wanted);
  if (!google::protobuf::util::MessageDifferencer::Equals(there, wanted)) return refused;
  return absl::FailedPreconditionError(absl::StrCat(
      refused.message(),
      ". These are lengths: a finished training keeps its weights but not its optimiser, so it "
      "cannot be made longer in this folder. In another --output_dir: with --plan=",
      folder,
      "/plan.textproto the plan is trained without searching again, for more epochs with "
      "--set=plan.steps[0].epochs=N; without it all is searched and trained with the new lengths. "
      "To train on from a row's weights: train --init=",
      folder, "/checkpoints/ROW/weights.safetensors with steps for only the additional epochs"));
}

}  // namespace op3d::benchmarks
