#include "benchmarks/settings_resolution.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <set>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/datasets/dataset_settings.h"
#include "data/transform/clip_transform.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "planner/plan_io.h"
#include "planner/transition_graph.h"
#include "planner/wide_graph.h"

namespace op3d {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Of each of the datasets that have splits.
constexpr int kSplits = 3;

// Empties the repeated fields of `to` that `from` names, so that a merge replaces them.
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

// Lays `wide` over the graph that `wide_graph` names, if it names one.
absl::Status ReadWideGraph(SearchSettings* search) {
  if (search->wide_graph().empty()) return absl::OkStatus();
  std::string path = UserPath(search->wide_graph());
  if (!FileExists(path)) {
    OP3D_ASSIGN_OR_RETURN(
        path, RunfilePath(absl::StrCat("planner/graphs/", search->wide_graph(), ".textproto")));
  }
  WideGraphSettings wide;
  OP3D_RETURN_IF_ERROR(ReadTextproto(path, &wide));
  ClearNamedLists(search->wide(), &wide);
  wide.MergeFrom(search->wide());
  *search->mutable_wide() = wide;
  search->clear_wide_graph();
  return absl::OkStatus();
}

// Fills `pools` from `graphs`; pools that the settings hold themselves win.
absl::Status ReadPools(SearchSettings* search) {
  if (search->pools().empty()) {
    for (const std::string& name : search->graphs()) {
      std::string path = UserPath(name);
      if (!FileExists(path)) {
        OP3D_ASSIGN_OR_RETURN(path,
                              RunfilePath(absl::StrCat("planner/graphs/", name, ".textproto")));
      }
      OP3D_RETURN_IF_ERROR(ReadTextproto(path, search->add_pools()));
    }
  }
  search->clear_graphs();
  return ReadWideGraph(search);
}

// --plan: the user's file, or a released plan by its name.
absl::StatusOr<Plan> ReadNamedPlan(const std::string& name) {
  const std::string path = UserPath(name);
  if (FileExists(path)) return ReadPlan(path);
  const absl::StatusOr<std::string> released =
      RunfilePath(absl::StrCat("planner/plans/", name, ".textproto"));
  return ReadPlan(released.ok() ? *released : path);
}

absl::Status SetSplit(int split, BenchmarkSettings::Scale scale, DatasetSettings* dataset) {
  // One's own data may have any number of them; a list that is not there is named when it is read.
  if (split > kSplits && scale != BenchmarkSettings::OWN) {
    return absl::InvalidArgumentError(
        absl::StrCat("--split=", split, ": ", dataset->name(), " has the splits 1 to ", kSplits));
  }
  return ChooseSplit(split, dataset);
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

// --rivals.
absl::Status SetRivals(const std::string& rivals, BenchmarkSettings* settings) {
  if (rivals.empty() || rivals == "all") return absl::OkStatus();
  if (rivals != "none") {
    return absl::InvalidArgumentError(
        absl::StrCat("--rivals=", rivals, ": it is all (the settings' own) or none"));
  }
  settings->clear_rivals();
  return absl::OkStatus();
}

// --budget: frames a video.
absl::Status SetBudget(const std::string& budget, SearchSettings* search) {
  if (budget.empty()) return absl::OkStatus();
  double frames = 0;
  if (!absl::SimpleAtod(budget, &frames) || !(frames > 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--budget=", budget,
                     ": it is the number of frames a video that the whole search may train "
                     "on (epochs x frames a clip), above 0"));
  }
  if (!SearchesPlanned(*search)) {
    return absl::InvalidArgumentError(
        "--budget goes with the planned method; the published one has bounds on epochs "
        "(--set=search.rule.max_epochs=N) instead. Add --method=planned");
  }
  search->mutable_wide()->set_frames(frames);
  return absl::OkStatus();
}

absl::Status Require(bool holds, absl::string_view field, double value, absl::string_view limits) {
  if (holds) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("settings: ", field, " is ", value, "; it must be ", limits));
}

