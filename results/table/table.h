// Recorded runs as tables: ours beside what was published.
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

// One recipe of one run, or the median over runs that differ in their seed (the mean, of rows with
// a role: the interval is the mean's).  Shares are in [0, 1]; what is not known is absent and stays
// blank.
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
  // The search or all candidates included; of rows with a role.
  std::optional<int64_t> total_frames;
  std::optional<int> clips;
  std::optional<int> crops;
  std::optional<double> top1, top3, top5, mean_class_accuracy;
  // 95 % of top-1: over the test videos, of several seeds over videos and seeds.  Of rows with a
  // role.
  std::optional<ShareInterval> interval;
  // Test videos.
  int videos = 0;
  // In the order of ResultTable::groups.
  std::vector<std::optional<double>> groups;
  // Top-1 of each head alone: temporal, spatial.
  std::vector<std::optional<double>> heads;
  std::optional<double> train_seconds;
  // What chose a planned recipe's plan: "videos held out from the training list", "the evaluation
  // list", "a given plan"; "" for other recipes.
  std::string chosen_on;

  // In percent and points; a full-scale row's only.
  std::optional<double> published, difference, tolerance;
  // "reproduced", "above", "below"; "" where nothing is held against anything; "none: edited",
  // "none: not official" where the record may not be (record_check.h).
  std::string verdict;
  // The record was edited: the row is shown, in no mean and without a verdict.
  bool edited = false;
  // RecordCheck.not_official of its record.
  std::string not_official;
  // Of a mean over splits: the sample standard deviation, lowest and highest of the splits' top-1.
  std::optional<double> deviation;
  std::optional<ShareInterval> range;
  std::string source;
};

// The runs of one benchmark at one scale, on one official split; of one's own data, on the same
// test videos.  Or the means over the splits of one benchmark at one scale.
struct ResultTable {
  std::string benchmark;
  BenchmarkSettings::Scale scale = BenchmarkSettings::SCALE_UNSPECIFIED;
  // From 1; 0 where the dataset has one split alone, and of means over splits.
  int split = 0;
  // Of means over splits: which, from 1, in order.  Every row is over all of these.
  std::vector<int> splits;
  // One's own data: CRC-32 of the videos of the test and their labels, as a name alone does not say
  // which they are.  0 at other scales.
  uint32_t test_videos = 0;
  // Groups of classes of a miniature.
  std::vector<std::string> groups;
  std::vector<ResultRow> rows;
  // Published figures beside ours; none for a miniature.
  std::vector<PublishedFigure> context;
  // Why a difference within the tolerance counts as reproduced.
  std::string tolerance_reason;
  // Rows of the role FIXED that are not among `rows`.
  int hidden = 0;
  // A sentence for each run that was edited, and for each whose figures are not of the official
  // dataset.
  std::vector<std::string> warnings;
};

struct TableOptions {
  // Single fixed schedules too, of which BEST_FIXED is one.
  bool all = false;
};

// Does any row say what it stands for?  Older records' do not.
bool HasRoles(const ResultTable& table);

// One table a benchmark, scale and split, in the order in which the records first name them.
// Recipes that were not tested have a row without figures.  After the tables of several splits of
// one benchmark and scale follows one of means over them: a row for each recipe and network that
// was tested on all, the mean over splits of the mean over a split's seeds.  Splits that were
// tested on the same videos are refused one: `warnings` of their first table says so.
std::vector<ResultTable> MakeTables(absl::Span<const NamedRecord> records,
                                    const PublishedFigures& figures,
                                    const TableOptions& options = TableOptions());

}  // namespace op3d::results

#endif  // OP3D_RESULTS_TABLE_TABLE_H_
