#include "planner/graphs/wide_graph.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "op3d/base/status_macros.h"
#include "planner/graphs/transition_graph.h"

namespace op3d::planner {
namespace {

constexpr char kInitial[] = "S0";

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("wide graph: ", what));
}

bool Uniform(const StateSettings& clip) { return clip.segments() > 1; }

double ClipFrames(const WideGraphSettings& settings, int clip) {
  return FullFramesPerClip(settings.clips(clip), settings.full_crop());
}

int Crop(const WideGraphSettings& settings, int clip) {
  return settings.clips(clip).crop() > 0 ? settings.clips(clip).crop() : settings.full_crop();
}

// The cheapest of the clips of the same kind that have more frames or pixels and not less of
// the other; -1 = none.
int NextLarger(const WideGraphSettings& settings, int clip) {
  const StateSettings& own = settings.clips(clip);
  int next = -1;
  for (int i = 0; i < settings.clips_size(); ++i) {
    const StateSettings& other = settings.clips(i);
    if (Uniform(other) != Uniform(own) || FramesPerClip(other) < FramesPerClip(own) ||
        Crop(settings, i) < Crop(settings, clip) ||
        ClipFrames(settings, i) <= ClipFrames(settings, clip)) {
      continue;
    }
    if (next < 0 || ClipFrames(settings, i) < ClipFrames(settings, next)) next = i;
  }
  return next;
}

