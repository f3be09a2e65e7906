#include "results/report/comparison_page.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "results/compare/record_comparison.h"
#include "results/picture/chart_svg.h"
#include "results/picture/svg.h"
#include "results/record/compact_record.h"
#include "results/record/format.h"
#include "results/record/headline.h"
#include "results/record/record.h"
#include "results/record/roles.h"
#include "results/record/statistics.h"
#include "results/report/html_table.h"
#include "results/report/page.h"
#include "results/report/report_sections.h"

namespace op3d::results {
namespace {

using google::protobuf::util::MessageDifferencer;
using Runs = absl::Span<const NamedRecord>;

constexpr char kArrow[] = " \xE2\x86\x92 ";
// More settings than this are not a variation of one experiment.
constexpr size_t kMostDifferences = 60;

// The record without what differs between equal runs, and without what a compact record rounds.
RunRecord Comparable(const RunRecord& record) {
  RunRecord compact = CompactRecord(CanonicalRecord(record));
  compact.clear_notes();
  return compact;
}

// Whether the runs had the same settings, apart from the seed.
bool SameButSeed(const RunRecord& a, const RunRecord& b) {
  BenchmarkSettings one = a.settings(), other = b.settings();
  for (BenchmarkSettings* settings : {&one, &other}) {
    settings->clear_seed();
    settings->clear_derived();
  }
  return MessageDifferencer::Equals(one, other);
}

std::string Swatch(size_t run) {
  return absl::StrCat("<span class=\"swatch\" style=\"background:",
                      SeriesColour(static_cast<int>(run)), "\"></span>");
}

// "A", "B" ...: short names for columns; "27" after Z.
std::string Letter(size_t run) {
  return run < 26 ? std::string(1, static_cast<char>('A' + run)) : absl::StrCat(run + 1);
}

HtmlCell RunCell(Runs runs, size_t run) {
  return {absl::StrCat(Swatch(run), "<b>", Letter(run), "</b> ", EscapeXml(runs[run].name),
                       runs[run].check.Edited() ? " (edited)" : ""),
          false};
}

std::string LegendHtml(Runs runs) {
  std::string html = "<ul class=\"legend\">\n";
  for (size_t run = 0; run < runs.size(); ++run) {
    absl::StrAppend(&html, "<li>", RunCell(runs, run).html, "</li>\n");
  }
  return absl::StrCat(html, "</ul>\n");
}

// The chart, on a phone a narrower one.
std::string ChartHtml(const Chart& chart) {
  Chart narrow = chart;
  narrow.width = 360, narrow.height = 290;
  return absl::StrCat("<div class=\"broad\">", PictureHtml(DrawChart(chart)),
                      "</div>\n<div class=\"narrow\">", PictureHtml(DrawChart(narrow)), "</div>\n");
}

std::string Percent(double share) { return FormatPercent(share); }

// Top-1 with its 95 % interval over the test videos.
std::string WithInterval(const TestResult& test) {
  const ShareInterval interval = WilsonInterval(test.top1(), test.videos());
  return absl::StrCat(Percent(test.top1()), " (", Percent(interval.low), " to ",
                      Percent(interval.high), ")");
}

std::string SummarySection(Runs runs) {
  HtmlTable table({"run", "seed", "network", "planned: top\u20111, 95\u00A0%", "strongest rival",
                   "its top\u20111", "difference", "frames of the plan", "frames, search included",
                   "date"});
  for (size_t run = 0; run < runs.size(); ++run) {
    const RunRecord& record = runs[run].record;
    const RecipeResult* planned = PlannedRecipe(record);
    const RecipeResult* rival = BaselineRecipe(record);
    const bool tested = planned != nullptr && planned->has_test();
    const bool rivals = rival != nullptr && rival->has_test();
    table.AddRow(
        {RunCell(runs, run), FigureCell(absl::StrCat(record.settings().seed())),
         WordsCell(record.settings().network().name()),
         FigureCell(tested ? WithInterval(planned->test()) : "not tested"),
         WordsCell(rivals ? RowTitle(*rival) : ""),
         FigureCell(rivals ? Percent(rival->test().top1()) : ""),
         FigureCell(tested && rivals ? FormatPoints(planned->test().top1() - rival->test().top1())
                                     : ""),
         FigureCell(planned == nullptr ? "" : FormatCount(planned->frames())),
         FigureCell(planned == nullptr ? "" : FormatCount(TotalFrames(*planned))),
         FigureCell(record.environment().started().substr(0, 10))});
  }
  std::string faults;
  for (const std::string& edit : DescribeEdits(runs)) {
    absl::StrAppend(&faults, "<p><b class=\"mistaken\">", EscapeXml(edit), "</b></p>\n");
  }
  return absl::StrCat("<section>\n<h2>The runs</h2>\n", faults, table.ToHtml(),
                      "<p class=\"note\">Shares in percent, differences in points; the interval is "
                      "Wilson's over the test videos.</p>\n</section>\n");
}

// Rows of several runs that are one recipe: of one role, where a run has only one row with it,
// otherwise of one name.
std::string RecipeKey(const RecipeResult& recipe) {
  const bool by_name = recipe.role() == RecipeResult::ROLE_UNSPECIFIED ||
                       recipe.role() == RecipeResult::HAND_TUNED ||
                       recipe.role() == RecipeResult::FIXED;
  return by_name ? recipe.name() : RoleKey(recipe.role());
}

struct RecipeRow {
  std::string title;
  // One per run; null where it has none.
  std::vector<const RecipeResult*> recipes;
};

// Without single fixed schedules.
std::vector<RecipeRow> RecipeRows(Runs runs) {
  std::vector<RecipeRow> rows;
  std::map<std::string, size_t> places;
  for (size_t run = 0; run < runs.size(); ++run) {
    for (const RecipeResult& recipe : runs[run].record.recipes()) {
      if (recipe.role() == RecipeResult::FIXED || !recipe.has_test()) continue;
      const auto [place, added] = places.emplace(RecipeKey(recipe), rows.size());
      if (added) {
        rows.push_back({RowTitle(recipe), std::vector<const RecipeResult*>(runs.size())});
      }
      RecipeRow& row = rows[place->second];
      // The best fixed schedule may be another one in each run.
      if (row.title != RowTitle(recipe) && recipe.role() != RecipeResult::ROLE_UNSPECIFIED) {
        row.title = RoleTitle(recipe.role());
      }
      row.recipes[run] = &recipe;
    }
  }
  return rows;
}

// Why there is no mean over the runs; "" if there is one.
std::string WhyNoMean(Runs runs) {
  std::map<uint64_t, size_t> seeds;
  for (size_t run = 0; run < runs.size(); ++run) {
    if (runs[run].check.Edited()) return absl::StrCat(Letter(run), " was edited");
    if (!SameButSeed(runs[0].record, runs[run].record)) {
      return absl::StrCat("A and ", Letter(run), " differ in more settings than the seed");
    }
    const auto [first, added] = seeds.emplace(runs[run].record.settings().seed(), run);
    if (!added) {
      return absl::StrCat(Letter(first->second), " and ", Letter(run), " have the same seed, ",
                          first->first, ", and a seed counts once");
    }
    if (TestVideos(runs[0].record) != TestVideos(runs[run].record)) {
      return absl::StrCat("A and ", Letter(run), " were tested on different videos");
    }
  }
  return "";
}

std::string RecipesTable(Runs runs) {
  const std::string why_no_mean = WhyNoMean(runs);
  std::vector<std::string> columns = {"recipe"};
  for (size_t run = 0; run < runs.size(); ++run) columns.push_back(Letter(run));
  if (why_no_mean.empty()) columns.insert(columns.end(), {"mean", "95\u00A0% of the mean"});
  HtmlTable table(columns);
  for (const RecipeRow& row : RecipeRows(runs)) {
    std::vector<HtmlCell> cells = {WordsCell(row.title)};
    std::vector<double> shares;
    int videos = 0;
    bool planned = false;
    for (size_t run = 0; run < runs.size(); ++run) {
      const RecipeResult* recipe = row.recipes[run];
      cells.push_back(FigureCell(recipe == nullptr ? "" : Percent(recipe->test().top1())));
      if (recipe == nullptr) continue;
      shares.push_back(recipe->test().top1());
      videos = recipe->test().videos();
      planned = planned || recipe == PlannedRecipe(runs[run].record);
    }
    if (why_no_mean.empty()) {
      const bool several = shares.size() > 1;
      const ShareInterval interval = MeanInterval(shares, videos);
      cells.push_back(FigureCell(several ? Percent(Mean(shares)) : ""));
      cells.push_back(FigureCell(
          several ? absl::StrCat(Percent(interval.low), " to ", Percent(interval.high)) : ""));
    }
    table.AddRow(std::move(cells), planned);
  }
  const std::string html = table.ToHtml();
  if (html.empty()) return "";
  return absl::StrCat("<section>\n<h2>Top\u20111 of every recipe</h2>\n", LegendHtml(runs), html,
                      "<p class=\"note\">In percent. ",
                      why_no_mean.empty()
                          ? "The interval of the mean is over seeds and test videos."
                          : absl::StrCat("No mean over the runs: ", why_no_mean, "."),
                      "</p>\n</section>\n");
}

// All tested rows, with the single fixed schedules: each is a way to spend frames.
std::string ParetoSection(Runs runs) {
  struct Spent {
    size_t run;
    const RecipeResult* recipe;
  };
  std::vector<Spent> all;
  std::vector<Point> points;
  Chart chart;
  chart.title = "Top-1 against frames trained";
  chart.x_label = "million frames until the model existed, search included";
  chart.y_label = "top-1, %";
  chart.log_x = true;
  for (size_t run = 0; run < runs.size(); ++run) {
    ChartSeries series{SeriesColour(static_cast<int>(run)), {}, /*line=*/false, /*dots=*/true};
    for (const RecipeResult& recipe : runs[run].record.recipes()) {
      if (!recipe.has_test() || TotalFrames(recipe) <= 0 || runs[run].check.Edited()) continue;
      const Point point = {static_cast<double>(TotalFrames(recipe)) / 1e6,
                           100 * recipe.test().top1()};
      series.points.push_back(point);
      all.push_back({run, &recipe});
      points.push_back(point);
    }
    chart.series.push_back(std::move(series));
  }
  if (all.empty()) return "";
  HtmlTable table({"recipe", "run", "frames, search included", "top\u20111, 95\u00A0%"});
  ChartSeries front{kGrey, {}, /*line=*/true, /*dots=*/false, "5 4"};
  for (const size_t i : ParetoFront(points)) {
    // A staircase: until the next one nothing better can be had for the frames.
    if (!front.points.empty()) front.points.push_back({points[i].x, front.points.back().y});
    front.points.push_back(points[i]);
    const std::string number = absl::StrCat(chart.marks.size() + 1);
    const RecipeResult& recipe = *all[i].recipe;
    chart.marks.push_back({points[i], number, SeriesColour(static_cast<int>(all[i].run))});
    table.AddRow({WordsCell(absl::StrCat(number, ". ", RowTitle(recipe))),
                  RunCell(runs, all[i].run), FigureCell(FormatCount(TotalFrames(recipe))),
                  FigureCell(WithInterval(recipe.test()))});
  }
  chart.series.insert(chart.series.begin(), front);
  return absl::StrCat(
      "<section>\n<h2>Cost against accuracy</h2>\n", LegendHtml(runs), ChartHtml(chart),
      "<h3>The Pareto front</h3>\n<p>No other row has a higher top\u20111 for as few "
      "frames:</p>\n",
      table.ToHtml(),
      "<p class=\"note\">One dot for each tested row of a run, single fixed schedules included. "
      "Differences within the intervals may be chance.</p>\n</section>\n");
}

std::string PlansSection(Runs runs) {
  std::string html;
  for (size_t run = 0; run < runs.size(); ++run) {
    const Plan& plan = runs[run].record.plan();
    if (plan.steps().empty()) continue;
    absl::StrAppend(&html, "<h3>", RunCell(runs, run).html, "</h3>\n", PlanHtml(plan));
  }
  return html.empty() ? "" : absl::StrCat("<section>\n<h2>Plans</h2>\n", html, "</section>\n");
}

const EdgeOutcome* FindEdge(const SearchOutcome& search, const std::string& from,
                            const std::string& to) {
  for (const EdgeOutcome& edge : search.edges()) {
    if (edge.from() == from && edge.to() == to && edge.failure().empty()) return &edge;
  }
  return nullptr;
}

// The measured points of an edge up to `epochs`, as {epochs, percent}.
std::vector<Point> MeasuredPoints(const EdgeOutcome& edge, int epochs) {
  std::vector<Point> points;
  for (const CurvePoint& point : edge.curve()) {
    if (point.unmeasured() || point.epoch() > epochs) continue;
    points.push_back({static_cast<double>(point.epoch()), 100 * point.performance()});
  }
  return points;
}

// Performance along the plan's path: {frames per training video, percent}.
std::vector<Point> PathPoints(const RunRecord& record) {
  std::vector<Point> points;
  for (const SearchOutcome& search : record.searches()) {
    if (search.plan().pool() != record.plan().pool()) continue;
    double before = 0;
    for (int i = 0; i + 1 < search.plan().path_size(); ++i) {
      const EdgeOutcome* edge = FindEdge(search, search.plan().path(i), search.plan().path(i + 1));
      if (edge == nullptr) continue;
      double clip = 0;
      for (const StateSettings& state : search.graph().states()) {
        if (state.name() == edge->to()) clip = static_cast<double>(ClipLength(state));
      }
      for (const Point& point : MeasuredPoints(*edge, edge->epochs())) {
        points.push_back({before + clip * point.x, point.y});
      }
      before += clip * edge->epochs();
    }
  }
  return points;
}

std::string LossesHtml(Runs runs) {
  std::string html;
  for (const RecipeRow& row : RecipeRows(runs)) {
    Chart chart;
    chart.title = absl::StrCat("Training loss of ", row.title);
    chart.heading = row.title;
    chart.x_label = "epochs";
    chart.y_label = "mean training loss";
    chart.width = 540, chart.height = 300;
    for (size_t run = 0; run < runs.size(); ++run) {
      if (row.recipes[run] == nullptr || row.recipes[run]->losses().empty()) continue;
      ChartSeries series{SeriesColour(static_cast<int>(run)), {}};
      for (const double loss : row.recipes[run]->losses()) {
        series.points.push_back({static_cast<double>(series.points.size() + 1), loss});
      }
      chart.series.push_back(std::move(series));
    }
    if (!chart.series.empty()) absl::StrAppend(&html, "<div>", ChartHtml(chart), "</div>\n");
  }
  return html.empty()
             ? ""
             : absl::StrCat("<h3>Training losses</h3>\n<div class=\"panels\">\n", html, "</div>\n");
}

// One small chart for each edge that several runs trained, in the order of the first run.
std::string EdgesHtml(Runs runs) {
  std::string html;
  int count = 0;
  std::set<std::string> done;
  for (const NamedRecord& named : runs) {
    for (const SearchOutcome& search : named.record.searches()) {
      for (const EdgeOutcome& edge : search.edges()) {
        Chart chart;
        chart.heading = absl::StrCat(edge.from(), kArrow, edge.to());
        if (!done.insert(absl::StrCat(search.graph().pool(), "/", chart.heading)).second) continue;
        chart.title = absl::StrCat("Performance from ", edge.from(), " to ", edge.to());
        chart.x_label = "epochs";
        chart.y_label = "performance, %";
        chart.width = 270, chart.height = 240;
        for (size_t run = 0; run < runs.size(); ++run) {
          for (const SearchOutcome& other : runs[run].record.searches()) {
            if (other.graph().pool() != search.graph().pool()) continue;
            const EdgeOutcome* same = FindEdge(other, edge.from(), edge.to());
            if (same == nullptr) continue;
            chart.series.push_back({SeriesColour(static_cast<int>(run)),
                                    MeasuredPoints(*same, same->curve_size()), true, true});
          }
        }
        if (chart.series.size() < 2) continue;
        html += DrawChart(chart).ToInline();
        ++count;
      }
    }
  }
  if (count == 0) return "";
  return absl::StrCat("<details><summary>The ", count,
                      " edges that several runs trained</summary>\n<div class=\"panels\">\n", html,
                      "</div>\n</details>\n");
}

std::string CurvesSection(Runs runs) {
  Chart chart;
  chart.title = "Performance along the plans";
  chart.x_label = "frames trained per video of the training list";
  chart.y_label = "performance, %";
  chart.width = 860;
  bool any = false;
  for (size_t run = 0; run < runs.size(); ++run) {
    chart.series.push_back(
        {SeriesColour(static_cast<int>(run)), PathPoints(runs[run].record), true, true});
    any = any || !chart.series.back().points.empty();
  }
  const std::string path =
      any ? absl::StrCat("<h3>Performance along the plans</h3>\n", ChartHtml(chart),
                         "<p class=\"note\">As measured by each search, on its own held-out "
                         "videos, up to the epochs that were kept of each edge.</p>\n")
          : "";
  const std::string html = absl::StrCat(path, EdgesHtml(runs), LossesHtml(runs));
  if (html.empty()) return "";
  return absl::StrCat("<section>\n<h2>Curves</h2>\n", LegendHtml(runs), html, "</section>\n");
}

std::string SettingsSection(Runs runs) {
  // Each place once, with the values of the runs that differ from the first.
  std::vector<std::pair<std::string, std::vector<std::string>>> places;
  ComparisonOptions options;
  options.exact = true;
  for (size_t run = 1; run < runs.size(); ++run) {
    RunRecord first, other;
    *first.mutable_settings() = runs[0].record.settings();
    *other.mutable_settings() = runs[run].record.settings();
    for (const Difference& difference : CompareRecords(first, other, options)) {
      if (!absl::StartsWith(difference.place, "settings > ")) continue;
      const std::string place = difference.place.substr(11);
      auto found = std::find_if(places.begin(), places.end(),
                                [&](const auto& entry) { return entry.first == place; });
      if (found == places.end()) {
        places.emplace_back(place, std::vector<std::string>(runs.size(), difference.a));
        found = places.end() - 1;
      }
      // Of a whole message only the note says which run has it.
      found->second[run] =
          difference.a.empty() && difference.b.empty() ? difference.note : difference.b;
    }
  }
  if (places.empty()) {
    return "<section>\n<h2>Settings</h2>\n<p>All settings are equal, the seed too.</p>\n"
           "</section>\n";
  }
  std::vector<std::string> columns = {"setting"};
  for (size_t run = 0; run < runs.size(); ++run) columns.push_back(Letter(run));
  HtmlTable table(columns);
  for (size_t i = 0; i < places.size() && i < kMostDifferences; ++i) {
    std::vector<HtmlCell> cells = {WordsCell(places[i].first)};
    for (const std::string& value : places[i].second) cells.push_back(WordsCell(value));
    table.AddRow(std::move(cells));
  }
  const std::string rest =
      places.size() > kMostDifferences
          ? absl::StrCat("<p class=\"note\">And ", places.size() - kMostDifferences,
                         " more; //results:compare lists all of them for two runs.</p>\n")
          : "";
  return absl::StrCat("<section>\n<h2>Settings that differ</h2>\n<details",
                      places.size() > 12 ? "" : " open=\"\"", "><summary>", places.size(),
                      places.size() == 1 ? " setting" : " settings", "</summary>\n", table.ToHtml(),
                      rest, "</details>\n</section>\n");
}

}  // namespace

absl::Status CheckComparable(absl::Span<const NamedRecord> runs) {
  if (runs.size() < 2) {
    return absl::InvalidArgumentError("a comparison takes at least two runs");
  }
  std::vector<RunRecord> comparable;
  for (const NamedRecord& named : runs) comparable.push_back(Comparable(named.record));
  for (size_t run = 1; run < runs.size(); ++run) {
    const std::string other = DescribeOtherSet(runs[0], runs[run]);
    if (!other.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(other,
                       "; give runs of one dataset and scale, or use //results:table, which "
                       "makes a table of each"));
    }
    for (size_t before = 0; before < run; ++before) {
      if (!MessageDifferencer::Equals(comparable[before], comparable[run])) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          runs[before].name, " and ", runs[run].name, " are the same run, of seed ",
          runs[run].record.settings().seed(), "; a seed counts once, so leave one of them out"));
    }
  }
  return absl::OkStatus();
}

std::string RenderComparison(absl::Span<const NamedRecord> runs) {
  const BenchmarkSettings& settings = runs[0].record.settings();
  return RenderPage(
      absl::StrCat(BenchmarkTitle(settings.benchmark(), settings.scale()), ": ", runs.size(),
                   " runs side by side"),
      absl::StrCat(ScaleText(settings.scale()),
                   settings.scale() == BenchmarkSettings::MINIATURE
                       ? "; synthetic video and a small network: the figures say nothing about "
                         "real video"
                       : ""),
      absl::StrCat(SummarySection(runs), ParetoSection(runs), RecipesTable(runs),
                   PlansSection(runs), CurvesSection(runs), SettingsSection(runs)));
}

absl::Status WriteComparison(const std::string& folder, absl::Span<const NamedRecord> runs) {
  OP3D_RETURN_IF_ERROR(CheckComparable(runs));
  return WriteFileAtomically(JoinPath(folder, "comparison.html"), RenderComparison(runs));
}

}  // namespace op3d::results
