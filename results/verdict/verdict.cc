#include "results/verdict/verdict.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "results/record/format.h"
#include "results/record/optional_json.h"
#include "results/record/record.h"
#include "results/record/roles.h"

namespace op3d::results {
namespace {

using nlohmann::ordered_json;

// The goals.
constexpr double kMeanGoal = 0.01;
constexpr double kWorstGoal = -1;
constexpr double kCostGoal = 6;
constexpr int kSetsGoal = 9;
constexpr int kSeedsGoal = 3;
// Totals of frames above this ratio count as equal.
constexpr double kEqualFrames = 0.95;

// The rows of one set, seed and list of test videos; they may come from several records.
struct Run {
  std::string record;
  std::map<RecipeResult::Role, const RecipeResult*> rows;

  const RecipeResult* Row(RecipeResult::Role role) const {
    const auto found = rows.find(role);
    return found == rows.end() ? nullptr : found->second;
  }
};

// Only shipped benchmarks have a title and a miniature.
std::string SetTitle(const BenchmarkSettings& settings) {
  return settings.scale() == BenchmarkSettings::MINIATURE
             ? absl::StrCat(BenchmarkTitle(settings.benchmark()), " miniature")
         : settings.scale() == BenchmarkSettings::FULL ? BenchmarkTitle(settings.benchmark())
                                                       : settings.benchmark();
}

struct RunKey {
  std::string set;
  // CRC-32 of the evaluation list: splits have different videos, whatever their names.
  uint32_t test_videos = 0;
  uint64_t seed = 0;