// As in a state's name, where no sign of an exponent is allowed.
std::string RateName(double rate) {
  std::string text = absl::StrCat(rate);
  if (text.find('e') == std::string::npos) return text;
  text = absl::StrFormat("%.12f", rate);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

// The weights of all edges, and of one path through all stages but the last.
struct Weights {
  double whole = 0, trunk = 0;
};

Weights WeightsOf(const WideGraphSettings& settings) {
  Weights weights;
  for (int k = 0; k < settings.stages_size(); ++k) {
    const WideGraphSettings::Stage& stage = settings.stages(k);
    if (k + 1 < settings.stages_size()) weights.trunk += stage.weight();
    weights.whole += stage.edges() * stage.weight();
  }
  if (settings.annealing().empty()) return weights;
  for (const double share : settings.annealing()) {
    weights.whole += settings.stages().rbegin()->edges() * share * weights.trunk;
  }
  return weights;
}

absl::Status CheckStages(const WideGraphSettings& settings) {
  if (settings.stages_size() < 2) {
    return Bad(absl::StrCat("it has ", settings.stages_size(),
                            " stages; it needs at least one at a constant rate and the last, in "
                            "which the rate falls"));
  }
  if (settings.stages(0).grow()) {
    return Bad(
        "stages[0] has grow, but its edges start from the initial weights, so no clip "
        "can grow; set it on a later stage");
  }
  double shorter = 0;
  for (const double share : settings.annealing()) {
    if (!(share > shorter && share <= 1)) {
      return Bad(absl::StrCat("annealing lists ", share,
                              "; its shares of the trunk must be in (0, 1] and rise"));
    }
    shorter = share;
  }
  for (int k = 0; k < settings.stages_size(); ++k) {
    const WideGraphSettings::Stage& stage = settings.stages(k);
    const bool by_share = k + 1 == settings.stages_size() && !settings.annealing().empty();
    if (by_share && stage.weight() != 0) {
      return Bad(absl::StrCat("stages[", k, "] has the weight ", stage.weight(),
                              ", but annealing gives the lengths of the last stage; remove one"));
    }
    if (stage.edges() >= 1 && stage.states() >= 0 && std::isfinite(stage.weight()) &&
        (by_share || stage.weight() > 0)) {
      continue;
    }
    return Bad(absl::StrCat("stages[", k, "] has ", stage.edges(), " edges, ", stage.states(),
                            " states and the weight ", stage.weight(),
                            "; it needs at least 1 edge and a weight above 0"));
  }
  return absl::OkStatus();
}

absl::Status Check(const WideGraphSettings& settings) {
  if (settings.clips().empty()) return Bad("it has no clips; list at least one");
  if (settings.rates().empty()) return Bad("it has no rates; list at least one, such as 1");
  for (const double rate : settings.rates()) {
    if (rate > 0 && std::isfinite(rate)) continue;
    return Bad(absl::StrCat("the rate ", rate, " must be above 0"));
  }
  if (!(settings.frames() > 0) || !std::isfinite(settings.frames())) {
    return Bad(absl::StrCat("frames is ", settings.frames(), "; it must be above 0"));
  }
  OP3D_RETURN_IF_ERROR(CheckStages(settings));
  std::set<std::string> names;
  double least = 0;
  for (int i = 0; i < settings.clips_size(); ++i) {
    const StateSettings& clip = settings.clips(i);
    OP3D_RETURN_IF_ERROR(ValidateState(clip));
    if (!names.insert(clip.name()).second) {
      return Bad(absl::StrCat("two clips are called ", clip.name(), "; names must differ"));
    }
    if (clip.schedule().kind_case() != ScheduleSettings::KIND_NOT_SET) {
      return Bad(absl::StrCat("the clip ", clip.name(),
                              " has a schedule of its own; trunks have a constant rate"));
    }
    if (clip.crop() > 0 && settings.full_crop() < clip.crop()) {
      return Bad(absl::StrCat("the clip ", clip.name(), " has a crop of ", clip.crop(),
                              ", but full_crop is ", settings.full_crop(),
                              "; set it to the side of the whole pictures, at least ", clip.crop()));
    }
    least = i == 0 ? ClipFrames(settings, i) : std::min(least, ClipFrames(settings, i));
  }
  for (int k = 0; k < settings.stages_size(); ++k) {
    if (FramesOfStage(settings, k) >= 0.5 * least) continue;
    return Bad(absl::StrCat("a budget of ", settings.frames(), " frames per video leaves ",
                            FramesOfStage(settings, k), " to an edge of stage ", k + 1,
                            ", less than half an epoch of the smallest clip (", least,
                            " frames); raise the budget, or have fewer edges"));
  }
  return absl::OkStatus();
}

// Adds states and edges stage by stage.
class WideGraph {
 public:
  explicit WideGraph(const WideGraphSettings& settings) : settings_(settings) {
    graph_.set_pool(kWidePool);
    graph_.set_initial(kInitial);
    for (int k = 0; k < settings.stages_size(); ++k) {
      SearchRound* round = graph_.add_rounds();
      round->set_edges(EdgesOfRound(settings, k));
      round->set_states(settings.stages(k).states());
    }
  }

  TransitionGraph Make() {
    ForEachState([this](int clip, int rate, int stage, int length) {
      AddState(clip, rate, stage, length);
    });
    // All clips at the first rate come before the next rate: a round with fewer edges than states
    // tries every clip at the first rate first.
    ForEachState([this](int clip, int rate, int stage, int length) {
      if (stage == 0) AddEdge(kInitial, clip, rate, stage, length);
    });
    for (int stage = 1; stage < settings_.stages_size(); ++stage) {
      for (int rate = 0; rate < settings_.rates_size(); ++rate) {
        for (int clip = 0; clip < settings_.clips_size(); ++clip) {
          const std::string from = Name(clip, rate, stage - 1, 0);
          const int next = NextLarger(settings_, clip);
          for (int length = 0; length < Lengths(stage); ++length) {
            const bool grows_first = next >= 0 && settings_.stages(stage).grow();
            if (grows_first) AddEdge(from, next, rate, stage, length);
            AddEdge(from, clip, rate, stage, length);
            if (next >= 0 && !grows_first) AddEdge(from, next, rate, stage, length);
          }
        }
      }
    }
    return graph_;
  }

 private:
  bool last(int stage) const { return stage + 1 == settings_.stages_size(); }
  // The number of edges of different length between the same two clips.
  int Lengths(int stage) const {
    return last(stage) ? std::max(1, settings_.annealing_size()) : 1;
  }
  double Rate(int clip, int rate) const {
    return settings_.clips(clip).learning_rate() * settings_.rates(rate);
  }
  std::string Name(int clip, int rate, int stage, int length) const {
    const std::string start =
        absl::StrCat(settings_.clips(clip).name(), "_", RateName(Rate(clip, rate)), ".");
    if (!last(stage)) return absl::StrCat(start, stage + 1);
    if (settings_.annealing().empty()) return absl::StrCat(start, "end");
    return absl::StrCat(start, "end", settings_.annealing(length));
  }

  template <typename Visit>
  void ForEachState(const Visit& visit) {
    for (int stage = 0; stage < settings_.stages_size(); ++stage) {
      for (int rate = 0; rate < settings_.rates_size(); ++rate) {
        for (int clip = 0; clip < settings_.clips_size(); ++clip) {
          for (int length = 0; length < Lengths(stage); ++length) visit(clip, rate, stage, length);
        }
      }
    }
  }

  void AddState(int clip, int rate, int stage, int length) {
    StateSettings* state = graph_.add_states();
    *state = settings_.clips(clip);
    state->set_name(Name(clip, rate, stage, length));
    state->set_learning_rate(Rate(clip, rate));
    if (!last(stage)) return;
    state->mutable_schedule()->mutable_one_minus_sqrt();
    graph_.add_finals(state->name());
  }

  void AddEdge(const std::string& from, int clip, int rate, int stage, int length) {
    double frames = FramesOfStage(settings_, stage);
    // FramesOfStage() of the last stage is for its longest edges.
    if (last(stage) && !settings_.annealing().empty()) {
      frames *= settings_.annealing(length) / *settings_.annealing().rbegin();
    }
    Transition* edge = graph_.add_transitions();
    edge->set_from(from);
    edge->set_to(Name(clip, rate, stage, length));
    edge->set_epochs(EpochsOf(frames, ClipFrames(settings_, clip)));
    edge->set_round(stage + 1);
  }

  const WideGraphSettings& settings_;
  TransitionGraph graph_;
};

}  // namespace

