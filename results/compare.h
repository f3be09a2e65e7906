// Two runs: their records, plans, curves and scores.
//
//   OP3D_ASSIGN_OR_RETURN(RunComparison runs, CompareRuns(folder_a, folder_b,
//   ComparisonOptions())); if (runs.differences.empty())
//   std::puts(DescribeComparison(runs).c_str());
#ifndef OP3D_RESULTS_COMPARE_H_
#define OP3D_RESULTS_COMPARE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "results/comparison_rules.h"
#include "results/difference.h"
#include "results/run_record.pb.h"

namespace op3d {

struct RunComparison {
  bool exact = false;
  std::vector<Difference> differences;

  // What was compared, counted in A.
  int64_t fields = 0;
  int64_t recipes = 0;
  int64_t edges = 0;
  int64_t curve_points = 0;
  int64_t scores = 0;
  // What was not, and why.
  std::vector<std::string> not_compared;
};

// `a` and `b` are runs' folders or record files; the scores files that the records name are read
// beside them.  NotFound when a record is missing (or, when exact, a scores file), the errors of
// ReadRecord() and CompareScores() for what cannot be read.
absl::StatusOr<RunComparison> CompareRuns(const std::string& a, const std::string& b,
                                          const ComparisonOptions& options);

// For people: a sentence ("equal within the tolerances: 4,812 fields, ..."), or each difference on
// a line, at most `most` of them.
std::string DescribeComparison(const RunComparison& comparison, int most = 40);

// One JSON object on one line: equal, exact, differences [{place, a, b, note}], compared {fields,
// recipes, edges, curve_points, scores}, not_compared [...].
std::string ComparisonJson(const RunComparison& comparison);

}  // namespace op3d

#endif  // OP3D_RESULTS_COMPARE_H_