  bool operator<(const RunKey& other) const {
    return std::tie(set, test_videos, seed) < std::tie(other.set, other.test_videos, other.seed);
  }
};

RunKey KeyOf(const RunRecord& record) {
  return {SetTitle(record.settings()), TestVideos(record), record.settings().seed()};
}

std::string KeyText(const RunKey& key) { return absl::StrCat(key.set, ", seed ", key.seed); }

// Roles of which a record has at most one row.
bool IsSingle(RecipeResult::Role role) {
  return role != RecipeResult::ROLE_UNSPECIFIED && role != RecipeResult::HAND_TUNED &&
         role != RecipeResult::FIXED;
}

absl::Status AddRows(const NamedRecord& named, const RunKey& key, Run* run) {
  for (const RecipeResult& recipe : named.record.recipes()) {
    if (!IsSingle(recipe.role()) || !recipe.has_test()) continue;
    const auto [place, added] = run->rows.emplace(recipe.role(), &recipe);
    if (added || place->second->test().top1() == recipe.test().top1()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("records ", run->record, " and ", named.name, " both have the row ",
                     RecipeResult::Role_Name(recipe.role()), " of ", KeyText(key),
                     ", with different results (", FormatPercent(place->second->test().top1()),
                     " and ", FormatPercent(recipe.test().top1()), " %); name one of them"));
  }
  absl::StrAppend(&run->record, run->record.empty() ? "" : ", ", named.name);
  return absl::OkStatus();
}

absl::Status CheckVideos(const RunKey& key, const Run& run) {
  const int videos = run.Row(RecipeResult::PLANNED_MODEL)->test().videos();
  for (const auto& [role, row] : run.rows) {
    if (row->test().videos() == videos) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(run.record, " (", KeyText(key), "): ", RecipeResult::Role_Name(role),
                     " was tested on ", row->test().videos(), " videos, PLANNED_MODEL on ", videos,
                     "; a pair needs the same videos"));
  }
  return absl::OkStatus();
}

const RecipeResult* PublishedRow(const Run& run) {
  const RecipeResult* model = run.Row(RecipeResult::PUBLISHED_MODEL);
  return model != nullptr ? model : run.Row(RecipeResult::PUBLISHED_AGAIN);
}

// The squared standard error of a set's mean difference.  Splits have different videos; a
// split with one seed uses the seeds' spread of those with more.
double SetVariance(const std::map<uint32_t, std::vector<Pair>>& splits) {
  double runs = 0, spread = 0, degrees = 0;
  for (const auto& [split, pairs] : splits) {
    std::vector<double> differences;
    for (const Pair& pair : pairs) differences.push_back(pair.a->top1() - pair.b->top1());
    runs += static_cast<double>(pairs.size());
    const double more = static_cast<double>(pairs.size()) - 1;
    spread += more * SampleVariance(differences);
    degrees += more;
  }
  double variance = 0;
  for (const auto& [split, pairs] : splits) {
    const double own =
        MeanDifferenceVariance(pairs) + (pairs.size() == 1 && degrees > 0 ? spread / degrees : 0);
    const double share = static_cast<double>(pairs.size()) / runs;
    variance += share * share * own;
  }
  return variance;
}

// The differences of planned and rival for the runs that have such a rival.
template <typename Rival>
std::vector<double> Differences(const std::vector<std::pair<RunKey, Run>>& runs, Rival rival) {
  std::vector<double> differences;
  for (const auto& [key, run] : runs) {
    const RecipeResult* row = rival(run);
    if (row == nullptr) continue;
    differences.push_back(run.Row(RecipeResult::PLANNED_MODEL)->test().top1() - row->test().top1());
  }
  return differences;
}

std::optional<double> MeanOrNone(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  return Mean(values);
}

SetVerdict JudgeSet(const std::string& name, const std::vector<std::pair<RunKey, Run>>& runs) {
  SetVerdict set;
  set.name = name;
  set.runs = static_cast<int>(runs.size());
  std::set<uint64_t> seeds;
  std::map<uint32_t, std::vector<Pair>> splits;
  std::vector<double> costs;
  int videos = 0;
  set.rival_frames = 1e9;
  for (const auto& [key, run] : runs) {
    const RecipeResult& planned = *run.Row(RecipeResult::PLANNED_MODEL);
    const RecipeResult& best = *run.Row(RecipeResult::BEST_FIXED);
    seeds.insert(key.seed);
    splits[key.test_videos].push_back({&planned.test(), &best.test()});
    const double frames = std::max<double>(1, static_cast<double>(planned.frames()));
    const double total = std::max<double>(1, static_cast<double>(TotalFrames(planned)));
    costs.push_back(total / frames);
    set.rival_frames = std::min(set.rival_frames, static_cast<double>(TotalFrames(best)) / total);
    videos = planned.test().videos();
  }
  set.seeds = static_cast<int>(seeds.size());
  set.difference =
      Mean(Differences(runs, [](const Run& run) { return run.Row(RecipeResult::BEST_FIXED); }));
  set.error = std::sqrt(SetVariance(splits));
  // If no chance is left (all videos right), use one video's worth.
  set.z = set.difference == 0
              ? 0
              : set.difference / std::max(set.error, 1.0 / std::max(videos, 1) / set.runs);
  const std::vector<double> long_run =
      Differences(runs, [](const Run& run) { return run.Row(RecipeResult::LONG_RUN); });
  if (long_run.size() == runs.size()) set.long_run = Mean(long_run);
  const std::vector<double> published = Differences(runs, PublishedRow);
  set.published = MeanOrNone(published);
  set.published_runs = static_cast<int>(published.size());
  set.cost_ratio = Mean(costs);
  return set;
}

template <typename Get>
std::vector<double> Known(const std::vector<SetVerdict>& sets, Get get) {
  std::vector<double> values;
  for (const SetVerdict& set : sets) {
    const std::optional<double> value = get(set);
    if (value.has_value()) values.push_back(*value);
  }
  return values;
}

std::vector<double> LongRuns(const Verdict& verdict) {
  return Known(verdict.sets, [](const SetVerdict& set) { return set.long_run; });
}

std::vector<double> PublishedDifferences(const Verdict& verdict) {
  return Known(verdict.sets, [](const SetVerdict& set) { return set.published; });
}

void SumUp(Verdict* verdict) {
  const std::vector<SetVerdict>& sets = verdict->sets;
  const std::vector<double> means =
      Known(sets, [](const SetVerdict& set) { return std::optional<double>(set.difference); });
  verdict->mean_difference = Mean(means);
  if (means.size() > 1) {
    verdict->interval = StudentInterval(means);
    verdict->interval_method =
        absl::StrCat("Student's t over the means of ", means.size(), " sets");
  } else {
    verdict->interval = {means[0] - 1.96 * sets[0].error, means[0] + 1.96 * sets[0].error};
    verdict->interval_method = "1.96 standard errors over the videos and seeds of the one set";
  }
  const auto worst =
      absl::c_min_element(sets, [](const SetVerdict& a, const SetVerdict& b) { return a.z < b.z; });
  verdict->worst_set_z = worst->z;
  verdict->worst_set = worst->name;
  verdict->seeds = sets[0].seeds;
  std::vector<double> costs;
  for (const SetVerdict& set : sets) {
    verdict->seeds = std::min(verdict->seeds, set.seeds);
    verdict->runs += set.runs;
    costs.push_back(set.cost_ratio);
  }
  verdict->cost_ratio = Mean(costs);
  verdict->largest_cost_ratio = *absl::c_max_element(costs);
  verdict->long_run_difference = MeanOrNone(LongRuns(*verdict));
  verdict->published_difference = MeanOrNone(PublishedDifferences(*verdict));
}

std::string Count(size_t count, absl::string_view one, absl::string_view more) {
  return absl::StrCat(count, " ", count == 1 ? one : more);
}

// "missed by 0.3 points", for sentences about goals that are not reached.
std::string Missed(bool reached, double by) {
  return reached ? "" : absl::StrCat(", missed by ", FormatPercent(by), " points");
}

Goal MeanGoal(const Verdict& verdict) {
  const bool reached = verdict.mean_difference >= kMeanGoal;
  return {
      "mean_difference", reached,
      absl::StrCat("the planned model minus the best of the fixed schedules is ",
                   FormatPoints(verdict.mean_difference), " points in the mean over ",
                   Count(verdict.sets.size(), "set", "sets"), "; the goal is at least ",
                   FormatPoints(kMeanGoal), Missed(reached, kMeanGoal - verdict.mean_difference))};
}

Goal IntervalGoal(const Verdict& verdict) {
  const bool reached = verdict.interval.low > 0;
  return {"interval", reached,
          absl::StrCat("its 95 % interval is ", FormatPoints(verdict.interval.low), " to ",
                       FormatPoints(verdict.interval.high), " points (", verdict.interval_method,
                       "); the goal is above 0", Missed(reached, -verdict.interval.low))};
}

Goal WorstSetGoal(const Verdict& verdict) {
  const bool reached = verdict.worst_set_z >= kWorstGoal;
  return {
      "worst_set_z", reached,
      absl::StrFormat(
          "the worst set, %s, is %+.1f standard errors from a tie; the goal is no set below -1%s",
          verdict.worst_set, verdict.worst_set_z,
          reached ? "" : absl::StrFormat(", missed by %.1f", kWorstGoal - verdict.worst_set_z))};
}

Goal LongRunGoal(const Verdict& verdict) {
  if (!verdict.long_run_difference.has_value()) {
    return {"long_run_difference", std::nullopt,
            "the planned model minus one long run is not known: no set has its row in every run"};
  }
  const double difference = *verdict.long_run_difference;
  return {"long_run_difference", difference >= 0,
          absl::StrCat("the planned model minus one long run is ", FormatPoints(difference),
                       " points in the mean over ", Count(LongRuns(verdict).size(), "set", "sets"),
                       "; the goal is at least 0", Missed(difference >= 0, -difference))};
}

Goal PublishedGoal(const Verdict& verdict) {
  const std::vector<double> known = PublishedDifferences(verdict);
  if (known.empty()) {
    return {"published_difference", std::nullopt,
            "the planned model minus the published method is not known: no run has its row"};
  }
  const double least = *absl::c_min_element(known);
  std::vector<std::string> missed;
  for (const SetVerdict& set : verdict.sets) {
    if (set.published.has_value() && *set.published <= 0) missed.push_back(set.name);
  }
  return {"published_difference", missed.empty(),
          absl::StrCat("the planned model minus the published method is ",
                       FormatPoints(*verdict.published_difference), " points in the mean and ",
                       FormatPoints(least), " on the worst of ", Count(known.size(), "set", "sets"),
                       "; the goal is above 0 on every set", missed.empty() ? "" : ", missed on ",
                       absl::StrJoin(missed, ", "))};
}

Goal CostGoal(const Verdict& verdict) {
  const bool reached = verdict.cost_ratio <= kCostGoal;
  return {"cost_ratio", reached,
          absl::StrFormat(
              "search and plan took %.1f times the frames of the plan on average over sets, "
              "%.1f on the most expensive; the goal is at most %.0f%s",
              verdict.cost_ratio, verdict.largest_cost_ratio, kCostGoal,
              reached ? "" : absl::StrFormat(", missed by %.1f", verdict.cost_ratio - kCostGoal))};
}

// Everything that limits the comparison.
std::vector<std::string> Reservations(const Verdict& verdict) {
  std::vector<std::string> lines;
  for (const SetVerdict& set : verdict.sets) {
    if (set.rival_frames >= kEqualFrames) continue;
    lines.push_back(absl::StrCat("Not at equal total frames: on ", set.name,
                                 " the fixed schedules had ", FormatPercent(set.rival_frames, 0),
                                 " % of the frames of search and plan."));
  }
  for (const SetVerdict& set : verdict.sets) {
    if (set.published_runs == 0 || set.published_runs == set.runs) continue;
    lines.push_back(absl::StrCat("The published method was run in ", set.published_runs, " of ",
                                 set.runs, " runs of ", set.name, "; its column is from those."));
  }
  for (const std::string& what : verdict.left_out) lines.push_back("Left out: " + what + ".");
  return lines;
}

std::string PointsOrBlank(const std::optional<double>& value) {
  return value.has_value() ? FormatPoints(*value) : "";
}

std::string SetsTable(const Verdict& verdict) {
  size_t width = 3;
  for (const SetVerdict& set : verdict.sets) width = std::max(width, set.name.size());
  const int left = -static_cast<int>(width);
  std::string text =
      absl::StrFormat("%*s  %5s  %5s  %10s  %5s  %5s  %8s  %9s  %5s\n", left, "set", "runs",
                      "seeds", "best fixed", "error", "z", "long run", "published", "cost");
  for (const SetVerdict& set : verdict.sets) {
    absl::StrAppendFormat(&text, "%*s  %5d  %5d  %10s  %5s  %5.1f  %8s  %9s  %5.1f\n", left,
                          set.name, set.runs, set.seeds, FormatPoints(set.difference),
                          FormatPercent(set.error), set.z, PointsOrBlank(set.long_run),
                          PointsOrBlank(set.published), set.cost_ratio);
  }
  return absl::StrCat("The planned model minus each rival, points of top-1\n\n", text,
                      "\nbest fixed, long run, published: the mean over runs.  "
                      "error: the standard error of the first, over\n"
                      "videos and seeds.  z: best fixed / error.  "
                      "cost: frames of search and plan / frames of the plan.\n\n");
}

std::string Closing(const Verdict& verdict, const std::vector<Goal>& goals) {
  int reached = 0;
  std::vector<std::string> missed;
  for (const Goal& goal : goals) {
    reached += goal.reached == true ? 1 : 0;
    if (goal.reached != true) missed.push_back(absl::StrReplaceAll(goal.key, {{"_", " "}}));
  }
  int most = 0;
  for (const SetVerdict& set : verdict.sets) most = std::max(most, set.seeds);
  std::string text = absl::StrCat(reached, " of ", goals.size(), " goals are reached",
                                  missed.empty() ? "" : "; not: ", absl::StrJoin(missed, ", "),
                                  " (", Count(verdict.sets.size(), "set", "sets"), " with ",
                                  most > verdict.seeds
                                      ? absl::StrCat(verdict.seeds, " to ", most, " seeds")
                                      : Count(static_cast<size_t>(verdict.seeds), "seed", "seeds"),
                                  " each");
  const bool whole =
      static_cast<int>(verdict.sets.size()) >= kSetsGoal && verdict.seeds >= kSeedsGoal;
  if (!whole) absl::StrAppend(&text, "; the goals are meant for ", kSetsGoal, " with ", kSeedsGoal);
  return absl::StrCat(text, ").\n");
}

}  // namespace