int EdgesOfRound(const WideGraphSettings& settings, int k) {
  const bool last = k + 1 == settings.stages_size();
  return settings.stages(k).edges() * (last ? std::max(1, settings.annealing_size()) : 1);
}

double FramesOfRound(const WideGraphSettings& settings, int k) {
  double lengths = 1;
  if (k + 1 == settings.stages_size() && !settings.annealing().empty()) {
    lengths = std::accumulate(settings.annealing().begin(), settings.annealing().end(), 0.0) /
              *settings.annealing().rbegin();
  }
  return settings.stages(k).edges() * lengths * FramesOfStage(settings, k);
}

double FramesOfStage(const WideGraphSettings& settings, int k) {
  const Weights weights = WeightsOf(settings);
  const bool by_share = k + 1 == settings.stages_size() && !settings.annealing().empty();
  const double weight =
      by_share ? *settings.annealing().rbegin() * weights.trunk : settings.stages(k).weight();
  return settings.frames() * weight / weights.whole;
}

double FramesOfPath(const WideGraphSettings& settings) {
  double frames = 0;
  for (int k = 0; k < settings.stages_size(); ++k) frames += FramesOfStage(settings, k);
  return frames;
}

absl::StatusOr<Budget> ParseBudget(const std::string& text) {
  static constexpr struct {
    absl::string_view suffix;
    Budget::Unit unit;
    double factor;
  } kUnits[] = {{"x", Budget::kPlans, 1},
                {"h", Budget::kSeconds, 3600},
                {"min", Budget::kSeconds, 60},
                {"s", Budget::kSeconds, 1},
                {"", Budget::kFrames, 1}};
  Budget budget;
  for (const auto& unit : kUnits) {
    absl::string_view number = text;
    if (!absl::ConsumeSuffix(&number, unit.suffix)) continue;
    if (!absl::SimpleAtod(number, &budget.amount) || !(budget.amount > 0) ||
        !std::isfinite(budget.amount)) {
      break;
    }
    budget.amount *= unit.factor;
    budget.unit = unit.unit;
    return budget;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--budget=", text,
      ": it limits the whole search and must be above 0: frames per video (4608, epochs x "
      "frames of a clip), time (90s, 20min, 3h), or multiples of the plan (3x: three times the "
      "path that the settings' own budget leads to)"));
}

int EpochsOf(double frames, double clip_frames) {
  return static_cast<int>(std::lround(std::clamp(frames / clip_frames, 1.0, 1e6)));
}

absl::StatusOr<TransitionGraph> MakeWideGraph(const WideGraphSettings& settings) {
  OP3D_RETURN_IF_ERROR(Check(settings));
  return WideGraph(settings).Make();
}

}  // namespace op3d::planner
