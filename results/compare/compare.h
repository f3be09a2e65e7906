// Compares two runs: their records, plans, curves and scores.
//
//   OP3D_ASSIGN_OR_RETURN(RunComparison runs, CompareRuns("runs/a", "runs/b", ComparisonOptions()));
//   std::fputs(DescribeComparison(runs).c_str(), stdout);
#ifndef OP3D_RESULTS_COMPARE_COMPARE_H_
#define OP3D_RESULTS_COMPARE_COMPARE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "results/compare/comparison_rules.h"
#include "results/record/run_record.pb.h"

namespace op3d::results {

struct RunComparison {
  bool exact = false;
  std::vector<Difference> differences;

  // What was compared, counted in A.
  int64_t fields = 0;
  int64_t recipes = 0;
  int64_t edges = 0;
  int64_t curve_points = 0;
  int64_t scores = 0;
  // Scores files that are missing for at least one record and were compared by their checksums.
  int64_t files_by_checksum = 0;
  // What was not compared, and why.
  std::vector<std::string> not_compared;
  // One sentence if the records are of different datasets or scales (DescribeOtherSet()): then their
  // figures say nothing about each other.  "" if not.
  std::string other_set;
  // One sentence for A and for B if that record was edited (record_check.h): then the comparison
  // says nothing about the two runs.
  std::vector<std::string> edited;
};

// `a` and `b` are runs' folders or record files; the scores files that the records name are read
// from the same folders.  If one is missing, an exact comparison uses the checksums in the records
// (SHA-256, in older records CRC-32).  NotFound if a record is missing, or a scores file without
// a checksum; the errors of ReadRecord() and CompareScores() for unreadable files.
absl::StatusOr<RunComparison> CompareRuns(const std::string& a, const std::string& b,
                                          const ComparisonOptions& options);

// For people: a sentence ("equal within the tolerances: 4,812 fields, ..."), or one line for each
// difference, at most `most`.  If a record was edited, first that there is no verdict; if they are of
// different datasets or scales, first that.
std::string DescribeComparison(const RunComparison& comparison, int most = 40);

// "plan > step 1 > epochs: 11 against 12 (differs by 1, allowed 0)".
std::string DifferenceText(const Difference& difference);

// One JSON object on one line: equal (null if a record was edited), exact, differences [{place,
// a, b, note}], compared {fields, recipes, edges, curve_points, scores, files_by_checksum},
// not_compared [...], edited [...], other_set (only if it is not "").
std::string ComparisonJson(const RunComparison& comparison);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_COMPARE_COMPARE_H_