absl::StatusOr<Verdict> ComputeVerdict(absl::Span<const NamedRecord> records) {
  Verdict verdict;
  std::map<RunKey, Run> runs;
  for (const NamedRecord& named : records) {
    if (named.check.Edited()) {
      verdict.left_out.push_back(
          absl::StrCat(named.name, ": edited by hand or damaged: ", named.check.faults[0]));
      continue;
    }
    if (!HasRoles(named.record)) {
      verdict.left_out.push_back(absl::StrCat(named.name, ": its rows have no roles"));
      continue;
    }
    const RunKey key = KeyOf(named.record);
    const absl::Status added = AddRows(named, key, &runs[key]);
    if (!added.ok()) return added;
  }
  std::map<std::string, std::vector<std::pair<RunKey, Run>>> sets;
  for (const auto& [key, run] : runs) {
    std::vector<std::string> lacks;
    for (const RecipeResult::Role role : {RecipeResult::PLANNED_MODEL, RecipeResult::BEST_FIXED}) {
      if (run.Row(role) == nullptr) lacks.push_back(RecipeResult::Role_Name(role));
    }
    if (!lacks.empty()) {
      verdict.left_out.push_back(absl::StrCat(run.record, " (", KeyText(key), "): no tested row ",
                                              absl::StrJoin(lacks, ", ")));
      continue;
    }
    const absl::Status checked = CheckVideos(key, run);
    if (!checked.ok()) return checked;
    sets[key.set].emplace_back(key, run);
  }
  if (sets.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no record has both a planned model and a best fixed schedule to compare",
                     verdict.left_out.empty() ? "" : ": ", absl::StrJoin(verdict.left_out, "; "),
                     "; make one with ./bazelw run //benchmarks:kinetics400 -- --rivals=all"));
  }
  for (const auto& [name, set] : sets) verdict.sets.push_back(JudgeSet(name, set));
  SumUp(&verdict);
  return verdict;
}

