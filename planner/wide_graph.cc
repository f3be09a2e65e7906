#include "planner/wide_graph.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"
#include "planner/transition_graph.h"

namespace op3d {
namespace {

constexpr char kInitial[] = "S0";

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("wide graph: ", what));
}

bool Uniform(const State& clip) { return clip.segments() > 1; }

// The shortest clip of the same kind that is longer; -1 = none.
int NextLonger(const WideGraphSettings& settings, int clip) {
  const State& own = settings.clips(clip);
  int next = -1;
  for (int i = 0; i < settings.clips_size(); ++i) {
    const State& other = settings.clips(i);
    if (Uniform(other) != Uniform(own) || FramesPerClip(other) <= FramesPerClip(own)) continue;
    if (next < 0 || FramesPerClip(other) < FramesPerClip(settings.clips(next))) next = i;
  }
  return next;
}

int Epochs(const WideGraphSettings& settings, int stage, const State& clip) {
  const double epochs = FramesOfStage(settings, stage) / FramesPerClip(clip);
  return std::max(1, static_cast<int>(std::lround(std::min(epochs, 1e6))));
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
  if (settings.stages_size() < 2) {
    return Bad(absl::StrCat("it has ", settings.stages_size(),
                            " stages; it needs at least one at a constant rate and the last, in "
                            "which the rate falls"));
  }
  for (int k = 0; k < settings.stages_size(); ++k) {
    const WideGraphSettings::Stage& stage = settings.stages(k);
    if (stage.edges() >= 1 && stage.states() >= 0 && stage.weight() > 0 &&
        std::isfinite(stage.weight())) {
      continue;
    }
    return Bad(absl::StrCat("stages[", k, "] has ", stage.edges(), " edges, ", stage.states(),
                            " states and the weight ", stage.weight(),
                            "; it needs at least 1 edge and a weight above 0"));
  }
  std::set<std::string> names;
  int shortest = 0;
  for (const State& clip : settings.clips()) {
    OP3D_RETURN_IF_ERROR(ValidateState(clip));
    if (!names.insert(clip.name()).second) {
      return Bad(absl::StrCat("two clips are called ", clip.name(), "; names must differ"));
    }
    if (clip.schedule().kind_case() != ScheduleSettings::KIND_NOT_SET) {
      return Bad(absl::StrCat("the clip ", clip.name(),
                              " has a schedule of its own; trunks have a constant rate"));
    }
    shortest = shortest == 0 ? FramesPerClip(clip) : std::min(shortest, FramesPerClip(clip));
  }
  for (int k = 0; k < settings.stages_size(); ++k) {
    if (FramesOfStage(settings, k) >= 0.5 * shortest) continue;
    return Bad(absl::StrCat("a budget of ", settings.frames(), " frames a video leaves ",
                            FramesOfStage(settings, k), " to an edge of stage ", k + 1,
                            ", less than half an epoch of the shortest clip (", shortest,
                            " frames); raise the budget, or have fewer edges"));
  }
  return absl::OkStatus();
}

// Adds states and edges stage by stage.
class WideGraph {
 public:
  explicit WideGraph(const WideGraphSettings& settings) : settings_(settings) {
    graph_.set_pool("wide");
    graph_.set_initial(kInitial);
    for (const WideGraphSettings::Stage& stage : settings.stages()) {
      SearchRound* round = graph_.add_rounds();
      round->set_edges(stage.edges());
      round->set_states(stage.states());
    }
  }

  TransitionGraph Make() {
    const int last = settings_.stages_size() - 1;
    for (int stage = 0; stage <= last; ++stage) {
      for (int rate = 0; rate < settings_.rates_size(); ++rate) {
        for (int clip = 0; clip < settings_.clips_size(); ++clip) AddState(clip, rate, stage);
      }
    }
    // The first listed clip at all rates comes before the next clip: a round that takes fewer edges
    // than there are tries every clip at the first rate first.
    for (int rate = 0; rate < settings_.rates_size(); ++rate) {
      for (int clip = 0; clip < settings_.clips_size(); ++clip) {
        AddEdge(kInitial, clip, rate, 0);
      }
    }
    for (int stage = 1; stage <= last; ++stage) {
      for (int rate = 0; rate < settings_.rates_size(); ++rate) {
        for (int clip = 0; clip < settings_.clips_size(); ++clip) {
          const std::string from = Name(clip, rate, stage - 1);
          AddEdge(from, clip, rate, stage);
          if (const int next = NextLonger(settings_, clip); next >= 0) {
            AddEdge(from, next, rate, stage);
          }
        }
      }
    }
    return graph_;
  }

 private:
  bool last(int stage) const { return stage + 1 == settings_.stages_size(); }
  double Rate(int clip, int rate) const {
    return settings_.clips(clip).learning_rate() * settings_.rates(rate);
  }
  std::string Name(int clip, int rate, int stage) const {
    return absl::StrCat(settings_.clips(clip).name(), "_", Rate(clip, rate), ".",
                        last(stage) ? "end" : absl::StrCat(stage + 1));
  }

  void AddState(int clip, int rate, int stage) {
    State* state = graph_.add_states();
    *state = settings_.clips(clip);
    state->set_name(Name(clip, rate, stage));
    state->set_learning_rate(Rate(clip, rate));
    if (!last(stage)) return;
    state->mutable_schedule()->mutable_one_minus_sqrt();
    graph_.add_finals(state->name());
  }

  void AddEdge(const std::string& from, int clip, int rate, int stage) {
    Transition* edge = graph_.add_transitions();
    edge->set_from(from);
    edge->set_to(Name(clip, rate, stage));
    edge->set_epochs(Epochs(settings_, stage, settings_.clips(clip)));
    edge->set_round(stage + 1);
  }

  const WideGraphSettings& settings_;
  TransitionGraph graph_;
};

}  // namespace

double FramesOfStage(const WideGraphSettings& settings, int k) {
  double whole = 0;
  for (const WideGraphSettings::Stage& stage : settings.stages()) {
    whole += stage.edges() * stage.weight();
  }
  return settings.frames() * settings.stages(k).weight() / whole;
}

absl::StatusOr<TransitionGraph> MakeWideGraph(const WideGraphSettings& settings) {
  OP3D_RETURN_IF_ERROR(Check(settings));
  return WideGraph(settings).Make();
}

}  // namespace op3d
