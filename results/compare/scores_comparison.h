// Compares two files of test scores, number by number.
//
//   OP3D_ASSIGN_OR_RETURN(ScoresComparison scores, CompareScores(file_a, file_b, options));
#ifndef OP3D_RESULTS_COMPARE_SCORES_COMPARISON_H_
#define OP3D_RESULTS_COMPARE_SCORES_COMPARISON_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "results/compare/comparison_rules.h"

namespace op3d::results {

struct ScoresComparison {
  std::vector<Difference> differences;
  // The number of single numbers that are in both files.
  int64_t numbers = 0;
};

// Tensors are matched by name and must have the same type and shape.  Floating-point numbers may
// differ by options.score_tolerance, whole numbers not at all; if exact, the files' bytes must be
// equal.  The errors of Safetensors::Read if a file cannot be read.
absl::StatusOr<ScoresComparison> CompareScores(const std::string& path_a, const std::string& path_b,
                                               const ComparisonOptions& options);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_COMPARE_SCORES_COMPARISON_H_