std::vector<Goal> JudgeGoals(const Verdict& verdict) {
  return {MeanGoal(verdict),    IntervalGoal(verdict),  WorstSetGoal(verdict),
          LongRunGoal(verdict), PublishedGoal(verdict), CostGoal(verdict)};
}

std::string DescribeVerdict(const Verdict& verdict) {
  const std::vector<Goal> goals = JudgeGoals(verdict);
  std::string text = SetsTable(verdict);
  for (const Goal& goal : goals) {
    absl::StrAppend(&text,
                    !goal.reached.has_value() ? "open: "
                    : *goal.reached           ? "yes: "
                                              : "no: ",
                    goal.sentence, ".\n");
  }
  for (const std::string& line : Reservations(verdict)) absl::StrAppend(&text, line, "\n");
  return absl::StrCat(text, Closing(verdict, goals));
}

std::string VerdictJson(const Verdict& verdict) {
  ordered_json json = {{"sets", verdict.sets.size()},
                       {"seeds", verdict.seeds},
                       {"runs", verdict.runs},
                       {"mean_difference", verdict.mean_difference},
                       {"interval", {verdict.interval.low, verdict.interval.high}},
                       {"interval_method", verdict.interval_method},
                       {"worst_set_z", verdict.worst_set_z},
                       {"worst_set", verdict.worst_set},
                       {"cost_ratio", verdict.cost_ratio},
                       {"largest_cost_ratio", verdict.largest_cost_ratio},
                       {"long_run_difference", OrNull(verdict.long_run_difference)},
                       {"published_difference", OrNull(verdict.published_difference)}};
  json["goals"] = ordered_json::array();
  for (const Goal& goal : JudgeGoals(verdict)) {
    json["goals"].push_back(
        {{"key", goal.key}, {"reached", OrNull(goal.reached)}, {"sentence", goal.sentence}});
  }
  json["by_set"] = ordered_json::array();
  for (const SetVerdict& set : verdict.sets) {
    json["by_set"].push_back({{"set", set.name},
                              {"runs", set.runs},
                              {"seeds", set.seeds},
                              {"difference", set.difference},
                              {"error", set.error},
                              {"z", set.z},
                              {"long_run_difference", OrNull(set.long_run)},
                              {"published_difference", OrNull(set.published)},
                              {"cost_ratio", set.cost_ratio},
                              {"rival_frames_share", set.rival_frames}});
  }
  json["left_out"] = verdict.left_out;
  return absl::StrCat(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace), "\n");
}

}  // namespace op3d::results