absl::Status ValidateSearch(const SearchSettings& search) {
  const StoppingRule& rule = search.rule();
  OP3D_RETURN_IF_ERROR(Require(rule.attempt_epochs() >= 1, "search.rule.attempt_epochs",
                               rule.attempt_epochs(), "at least 1"));
  OP3D_RETURN_IF_ERROR(
      Require(rule.max_epochs() >= 1, "search.rule.max_epochs", rule.max_epochs(), "at least 1"));
  OP3D_RETURN_IF_ERROR(Require(rule.max_epochs_from_initial() >= 1,
                               "search.rule.max_epochs_from_initial",
                               rule.max_epochs_from_initial(), "at least 1"));
  if (search.search_split() == SearchSettings::HELD_OUT_FROM_TRAIN) {
    OP3D_RETURN_IF_ERROR(Require(search.held_out_share() > 0 && search.held_out_share() < 1,
                                 "search.held_out_share", search.held_out_share(), "in (0, 1)"));
  }
  if (SearchesPlanned(search)) {
    OP3D_RETURN_IF_ERROR(Annotate(MakeWideGraph(search.wide()).status(), "settings.search"));
    OP3D_RETURN_IF_ERROR(Require(search.score().frames() >= 0, "search.score.frames",
                                 search.score().frames(), "at least 0"));
    OP3D_RETURN_IF_ERROR(Require(search.score().merged_epochs() >= 0, "search.score.merged_epochs",
                                 search.score().merged_epochs(), "at least 0"));
  }
  std::set<std::string> pools;
  for (const TransitionGraph& pool : search.pools()) {
    OP3D_RETURN_IF_ERROR(Annotate(ValidateGraph(pool), absl::StrCat("pool ", pool.pool())));
    if (pool.pool().empty() || !pools.insert(pool.pool()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("settings: the pool name '", pool.pool(), "' is empty or used twice"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool SearchesPlanned(const SearchSettings& search) {
  return search.method() == SearchSettings::PLANNED_METHOD ||
         search.method() == SearchSettings::BOTH_METHODS;
}

absl::StatusOr<State> FindClip(const SearchSettings& search, const std::string& name,
                               absl::string_view where) {
  std::vector<std::string> names;
  for (const State& clip : search.wide().clips()) {
    if (clip.name() == name) return clip;
    names.push_back(clip.name());
  }
  return absl::InvalidArgumentError(absl::StrCat("settings: ", where, " names the clip '", name,
                                                 "'; search.wide has ",
                                                 absl::StrJoin(names, ", ")));
}

namespace {

absl::StatusOr<BenchmarkSettings> ShippedSettings(const SettingsRequest& request) {
  BenchmarkSettings settings;
  OP3D_ASSIGN_OR_RETURN(
      const std::string shipped,
      RunfilePath(absl::StrCat("benchmarks/specs/", request.benchmark,
                               request.miniature ? "_miniature" : "", ".textproto")));
  OP3D_RETURN_IF_ERROR(ReadTextproto(shipped, &settings));
  if (!settings.has_dataset()) {
    OP3D_ASSIGN_OR_RETURN(
        const std::string dataset,
        RunfilePath(absl::StrCat("data/datasets/", request.benchmark, ".textproto")));
    OP3D_RETURN_IF_ERROR(ReadTextproto(dataset, settings.mutable_dataset()));
  }
  return settings;
}

}  // namespace

absl::Status OverrideSettings(const SettingsRequest& request, BenchmarkSettings* settings) {
  if (!request.settings_file.empty()) {
    BenchmarkSettings over;
    OP3D_RETURN_IF_ERROR(ReadTextproto(UserPath(request.settings_file), &over));
    ClearNamedLists(over, settings);
    settings->MergeFrom(over);
  }
  if (!request.network.empty()) settings->mutable_network()->set_name(request.network);
  if (request.seed.has_value()) settings->set_seed(*request.seed);
  if (request.split.has_value()) {
    OP3D_RETURN_IF_ERROR(SetSplit(*request.split, settings->scale(), settings->mutable_dataset()));
  }
  // Before --budget and --set, which change single fields of it.
  OP3D_RETURN_IF_ERROR(ReadWideGraph(settings->mutable_search()));
  OP3D_RETURN_IF_ERROR(SetMethod(request.method, settings->mutable_search()));
  OP3D_RETURN_IF_ERROR(SetRivals(request.rivals, settings));
  OP3D_RETURN_IF_ERROR(SetBudget(request.budget, settings->mutable_search()));
  for (const std::string& assignment : request.assignments) {
    OP3D_RETURN_IF_ERROR(Annotate(SetField(assignment, settings), "--set"));
  }
  return absl::OkStatus();
}

absl::StatusOr<BenchmarkSettings> ResolveSettings(const SettingsRequest& request) {
  OP3D_ASSIGN_OR_RETURN(BenchmarkSettings settings, ShippedSettings(request));
  return ResolveSettings(std::move(settings), request);
}

absl::StatusOr<BenchmarkSettings> ResolveSettings(BenchmarkSettings settings,
                                                  const SettingsRequest& request) {
  OP3D_RETURN_IF_ERROR(OverrideSettings(request, &settings));
  if (!request.plan_file.empty()) {
    OP3D_ASSIGN_OR_RETURN(*settings.mutable_plan(), ReadNamedPlan(request.plan_file));
  }
  if (!request.initial_weights.empty()) {
    settings.set_initial_weights(UserPath(request.initial_weights));
    OP3D_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(settings.initial_weights()));
    settings.set_initial_weights_crc32(Crc32(bytes));
  }
  OP3D_RETURN_IF_ERROR(ReadPools(settings.mutable_search()));
  OP3D_RETURN_IF_ERROR(ValidateSettings(settings));
  return settings;
}

absl::Status ValidateSettings(const BenchmarkSettings& settings) {
  OP3D_RETURN_IF_ERROR(Require(settings.dataset().classes() >= 2, "dataset.classes",
                               settings.dataset().classes(), "at least 2"));
  OP3D_RETURN_IF_ERROR(
      Require(settings.network().dropout() >= 0 && settings.network().dropout() < 1,
              "network.dropout", settings.network().dropout(), "in [0, 1)"));
  OP3D_RETURN_IF_ERROR(Require(settings.loader().frame_cache_mib() >= 0, "loader.frame_cache_mib",
                               settings.loader().frame_cache_mib(), "at least 0"));
  OP3D_RETURN_IF_ERROR(Annotate(CheckTransformSettings(settings.transform()), "settings"));
  OP3D_RETURN_IF_ERROR(ValidateSearch(settings.search()));
  if (SearchesPlanned(settings.search()) && !settings.has_plan()) {
    for (const std::string& clip : settings.rivals().clips()) {
      OP3D_RETURN_IF_ERROR(FindClip(settings.search(), clip, "rivals.clips").status());
    }
    for (const double rate : settings.rivals().rates()) {
      OP3D_RETURN_IF_ERROR(Require(rate > 0, "rivals.rates", rate, "above 0"));
    }
    if (!settings.rivals().long_run().empty()) {
      OP3D_RETURN_IF_ERROR(
          FindClip(settings.search(), settings.rivals().long_run(), "rivals.long_run").status());
    }
  }
  std::set<std::string> names;
  for (const RecipeSettings& recipe : settings.recipes()) {
    if (recipe.name().empty() || !names.insert(recipe.name()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("settings: the recipe name '", recipe.name(), "' is empty or used twice"));
    }
    OP3D_RETURN_IF_ERROR(Require(recipe.test_clips() >= 1,
                                 absl::StrCat("recipes['", recipe.name(), "'].test_clips"),
                                 recipe.test_clips(), "at least 1"));
    OP3D_RETURN_IF_ERROR(Require(recipe.test_segments() >= 0,
                                 absl::StrCat("recipes['", recipe.name(), "'].test_segments"),
                                 recipe.test_segments(), "at least 0"));
  }
  return absl::OkStatus();
}

}  // namespace op3d
