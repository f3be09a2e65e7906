// Two records field by field, but for what differs between equal runs.
//
//   std::vector<Difference> differences = CompareRecords(a, b, ComparisonOptions());
//   differences[0].place;                     // "recipe 'planned' > test > top1"
//
// Recipes, searches, edges, states, classes and lists are matched by their names, curve points by
// their epoch, wherever they stand.
#ifndef OP3D_RESULTS_COMPARE_RECORD_COMPARISON_H_
#define OP3D_RESULTS_COMPARE_RECORD_COMPARISON_H_

#include <cstdint>
#include <vector>

#include "results/compare/comparison_rules.h"
#include "results/compare/difference.h"
#include "results/record/run_record.pb.h"

namespace op3d::results {

// In the order of the record's fields.  Not exact: the parameters of fits are compared by the curve
// they give (five parameters fitted to a few points are loose, their curve is not); checksums and
// notes are left out.
std::vector<Difference> CompareRecords(const RunRecord& a, const RunRecord& b,
                                       const ComparisonOptions& options);

// How many single values a record holds besides the volatile ones.
int64_t CountFields(const RunRecord& record);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_COMPARE_RECORD_COMPARISON_H_
