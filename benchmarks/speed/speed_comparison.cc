#include "benchmarks/speed/speed_comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/speed/speed_report.h"

namespace op3d::benchmarks {
namespace {

using Key = std::pair<std::string, std::string>;

double Width(const SpeedSpread& spread) { return spread.most() - spread.least(); }

SpeedChange::Verdict Judge(const SpeedChange& change, double tolerance, bool peer) {
  constexpr int kLeastTurns = 3, kTurnsForGap = 5;
  const SpeedSpread &before = change.old_figure, &after = change.new_figure;
  const int turns = std::min(before.values_size(), after.values_size());
  if (turns < kLeastTurns) return SpeedChange::kTooFewTurns;
  const double gap = std::max(after.least() - before.most(), before.least() - after.most());
  const bool apart = std::abs(after.median() - before.median()) > Width(before) + Width(after) ||
                     (turns >= kTurnsForGap && gap > tolerance * before.median());
  if (!apart || std::abs(change.change) <= tolerance) return SpeedChange::kInsideSpread;
  return (change.change > 0) == peer ? SpeedChange::kFaster : SpeedChange::kSlower;
}

SpeedChange Compare(const SpeedRow& before, const SpeedRow& after, double tolerance) {
  SpeedChange change;
  change.part = after.part();
  change.name = after.name();
  const bool ratios =
      before.has_ratio() && after.has_ratio() && before.yardstick() == after.yardstick();
  change.measure =
      ratios ? absl::StrCat("ratio to ", after.yardstick()) : absl::StrCat(after.clock(), " ms");
  change.old_figure = ratios ? before.ratio() : before.ms();
  change.new_figure = ratios ? after.ratio() : after.ms();
  change.change = change.new_figure.median() / change.old_figure.median() - 1;
  change.verdict = Judge(change, tolerance, ratios && after.yardstick() == kOwnYardstick);
  return change;
}

void NoteDifference(absl::string_view what, const std::string& before, const std::string& after,
                    SpeedComparison* comparison) {
  if (before == after) return;
  const auto word = [](const std::string& text) { return text.empty() ? "nothing" : text; };
  comparison->notes.push_back(
      absl::StrCat(what, ": ", word(before), " before, ", word(after), " after"));
}

void NoteDifferences(const SpeedReport& before, const SpeedReport& after,
                     SpeedComparison* comparison) {
  NoteDifference("mode", before.mode(), after.mode(), comparison);
  NoteDifference("processor", before.environment().cpu(), after.environment().cpu(), comparison);
  NoteDifference("commit", before.environment().commit(), after.environment().commit(), comparison);
  const auto all = [&](absl::string_view what, auto map) {
    std::set<std::string> keys;
    for (const SpeedReport* report : {&before, &after}) {
      for (const auto& [key, value] : map(*report)) keys.insert(key);
    }
    for (const std::string& key : keys) {
      const auto get = [&](const SpeedReport& report) {
        const auto found = map(report).find(key);
        return found == map(report).end() ? "" : found->second;
      };
      NoteDifference(absl::StrCat(what, key), get(before), get(after), comparison);
    }
  };
  all(
      "", [](const SpeedReport& report) -> const auto& { return report.libraries(); });
  all(
      "setting ", [](const SpeedReport& report) -> const auto& { return report.settings(); });
  for (const SpeedReport* report : {&before, &after}) {
    const std::string which = report == &before ? "the old report" : "the new report";
    if (!report->complete()) comparison->notes.push_back(absl::StrCat(which, " is not complete"));
    if (report->mode() == "smoke") {
      comparison->notes.push_back(
          absl::StrCat(which, " is of a smoke run; its figures mean nothing"));
    }
  }
}

std::string Figure(const SpeedChange& change, const SpeedSpread& spread) {
  const auto format = [&](double value) {
    return change.measure.find("ratio") == 0 ? absl::StrFormat("%.3g", value)
                                             : FormatMilliseconds(value);
  };
  return absl::StrCat(format(spread.median()), " (", format(spread.least()), " - ",
                      format(spread.most()), ")");
}

}  // namespace

SpeedComparison CompareSpeeds(const SpeedReport& old_report, const SpeedReport& new_report,
                              double tolerance) {
  SpeedComparison comparison;
  std::map<Key, const SpeedRow*> old_rows;
  for (const SpeedRow& row : old_report.rows()) old_rows[{row.part(), row.name()}] = &row;
  for (const SpeedRow& row : new_report.rows()) {
    const auto old_row = old_rows.find({row.part(), row.name()});
    if (old_row == old_rows.end()) {
      comparison.only_new.push_back(absl::StrCat(row.part(), " ", row.name()));
      continue;
    }
    comparison.changes.push_back(Compare(*old_row->second, row, tolerance));
    comparison.faster += comparison.changes.back().verdict == SpeedChange::kFaster;
    comparison.slower += comparison.changes.back().verdict == SpeedChange::kSlower;
    old_rows.erase(old_row);
  }
  for (const SpeedRow& row : old_report.rows()) {
    if (old_rows.count({row.part(), row.name()}) > 0) {
      comparison.only_old.push_back(absl::StrCat(row.part(), " ", row.name()));
    }
  }
  NoteDifferences(old_report, new_report, &comparison);
  return comparison;
}

std::string DescribeSpeedComparison(const SpeedComparison& comparison) {
  std::vector<const SpeedChange*> sorted;
  for (const SpeedChange& change : comparison.changes) sorted.push_back(&change);
  const auto outside = [](const SpeedChange* change) {
    return change->verdict == SpeedChange::kFaster || change->verdict == SpeedChange::kSlower;
  };
  std::stable_sort(sorted.begin(), sorted.end(), [&](const auto* a, const auto* b) {
    if (outside(a) != outside(b)) return outside(a);
    return outside(a) && std::abs(std::log1p(a->change)) > std::abs(std::log1p(b->change));
  });
  std::string text;
  for (const std::string& note : comparison.notes) absl::StrAppend(&text, "note: ", note, "\n");
  if (!sorted.empty()) {
    absl::StrAppendFormat(&text, "%-64s %-16s %-32s %-32s %8s  %s\n", "row", "measure", "before",
                          "after", "change", "");
  }
  for (const SpeedChange* change : sorted) {
    static const char* const kWords[] = {"inside the spread", "FASTER", "SLOWER",
                                         "too few turns to judge"};
    absl::StrAppendFormat(&text, "%-64s %-16s %-32s %-32s %+7.1f%%  %s\n",
                          absl::StrCat(change->part, " ", change->name), change->measure,
                          Figure(*change, change->old_figure), Figure(*change, change->new_figure),
                          100 * change->change, kWords[change->verdict]);
  }
  for (const std::string& name : comparison.only_old) {
    absl::StrAppend(&text, "only before: ", name, "\n");
  }
  for (const std::string& name : comparison.only_new) {
    absl::StrAppend(&text, "only after: ", name, "\n");
  }
  absl::StrAppendFormat(&text,
                        "%d rows compared: %d faster, %d slower, the others inside the "
                        "spread or not judged\n",
                        comparison.changes.size(), comparison.faster, comparison.slower);
  return text;
}

}  // namespace op3d::benchmarks
