#include "benchmarks/study/planner_study.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/study/search_strategies.h"
#include "op3d/base/bazel.h"
#include "op3d/base/progress.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "op3d/base/thread/parallel.h"
#include "planner/graphs/pool.h"

namespace op3d::benchmarks {
namespace {

StoppingRule Rule(StoppingRule::Method method, int attempt_epochs) {
  StoppingRule rule;
  rule.set_method(method);
  rule.set_attempt_epochs(attempt_epochs);
  rule.set_max_epochs_from_initial(200);
  rule.set_max_epochs(100);
  return rule;
}

StoppingRule IntervalRule(double confidence, double negligible_gain) {
  StoppingRule rule = Rule(StoppingRule::KNEE_INTERVAL, 10);
  rule.set_confidence(confidence);
  rule.set_negligible_gain(negligible_gain);
  return rule;
}

StoppingRule Racing(StoppingRule rule) {
  rule.set_race(true);
  return rule;
}

struct Way {
  std::string name;
  std::function<absl::StatusOr<Found>(const SimulatedTraining&, int64_t budget, uint64_t draw)>
      search;
};

Way Planner(const std::string& name, const StoppingRule& rule) {
  return {name, [rule](const SimulatedTraining& world, int64_t, uint64_t draw) {
            return PlanSearch(world, rule, draw);
          }};
}

// The others are compared with the first.
std::vector<Way> AllWays() {
  StoppingRule linear = Rule(StoppingRule::KNEE, 10), quadratic = linear;
  linear.set_function(StoppingRule::EXPONENTIAL_LINEAR);
  quadratic.set_function(StoppingRule::QUADRATIC);
  return {Planner("knee (published)", Rule(StoppingRule::KNEE, 10)),
          Planner("knee, T = 5", Rule(StoppingRule::KNEE, 5)),
          Planner("knee, exponential + linear", linear),
          Planner("knee, quadratic", quadratic),
          Planner("knee, race", Racing(Rule(StoppingRule::KNEE, 10))),
          Planner("knee, T = 7, race", Racing(Rule(StoppingRule::KNEE, 7))),
          Planner("knee, T = 6, race", Racing(Rule(StoppingRule::KNEE, 6))),
          Planner("knee, T = 5, race", Racing(Rule(StoppingRule::KNEE, 5))),
          Planner("interval 97 %", IntervalRule(0.97, 0)),
          Planner("interval 90 %", IntervalRule(0.9, 0)),
          Planner("interval 97 %, race", Racing(IntervalRule(0.97, 0))),
          Planner("interval 90 %, race", Racing(IntervalRule(0.9, 0))),
          Planner("interval 90 %, 0.1 points, race", Racing(IntervalRule(0.9, 0.001))),
          Planner("patience of 10 epochs", Rule(StoppingRule::PLATEAU, 10)),
          Planner("patience of 5 epochs", Rule(StoppingRule::PLATEAU, 5)),
          {"random search", RandomSearch},
          {"successive halving", SuccessiveHalving},
          {"population-based training", PopulationBasedTraining}};
}

struct Result {
  double shortfall = 0;  // points
  double epochs_share = 0, frames_share = 0;
  bool same_way = false;
};

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double StandardError(const std::vector<double>& values) {
  const double mean = Mean(values), count = static_cast<double>(values.size());
  double square = 0;
  for (const double value : values) square += (value - mean) * (value - mean);
  return std::sqrt(square / (count - 1) / count);
}

// A study computes every epoch's learning rate; more frames would take hours.
constexpr double kMostFrames = 1e5;

// A way to spend frames in an AnnealedTraining.
struct Method {
  std::string name;
  std::function<absl::StatusOr<FoundModel>(const AnnealedTraining&, uint64_t draw)> find;
};

struct Stage {
  int edges, states;
  double weight;
  bool grow = false;
};

WideGraphSettings WithStages(WideGraphSettings settings, const std::vector<Stage>& stages) {
  settings.clear_stages();
  for (const Stage& stage : stages) {
    WideGraphSettings::Stage* added = settings.add_stages();
    added->set_edges(stage.edges);
    added->set_states(stage.states);
    added->set_weight(stage.weight);
    added->set_grow(stage.grow);
  }
  return settings;
}

// "12/3/1/2 edges, weights 1, 2, 8, 6".
std::string NameOf(const WideGraphSettings& settings) {
  std::string edges, weights;
  for (const WideGraphSettings::Stage& stage : settings.stages()) {
    absl::StrAppend(&edges, edges.empty() ? "" : "/", stage.edges());
    absl::StrAppend(&weights, weights.empty() ? "" : ",", stage.weight());
  }
  return absl::StrCat(edges, " edges of ", weights);
}

// The others are compared with the first.
std::vector<Method> AllMethods(const WideGraphSettings& shipped) {
  std::vector<Method> methods;
  const double frames = shipped.frames();
  methods.push_back({"best of nine fixed schedules", [frames](const auto& world, uint64_t draw) {
                       return BestFixedSchedule(world, frames, draw);
                     }});
  // A schedule that somebody would guess in advance.
  StateSettings clip;
  clip.set_segments(8);
  clip.set_frames_per_segment(4);
  clip.set_stride(1);
  clip.set_learning_rate(0.04);
  methods.push_back({"one long run, us 8x4 at 0.04", [=](const auto& world, uint64_t draw) {
                       return FixedSchedule(world, clip, frames, draw);
                     }});
  // Rule and bounds of the miniatures.
  StoppingRule rule = Rule(StoppingRule::KNEE, 4);
  rule.set_max_epochs_from_initial(20);
  rule.set_max_epochs(8);
  for (const double tie : {0, 1, 2}) {
    methods.push_back({tie == 0 ? "published" : absl::StrCat("published, ties of ", tie, " sd"),
                       [=](const auto& world, uint64_t draw) {
                         return PublishedSearch(world, rule, tie, draw);
                       }});
  }
  const std::vector<WideGraphSettings> graphs = {
      shipped,
      WithStages(shipped, {{12, 0, 1}, {4, 3, 2}, {2, 2, 6, true}, {2, 2, 3}}),
      WithStages(shipped, {{12, 0, 1}, {6, 3, 2}, {3, 2, 4, true}, {2, 1, 4}}),
      WithStages(shipped, {{12, 0, 1}, {3, 2, 2}, {1, 1, 8, true}, {2, 1, 6}}),
      WithStages(shipped, {{8, 0, 1}, {3, 2, 2}, {1, 1, 16, true}, {2, 1, 4}}),
      WithStages(shipped, {{12, 0, 1}, {3, 2, 2}, {1, 1, 12, true}, {2, 1, 2}}),
      WithStages(shipped, {{12, 0, 1}, {2, 1, 14}})};
  for (const WideGraphSettings& graph : graphs) {
    methods.push_back(
        {absl::StrCat("planned, ", NameOf(graph)),
         [graph](const auto& world, uint64_t draw) { return WideSearch(world, graph, 0, draw); }});
  }
  for (const double tie : {1, 2}) {
    methods.push_back(
        {absl::StrCat("planned as shipped, ties of ", tie, " sd"),
         [=](const auto& world, uint64_t draw) { return WideSearch(world, shipped, tie, draw); }});
  }
  return methods;
}

absl::Status CheckWorlds(int worlds) {
  if (worlds >= 2) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the study needs at least 2 worlds, got ", worlds));
}

absl::Status Check(const AnnealedOptions& options) {
  for (const auto& [name, share] :
       {std::pair<const char*, double>("the study's floor", options.floor),
        {"the study's scatter", options.scatter},
        {"the study's recovered", options.recovered},
        {"the study's rate_price", options.rate_price},
        {"the study's spread", options.spread}}) {
    OP3D_RETURN_IF_ERROR(RequireIn(name, share, 0, 1));
  }
  return RequireAtLeast("the study's number of held-out videos", options.held_out_videos, 0);
}

MethodRow MakeRow(const std::string& name, const std::vector<FoundModel>& found,
                  const std::vector<FoundModel>& rival) {
  MethodRow row;
  row.name = name;
  const double weight = 1 / static_cast<double>(found.size());
  std::vector<double> values, differences;
  for (size_t world = 0; world < found.size(); ++world) {
    values.push_back(100 * found[world].value);
    differences.push_back(100 * (found[world].value - rival[world].value));
    row.frames += weight * found[world].frames;
    row.model_frames += weight * found[world].model_frames;
    row.above += weight * (differences.back() > 0);
  }
  row.mean = Mean(values);
  row.error = StandardError(values);
  row.deviation = row.error * std::sqrt(static_cast<double>(values.size()));
  row.difference = Mean(differences);
  row.difference_error = StandardError(differences);
  return row;
}

// results[world]
StudyRow MakeRow(const std::string& name, const std::vector<Result>& results,
                 const std::vector<Result>& published) {
  StudyRow row;
  row.name = name;
  std::vector<double> shortfalls, differences;
  for (size_t world = 0; world < results.size(); ++world) {
    const Result& result = results[world];
    shortfalls.push_back(result.shortfall);
    differences.push_back(result.shortfall - published[world].shortfall);
    const double weight = 1 / static_cast<double>(results.size());
    row.epochs_share += weight * result.epochs_share;
    row.frames_share += weight * result.frames_share;
    row.same_way += weight * result.same_way;
    row.within_fifth += weight * (result.shortfall <= 0.2);
  }
  row.mean = Mean(shortfalls);
  row.error = StandardError(shortfalls);
  row.difference = Mean(differences);
  row.difference_error = StandardError(differences);
  std::sort(shortfalls.begin(), shortfalls.end());
  row.median = shortfalls[shortfalls.size() / 2];
  row.quantile90 = shortfalls[shortfalls.size() * 9 / 10];
  return row;
}

}  // namespace

absl::StatusOr<PlannerStudy> StudyPlanner(const StudyOptions& options) {
  OP3D_RETURN_IF_ERROR(CheckWorlds(options.worlds));
  const TransitionGraph graph = planner::MakePool(planner::PoolOptions());
  OP3D_ASSIGN_OR_RETURN(const planner::GraphIndex index, planner::IndexGraph(graph));
  const std::vector<Way> ways = AllWays();
  std::vector<std::vector<Result>> results(ways.size(), std::vector<Result>(options.worlds));
  Progress progress("study", options.worlds, "worlds");
  OP3D_RETURN_IF_ERROR(InParallel(options.threads, options.worlds, [&](int64_t i) {
    RandomStream stream(options.seed, "study", {i});
    const SimulatedTraining world(graph, index, stream(), options.simulated);
    const uint64_t draw = stream();
    const BestWay best = FindBestWay(world);
    Found published;
    for (size_t way = 0; way < ways.size(); ++way) {
      OP3D_ASSIGN_OR_RETURN(const Found found, ways[way].search(world, published.frames, draw));
      if (way == 0) published = found;
      Result& result = results[way][static_cast<size_t>(i)];
      result.shortfall = 100 * (best.value - found.value);
      result.epochs_share = static_cast<double>(found.epochs) / published.epochs;
      result.frames_share =
          static_cast<double>(found.frames) / static_cast<double>(published.frames);
      result.same_way = found.trained == best.trained;
    }
    progress.Add(1);
    return absl::OkStatus();
  }));
  PlannerStudy study;
  study.options = options;
  for (size_t way = 0; way < ways.size(); ++way) {
    study.rows.push_back(MakeRow(ways[way].name, results[way], results[0]));
  }
  return study;
}

std::string FormatStudy(const PlannerStudy& study) {
  const SimulatedOptions& simulated = study.options.simulated;
  std::string text = absl::StrFormat(
      "%d worlds, noise %g, effect of the way %g, curves %s; shortfalls in points of performance\n"
      "%-32s %6s %6s  %-12s %6s %6s  %-15s %5s %7s\n",
      study.options.worlds, simulated.noise, simulated.path_effect,
      simulated.power_law ? "not of the fitted family" : "of the fitted family", "", "epochs",
      "frames", "shortfall", "median", "90 %", "- published", "same", "<= 0.2");
  for (const StudyRow& row : study.rows) {
    absl::StrAppendFormat(
        &text, "%-32s %6.2f %6.2f  %5.2f ± %4.2f %6.2f %6.2f  %+6.3f ± %5.3f %4.0f %% %5.0f %%\n",
        row.name, row.epochs_share, row.frames_share, row.mean, row.error, row.median,
        row.quantile90, row.difference, row.difference_error, 100 * row.same_way,
        100 * row.within_fifth);
  }
  return text;
}

results::Svg DrawStudy(const PlannerStudy& study) {
  constexpr double kLeft = 230, kPlot = 380, kGap = 60, kBars = 210, kRow = 34, kTop = 92;
  const double bottom = kTop + kRow * static_cast<double>(study.rows.size());
  double most = 0.5;
  for (const StudyRow& row : study.rows) most = std::max(most, row.quantile90);
  most = std::ceil(most * 1.05);
  const auto x = [&](double points) { return kLeft + points / most * kPlot; };
  const double bars = kLeft + kPlot + kGap;
  const auto bar = [&](double share) { return share * kBars / 1.4; };

  results::Svg picture(bars + kBars + 40, bottom + 78, "The planner beside other ways to search");
  picture.Rectangle({0, 0}, picture.width(), picture.height(),
                    results::ShapeStyle().Fill("#ffffff"));
  picture.Text({16, 30}, "How far the found weights fall short of the best plan's",
               results::TextStyle(18).Bold());
  picture.Text({16, 50},
               absl::StrFormat("%d simulated worlds, measurement noise %.1f points, curves %s",
                               study.options.worlds, 100 * study.options.simulated.noise,
                               study.options.simulated.power_law ? "not of the fitted family"
                                                                 : "of the fitted family"),
               results::TextStyle(12).Fill(results::kGrey));
  picture.Text({kLeft, kTop - 14}, "points of performance", results::TextStyle(12).Bold());
  picture.Text({bars, kTop - 14}, "training, published rule = 1", results::TextStyle(12).Bold());
  const double step = most > 4 ? 1 : 0.5;
  for (double tick = 0; tick <= most + 1e-9; tick += step) {
    picture.Line({x(tick), kTop}, {x(tick), bottom}, results::ShapeStyle().Stroke(results::kPale));
    picture.Text({x(tick), bottom + 16}, absl::StrFormat("%g", tick),
                 results::TextStyle(11).Fill(results::kGrey).Middle());
  }
  for (const double share : {0.0, 0.7, 1.0}) {
    picture.Line({bars + bar(share), kTop}, {bars + bar(share), bottom},
                 results::ShapeStyle().Stroke(share == 0 ? results::kGrey : results::kPale));
    picture.Text({bars + bar(share), bottom + 16}, absl::StrFormat("%g", share),
                 results::TextStyle(11).Fill(results::kGrey).Middle());
  }
  double y = kTop + kRow / 2;
  for (const StudyRow& row : study.rows) {
    const bool planner = &row - study.rows.data() < static_cast<int64_t>(study.rows.size()) - 3;
    const char* colour = &row == &study.rows[0] ? results::kVermilion
                         : planner              ? results::kBlue
                                                : results::kGrey;
    picture.Text({kLeft - 12, y + 4}, row.name, results::TextStyle(12.5).End());
    picture.Line({x(row.median), y}, {x(row.quantile90), y},
                 results::ShapeStyle().Stroke(colour, 2).Opacity(0.5));
    picture.Line({x(row.median), y - 6}, {x(row.median), y + 6},
                 results::ShapeStyle().Stroke(colour, 2));
    picture.Line({x(row.quantile90), y - 4}, {x(row.quantile90), y + 4},
                 results::ShapeStyle().Stroke(colour, 2).Opacity(0.5));
    picture.Circle({x(row.mean), y}, 4.5, results::ShapeStyle().Fill(colour).Stroke("#ffffff"));
    picture.Rectangle({bars, y - 8}, bar(row.epochs_share), 16,
                      results::ShapeStyle().Fill(colour).Opacity(0.75));
    picture.Text({bars + bar(row.epochs_share) + 5, y + 4},
                 absl::StrFormat("%.2f", row.epochs_share), results::TextStyle(11.5));
    y += kRow;
  }
  picture.Text({16, bottom + 44},
               "dot: mean; upright mark: median; line: to the 90 % quantile.  Bars: epochs; the "
               "last three train as many frames as the published rule.",
               results::TextStyle(11.5).Fill(results::kGrey));
  return picture;
}

absl::StatusOr<MethodStudy> StudyMethods(const MethodStudyOptions& options) {
  OP3D_RETURN_IF_ERROR(CheckWorlds(options.worlds));
  OP3D_RETURN_IF_ERROR(Check(options.annealed));
  if (!(options.frames <= kMostFrames)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the study's frames a video are ", options.frames, "; they must be at most ", kMostFrames));
  }
  WideGraphSettings settings;
  OP3D_ASSIGN_OR_RETURN(const std::string path,
                        RunfilePath("planner/graphs/wide_miniature.textproto"));
  OP3D_RETURN_IF_ERROR(ReadTextproto(path, &settings));
  settings.set_frames(options.frames);
  const std::vector<Method> methods = AllMethods(settings);
  std::vector<std::vector<FoundModel>> found(methods.size(),
                                             std::vector<FoundModel>(options.worlds));
  Progress progress("study", options.worlds, "worlds");
  OP3D_RETURN_IF_ERROR(InParallel(options.threads, options.worlds, [&](int64_t i) {
    RandomStream stream(options.seed, "study.methods", {i});
    const AnnealedTraining world(stream(), options.annealed);
    const uint64_t draw = stream();
    for (size_t method = 0; method < methods.size(); ++method) {
      OP3D_ASSIGN_OR_RETURN(found[method][static_cast<size_t>(i)],
                            methods[method].find(world, draw));
    }
    progress.Add(1);
    return absl::OkStatus();
  }));
  MethodStudy study;
  study.options = options;
  for (size_t method = 0; method < methods.size(); ++method) {
    study.rows.push_back(MakeRow(methods[method].name, found[method], found[0]));
  }
  return study;
}

std::string FormatMethods(const MethodStudy& study) {
  const AnnealedOptions& annealed = study.options.annealed;
  std::string text = absl::StrFormat(
      "%d worlds, floor %g, scatter %g, recovered %g, rate price %g, spread %g, %d held-out "
      "videos; frames a "
      "video, points of performance\n%-46s %7s %7s  %-12s %6s  %-15s %6s\n",
      study.options.worlds, annealed.floor, annealed.scatter, annealed.recovered,
      annealed.rate_price, annealed.spread, annealed.held_out_videos, "", "frames", "model's",
      "performance", "sd", "- best of nine", "above");
  for (const MethodRow& row : study.rows) {
    absl::StrAppendFormat(&text,
                          "%-46s %7.0f %7.0f  %5.2f ± %4.2f %6.2f  %+6.2f ± %5.2f %5.0f %%\n",
                          row.name, row.frames, row.model_frames, row.mean, row.error,
                          row.deviation, row.difference, row.difference_error, 100 * row.above);
  }
  return text;
}

}  // namespace op3d::benchmarks
