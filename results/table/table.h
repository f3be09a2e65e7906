// Tables of recorded runs next to published figures.
//
//   std::vector<ResultTable> tables = MakeTables({{"run-1", record}}, *LoadPublishedFigures());
//   std::fputs(RenderTables(tables, TableFormat::kText).c_str(), stdout);   // table_format.h
#ifndef OP3D_RESULTS_TABLE_TABLE_H_
#define OP3D_RESULTS_TABLE_TABLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "results/record/named_records.h"
#include "results/record/run_record.pb.h"
#include "results/record/statistics.h"
#include "results/table/published.pb.h"

namespace op3d::results {

// One recipe of one run, or the median over runs that differ in their seed (for rows with
// a role the mean, because the interval is the mean's).  Shares are in [0, 1]; unknown values are
// not set and stay blank.
struct ResultRow {
  // RowTitle() of the recipe, and its name in the settings.
  std::string recipe;
  std::string recipe_name;
  RecipeResult::Role role = RecipeResult::ROLE_UNSPECIFIED;
  std::string network;
  std::string run;
  std::optional<uint64_t> seed;
  std::optional<int64_t> epochs;
  std::optional<int64_t> frames;
  // Including the search or all candidates; for rows with a role.
  std::optional<int64_t> total_frames;
  std::optional<int> clips;
  std::optional<int> crops;
  // kFigures lists them.
  std::optional<double> top1, top3, top5, mean_class_accuracy;
  // 95 % interval of top-1: over the test videos; with several seeds over videos and seeds.  For
  // rows with a role.
  std::optional<ShareInterval> interval;
  // The number of test videos.
  int videos = 0;
  // In the order of ResultTable::groups.
  std::vector<std::optional<double>> groups;
  // Top-1 of each head alone: temporal, spatial.
  std::vector<std::optional<double>> heads;
  std::optional<double> train_seconds;
  // How a planned recipe's plan was chosen: "videos held out from the training list", "the
  // evaluation list", "a given plan"; "" for other recipes.
  std::string chosen_on;

  // In percent and points; only for full-scale rows.
  std::optional<double> published, difference, tolerance;
  // "reproduced", "above", "below"; "" if it is not compared with anything; "none: edited",
  // "none: not official" if the record must not be compared (record_check.h).
  std::string verdict;
  // DecisiveSettings() of its record.
  std::string settings;
  // The record was edited: the row is shown, but it is in no mean and has no verdict.
  bool edited = false;
  // RecordCheck.not_official of its record.
  std::string not_official;
  // For a mean over splits: the sample standard deviation, lowest and highest of the splits' top-1.
  std::optional<double> deviation;
  std::optional<ShareInterval> range;
  std::string source;
};

// The figures of a test that rows over several seeds or splits show as a mean or median.
inline constexpr std::optional<double> ResultRow::*kFigures[] = {
    &ResultRow::top1, &ResultRow::top3, &ResultRow::top5, &ResultRow::mean_class_accuracy};

// The runs of one benchmark at one scale, on one official split; for a user's own data, on the same
// test videos.  Or the means over the splits of one benchmark at one scale.
struct ResultTable {
  std::string benchmark;
  BenchmarkSettings::Scale scale = BenchmarkSettings::SCALE_UNSPECIFIED;
  // From 1; 0 if the dataset has only one split, and for means over splits.
  int split = 0;
  // For means over splits: which splits, from 1, in order.  Every row is a mean over all of these.
  std::vector<int> splits;
  // For a user's own data: CRC-32 of the test videos and their labels, because a name alone does
  // not identify them.  0 at other scales.
  uint32_t test_videos = 0;
  // Groups of classes of a miniature.
  std::vector<std::string> groups;
  std::vector<ResultRow> rows;
  // Published figures to show next to ours; none for a miniature.
  std::vector<PublishedFigure> context;
  // Why a difference within the tolerance counts as reproduced.
  std::string tolerance_reason;
  // The number of rows with the role FIXED that are not in `rows`.
  int hidden = 0;
  // One sentence for each run that was edited, and for each whose figures are not of the official
  // dataset.
  std::vector<std::string> warnings;
};

struct TableOptions {
  // Also show single fixed schedules, of which BEST_FIXED is one.
  bool all = false;
};

// Whether any row has a role.  Rows of older records have none.
bool HasRoles(const ResultTable& table);

// One table per benchmark, scale and split, in the order in which the records first name them.
// Recipes that were not tested have a row without figures.  After the tables of several splits of
// one benchmark and scale there is one of means over them: a row for each recipe and network that
// was tested on all, the mean over splits of the mean over a split's seeds.  If two splits were
// tested on the same videos there is no such table; `warnings` of their first table says so.
std::vector<ResultTable> MakeTables(absl::Span<const NamedRecord> records,
                                    const PublishedFigures& figures,
                                    const TableOptions& options = TableOptions());

}  // namespace op3d::results

#endif  // OP3D_RESULTS_TABLE_TABLE_H_
